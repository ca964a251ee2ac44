//! From a store to a page of output.

use std::io::Write;

use beakerhelpers_codec::Condition;
#[cfg(feature = "command")]
use beakerhelpers_core::command::clap;
use beakerhelpers_core::{FingerprintKey, Query, Record, Result, Session, SessionStore, Zone};

use crate::columns::{Columns, RowBuilder};
use crate::read::{Observer, each_session};
use crate::render::{Renderer, Style};
use crate::sort::Sort;
use crate::sorter::Sorted;
use crate::{lines, table};

/// What a listing without sessions says, where it is for people.
pub(crate) const NOTHING: &str = "No sessions found";

/// How sessions are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "command", derive(clap::ValueEnum))]
pub(crate) enum Format {
    /// The table of the original
    #[default]
    Table,
    /// A line of tab-separated values for each session, without a header
    Plain,
    /// One array of objects
    Json,
    /// An object on a line for each session
    Jsonl,
    /// Comma-separated values with a header (RFC 4180)
    Csv,
    /// A table in Markdown
    Markdown,
}

/// What to list, and how.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) query: Query,
    pub(crate) selection: Selection,
    pub(crate) format: Format,
    /// Only these, in this order; all, sorted, where there are none.
    pub(crate) columns: Vec<String>,
    pub(crate) sort: Sort,
    pub(crate) limit: u64,
    pub(crate) show_ids: bool,
    pub(crate) fingerprints: FingerprintKey,
    pub(crate) zone: Zone,
    /// The width of the terminal that the output goes to, if it goes to one.
    pub(crate) terminal: Option<usize>,
}

/// Which sessions to list.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) conditions: Vec<Condition>,
    /// Only those with nothing but reserved keys, or only the others.
    pub(crate) anonymous: Option<bool>,
    pub(crate) hide_deleted: bool,
}

impl Selection {
    fn admits(&self, session: &Session) -> Result<bool> {
        if self.anonymous.is_some_and(|wanted| session.is_anonymous() != wanted)
            || (self.hide_deleted && session.is_deleted())
        {
            return Ok(false);
        }
        for condition in &self.conditions {
            if !condition.holds(session)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The column of the fingerprint, where it is asked for.
pub(crate) const FINGERPRINT: &str = "session";
/// The column of the session id, where it is asked for.
pub(crate) const ID: &str = "id";

impl Listing {
    /// Counts the sessions that would be listed.
    pub(crate) fn count(&self, store: &dyn SessionStore, observer: &mut dyn Observer) -> Result<u64> {
        let mut count = 0;
        let take = |_: &Record, session: &Session| {
            count += u64::from(self.selection.admits(session)?);
            Ok(())
        };
        each_session(store, self.query, take, observer)?;
        Ok(count.min(self.limit))
    }

    /// Prints the sessions. Nothing is printed before all are read: the store is free again by then.
    pub(crate) fn write(
        &self,
        store: &dyn SessionStore,
        out: &mut dyn Write,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        match self.format {
            Format::Json | Format::Jsonl => self.write_objects(store, out, observer),
            _ => self.write_cells(store, out, observer),
        }
    }

    fn write_objects(&self, store: &dyn SessionStore, out: &mut dyn Write, observer: &mut dyn Observer) -> Result<()> {
        let mut sorter = self.sort.sorter(self.limit);
        let mut renderer = Renderer::new(self);
        let (mut key, mut object) = (Vec::new(), String::new());
        let take = |record: &Record, session: &Session| {
            if self.selection.admits(session)? {
                self.sort.key_of(record, session, &mut key)?;
                renderer.object(record, session, &mut object)?;
                sorter.push(&key, object.as_bytes())?;
            }
            Ok(())
        };
        each_session(store, self.query, take, observer)?;
        let mut rows = sorter.finish()?;
        if self.format == Format::Jsonl {
            return rows.each(|row| Ok(out.write_all(row).and_then(|()| out.write_all(b"\n"))?));
        }
        let mut separator = b"[\n".as_slice();
        rows.each(|row| {
            out.write_all(separator)?;
            separator = b",\n";
            Ok(out.write_all(row)?)
        })?;
        Ok(out.write_all(if separator == b"[\n" { b"[]\n" } else { b"\n]\n" })?)
    }

    fn write_cells(&self, store: &dyn SessionStore, out: &mut dyn Write, observer: &mut dyn Observer) -> Result<()> {
        let mut columns = Columns::of(self.columns.iter().map(String::as_str))?;
        let mut sorter = self.sort.sorter(self.limit);
        let mut renderer = Renderer::new(self);
        let (mut key, mut row) = (Vec::new(), RowBuilder::default());
        let style = self.style();
        let take = |record: &Record, session: &Session| {
            if self.selection.admits(session)? {
                self.sort.key_of(record, session, &mut key)?;
                renderer.row(record, session, style, &mut columns, &mut row)?;
                sorter.push(&key, row.bytes())?;
            }
            Ok(())
        };
        each_session(store, self.query, take, observer)?;
        let mut rows = sorter.finish()?;
        if columns.rows() > self.limit {
            recount(&mut columns, &mut rows)?;
        }
        self.print(&columns, &mut rows, out)
    }

    fn print(&self, columns: &Columns, rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
        let order = self.order(columns);
        if columns.rows() == 0 && matches!(self.format, Format::Table | Format::Markdown) {
            return Ok(writeln!(out, "{NOTHING}")?);
        }
        if columns.rows() == 0 && order.is_empty() {
            return Ok(());
        }
        match self.format {
            Format::Plain => lines::write_plain(columns, &order, rows, out),
            Format::Markdown => lines::write_markdown(columns, &order, rows, out),
            Format::Csv => lines::write_csv(columns, &order, rows, out, self.terminal.is_some()),
            _ if self.terminal.is_some_and(|screen| table::width(columns, &order) > screen) => {
                lines::write_blocks(columns, &order, rows, out)
            }
            _ => table::write(columns, &order, rows, out),
        }
    }

    fn order(&self, columns: &Columns) -> Vec<usize> {
        let mut order = if self.columns.is_empty() { columns.sorted() } else { columns.as_given() };
        if self.show_ids {
            // The id comes first, whatever sorts before it.
            order.sort_by_key(|column| columns.get(*column).name != ID);
        }
        order
    }

    /// Whether the fingerprint is asked for.
    pub(crate) fn shows_fingerprint(&self) -> bool {
        self.columns.iter().any(|column| column == FINGERPRINT)
    }

    fn style(&self) -> Style {
        match self.format {
            Format::Csv if self.terminal.is_none() => Style::Csv,
            Format::Csv => Style::CsvOnTerminal,
            Format::Markdown => Style::Markdown,
            _ => Style::Table,
        }
    }
}

/// Counts columns and widths again over the rows that are printed, where a limit cut some off.
fn recount(columns: &mut Columns, rows: &mut Sorted) -> Result<()> {
    columns.forget_rows();
    rows.each(|row| {
        for (column, cell) in crate::columns::cells(row) {
            columns.note(column, cell.width);
        }
        columns.end_row();
        Ok(())
    })
}
