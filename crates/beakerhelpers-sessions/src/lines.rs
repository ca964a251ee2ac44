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
        push_markdown(&columns.get(*column).header, &mut header);
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

/// Appends a text so that it stays within its cell of a Markdown table and is shown as it is.
pub(crate) fn push_markdown(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' => out.extend(['\\', char]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            _ => out.push(char),
        }
    }
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
