//! What the store asks of a shelve, in whatever format it is.

use std::path::Path;
use std::time::Duration;

use beakerhelpers_core::{Access, Result};
use beakerhelpers_dbm_format::{Format, Pair};

use super::dumb::Dumb;
use super::packed::Packed;
use super::place::{self, Place};
use super::sqlite;

/// An open shelve. One that is open to write keeps out others of these; its changes count once they are committed, and all
/// of them do or none.
pub(super) trait Shelf: Send {
    fn has(&mut self, key: &[u8]) -> Result<bool>;

    fn value(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Sets a value; one in each commit.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()>;

    fn remove(&mut self, key: &[u8]) -> Result<()>;

    /// Makes the changes count.
    fn commit(self: Box<Self>) -> Result<()>;

    /// Deletes all, at once.
    fn clear(self: Box<Self>) -> Result<()>;

    /// All pairs. An error is one of a session, or of several that cannot be told apart.
    fn pairs(self: Box<Self>) -> Box<dyn Iterator<Item = Result<Pair>> + Send>;
}

/// Opens a shelve, whatever wrote it.
pub(super) fn open(name: &Path, access: Access, wait: Duration) -> Result<Box<dyn Shelf>> {
    let place = Place(name);
    Ok(match place.format()? {
        Format::Dumb => Box::new(Dumb::open(place, access, wait)?),
        Format::Gnu | Format::Bsddb => Box::new(Packed::open(place, "", access, wait)?),
        Format::Ndbm => Box::new(Packed::open(place, ".db", access, wait)?),
        Format::Sqlite3 => sqlite::open(&place.file(""), access, wait)?,
    })
}

/// Makes an empty shelve.
pub(super) fn create(name: &Path, format: Format) -> Result<()> {
    format.empty()?.iter().try_for_each(|(suffix, contents)| place::create(&Place(name).file(suffix), contents))
}
