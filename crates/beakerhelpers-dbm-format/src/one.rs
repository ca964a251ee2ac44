//! Databases of one key, as Beaker makes one for each session.

use std::fs::File;
use std::io::BufReader;

#[cfg(not(feature = "sqlite"))]
use beakerhelpers_core::Error;
use beakerhelpers_core::Result;

#[cfg(not(feature = "sqlite"))]
use crate::error::unreadable;
#[cfg(feature = "sqlite")]
use crate::sqlite;
use crate::{Files, Format, Packed, Suffix, berkeley, dumb, gdbm};

/// What a database holds in which one key is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The value of the key.
    Value(Vec<u8>),
    /// Other keys only.
    Others,
    /// Nothing.
    Empty,
}

impl Content {
    /// What a database holds in which the key is not.
    pub(crate) const fn without_key(is_empty: bool) -> Self {
        if is_empty { Self::Empty } else { Self::Others }
    }
}

impl Format {
    /// Looks for a key in a database; `None` where that has just gone. Nothing is created, and no lock is taken.
    ///
    /// # Errors
    ///
    /// `Corrupt` where the database or the value is damaged, larger than [`LARGEST`](crate::LARGEST), or of a kind that is
    /// not read here; what the system says.
    pub fn find(self, files: &impl Files, key: &[u8]) -> Result<Option<Content>> {
        match self {
            Self::Dumb => {
                let Some(index) = files.open(".dir")? else { return Ok(None) };
                let entry = match dumb::find(BufReader::new(index), key)? {
                    Ok(entry) => entry,
                    Err(content) => return Ok(Some(content)),
                };
                let data = files.open(".dat")?;
                data.map(|data| dumb::value(data, entry).map(Content::Value)).transpose()
            }
            Self::Gnu | Self::Bsddb => files.open("")?.map(|file| Packed::open(file)?.content(key)).transpose(),
            Self::Ndbm => files.open(".db")?.map(|file| Packed::open(file)?.content(key)).transpose(),
            Self::Sqlite3 => find_in_sqlite(files, key),
        }
    }

    /// The files of a database that holds a value under a key and nothing else, in the order in which they are to replace
    /// what is there, one by one. `None` is a value for none. They are laid out as those that are there.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the format takes no such value; what the system says.
    pub fn images(self, files: &impl Files, key: &[u8], value: Option<&[u8]>) -> Result<Vec<(Suffix, Vec<u8>)>> {
        let pair = value.map(|value| (key, value));
        Ok(match self {
            Self::Dumb => {
                // What cannot be read is nothing to keep.
                let (data, index) = dumb::images(pair, old_dumb(files, key).ok().flatten());
                vec![(".dat", data), (".dir", index)]
            }
            Self::Gnu | Self::Bsddb => vec![("", packed_image(self, files.open("")?, pair)?)],
            Self::Ndbm => vec![(".db", packed_image(self, files.open(".db")?, pair)?)],
            Self::Sqlite3 => vec![("", image_of_sqlite(pair)?)],
        })
    }
}

/// A library that is older may know no other version, and one for another machine no other layout.
fn packed_image(format: Format, old: Option<File>, pair: Option<(&[u8], &[u8])>) -> Result<Vec<u8>> {
    let old = old.and_then(|old| Packed::open(old).ok());
    if format == Format::Gnu {
        gdbm::image(pair, old.as_ref().and_then(Packed::layout))
    } else {
        berkeley::image(pair, old.as_ref().and_then(Packed::shape))
    }
}

fn old_dumb(files: &impl Files, key: &[u8]) -> Result<Option<(dumb::Entry, Vec<u8>)>> {
    let (Some(index), Some(data)) = (files.open(".dir")?, files.open(".dat")?) else { return Ok(None) };
    let Ok(entry) = dumb::find(BufReader::new(index), key)? else { return Ok(None) };
    Ok(Some((entry, dumb::value(data, entry)?)))
}

#[cfg(feature = "sqlite")]
fn find_in_sqlite(files: &impl Files, key: &[u8]) -> Result<Option<Content>> {
    let Some(file) = files.open("")?.map(sqlite::whole).transpose()? else { return Ok(None) };
    let mut left = Vec::new();
    for suffix in sqlite::LEFT {
        if let Some(bytes) = files.open(suffix)?.map(sqlite::whole).transpose()?.filter(|bytes| !bytes.is_empty()) {
            left.push((suffix, bytes));
        }
    }
    sqlite::read(file, &left, key).map(Some)
}

#[cfg(feature = "sqlite")]
fn image_of_sqlite(pair: Option<(&[u8], &[u8])>) -> Result<Vec<u8>> {
    sqlite::image(pair)
}

#[cfg(not(feature = "sqlite"))]
const WITHOUT_SQLITE: &str = "this program was built without the feature `sqlite` of beakerhelpers-dbm-format";

#[cfg(not(feature = "sqlite"))]
fn find_in_sqlite(_: &impl Files, _: &[u8]) -> Result<Option<Content>> {
    Err(unreadable("dbm.sqlite3", WITHOUT_SQLITE))
}

#[cfg(not(feature = "sqlite"))]
fn image_of_sqlite(_: Option<(&[u8], &[u8])>) -> Result<Vec<u8>> {
    Err(Error::unsupported(format!("a session cannot be written to a dbm.sqlite3 database: {WITHOUT_SQLITE}")))
}
