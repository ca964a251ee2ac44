//! Databases of many keys in one file, which are changed by writing them anew.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use beakerhelpers_core::{Error, ErrorKind, Result};

use crate::berkeley::{self, Hash};
use crate::bound::readable;
use crate::error::failed;
use crate::gdbm::{self, Gdbm};
use crate::{Content, Format};

/// A key of a database and what is stored for it.
#[derive(Debug)]
pub struct Pair {
    /// The key. It may be an id: no message is to name it.
    pub key: Vec<u8>,
    /// The value, or why it cannot be read.
    pub value: Result<Vec<u8>>,
}

/// A database of GNU dbm, or a hash of Berkeley DB (versions 8 and 9, in either byte order), open for reading.
///
/// It is read as it is in the file: whoever is to be kept from changing it has to be kept from that by a lock. Bytes that
/// nobody wrote give an error; nothing takes more memory than the largest value and what a bucket has.
#[derive(Debug)]
pub struct Packed(Kind);

#[derive(Debug)]
enum Kind {
    Gnu(Gdbm<File>),
    Berkeley(Hash<File>),
}

/// How far a walk through a database is.
#[derive(Debug)]
enum Walk {
    Gnu(gdbm::Walk),
    Berkeley(berkeley::Walk),
}

/// What is done with each pair that stays.
type Add<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

