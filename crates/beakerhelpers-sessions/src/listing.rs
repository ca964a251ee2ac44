//! From a store to a page of output.

use std::io::Write;

use beakerhelpers_codec::{Condition, Settings, Sought};
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
    /// The form of the sessions, as far as the configuration tells it.
    pub(crate) settings: Settings,
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
    /// Whether every session is admitted.
    pub(crate) const fn is_all(&self) -> bool {
        self.conditions.is_empty() && self.anonymous.is_none() && !self.hide_deleted
    }

    /// The keys of the conditions.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(Condition::key)
    }

    pub(crate) fn admits(&self, session: &Session) -> Result<bool> {
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
    /// Everything that a query finds, as the original would list it.
    pub(crate) fn of(query: Query, format: Format) -> Self {
        Self {
            query,
            selection: Selection::default(),
            format,
            columns: Vec::new(),
            sort: Sort::default(),
            limit: u64::MAX,
            show_ids: false,
            fingerprints: FingerprintKey::new(None),
            zone: Zone::LOCAL,
            terminal: None,
            settings: Settings::new(),
        }
    }

    /// Counts the sessions that would be listed, and those that a listing would find too long to be shown: nothing is
    /// rendered here.
    pub(crate) fn count(&self, store: &dyn SessionStore, observer: &mut dyn Observer) -> Result<u64> {
        let mut count = 0;
        let take = |_: &Record, _: &Session| {
            count += 1;
            Ok(())
        };
        self.each_chosen(store, take, observer)?;
        Ok(count.min(self.limit))
    }

    /// Hands out the sessions that are to be listed, and tells of keys to select and sort by that no session has.
    fn each_chosen(
        &self,
        store: &dyn SessionStore,
        mut take: impl FnMut(&Record, &Session) -> Result<()>,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let mut sought = Sought::new(self.selection.keys().chain(self.sort.key()));
        let choose = |record: &Record, session: &Session| {
            sought.look(session);
            if self.selection.admits(session)? { take(record, session) } else { Ok(()) }
        };
        each_session(store, self.query, &self.settings, choose, observer)?;
        sought.missing().for_each(|key| observer.missing(key));
        Ok(())
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
        let (mut key, mut object, mut any) = (Vec::new(), String::new(), false);
        let take = |record: &Record, session: &Session| {
            any = true;
            self.sort.key_of(record, session, &mut key)?;
            renderer.object(record, session, &mut object)?;
            sorter.push(&key, object.as_bytes())
        };
        self.each_chosen(store, take, observer)?;
        renderer.missing().iter().filter(|_| any).for_each(|key| observer.missing(key));
        self.print_objects(&mut sorter.finish()?, out)
    }

    /// Prints rows that are JSON objects.
    pub(crate) fn print_objects(&self, rows: &mut Sorted, out: &mut dyn Write) -> Result<()> {
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
            self.sort.key_of(record, session, &mut key)?;
            renderer.row(record, session, style, &mut columns, &mut row)?;
            sorter.push(&key, row.bytes())
        };
        self.each_chosen(store, take, observer)?;
        renderer.missing().iter().filter(|_| columns.rows() > 0).for_each(|key| observer.missing(key));
        let mut rows = sorter.finish()?;
        if columns.rows() > self.limit {
            recount(&mut columns, &mut rows)?;
        }
        self.print_cells(&columns, &self.order(&columns), &mut rows, out, NOTHING)
    }

    /// Prints rows of cells; `nothing` for people where there are none.
    pub(crate) fn print_cells(
        &self,
        columns: &Columns,
        order: &[usize],
        rows: &mut Sorted,
        out: &mut dyn Write,
        nothing: &str,
    ) -> Result<()> {
        if columns.rows() == 0 && matches!(self.format, Format::Table | Format::Markdown) {
            return Ok(writeln!(out, "{nothing}")?);
        }
        if columns.rows() == 0 && order.is_empty() {
            return Ok(());
        }
        match self.format {
            Format::Plain => lines::write_plain(columns, order, rows, out),
            Format::Markdown => lines::write_markdown(columns, order, rows, out),
            Format::Csv => lines::write_csv(columns, order, rows, out, self.terminal.is_some()),
            _ if self.terminal.is_some_and(|screen| table::width(columns, order) > screen) => {
                lines::write_blocks(columns, order, rows, out)
            }
            _ => table::write(columns, order, rows, out),
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

    pub(crate) fn style(&self) -> Style {
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
        columns.note_row(row);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{Error, Framing, MemoryStore, Payload, SaveMode, SessionId};

    use super::*;

    #[derive(Default)]
    struct Unreadable(Vec<Error>);

    impl Observer for Unreadable {
        fn unreadable(&mut self, error: Error, _: Option<&SessionId>) {
            self.0.push(error);
        }
    }

    /// A pickle of a dict. Keys and values are pickles themselves, without `PROTO` and `STOP`.
    fn dict(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let items = pairs.iter().flat_map(|(key, value)| [key.as_slice(), value]).flatten();
        b"\x80\x02}(".iter().chain(items).chain(b"u.").copied().collect()
    }

    fn text(text: &str) -> Vec<u8> {
        [b"X".as_slice(), &u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat()
    }

    fn store(pickles: &[Vec<u8>]) -> MemoryStore {
        let store = MemoryStore::new();
        for (number, pickle) in pickles.iter().enumerate() {
            let record = Record::new(SessionId::new(number.to_string()), Payload::new(Framing::Value, pickle.clone()));
            store.save(&record, SaveMode::Create).unwrap();
        }
        store
    }

    fn listed(format: Format, pickles: &[Vec<u8>]) -> (String, Vec<Error>) {
        let (mut out, mut unreadable) = (Vec::new(), Unreadable::default());
        Listing::of(Query::ALL, format).write(&store(pickles), &mut out, &mut unreadable).unwrap();
        (String::from_utf8(out).unwrap(), unreadable.0)
    }

    #[test]
    fn one_text_under_many_keys_does_not_fill_the_memory() {
        let mut pairs = vec![(text("k"), [text(&"x".repeat(200_000)), b"q\x01".to_vec()].concat())];
        pairs.extend((0..300).map(|n| (text(&n.to_string()), b"h\x01".to_vec())));
        for format in [Format::Csv, Format::Jsonl, Format::Table] {
            let (out, unreadable) = listed(format, &[dict(&pairs)]);
            assert!(out.len() < 100, "{format:?}");
            assert_eq!(unreadable.len(), 1);
            assert!(unreadable[0].to_string().contains("longer than"), "{}", unreadable[0]);
        }
    }

    #[test]
    fn what_is_too_long_to_be_shown_counts() {
        let mut pairs = vec![(text("k"), [text(&"x".repeat(200_000)), b"q\x01".to_vec()].concat())];
        pairs.extend((0..300).map(|n| (text(&n.to_string()), b"h\x01".to_vec())));
        let mut unreadable = Unreadable::default();
        let listing = Listing::of(Query::ALL, Format::Table);
        assert_eq!(listing.count(&store(&[dict(&pairs)]), &mut unreadable).unwrap(), 1);
        assert!(unreadable.0.is_empty());
    }

    #[test]
    fn a_session_that_cannot_be_shown_leaves_no_column() {
        // A list in itself, a hundred times over in each of eight levels: no text can hold that.
        let mut laughs = text("ha");
        for _ in 0..8 {
            laughs = [b"(".as_slice(), &laughs, b"q\x02", &b"h\x02".repeat(99), b"t"].concat();
        }
        let shown = dict(&[(text("a"), text("x"))]);
        let ghost = dict(&[(text("a"), text(&"wide".repeat(20))), (text("ghost"), text("g")), (text("z"), laughs)]);
        let (out, unreadable) = listed(Format::Table, &[shown, ghost]);
        assert_eq!(unreadable.len(), 1);
        assert_eq!(out, "-\na\n-\nx\n-\n");
    }

    #[test]
    fn keys_that_read_the_same_are_told_apart() {
        let one = dict(&[(b"K\x01".to_vec(), text("int")), (text("1"), text("text"))]);
        let other = dict(&[(b"K\x02".to_vec(), text("alone"))]);
        let (out, _) = listed(Format::Jsonl, &[one.clone(), other.clone()]);
        assert_eq!(out, "{\"data.1\":\"int\",\"1\":\"text\"}\n{\"2\":\"alone\"}\n");
        let (out, _) = listed(Format::Csv, &[one, other]);
        assert_eq!(out, "1,2,data.1\r\ntext,,int\r\n,alone,\r\n");
    }

    #[test]
    fn too_many_columns_are_no_table() {
        let pairs: Vec<_> = (0..10_001).map(|n| (text(&n.to_string()), text(""))).collect();
        let mut out = Vec::new();
        let listing = Listing::of(Query::ALL, Format::Csv);
        let error = listing.write(&store(&[dict(&pairs)]), &mut out, &mut Unreadable::default()).unwrap_err();
        assert!(error.to_string().contains("10000 different keys"), "{error}");
    }
}
