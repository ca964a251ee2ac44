//! The classes of a store as a page of output.

use std::fmt::Write as _;
use std::io::Write;

use beakerhelpers_core::{Result, SessionStore};

use super::{ClassCount, count};
use crate::columns::{Columns, RowBuilder, cell_width};
use crate::json;
use crate::listing::{Format, Listing};
use crate::read::Observer;
use crate::sorter::{Sorted, Sorter};

/// What there is to say of a class.
const COLUMNS: [&str; 5] = ["class", "sessions", "uses", "danger", "session"];
/// What is said where there is no class, for people.
const NOTHING: &str = "No classes found";

/// Prints the classes and functions that sessions refer to, and returns how many references had no room.
pub(crate) fn write(
    listing: &Listing,
    store: &dyn SessionStore,
    out: &mut dyn Write,
    observer: &mut dyn Observer,
) -> Result<u64> {
    let (mut classes, left_out) = count(listing.query, &listing.selection, &listing.settings, store, observer)?;
    classes.truncate(usize::try_from(listing.limit).unwrap_or(usize::MAX));
    if matches!(listing.format, Format::Json | Format::Jsonl) {
        listing.print_objects(&mut objects(&classes, listing)?, out)?;
    } else {
        let (columns, mut rows) = cells(&classes, listing)?;
        listing.print_cells(&columns, &columns.as_given(), &mut rows, out, NOTHING)?;
    }
    Ok(left_out)
}

/// In the order in which they come.
fn objects(classes: &[ClassCount], listing: &Listing) -> Result<Sorted> {
    let mut sorter = Sorter::new(false, u64::MAX);
    let mut object = String::new();
    for ClassCount { name, sessions, uses, danger, session } in classes {
        object.clear();
        object.push_str("{\"class\":");
        json::push_str(name, &mut object)?;
        write!(object, ",\"sessions\":{sessions},\"uses\":{uses}").expect("a String takes everything");
        if let Some(danger) = danger {
            object.push_str(",\"danger\":");
            json::push_str(danger, &mut object)?;
        }
        if let Some(id) = session {
            write!(object, ",\"session\":\"{}\"", id.fingerprint(&listing.fingerprints))
                .expect("a String takes everything");
        }
        object.push('}');
        sorter.push(&[], object.as_bytes())?;
    }
    sorter.finish()
}

fn cells(classes: &[ClassCount], listing: &Listing) -> Result<(Columns, Sorted)> {
    let mut columns = Columns::of(COLUMNS)?;
    let mut sorter = Sorter::new(false, u64::MAX);
    let style = listing.style();
    let mut row = RowBuilder::default();
    for ClassCount { name, sessions, uses, danger, session } in classes {
        row.clear();
        let (sessions, uses) = (sessions.to_string(), uses.to_string());
        let session = session.as_ref().map(|id| id.fingerprint(&listing.fingerprints).to_string());
        let cells = [Some(name.as_str()), Some(&sessions), Some(&uses), *danger, session.as_deref()];
        for (column, cell) in cells.into_iter().enumerate() {
            if let Some(cell) = cell {
                let text = style.escape(cell);
                row.push(column, cell_width(&text), &text)?;
            }
        }
        columns.note_row(row.bytes());
        sorter.push(&[], row.bytes())?;
    }
    Ok((columns, sorter.finish()?))
}
