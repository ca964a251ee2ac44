//! The tables of the document.

use std::env;
use std::fs;
use std::path::Path;

use super::Cell;
use super::cell::FORMS;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/compatibility.md");
/// A folder that `cargo xtask test --matrix` collects the tables from.
const FOLDER: &str = "BEAKERHELPERS_MATRIX";
/// Set where the document is about to be written.
const WRITE: &str = "BEAKERHELPERS_MATRIX_WRITE";

/// What came of one store.
pub(crate) struct Table {
    /// The heading of its part of the document.
    heading: String,
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Table {
    pub(crate) fn new(store: &str) -> Self {
        let heads: Vec<_> = FORMS.iter().map(|form| form.head()).collect();
        Self::with_heads(store, &[&["Beaker".to_owned()], &heads[..]].concat())
    }

    /// A table of other columns.
    pub(crate) fn with_heads(heading: &str, heads: &[String]) -> Self {
        let lines = vec![line(heads), line(&vec!["---".to_owned(); heads.len()])];
        Self { heading: format!("## {heading}"), lines, failed: Vec::new() }
    }

    /// Adds the row of a release.
    pub(crate) fn add(&mut self, release: &str, cells: Vec<Cell>) {
        let shown = cells.iter().map(Cell::shown);
        self.lines.push(line(&std::iter::once(release.to_owned()).chain(shown).collect::<Vec<_>>()));
        for (form, cell) in FORMS.iter().zip(cells) {
            if let Cell::Failed(why) = cell {
                self.failed.push(format!("Beaker {release}, {}: {why}", form.head()));
            }
        }
    }

    /// Adds any row.
    pub(crate) fn add_line(&mut self, cells: &[String]) {
        self.lines.push(line(cells));
    }

    /// Fails where a cell did, and where the document says anything else.
    pub(crate) fn hold(self) {
        let Self { heading, lines, failed } = self;
        if let Some(folder) = env::var_os(FOLDER) {
            let name: String = heading.chars().filter(char::is_ascii_alphanumeric).collect();
            let text = format!("{heading}\n\n{}\n", lines.join("\n"));
            fs::write(Path::new(&folder).join(name).with_extension("md"), text).expect("the table can be written");
        }
        assert!(failed.is_empty(), "{heading}\n{}", failed.join("\n"));
        if env::var_os(WRITE).is_none() {
            let document = fs::read_to_string(DOCUMENT).expect("the document is there");
            let found: Vec<_> = part(&document, &heading).filter(|line| line.starts_with('|')).collect();
            assert_eq!(found, lines, "{heading}: if it is to be so, run `cargo xtask test --matrix --write`");
        }
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The lines below a heading, up to the next.
fn part<'d>(document: &'d str, heading: &'d str) -> impl Iterator<Item = &'d str> {
    let lines = document.lines().skip_while(move |line| *line != heading).skip(1);
    lines.take_while(|line| !line.starts_with("## "))
}
