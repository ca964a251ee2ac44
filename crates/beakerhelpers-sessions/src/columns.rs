//! The columns of a listing, and its rows as cells.

use std::collections::HashMap;
use std::ops::Range;

use beakerhelpers_core::{Error, ErrorKind, Result, escape_controls, is_printable_ascii};
use unicode_width::UnicodeWidthStr;

/// More columns than this are no table. Their number is under the control of whoever fills the sessions.
const MOST_COLUMNS: usize = 10_000;
/// And so is the length of their names.
const LONGEST_NAMES: usize = 16 << 20;

/// Every column seen so far, and how wide its cells are.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    all: Vec<Column>,
    by_name: HashMap<Box<str>, usize>,
    names: usize,
    rows: u64,
    /// The columns of the previous row in its order: the next row's are mostly the same, and need no look-up then.
    previous: Vec<usize>,
    at: usize,
}

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    /// The name as it is.
    pub(crate) name: String,
    /// The name as it is shown.
    pub(crate) header: String,
    /// The width of the widest cell, header and `None` for a missing value included where the table needs them.
    widest: usize,
    present: u64,
    /// The number of the last row that has a cell in it.
    last_row: u64,
}

impl Columns {
    /// With these columns to begin with.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self> {
        let mut columns = Self::default();
        names.into_iter().try_for_each(|name| columns.find_or_add(name).map(drop))?;
        columns.at = 0;
        Ok(columns)
    }

    /// The column of this name, a new one if need be.
    pub(crate) fn find_or_add(&mut self, name: &str) -> Result<usize> {
        match self.find(name) {
            Some(column) => Ok(column),
            None => self.add(name),
        }
    }

    /// The column of this name.
    pub(crate) fn find(&mut self, name: &str) -> Option<usize> {
        let guess = self.previous.get(self.at).copied().filter(|column| self.all[*column].name == name);
        let column = guess.or_else(|| self.by_name.get(name).copied())?;
        match self.previous.get_mut(self.at) {
            Some(slot) => *slot = column,
            None => self.previous.push(column),
        }
        self.at += 1;
        Some(column)
    }

    fn add(&mut self, name: &str) -> Result<usize> {
        let column = self.all.len();
        self.names += name.len();
        if column >= MOST_COLUMNS || self.names > LONGEST_NAMES {
            // Not `Corrupt`: it is no fault of one session.
            let message = format!("the sessions have more than {column} different keys: that is no table");
            return Err(Error::new(ErrorKind::Other, message)
                .with_hint("choose some with `--columns`, or print all with `--format jsonl`"));
        }
        let header = escape_controls(name).into_owned();
        self.all.push(Column { name: name.to_owned(), widest: header.width(), header, present: 0, last_row: 0 });
        self.by_name.insert(name.into(), column);
        Ok(column)
    }

    /// Takes note of the cells of a row. That comes after the row is whole: one that fails leaves no trace.
    pub(crate) fn note_row(&mut self, row: &[u8]) {
        self.rows += 1;
        self.at = 0;
        for (column, cell) in cells(row) {
            let column = &mut self.all[column];
            column.widest = column.widest.max(cell.width);
            if column.last_row != self.rows {
                column.last_row = self.rows;
                column.present += 1;
            }
        }
    }

    /// Takes note of the start of a row.
    pub(crate) fn start_row(&mut self) {
        self.at = 0;
    }

    /// Forgets all rows, keeping the columns: for a second count over fewer rows.
    pub(crate) fn forget_rows(&mut self) {
        self.rows = 0;
        for column in &mut self.all {
            (column.present, column.last_row, column.widest) = (0, 0, column.header.width());
        }
    }

    /// Drops no column, and sorts none.
    pub(crate) fn as_given(&self) -> Vec<usize> {
        (0..self.all.len()).collect()
    }

    /// The columns that have a cell, sorted by name as Python sorts text, by code point.
    pub(crate) fn sorted(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.all.len()).filter(|column| self.all[*column].present > 0).collect();
        order.sort_by(|a, b| self.all[*a].name.cmp(&self.all[*b].name));
        order
    }

    /// The number of columns.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// A column.
    pub(crate) fn get(&self, column: usize) -> &Column {
        &self.all[column]
    }

    /// The width that a column of a table needs. Where a row lacks it, `None` is printed and counts.
    pub(crate) fn width(&self, column: usize) -> usize {
        let column = &self.all[column];
        column.widest.max(if column.present < self.rows { "None".len() } else { 0 })
    }
}

