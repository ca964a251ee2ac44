//! The formats, told apart.

use std::fs::File;
use std::io::{ErrorKind, Read};

use beakerhelpers_core::{Error, Result, escape_controls};

use crate::error::failed;
use crate::{berkeley, gdbm};

/// How a database is written, named after the module of Python that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
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

/// How the name of a file of a database goes on after the name of the database.
pub type Suffix = &'static str;

/// The files of a database.
pub trait Files {
    /// Opens one; `None` where it is not there.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn open(&self, suffix: Suffix) -> Result<Option<File>>;
}

/// What a look at the files finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A database.
    As(Format),
    /// None, or a file without a byte: what creating a database begins with.
    Nothing,
    /// Something else; what it is.
    Unknown(&'static str),
}

impl Format {
    /// All that can be chosen for new databases, by the names that they are chosen by.
    const CHOICE: [(&'static str, Self); 4] =
        [("dumb", Self::Dumb), ("gnu", Self::Gnu), ("ndbm", Self::Ndbm), ("sqlite3", Self::Sqlite3)];

    /// The format of new databases by its name: `dumb`, `gnu`, `ndbm` or `sqlite3`, with `dbm.` before it or without.
    ///
    /// # Errors
    ///
    /// `Config` where there is no such format.
    pub fn chosen(name: &str) -> Result<Self> {
        let module = name.strip_prefix("dbm.").unwrap_or(name);
        let format = Self::CHOICE.iter().find(|(name, _)| *name == module).map(|(_, format)| *format);
        format.ok_or_else(|| {
            let names: Vec<_> = Self::CHOICE.iter().map(|(name, _)| format!("`{name}`")).collect();
            Error::config(format!("`{}` is no format of databases that can be written", escape_controls(name)))
                .with_hint(format!("choose one of {}", names.join(", ")))
        })
    }

    /// Whether a file begins as those of [`Gnu`](Self::Gnu). One that cannot be read may well.
    pub fn is_gnu(mut file: &File) -> bool {
        let mut magic = [0; 4];
        file.read_exact(&mut magic)
            .map_or_else(|error| error.kind() != ErrorKind::UnexpectedEof, |()| gdbm::is_magic(magic))
    }

    /// Finds out how a database is written, as Python does (`whichdb` in `Lib/dbm/__init__.py`, CPython 3.13, and
    /// `Lib/whichdb.py`, 2.7).
    ///
    /// # Errors
    ///
    /// What opening and reading the beginnings of files says.
    pub fn of(files: &impl Files) -> Result<Found> {
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
}

/// As much of a file as tells its kind.
fn beginning(file: File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(16).read_to_end(&mut bytes).map_err(|error| failed("read", &error))?;
    Ok(bytes)
}
