//! One session as a row of cells or as a JSON object.

use std::borrow::Cow;

use beakerhelpers_codec::text::Text;
use beakerhelpers_core::{Framing, Record, Result, Session, Timestamp, Value, Zone, escape_controls};

use crate::columns::{Columns, RowBuilder, cell_width, refuse_giants};
use crate::json;
use crate::lines::{escape_markdown, has_markdown};
use crate::listing::{FINGERPRINT, ID, Listing};

/// How a value becomes the text of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As the original's table shows it, safe for a terminal, with the width of each cell.
    Table,
    /// As a cell of a Markdown table.
    Markdown,
    /// Python's `str` to the letter; the two times in RFC 3339.
    Csv,
    /// The same, safe for a terminal.
    CsvOnTerminal,
}

/// Renders sessions one after the other, with buffers that it keeps.
#[derive(Debug)]
pub(crate) struct Renderer<'l> {
    listing: &'l Listing,
    name: String,
    plain: String,
    members: Vec<String>,
    /// The columns that were asked for and that no session had so far.
    missing: Vec<&'l str>,
}

/// What stands under a name.
enum Content<'s> {
    /// The session id or the fingerprint.
    Own(&'s str),
    /// One of the two times that Beaker keeps in a session.
    Time(Timestamp),
    Value(Value<'s>),
}

impl<'l> Renderer<'l> {
    pub(crate) fn new(listing: &'l Listing) -> Self {
        let missing = listing.columns.iter().map(String::as_str).collect();
        Self { listing, name: String::new(), plain: String::new(), members: Vec::new(), missing }
    }

    /// The columns that were asked for and that no session had.
    pub(crate) fn missing(&self) -> &[&'l str] {
        &self.missing
    }

    /// Builds the row of a session, and notes its columns.
    pub(crate) fn row(
        &mut self,
        record: &Record,
        session: &Session,
        style: Style,
        columns: &mut Columns,
        row: &mut RowBuilder,
    ) -> Result<()> {
        row.clear();
        columns.start_row();
        let Self { listing, name, plain, missing, .. } = self;
        let chosen = !listing.columns.is_empty();
        each(listing, record, session, name, |name, content| {
            missing.retain(|column| *column != name);
            let column = if chosen { columns.find(name) } else { Some(columns.find_or_add(name)?) };
            let Some(column) = column else { return Ok(()) };
            let text = content.text(style, listing.zone, plain)?;
            let text = style.escape(text);
            let width = if style == Style::Table { cell_width(&text) } else { 0 };
            row.push(column, width, &text)
        })?;
        columns.note_row(row.bytes());
        Ok(())
    }

    /// Writes the object of a session: its keys in stored order, or the columns that were asked for in theirs.
    pub(crate) fn object(&mut self, record: &Record, session: &Session, out: &mut String) -> Result<()> {
        out.clear();
        out.push('{');
        let Self { listing, name, members, missing, .. } = self;
        if listing.columns.is_empty() {
            each(listing, record, session, name, |name, content| {
                out.push_str(if out.len() == 1 { "" } else { "," });
                content.push_member(name, listing.zone, out)?;
                refuse_giants(out.len())
            })?;
        } else {
            members.resize_with(listing.columns.len(), String::new);
            members.iter_mut().for_each(String::clear);
            each(listing, record, session, name, |name, content| {
                missing.retain(|column| *column != name);
                match listing.columns.iter().position(|column| column == name) {
                    Some(place) => {
                        members[place].clear();
                        content.push_member(name, listing.zone, &mut members[place])?;
                        refuse_giants(members.iter().map(String::len).sum())
                    }
                    None => Ok(()),
                }
            })?;
            for member in members.iter().filter(|member| !member.is_empty()) {
                out.push_str(if out.len() == 1 { "" } else { "," });
                out.push_str(member);
            }
        }
        out.push('}');
        Ok(())
    }
}

/// Hands out everything that a listing may show of a session, by name, but for its id, where that is not to be shown. Its `id` and `session` are called
/// `data.id` and `data.session` where the name is taken, and so is a key that is no text where a text reads the same.
fn each(
    listing: &Listing,
    record: &Record,
    session: &Session,
    name: &mut String,
    mut take: impl FnMut(&str, Content<'_>) -> Result<()>,
) -> Result<()> {
    let shows_fingerprint = listing.shows_fingerprint();
    if listing.show_ids {
        take(ID, Content::Own(record.id.as_str()))?;
    }
    if shows_fingerprint {
        take(FINGERPRINT, Content::Own(&record.id.fingerprint(&listing.fingerprints).to_string()))?;
    }
    // session2 keeps the id among the rest: whoever has it is the visitor.
    let is_id =
        |key: Value<'_>, value: Value<'_>| value.as_str() == Some(record.id.as_str()) && key.as_str() == Some(ID);
    let times = times(record.payload.framing());
    let is_taken = |key: &str| (listing.show_ids && key == ID) || (shows_fingerprint && key == FINGERPRINT);
    for (key, value) in session {
        if is_id(key, value) {
            continue;
        }
        let content = instant(key, value, times).map_or(Content::Value(value), Content::Time);
        match key.as_str() {
            Some(key) if !is_taken(key) => {
                take(key, content)?;
            }
            Some(key) => {
                name.clear();
                name.extend(["data.", key]);
                take(name, content)?;
            }
            None => {
                name.clear();
                Text::new().append_str(key, name)?;
                if session.value(name).is_some() {
                    name.insert_str(0, "data.");
                }
                take(name, content)?;
            }
        }
    }
    Ok(())
}

/// The keys that hold seconds since the epoch: Beaker's, or session2's (`session2/Session.py`, 0.6).
const fn times(framing: Framing) -> [&'static str; 2] {
    match framing {
        Framing::Object => ["_access_time", "_creation_time"],
        _ => ["_accessed_time", "_creation_time"],
    }
}

/// The instant of one of the two time keys, where it is a number that a calendar has a date for.
fn instant(key: Value<'_>, value: Value<'_>, times: [&str; 2]) -> Option<Timestamp> {
    // The value first: most are no numbers, and the key need not be looked at then.
    let at = match value.as_f64() {
        Some(secs) => Timestamp::from_epoch_float(secs)?,
        None => Timestamp::from_secs(value.as_i64()?),
    };
    let key = key.as_str()?;
    if !times.contains(&key) {
        return None;
    }
    // The years 1 to 9999, less the days by which a zone may be off.
    let secs = at.as_micros().div_euclid(1_000_000);
    (-62_135_424_000..253_402_128_000).contains(&secs).then_some(at)
}

impl<'s> Content<'s> {
    /// Appends it as a member of a JSON object.
    fn push_member(self, name: &str, zone: Zone, out: &mut String) -> Result<()> {
        json::push_str(name, out)?;
        out.push(':');
        match self {
            Self::Own(text) => json::push_str(text, out),
            Self::Time(at) => {
                out.push('"');
                zone.push_rfc3339(at, out);
                out.push('"');
                Ok(())
            }
            Self::Value(value) => json::push_value(value, out),
        }
    }

    /// The text as `str` prints it, in the buffer unless it is there already.
    fn text<'b>(&self, style: Style, zone: Zone, buffer: &'b mut String) -> Result<&'b str>
    where
        's: 'b,
    {
        buffer.clear();
        match self {
            Self::Own(text) => return Ok(text),
            Self::Time(at) if matches!(style, Style::Csv | Style::CsvOnTerminal) => {
                zone.push_rfc3339(*at, buffer);
            }
            Self::Time(at) => {
                zone.naive_at(*at).push_seconds(buffer);
            }
            Self::Value(value) => match value.as_str() {
                Some(text) => return Ok(text),
                None => Text::new().append_str(*value, buffer)?,
            },
        }
        Ok(buffer)
    }
}

impl Style {
    /// The text as this style shows it.
    pub(crate) fn escape(self, text: &str) -> Cow<'_, str> {
        if self == Self::Csv {
            return Cow::Borrowed(text);
        }
        let safe = escape_controls(text);
        if self == Self::Markdown && has_markdown(&safe) { Cow::Owned(escape_markdown(&safe)) } else { safe }
    }
}