/// The cells of a text in a terminal, all of which is printable.
pub(crate) fn cell_width(text: &str) -> usize {
    if is_printable_ascii(text) { text.len() } else { text.width() }
}

/// Builds rows of cells, each with its column and width.
#[derive(Debug, Default)]
pub(crate) struct RowBuilder {
    bytes: Vec<u8>,
}

const HEAD: usize = 12;

impl RowBuilder {
    /// Starts anew.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds a cell.
    pub(crate) fn push(&mut self, column: usize, width: usize, text: &str) -> Result<()> {
        let mut head = [0; HEAD];
        for (place, number) in head.chunks_exact_mut(4).zip([column, width, text.len()]) {
            let number = u32::try_from(number).map_err(|_| Error::corrupt("a value is larger than 4 GiB"))?;
            place.copy_from_slice(&number.to_le_bytes());
        }
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(text.as_bytes());
        refuse_giants(self.bytes.len())
    }

    /// The row as bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A session whose text is longer than this cannot be listed: shared references can make gigabytes of a few bytes.
const LONGEST_ROW: usize = 32 << 20;

/// Fails where a session has become too long.
pub(crate) fn refuse_giants(length: usize) -> Result<()> {
    if length <= LONGEST_ROW {
        return Ok(());
    }
    Err(Error::corrupt(format!("its text is longer than {LONGEST_ROW} bytes")))
}

/// One cell of a row that [`RowBuilder`] built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'r> {
    pub(crate) width: usize,
    pub(crate) text: &'r [u8],
}

/// The cells of a row, each with its column.
pub(crate) fn cells(mut row: &[u8]) -> impl Iterator<Item = (usize, Cell<'_>)> {
    std::iter::from_fn(move || {
        let (head, rest) = row.split_at_checked(HEAD)?;
        let number = |at: usize| {
            let bytes = head[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(bytes) as usize
        };
        let (text, rest) = rest.split_at_checked(number(8))?;
        row = rest;
        Some((number(0), Cell { width: number(4), text }))
    })
}

/// Puts the cells of rows into the order of the output.
#[derive(Debug)]
pub(crate) struct Slots {
    /// For each column its place in the output.
    places: Vec<Option<usize>>,
    /// For each place the width of its cell, and where in the row its text is.
    cells: Vec<Option<(usize, Range<usize>)>>,
}

impl Slots {
    /// For an order of columns.
    pub(crate) fn new(columns: &Columns, order: &[usize]) -> Self {
        let mut places = vec![None; columns.len()];
        for (place, column) in order.iter().enumerate() {
            places[*column] = Some(place);
        }
        Self { places, cells: vec![None; order.len()] }
    }

    /// The cells of a row in order, `None` where it lacks a column.
    pub(crate) fn in_order<'r>(&mut self, row: &'r [u8]) -> impl Iterator<Item = Option<Cell<'r>>> {
        self.cells.fill(None);
        let mut at = 0;
        for (column, cell) in cells(row) {
            at += HEAD + cell.text.len();
            if let Some(place) = self.places[column] {
                self.cells[place] = Some((cell.width, at - cell.text.len()..at));
            }
        }
        self.cells.iter().map(|cell| cell.clone().map(|(width, text)| Cell { width, text: &row[text] }))
    }
}
