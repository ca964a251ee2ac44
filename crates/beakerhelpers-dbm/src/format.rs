//! The formats of databases, told apart and read. Each is total: any bytes give a content or an error, in memory that is
//! bounded by the files.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests may panic"))]

mod berkeley;
mod content;
mod dumb;
mod gdbm;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::io::{BufReader, Read};

#[cfg(not(feature = "sqlite"))]
use beakerhelpers_core::Error;
use beakerhelpers_core::Result;

pub(crate) use content::Content;
use content::failed;
#[cfg(not(feature = "sqlite"))]
use content::unreadable;

/// How a database is written, named after the module of Python that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `dbm.dumb`, in Python 2 `dumbdbm`: two files and a copy.
    Dumb,
    /// `dbm.gnu`, in Python 2 `gdbm`: one file.
    Gnu,
    /// `dbm.ndbm`, in Python 2 `dbm`, where it is Berkeley DB's: one file, `.db`.
    Ndbm,
    /// `bsddb` of Python 2: the same without an ending.
    Bsddb,
    /// `dbm.sqlite3`.
    Sqlite3,
}

/// A file of a database, by how its name ends. What is there and what is not is asked of [`Files`].
pub(crate) type Suffix = &'static str;

/// The files of a database.
pub(crate) trait Files {
    /// Opens one; `None` where it is not there.
    fn open(&self, suffix: Suffix) -> Result<Option<std::fs::File>>;
}

/// What a look at the files finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A database.
    As(Format),
    /// None, or a file without a byte: what creating a database begins with.
    Nothing,
    /// Something else; what it is.
    Unknown(&'static str),
}

impl Format {
    /// All that can be chosen for new databases, by the names that they are chosen by.
    pub(crate) const CHOICE: [(&'static str, Self); 4] =
        [("dumb", Self::Dumb), ("gnu", Self::Gnu), ("ndbm", Self::Ndbm), ("sqlite3", Self::Sqlite3)];

    /// Finds out how a database is written, as Python does (`whichdb` in `Lib/dbm/__init__.py`, CPython 3.13, and
    /// `Lib/whichdb.py`, 2.7).
    pub(crate) fn of(files: &impl Files) -> Result<Found> {
        let (pag, dir) = (files.open(".pag")?, files.open(".dir")?);
        if pag.is_some() && dir.is_some() {
            return Ok(Found::Unknown("dbm.ndbm that is not Berkeley DB's: `.pag` and `.dir`"));
        }
        let db = files.open(".db")?.map(beginning).transpose()?;
        if db.as_deref().is_some_and(berkeley::is_magic) {
            return Ok(Found::As(Self::Ndbm));
        }
        if let (Some(dir), Some(_)) = (dir, files.open(".dat")?)
            && matches!(beginning(dir)?.first(), None | Some(b'\'' | b'"'))
        {
            return Ok(Found::As(Self::Dumb));
        }
        let Some(file) = files.open("")?.map(beginning).transpose()? else {
            // Python would ask its dbm.ndbm. Berkeley DB 1.85 begins with the number that later ones have further on.
            return Ok(match db {
                None => Found::Nothing,
                Some(db) if matches!(db.first_chunk(), Some([0, 6, 0x15, 0x61] | [0x61, 0x15, 6, 0])) => {
                    Found::Unknown("dbm.ndbm of Berkeley DB 1.85, as on macOS and the BSDs")
                }
                Some(_) => Found::Unknown("a `.db` file of no known kind"),
            });
        };
        Ok(match &*file {
            [] => Found::Nothing,
            file if file.starts_with(b"SQLite format 3\0") => Found::As(Self::Sqlite3),
            file if file.first_chunk().is_some_and(|magic| gdbm::is_magic(*magic)) => Found::As(Self::Gnu),
            file if berkeley::is_magic(file) => Found::As(Self::Bsddb),
            _ => Found::Unknown("a file of no known kind"),
        })
    }

    /// Reads the session of a database; `None` where it has just gone.
    pub(crate) fn read(self, files: &impl Files) -> Result<Option<Content>> {
        match self {
            Self::Dumb => {
                let Some(index) = files.open(".dir")? else { return Ok(None) };
                let entry = match dumb::find(BufReader::new(index))? {
                    Ok(entry) => entry,
                    Err(content) => return Ok(Some(content)),
                };
                let data = files.open(".dat")?;
                data.map(|data| dumb::value(data, entry).map(Content::Session)).transpose()
            }
            Self::Gnu => files.open("")?.map(gdbm::read).transpose(),
            Self::Ndbm => files.open(".db")?.map(berkeley::read).transpose(),
            Self::Bsddb => files.open("")?.map(berkeley::read).transpose(),
            Self::Sqlite3 => read_sqlite(files),
        }
    }

    /// The files of a database that holds a value and nothing else, in the order in which they are to replace what is
    /// there, one by one. `None` is a value for none.
    pub(crate) fn images(self, files: &impl Files, value: Option<&[u8]>) -> Result<Vec<(Suffix, Vec<u8>)>> {
        Ok(match self {
            Self::Dumb => {
                // What cannot be read is nothing to keep.
                let (data, index) = dumb::images(value, old_dumb(files).ok().flatten());
                vec![(".dat", data), (".dir", index)]
            }
            Self::Gnu => vec![("", gdbm::image(value)?)],
            Self::Ndbm => vec![(".db", berkeley::image(value)?)],
            Self::Bsddb => vec![("", berkeley::image(value)?)],
            Self::Sqlite3 => vec![("", image_sqlite(value)?)],
        })
    }
}

fn old_dumb(files: &impl Files) -> Result<Option<(dumb::Entry, Vec<u8>)>> {
    let (Some(index), Some(data)) = (files.open(".dir")?, files.open(".dat")?) else { return Ok(None) };
    let Ok(entry) = dumb::find(BufReader::new(index))? else { return Ok(None) };
    Ok(Some((entry, dumb::value(data, entry)?)))
}

/// As much of a file as tells its kind.
fn beginning(file: std::fs::File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(16).read_to_end(&mut bytes).map_err(|error| failed("read", &error))?;
    Ok(bytes)
}

#[cfg(feature = "sqlite")]
fn read_sqlite(files: &impl Files) -> Result<Option<Content>> {
    let Some(file) = files.open("")?.map(sqlite::whole).transpose()? else { return Ok(None) };
    let mut left = Vec::new();
    for suffix in sqlite::LEFT {
        if let Some(bytes) = files.open(suffix)?.map(sqlite::whole).transpose()?.filter(|bytes| !bytes.is_empty()) {
            left.push((suffix, bytes));
        }
    }
    sqlite::read(file, &left).map(Some)
}

#[cfg(feature = "sqlite")]
fn image_sqlite(value: Option<&[u8]>) -> Result<Vec<u8>> {
    sqlite::image(value)
}

#[cfg(not(feature = "sqlite"))]
const WITHOUT_SQLITE: &str = "this program was built without the feature `sqlite` of beakerhelpers-dbm";

#[cfg(not(feature = "sqlite"))]
fn read_sqlite(_: &impl Files) -> Result<Option<Content>> {
    Err(unreadable("dbm.sqlite3", WITHOUT_SQLITE))
}

#[cfg(not(feature = "sqlite"))]
fn image_sqlite(_: Option<&[u8]>) -> Result<Vec<u8>> {
    Err(Error::unsupported(format!("a session cannot be written to a dbm.sqlite3 database: {WITHOUT_SQLITE}")))
}
