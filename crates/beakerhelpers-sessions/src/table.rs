//! The table that BeakerHelpers prints, byte for byte.
//!
//! Columns are right-aligned and separated by ` | `; a rule of dashes as long as the header line stands before the
//! header, after it, and after the last row; a missing value is `None` (`beakerhelpers/sessions.py`, 0.1, which measures
//! in code points and does not count that `None`: widths here are terminal cells, and it counts).

use std::io::Write;

use beakerhelpers_core::Result;
use tabled::builder::Builder;
use tabled::settings::object::{FirstColumn, LastColumn};
use tabled::settings::style::{HorizontalLine, Style};
use tabled::settings::{Alignment, Modify, Padding};

use crate::columns::{Cell, Columns, Slots, cell_width};
use crate::sorter::Sorted;

/// Tables up to this many rows are drawn by tabled, which holds the whole table in memory.
const DRAWN_ROWS: usize = 1_000;
const MISSING: &str = "None";

/// Prints the table.
pub(crate) fn write(columns: &Columns, order: &[usize], rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
    match rows.in_memory() {
        Some(count) if count <= DRAWN_ROWS => draw(columns, order, rows, out),
        _ => stream(columns, order, rows, out),
    }
}

/// The width of the whole table in cells.
pub(crate) fn width(columns: &Columns, order: &[usize]) -> usize {
    order.iter().map(|column| columns.width(*column) + 3).sum::<usize>().saturating_sub(3)
}

fn draw(columns: &Columns, order: &[usize], rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
    let mut builder = Builder::default();
    builder.push_record(order.iter().map(|column| columns.get(*column).header.as_str()));
    let mut slots = Slots::new(columns, order);
    rows.each(|row| {
        let text = |cell: Cell<'_>| String::from_utf8_lossy(cell.text).into_owned();
        builder.push_record(slots.in_order(row).map(|cell| cell.map_or_else(|| MISSING.to_owned(), text)));
        Ok(())
    })?;
    let mut table = builder.build();
    let rule = HorizontalLine::new('-').intersection('-');
    let style = Style::empty().vertical('|').top('-').bottom('-').intersection_top('-').intersection_bottom('-');
    table.with(style.horizontals([(1, rule)])).with(Alignment::right());
    if order.len() == 1 {
        // The only column is the first and the last one, which tabled takes for two.
        table.with(Padding::zero());
    } else {
        table.with(Padding::new(1, 1, 0, 0));
        table.with(Modify::new(FirstColumn).with(Padding::new(0, 1, 0, 0)));
        table.with(Modify::new(LastColumn).with(Padding::new(1, 0, 0, 0)));
    }
    writeln!(out, "{table}")?;
    Ok(())
}

fn stream(columns: &Columns, order: &[usize], rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
    let rule = vec![b'-'; width(columns, order)];
    let widths: Vec<_> = order.iter().map(|column| columns.width(*column)).collect();
    let spaces = vec![b' '; widths.iter().copied().max().unwrap_or(0)];
    let mut line = Vec::with_capacity(rule.len() + 1);
    let mut put = |out: &mut dyn Write, cells: &mut dyn Iterator<Item = Cell<'_>>| {
        line.clear();
        for (place, (cell, column)) in cells.zip(&widths).enumerate() {
            line.extend_from_slice(if place == 0 { b"" } else { b" | " });
            line.extend_from_slice(&spaces[..column.saturating_sub(cell.width)]);
            line.extend_from_slice(cell.text);
        }
        line.push(b'\n');
        out.write_all(&line)
    };
    let rule_line = |out: &mut dyn Write| out.write_all(&rule).and_then(|()| out.write_all(b"\n"));
    rule_line(out)?;
    let headers = order.iter().map(|column| columns.get(*column).header.as_str());
    put(out, &mut headers.map(|header| Cell { width: cell_width(header), text: header.as_bytes() }))?;
    rule_line(out)?;
    let missing = Cell { width: MISSING.len(), text: MISSING.as_bytes() };
    let mut slots = Slots::new(columns, order);
    rows.each(|row| Ok(put(out, &mut slots.in_order(row).map(|cell| cell.unwrap_or(missing)))?))?;
    Ok(rule_line(out)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::columns::RowBuilder;
    use crate::sorter::Sorter;

    fn table(names: &[&str], rows: &[Vec<Option<&str>>]) -> (Columns, Sorted) {
        let mut columns = Columns::of(names.iter().copied()).unwrap();
        let mut sorter = Sorter::new(false, u64::MAX);
        for row in rows {
            let mut builder = RowBuilder::default();
            for (column, text) in row.iter().enumerate().filter_map(|(column, text)| Some((column, (*text)?))) {
                let text = beakerhelpers_core::escape_controls(text);
                builder.push(column, cell_width(&text), &text).unwrap();
            }
            columns.note_row(builder.bytes());
            sorter.push(b"", builder.bytes()).unwrap();
        }
        (columns, sorter.finish().unwrap())
    }

    fn drawn(names: &[&str], rows: &[Vec<Option<&str>>]) -> String {
        let (columns, mut rows) = table(names, rows);
        let mut out = Vec::new();
        draw(&columns, &columns.as_given(), &mut rows, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn streamed(names: &[&str], rows: &[Vec<Option<&str>>]) -> String {
        let (columns, mut rows) = table(names, rows);
        let mut out = Vec::new();
        stream(&columns, &columns.as_given(), &mut rows, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_of_the_readme() {
        let time = Some("2010-01-01 10:10:10");
        let expected = "\
--------------------------------------------------------
     _accessed_time |      _creation_time |    user_name
--------------------------------------------------------
2010-01-01 10:10:10 | 2010-01-01 10:10:10 | john@doe.com
--------------------------------------------------------
";
        let names = ["_accessed_time", "_creation_time", "user_name"];
        assert_eq!(streamed(&names, &[vec![time, time, Some("john@doe.com")]]), expected);
    }

    #[test]
    fn a_missing_value_counts_as_none() {
        let expected = "--------\na |    b\n--------\n1 | None\n--------\n";
        assert_eq!(streamed(&["a", "b"], &[vec![Some("1"), None]]), expected);
    }

    proptest! {
        #[test]
        fn both_ways_print_the_same(
            names in prop::collection::vec("[a-zž日👩\\u{200d} ]{1,5}", 1..5),
            rows in prop::collection::vec(prop::collection::vec(prop::option::of("[ -~ž日本👩\\u{200d}\\n\\u{1b}\\u{202e}]{0,8}"), 1..5), 1..12),
        ) {
            let names: std::collections::BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let names: Vec<_> = names.into_iter().collect();
            let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| cell.as_deref()).take(names.len()).collect()).collect();
            prop_assert_eq!(streamed(&names, &rows), drawn(&names, &rows));
        }
    }
}
