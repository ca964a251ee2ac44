//! What saving a session begins with, whatever its files are.

use beakerhelpers_core::{Error, ErrorKind, Record, Result, SaveMode, Timestamp};

use crate::{Folder, Lock, Name, Place, Tree};

/// A session that can be saved.
#[derive(Debug)]
pub struct Saving<'s> {
    place: &'s Place,
    id: &'s str,
    tree: Tree,
    name: Name,
    accessed: Timestamp,
}

impl Place {
    /// Makes sure that a session can be saved here: in files whose names go on like this at most.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the place is for reading only, and where no file can have such an id or no access time is
    /// given; as [`open`](Self::open).
    pub fn for_saving<'s>(&'s self, record: &'s Record, longest_extension: &'static str) -> Result<Saving<'s>> {
        self.refuse_to_write()?;
        let tree = self.open()?;
        let id = record.id.as_str();
        let name = Name::to_write(id, longest_extension).ok_or_else(|| {
            Error::unsupported(
                "a session with this id cannot be kept in a file: it is empty or too long, or has a slash, a dot or a zero \
                 byte in it",
            )
        })?;
        let accessed = record.accessed.ok_or_else(|| {
            Error::unsupported("a session without access time cannot be kept in a file, which always has one")
        })?;
        Ok(Saving { place: self, id, tree, name, accessed })
    }
}

impl Saving<'_> {
    /// The folder of all sessions.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// When it was last accessed.
    pub const fn accessed(&self) -> Timestamp {
        self.accessed
    }

    /// Takes its lock, and opens its folder, which is made where it is missing. Where the session is to be a new one, it is
    /// looked for.
    ///
    /// # Errors
    ///
    /// `AlreadyExists`; as [`Locks::to_write`](crate::Locks::to_write) and [`Tree::make_folder`]; what looking says.
    pub fn lock(&self, mode: SaveMode, is_there: impl FnOnce(&Folder) -> Result<bool>) -> Result<(Folder, Lock)> {
        let lock = self.place.locks().to_write(self.id)?;
        let folder = self.tree.make_folder(&self.name)?;
        if mode == SaveMode::Create && is_there(&folder)? {
            return Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already"));
        }
        Ok((folder, lock))
    }
}
