//! The rules of the house that no other tool checks, each a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ci::{members, name};
use crate::run::{cargo, output, root};

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

/// The packages of the workspace with the names of their normal dependencies: what a test or a build script needs may
/// point anywhere.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let members = members().expect("cargo knows them");
    let all = members.iter().map(|member| {
        let dependencies = member["dependencies"].as_array().expect("a list").iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        (name(member).expect("it has one").to_owned(), normal.map(|one| name(one).expect("so has this").to_owned()))
    });
    all.map(|(package, dependencies)| (package, dependencies.collect())).collect()
}

const CLI: &str = "beakerhelpers-cli";
const CORE: &str = "beakerhelpers-core";
/// What is neither a plugin nor the program that names them.
const SHARED: [&str; 6] = [
    CORE,
    "beakerhelpers-codec",
    "beakerhelpers-container",
    "beakerhelpers-dbm-format",
    "beakerhelpers-testkit",
    "xtask",
];

/// The plugin that uses the library half of another: `docs/decisions/0026-session2.md`.
const BORROWS: (&str, &str) = ("beakerhelpers-session2", "beakerhelpers-database");

#[test]
fn only_the_program_names_plugins() {
    let all = dependencies();
    let plugins: Vec<_> = all.keys().filter(|name| !SHARED.contains(&name.as_str()) && *name != CLI).collect();
    // Those whose names a person would say: a list that is found by leaving out may leave out too much.
    for plugin in [
        "beakerhelpers-sessions",
        "beakerhelpers-cleanup",
        "beakerhelpers-delete",
        "beakerhelpers-setup",
        "beakerhelpers-database",
    ] {
        assert!(plugins.iter().any(|name| *name == plugin), "{plugin} is not in {plugins:?}");
        assert!(all[CLI].iter().any(|name| name == plugin), "{CLI} does not depend on {plugin}");
    }
    let others = all.iter().filter(|(name, _)| *name != CLI);
    let wrong = others.flat_map(|(package, dependencies)| {
        let named = dependencies.iter().filter(|name| plugins.contains(name) || *name == CLI);
        let named = named.filter(|name| (&**package, &***name) != BORROWS);
        named.map(move |name| format!("{package}: {name}"))
    });
    assert_none(&wrong.collect::<Vec<_>>(), "arrows point down only, so this must not depend on that");
}

#[test]
fn the_shared_crates_know_nothing_above_them() {
    let all = dependencies();
    let members_of = |package: &str| -> Vec<_> {
        all[package].iter().filter(|name| all.contains_key(*name)).map(String::as_str).collect()
    };
    assert_eq!(members_of(CORE), [""; 0]);
    assert_eq!(members_of("beakerhelpers-codec"), [CORE]);
    assert_eq!(members_of("beakerhelpers-testkit"), [CORE]);
}

#[test]
fn core_knows_no_database_and_nothing_asynchronous() {
    // All that it may have, so that another one is a decision and not an accident.
    let allowed = ["chrono", "chrono-tz", "clap", "configparser", "hmac", "inventory", "sha2", "strsim"];
    assert_eq!(dependencies()[CORE], allowed);
    let tree =
        ["tree", "--package", CORE, "--all-features", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = output(&mut cargo(&tree)).expect("cargo knows what it builds");
    let built: BTreeSet<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(allowed.iter().all(|name| built.contains(name)), "the tree is incomplete: {built:?}");
    let database_or_async = |name: &&str| {
        let words = ["sqlite", "diesel", "postgres", "mysql", "redis", "tokio", "async", "futures", "hyper", "serde"];
        words.iter().any(|word| name.contains(word))
    };
    assert_none(
        &built.into_iter().filter(database_or_async).map(str::to_owned).collect::<Vec<_>>(),
        "core must do without",
    );
}

#[test]
fn the_current_beaker_is_the_last_of_the_releases() {
    let requirements = text(&root().join("crates/beakerhelpers-testkit/python/requirements/current.txt"));
    let wanted = format!("Beaker=={}", beakerhelpers_testkit::CURRENT_RELEASE);
    assert!(requirements.lines().any(|line| line == wanted), "{wanted}");
    assert_eq!(beakerhelpers_testkit::RELEASES.last(), Some(&beakerhelpers_testkit::CURRENT_RELEASE));
}