impl Packed {
    /// Opens a database, whose kind its first bytes tell.
    ///
    /// # Errors
    ///
    /// `Corrupt` where it is damaged, or of a version or kind that is not read here; what the system says.
    pub fn open(mut file: File) -> Result<Self> {
        let mut magic = Vec::new();
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| (&file).take(4).read_to_end(&mut magic));
        read.map_err(|error| failed("read", &error))?;
        let is_gnu = magic.first_chunk().is_some_and(|magic| gdbm::is_magic(*magic));
        let most = readable(&file);
        Ok(Self(if is_gnu {
            Kind::Gnu(Gdbm::open(file)?.bounded(most))
        } else {
            Kind::Berkeley(Hash::open(file)?.bounded(most))
        }))
    }

    /// Whether it has a key, whether or not the value can be read.
    ///
    /// # Errors
    ///
    /// `Corrupt` where what leads to the key is damaged; what the system says.
    pub fn has(&mut self, key: &[u8]) -> Result<bool> {
        match &mut self.0 {
            Kind::Gnu(database) => database.has(key),
            Kind::Berkeley(database) => database.has(key),
        }
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// As [`has`](Self::has), and `Corrupt` where the value is damaged or larger than [`LARGEST`](crate::LARGEST).
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match &mut self.0 {
            Kind::Gnu(database) => database.get(key),
            Kind::Berkeley(database) => database.get(key),
        }
    }

    /// All pairs, in the order of the file, each read when it is asked for.
    pub fn into_pairs(self) -> Pairs {
        Pairs { walk: self.walk(), database: self }
    }

    pub(crate) fn content(&mut self, key: &[u8]) -> Result<Content> {
        if let Some(value) = self.get(key)? {
            return Ok(Content::Value(value));
        }
        let mut walk = self.walk();
        Ok(Content::without_key(self.next(&mut walk).transpose()?.is_none()))
    }

    /// How it is laid out, if it is GNU dbm's.
    pub(crate) const fn layout(&self) -> Option<&gdbm::Layout> {
        match &self.0 {
            Kind::Gnu(database) => Some(database.layout()),
            Kind::Berkeley(_) => None,
        }
    }

    /// How it is written, if it is Berkeley DB's.
    pub(crate) const fn shape(&self) -> Option<berkeley::Shape> {
        match &self.0 {
            Kind::Gnu(_) => None,
            Kind::Berkeley(database) => Some(database.shape()),
        }
    }

    fn walk(&self) -> Walk {
        match &self.0 {
            Kind::Gnu(_) => Walk::Gnu(gdbm::Walk::default()),
            Kind::Berkeley(database) => Walk::Berkeley(berkeley::Walk::new(database)),
        }
    }

    fn next(&mut self, walk: &mut Walk) -> Option<Result<Pair>> {
        match (&mut self.0, walk) {
            (Kind::Gnu(database), Walk::Gnu(walk)) => walk.next(database),
            (Kind::Berkeley(database), Walk::Berkeley(walk)) => walk.next(database),
            _ => None,
        }
    }

    /// Writes a new database as this one to a file that is there and empty: all pairs but those that are left out, and one
    /// that is added, in place of the one with its key. The bytes are on the disk when this returns.
    ///
    /// # Errors
    ///
    /// `Corrupt` where a pair that is to stay cannot be read, which would be lost; `Unsupported` where the format takes no
    /// such value; what the system says.
    pub fn rewrite(
        &mut self,
        to: &Path,
        leave_out: &dyn Fn(&[u8]) -> bool,
        added: Option<(&[u8], &[u8])>,
    ) -> Result<()> {
        let goes = |key: &[u8]| added.is_some_and(|(added, _)| added == key) || leave_out(key);
        match &self.0 {
            Kind::Gnu(database) => {
                let mut writer = gdbm::Writer::new(to, Some(database.layout()))?;
                self.copy(&goes, added, &mut |key, value| writer.add(key, value))?;
                writer.finish()?;
            }
            Kind::Berkeley(database) => {
                let shape = database.shape();
                let mut size = berkeley::Size::new(shape);
                self.copy(&goes, added, &mut |key, value| {
                    size.add(key, value);
                    Ok(())
                })?;
                let file = File::options().read(true).write(true).open(to).map_err(|error| failed("write", &error))?;
                let mut writer = berkeley::Writer::new(file, shape, &size)?;
                self.copy(&goes, added, &mut |key, value| writer.add(key, value))?;
                writer.finish()?;
            }
        }
        File::open(to).and_then(|file| file.sync_all()).map_err(|error| failed("write", &error))
    }

    /// Writes a new database as this one, without any pair, to a file that is there and empty. The bytes are on the disk
    /// when this returns.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write_empty(&self, to: &Path) -> Result<()> {
        let image = match &self.0 {
            Kind::Gnu(database) => gdbm::image(None, Some(database.layout()))?,
            Kind::Berkeley(database) => berkeley::image(None, Some(database.shape()))?,
        };
        let written = File::options().write(true).open(to).and_then(|mut file| {
            file.write_all(&image)?;
            file.sync_all()
        });
        written.map_err(|error| failed("write", &error))
    }

    fn copy(&mut self, goes: &dyn Fn(&[u8]) -> bool, added: Option<(&[u8], &[u8])>, add: &mut Add<'_>) -> Result<()> {
        let mut walk = self.walk();
        while let Some(pair) = self.next(&mut walk) {
            let Pair { key, value } = pair.map_err(would_be_lost)?;
            if !goes(&key) {
                add(&key, &value.map_err(would_be_lost)?)?;
            }
        }
        added.map_or(Ok(()), |(key, value)| add(key, value))
    }
}

/// Why nothing is written.
fn would_be_lost(error: Error) -> Error {
    if error.kind() != ErrorKind::Corrupt {
        return error;
    }
    Error::corrupt("nothing was changed: the dbm database is to be written anew, and a session in it cannot be read")
        .with_hint(
            "copy what Python can read to a new database, `new[key] = old[key]` for each key of `old`, and use that one",
        )
        .with_source(error)
}

impl Format {
    /// The bytes of a database without a key, for each of its files.
    ///
    /// # Errors
    ///
    /// `Unsupported` for `dbm.sqlite3` without the feature `sqlite`; what the system says.
    pub fn empty(self) -> Result<Vec<(crate::Suffix, Vec<u8>)>> {
        self.images(&NoFiles, &[], None)
    }
}

/// Where there is no database yet.
struct NoFiles;

impl crate::Files for NoFiles {
    fn open(&self, _: crate::Suffix) -> Result<Option<File>> {
        Ok(None)
    }
}

/// All pairs of a database. An error of a pair or a bucket is an item, and others may come after it.
#[derive(Debug)]
pub struct Pairs {
    database: Packed,
    walk: Walk,
}

impl Iterator for Pairs {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Self::Item> {
        self.database.next(&mut self.walk)
    }
}
