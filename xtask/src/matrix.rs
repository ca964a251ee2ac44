//! `cargo xtask test --matrix`: what real Beaker and this project read of each other.

use std::fs;
use std::io::{self, Write};

use crate::run::{self, Result, root, target};
use crate::test::{self, Skips};

/// Where the tables stand, each below its heading.
const DOCUMENT: &str = "docs/reference/compatibility.md";
/// The tests that make them.
const TESTS: [&str; 4] = ["--package=beakerhelpers-cli", "--test", "it", "matrix::"];

/// Runs the tests, prints the tables and, where it is wanted, writes them into the document. Otherwise the tests hold
/// them to the document.
pub(crate) fn run(write: bool) -> Result {
    let folder = target().join("matrix");
    let problem = |error: io::Error| format!("{}: {error}", folder.display());
    // What an earlier run left must not be taken for this one's.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(problem)?;
    let (mut tests, _servers) = test::command(&TESTS.map(str::to_owned), Skips::Forbidden)?;
    tests.env("BEAKERHELPERS_MATRIX", &folder);
    if write {
        tests.env("BEAKERHELPERS_MATRIX_WRITE", "1");
    }
    let tested = run::run(&mut tests);
    let mut files = fs::read_dir(&folder).map_err(problem)?.collect::<io::Result<Vec<_>>>().map_err(problem)?;
    files.sort_by_key(fs::DirEntry::file_name);
    let parts = files.iter().map(|file| fs::read_to_string(file.path())).collect::<io::Result<Vec<_>>>();
    let parts = parts.map_err(problem)?;
    print(&parts);
    tested?;
    if !write {
        return Ok(());
    }
    let document = root().join(DOCUMENT);
    let text = fs::read_to_string(&document).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let text = parts.iter().try_fold(text, |text, part| with_table(&text, part))?;
    fs::write(&document, text).map_err(|error| format!("{DOCUMENT}: {error}"))
}

fn print(parts: &[String]) {
    // There is nobody to tell that nobody reads.
    let _ = write!(io::stdout(), "{}", parts.join("\n"));
}

/// Puts the table of a part, a heading and a table, in place of the one that stands below this heading.
fn with_table(text: &str, part: &str) -> Result<String> {
    let (heading, table) = part.split_once("\n\n").ok_or("a test left something that is no table")?;
    let missing = || format!("{DOCUMENT} has no line `{heading}` with a table below it");
    let start = text.find(&format!("\n{heading}\n")).ok_or_else(missing)?;
    let start = start + text[start..].find("\n|").ok_or_else(missing)? + 1;
    let length = text[start..].find("\n\n").map_or(text.len() - start, |end| end + 1);
    Ok([&text[..start], table, &text[start + length..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_below_its_heading() {
        let text = "# All\n\n## One\n\nWords.\n\n| a |\n| 1 |\n\n## Two\n\n| b |\n";
        assert_eq!(
            with_table(text, "## One\n\n| c |\n").as_deref(),
            Ok("# All\n\n## One\n\nWords.\n\n| c |\n\n## Two\n\n| b |\n")
        );
        assert_eq!(with_table(text, "## Two\n\n| c |\n").as_deref(), Ok(text.replace("| b |", "| c |").as_str()));
        assert!(with_table(text, "## Three\n\n| c |\n").is_err());
    }
}
