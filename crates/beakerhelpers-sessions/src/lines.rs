//! The formats that are a line, or a block of lines, for each session.

use std::io::Write;

use beakerhelpers_core::{Error, ErrorKind, Result};

use crate::columns::{Columns, Slots};
use crate::sorter::Sorted;

/// Prints one line for each session, cells separated by tabs, without a header. A missing value is empty.
pub(crate) fn write_plain(columns: &Columns, order: &[usize], rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
    let mut slots = Slots::new(columns, order);
    rows.each(|row| {
        for (place, cell) in slots.in_order(row).enumerate() {
            out.write_all(if place == 0 { b"" } else { b"\t" })?;
            out.write_all(cell.map_or(b"".as_slice(), |cell| cell.text))?;
        }
        Ok(out.write_all(b"\n")?)
    })
}

/// Prints a table as GitHub's Markdown has it. A missing value is empty.
pub(crate) fn write_markdown(columns: &Columns, order: &[usize], rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
    let mut header = String::from("|");
    for column in order {
        header.push(' ');
        header.push_str(&escape_markdown(&columns.get(*column).header));
        header.push_str(" |");
    }
    writeln!(out, "{header}")?;
    writeln!(out, "|{}", " --- |".repeat(order.len()))?;
    let mut slots = Slots::new(columns, order);
    rows.each(|row| {
        out.write_all(b"|")?;
        for cell in slots.in_order(row) {
            out.write_all(b" ")?;
            out.write_all(cell.map_or(b"".as_slice(), |cell| cell.text))?;
            out.write_all(b" |")?;
        }
        Ok(out.write_all(b"\n")?)
    })
}

/// What means something in a cell of a Markdown table.
const MARKDOWN: &[u8] = br"|\`*_[]~<&";

/// Whether a text would not be shown as it is.
pub(crate) fn has_markdown(text: &str) -> bool {
    text.bytes().any(|byte| MARKDOWN.contains(&byte))
}

/// A text that stays within its cell of a Markdown table and is shown as it is.
pub(crate) fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| MARKDOWN.contains(&byte)) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'<' => out.push_str("&lt;"),
            b'&' => out.push_str("&amp;"),
            byte => out.extend(['\\', char::from(byte)]),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out
}

/// Prints comma-separated values as RFC 4180 has them, with a header. A missing value is empty.
pub(crate) fn write_csv(
    columns: &Columns,
    order: &[usize],
    rows: &mut Sorted,
    out: &mut dyn Write,
    safe: bool,
) -> Result<()> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let header = |column: &usize| {
        let column = columns.get(*column);
        if safe { column.header.as_bytes() } else { column.name.as_bytes() }
    };
    csv.write_record(order.iter().map(header)).map_err(csv_failed)?;
    let mut slots = Slots::new(columns, order);
    rows.each(|row| {
        let cells = slots.in_order(row).map(|cell| cell.map_or(b"".as_slice(), |cell| cell.text));
        csv.write_record(cells).map_err(csv_failed)
    })?;
    Ok(csv.flush()?)
}

fn csv_failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        _ => Error::new(ErrorKind::Other, "cannot write CSV"),
    }
}

/// Prints a `key: value` line for each value and an empty line between sessions: what a terminal gets where the table
/// is wider than its screen.
pub(crate) fn write_blocks(columns: &Columns, order: &[usize], rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
    let mut slots = Slots::new(columns, order);
    let mut first = true;
    rows.each(|row| {
        if !std::mem::take(&mut first) {
            out.write_all(b"\n")?;
        }
        for (cell, column) in slots.in_order(row).zip(order) {
            if let Some(cell) = cell {
                write!(out, "{}: ", columns.get(*column).header)?;
                out.write_all(cell.text)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    })
}
