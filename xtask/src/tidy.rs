//! The rules of the house that no other tool checks, each a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{output, root};

/// Every file that is in the repository or about to be.
fn files() -> Vec<PathBuf> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = output(Command::new("git").args(args).current_dir(root())).expect("git lists the files");
    let files: Vec<_> =
        listed.split_terminator('\0').map(|name| root().join(name)).filter(|file| file.is_file()).collect();
    assert!(files.len() > 20, "the list of files is incomplete");
    files
}

fn with_extension(extension: &'static str) -> impl Iterator<Item = PathBuf> {
    files().into_iter().filter(move |file| file.extension().is_some_and(|found| found == extension))
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The directories of the crates that are published.
fn crates() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("crates")).expect("there are crates");
    entries.map(|entry| entry.expect("a readable directory").path()).filter(|path| path.is_dir()).collect()
}

#[track_caller]
fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let long = ["rs", "py"].into_iter().flat_map(with_extension).filter_map(|file| {
        let lines = text(&file).lines().count();
        (lines > 500).then(|| format!("{}: {lines} lines", file.display()))
    });
    assert_none(&long.collect::<Vec<_>>(), "look for the second idea in");
}

#[test]
fn nothing_is_unfinished_or_ignored() {
    // Each in two parts, so that this file does not break its own rule.
    let words = [("todo", "!("), ("unimplemented", "!("), ("dbg", "!("), ("#[ig", "nore"), ("FIX", "ME"), ("TO", "DO")];
    let words = words.map(|(one, two)| format!("{one}{two}"));
    let sources = ["rs", "py", "toml", "md"].into_iter().flat_map(with_extension);
    assert_none(&occurrences(sources, &words), "finish or remove");
}

#[test]
fn no_path_of_one_machine_is_named() {
    let paths = [("/wo", "rk/"), ("../sha", "red"), ("/ro", "ot/"), ("/tmp/", "lab"), ("/tmp/", "wt/")];
    let paths = paths.map(|(one, two)| format!("{one}{two}"));
    // In databases too: these are the recorded stores.
    assert_none(&occurrences(files().into_iter(), &paths), "this machine is nobody's business");
}

fn occurrences(files: impl Iterator<Item = PathBuf>, words: &[String]) -> Vec<String> {
    let found = files.flat_map(|file| {
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let contents = String::from_utf8_lossy(&bytes).into_owned();
        let inside = words.iter().filter(move |word| contents.contains(word.as_str()));
        inside.map(move |word| format!("{}: `{word}`", file.display())).collect::<Vec<_>>()
    });
    found.collect()
}

#[test]
fn every_crate_is_ready_to_be_published() {
    for directory in crates() {
        let name = directory.file_name().expect("it has a name").to_string_lossy().into_owned();
        let manifest = text(&directory.join("Cargo.toml"));
        let description = manifest.lines().find_map(|line| line.strip_prefix("description = ")).unwrap_or_default();
        assert!(description.len() > 30, "{name}: say what it is: {description}");
        for line in ["license.workspace = true", "repository.workspace = true", "readme = \"README.md\""] {
            assert!(manifest.lines().any(|found| found == line), "{name}: its manifest lacks `{line}`");
        }
        let readme = text(&directory.join("README.md"));
        assert!(readme.starts_with(&format!("# {name}\n")), "{name}: its README starts with its name");
        assert!(readme.lines().count() > 5, "{name}: its README says too little");
        let docs = text(&directory.join("src/lib.rs"));
        assert!(docs.contains("#![doc = include_str!(\"../README.md\")]"), "{name}: its docs are its README");
    }
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    for directory in crates().into_iter().chain([root().join("xtask")]) {
        let manifest = text(&directory.join("Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", directory.display());
    }
}

#[test]
fn every_older_beaker_can_be_installed() {
    let known = text(&root().join("crates/beakerhelpers-testkit/src/python.rs"));
    let (_, known) = known.split_once("OLDER_RELEASES: ").expect("the testkit lists them");
    let (known, _) = known.split_once(';').map(|(_, rest)| rest.split_once(';').expect("it ends")).expect("it ends");
    for file in
        with_extension("txt").filter(|file| file.parent().is_some_and(|parent| parent.ends_with("requirements")))
    {
        let release = file.file_stem().expect("it has a name").to_string_lossy().into_owned();
        assert!(release == "current" || known.contains(&format!("\"{release}\"")), "{release} is not tested");
    }
}
