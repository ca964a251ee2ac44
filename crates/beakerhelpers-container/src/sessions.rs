//! What a store type that keeps files adds: how a session is read, and how old it is.

use std::fmt;
use std::sync::Arc;

use beakerhelpers_core::{Error, Query, Record, Result, Timestamp};
use rustix::fs::renameat;
use rustix::io::Errno;

use crate::name::TEMPORARY;
use crate::{Folder, Form, failure};

/// What a store type that keeps files adds to the tree that they are in.
pub trait Sessions: fmt::Debug + Send + Sync + 'static {
    /// Which files stand for a session.
    fn form(&self) -> Form;

    /// When a session was last accessed, as cheaply as can be. By default when its file was last written to.
    ///
    /// # Errors
    ///
    /// What hinders the file from being looked at.
    fn age(&self, spot: &Spot) -> Result<Age> {
        match spot.folder().facts(spot.file()) {
            Ok(Some(facts)) => Ok(facts.modified.map_or(Age::Unknown(None), Age::Accessed)),
            Ok(None) => Ok(Age::Gone),
            Err(errno) => Err(failure("look at the file of a session", errno)),
        }
    }

    /// Reads a session, with whatever lock that needs. `None` where it is gone.
    ///
    /// # Errors
    ///
    /// `Corrupt` for whatever hinders this one from being read, where others may well be.
    fn read(&self, spot: &Spot) -> Result<Option<Record>>;

    /// As [`read`](Self::read), of a session that the query asks for; `None` for another one.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    fn read_active(&self, spot: &Spot, query: Query) -> Result<Option<Record>> {
        let is_active = |record: &Record| match (query.active, record.accessed) {
            (Some(cutoff), Some(accessed)) => accessed >= cutoff.at(),
            _ => true,
        };
        Ok(self.read(spot)?.filter(is_active))
    }

    /// Reads a session while its lock is held.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    fn read_locked(&self, spot: &Spot) -> Result<Option<Record>>;

    /// Removes a session whose [`age`](Self::age) was just found to be before the cutoff. By default [`remove_file`].
    ///
    /// # Errors
    ///
    /// What hinders it from being removed; it is kept then.
    fn remove(&self, spot: &Spot, guard: Guard, cutoff: Timestamp) -> Result<Fate> {
        remove_file(spot, guard, cutoff).map_err(|errno| failure("delete the file of a session", errno))
    }
}

/// The file that stands for a session, in a folder that is open.
#[derive(Clone)]
pub struct Spot {
    folder: Arc<Folder>,
    file: String,
    extension: &'static str,
}

impl Spot {
    pub(crate) fn new(folder: Arc<Folder>, id: &str, extension: &'static str) -> Self {
        Self { folder, file: [id, extension].concat(), extension }
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn is_in(&self, folder: &Arc<Folder>) -> bool {
        Arc::ptr_eq(&self.folder, folder)
    }

    pub(crate) const fn shared_folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// The name of the file, `<id><extension>`.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The id of the session.
    pub fn id(&self) -> &str {
        self.file.strip_suffix(self.extension).expect("it was put together so")
    }

    /// What follows the id in the name of the file.
    pub const fn extension(&self) -> &'static str {
        self.extension
    }
}

impl fmt::Debug for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is a credential.
        write!(f, "Spot({:?}, {})", self.folder, self.extension)
    }
}

/// How old a session is.
#[derive(Debug)]
pub enum Age {
    /// It is no longer there.
    Gone,
    /// It was last accessed then.
    Accessed(Timestamp),
    /// It does not say, and maybe why.
    Unknown(Option<Error>),
}

/// What keeps others from a session while it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Its lock is held.
    Locked,
    /// It has no lock file. Nobody is at it, unless somebody comes for the first time in this moment.
    NoLockFile,
}

/// What became of a session that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is removed.
    Removed,
    /// It was accessed in the last moment, and kept.
    Touched,
    /// Somebody else removed it.
    Gone,
}

/// Removes the one file of a session.
///
/// Where its lock is held, nobody can write to it. Where it has no lock file, it is first given another name: a save comes
/// either before that, and is seen in the file's time, so that the file gets its name back; or after it, and makes a new
/// file. No save is lost either way.
///
/// # Errors
///
/// What the system says.
pub fn remove_file(spot: &Spot, guard: Guard, cutoff: Timestamp) -> Result<Fate, Errno> {
    let folder = spot.folder();
    if guard == Guard::Locked {
        return Ok(if folder.unlink(spot.file())? { Fate::Removed } else { Fate::Gone });
    }
    let aside = Folder::aside_name() + TEMPORARY;
    match renameat(folder, spot.file(), folder, &aside) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(Fate::Gone),
        Err(errno) => return Err(errno),
    }
    let facts = folder.facts(&aside);
    if facts.is_ok_and(|facts| facts.and_then(|facts| facts.modified).is_some_and(|modified| modified < cutoff)) {
        folder.unlink(&aside)?;
        return Ok(Fate::Removed);
    }
    // There is a newer one where one exists.
    folder.give_back(&aside, spot.file())?;
    facts.map(|_| Fate::Touched)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::{Tree, Walk};

    const CUTOFF: Timestamp = Timestamp::from_secs(1_000);

    /// A folder with one session that was written to so many seconds after 1970.
    fn session(at: u64) -> (tempfile::TempDir, Spot) {
        let root = tempfile::tempdir().expect("a directory");
        let folder = root.path().join("a/ab");
        fs::create_dir_all(&folder).expect("there is room");
        let file = File::create(folder.join("abc.cache")).expect("there is room");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(at)).expect("it is ours");
        let tree = Tree::open(root.path()).expect("it can be read").expect("it is there");
        let mut walk = Walk::new(&tree, Form(&[".cache"])).expect("it can be read");
        let spot = walk.next().expect("there is one").expect("it can be read");
        assert!(walk.next().is_none());
        (root, spot)
    }

    fn names(root: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(root.path().join("a/ab")).expect("it is there");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
    }

    #[test]
    fn without_a_lock_what_is_old_goes() {
        let (root, spot) = session(999);
        assert_eq!(remove_file(&spot, Guard::NoLockFile, CUTOFF), Ok(Fate::Removed));
        assert_eq!(names(&root), [""; 0]);
        assert_eq!(remove_file(&spot, Guard::NoLockFile, CUTOFF), Ok(Fate::Gone));
        assert_eq!(remove_file(&spot, Guard::Locked, CUTOFF), Ok(Fate::Gone));
    }

    #[test]
    fn without_a_lock_what_was_saved_in_the_last_moment_gets_its_name_back() {
        let (root, spot) = session(1_000);
        let file = root.path().join("a/ab/abc.cache");
        let before = file.metadata().expect("it is there").modified().expect("a time");
        assert_eq!(remove_file(&spot, Guard::NoLockFile, CUTOFF), Ok(Fate::Touched));
        assert_eq!(names(&root), ["abc.cache"]);
        assert_eq!(file.metadata().expect("it is there").modified().expect("a time"), before);
    }

    #[test]
    fn debug_does_not_give_the_id_away() {
        let (_root, spot) = session(0);
        assert!(!format!("{spot:?}").contains("abc"));
    }
}
