//! Every example of README and guide is run: their `console` blocks hold what the program prints. After a line with `$`
//! and a command come its exit code, `? 2`, where it is not 0, and the lines of both its outputs. A `[..]` stands for any
//! part of a line.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Run, finish};

/// The directory of the workspace, where whoever reads the README stands.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate is in the workspace").to_owned()
}

/// README, then everything below `docs`.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut pending = vec![root().join("docs")];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).expect("the documentation is there") {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages.insert(0, root().join("README.md"));
    pages
}

/// A command and what it prints.
#[derive(Debug, Default)]
struct Example {
    line: usize,
    command: String,
    code: u8,
    output: String,
}

fn examples(page: &Path) -> Vec<Example> {
    let text = fs::read_to_string(page).expect("a readable page");
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", page.display(), number + 1);
        if line.starts_with("```") {
            inside = line == "```console";
            assert!(inside || !line.contains("console"), "{}: this block is not run", place());
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            examples.push(Example { line: number + 1, command: command.to_owned(), ..Example::default() });
        } else if inside {
            let example = examples.last_mut().unwrap_or_else(|| panic!("{}: a command comes first", place()));
            match line.strip_prefix("? ") {
                Some(code) if example.output.is_empty() => example.code = code.parse().expect("an exit code"),
                _ => example.output.extend([line, "\n"]),
            }
        }
    }
    examples
}

/// Runs a command line in the directory of the workspace.
fn run(command: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_beakerhelpers"));
    let directory = program.parent().expect("the binary is in a directory").to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([directory].into_iter().chain(env::split_paths(&path))).expect("a plain path");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(root());
    finish(shell.env("PATH", path).env("TZ", "UTC").env_remove("COLUMNS"))
}

/// Whether a text is what a page shows, line by line.
fn matches(shown: &str, printed: &str) -> bool {
    let same = |(shown, printed): (&str, &str)| match shown.split_once("[..]") {
        Some((start, end)) => printed.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => shown == printed,
    };
    shown.lines().count() == printed.lines().count() && shown.lines().zip(printed.lines()).all(same)
}

#[test]
fn the_readme_and_the_guide_have_examples() {
    let pages = pages();
    assert!(!examples(&pages[0]).is_empty(), "README.md shows nothing");
    assert!(pages[1..].iter().any(|page| !examples(page).is_empty()), "the guide shows nothing");
}

#[test]
fn every_example_prints_what_it_shows() {
    let mut wrong = Vec::new();
    for page in pages() {
        for Example { line, command, code, output } in examples(&page) {
            let run = run(&command);
            if run.code != code || !matches(&output, &run.stdout) {
                let place = format!("{}:{line}", page.strip_prefix(root()).unwrap_or(&page).display());
                wrong.push(format!("{place}: `{command}` ends with {} and prints\n{}", run.code, run.stdout));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn differences_are_found() {
    assert!(matches("a\nb\n", "a\nb\n") && matches("in [..] s\n", "in 0.1 s\n"));
    assert!(!matches("a\n", "b\n") && !matches("a\n", "a\nb\n") && !matches("in [..] s\n", "in 0.1 m\n"));
}
