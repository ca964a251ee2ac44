//! The files of one session, in a folder that is open.

use std::fs::File;

use beakerhelpers_container::{Age, Facts, Folder, Lock, failure, replace_after};
use beakerhelpers_core::{Error, Result, Timestamp};
use beakerhelpers_dbm_format::{Content, Files, Format, Found, Suffix};
use rustix::fs::renameat;
use rustix::io::Errno;

use crate::content::KEY;

/// What Beaker calls the database of a session (`beaker/container.py`, `DBMNamespaceManager`, 1.14.1).
pub(crate) const EXTENSION: &str = ".dbm";
/// The longest that the names of its files go on.
pub(crate) const LONGEST_EXTENSION: &str = ".dbm-journal";
/// The files of which any says that there is a database, as Beaker looks for them (`DBMNamespaceManager.file_exists`,
/// 1.14.1). The first of those that are there stands for it.
const MAIN: [Suffix; 5] = ["", ".db", ".dat", ".pag", ".dir"];
/// Further files that belong to it, which go before those that they complete.
const SIDE: [Suffix; 4] = ["-journal", "-wal", "-shm", ".bak"];
/// The files whose times tell when it was written to. SQLite's readers write to `-shm`.
const DATED: [Suffix; 7] = ["", ".db", ".dat", ".pag", ".dir", "-journal", "-wal"];
/// As all of those are called in a walk, the main ones first.
pub(crate) const FORM: [&str; 9] =
    [".dbm", ".dbm.db", ".dbm.dat", ".dbm.pag", ".dbm.dir", ".dbm-journal", ".dbm-wal", ".dbm-shm", ".dbm.bak"];

/// What Linux calls a file system in memory (`TMPFS_MAGIC` in `linux/magic.h`).
#[cfg(target_os = "linux")]
const TMPFS: rustix::fs::FsWord = 0x0102_1994;

/// The files of one session. Most calls are to be made under its lock.
pub(crate) struct Database<'f> {
    folder: &'f Folder,
    /// The name that the names of all files begin with.
    name: String,
}

impl<'f> Database<'f> {
    pub(crate) fn new(folder: &'f Folder, id: &str) -> Self {
        Self { folder, name: [id, EXTENSION].concat() }
    }

    fn file(&self, suffix: Suffix) -> String {
        [&self.name, suffix].concat()
    }

    fn has(&self, suffix: Suffix) -> Result<bool, Errno> {
        self.facts(suffix).map(|facts| facts.is_some())
    }

    fn facts(&self, suffix: Suffix) -> Result<Option<Facts>, Errno> {
        self.folder.facts(self.file(suffix)).or_else(|errno| absent(errno, None))
    }

    fn unlink(&self, suffix: Suffix) -> Result<bool, Errno> {
        self.folder.unlink(self.file(suffix)).or_else(|errno| absent(errno, false))
    }

    /// The extension of the file that stands for it; `None` where it is not there.
    pub(crate) fn standing(&self) -> Result<Option<&'static str>, Errno> {
        for (suffix, extension) in MAIN.into_iter().zip(FORM) {
            if self.has(suffix)? {
                return Ok(Some(extension));
            }
        }
        Ok(None)
    }

    /// When it was last written to: the newest time of any of its files.
    pub(crate) fn age(&self) -> Result<Age, Errno> {
        let mut age = Age::Gone;
        for suffix in DATED {
            let Some(facts) = self.facts(suffix)? else { continue };
            if suffix.is_empty() && self.hides_its_age()? {
                return Ok(Age::Unknown(Some(Error::corrupt(
                    "a dbm.gnu database in a tmpfs does not tell when it was written to",
                ))));
            }
            age = match (age, facts.modified) {
                (Age::Gone, Some(modified)) => Age::Accessed(modified),
                (Age::Accessed(newest), Some(modified)) => Age::Accessed(newest.max(modified)),
                // What cannot be told may be newer.
                _ => Age::Unknown(None),
            };
        }
        Ok(age)
    }

    /// Whether its time may be that of its first bytes, however often it was written to since: GNU dbm writes through a
    /// mapping into memory (`gdbm_open`, 1.23), which a tmpfs does not notice. So it is in Linux up to 6.18, where it was
    /// seen.
    fn hides_its_age(&self) -> Result<bool, Errno> {
        #[cfg(target_os = "linux")]
        if rustix::fs::fstatfs(self.folder)?.f_type == TMPFS {
            let file = self.folder.open(self.file("")).or_else(|errno| absent(errno, None))?;
            return Ok(file.is_some_and(|(file, _)| Format::is_gnu(&File::from(file))));
        }
        Ok(false)
    }

    /// Reads what it holds; `None` where it is not there.
    pub(crate) fn read(&self) -> Result<Option<Content>> {
        match Format::of(self)? {
            Found::As(format) => format.find(self, KEY),
            Found::Nothing => {
                let standing = self.standing().map_err(|errno| failure("look for a session's database", errno))?;
                Ok(standing.map(|_| Content::Empty))
            }
            Found::Unknown(what) => Err(Error::corrupt(format!("a session's database cannot be read: it is {what}"))
                .with_hint("what Python's dbm.dumb, dbm.gnu, dbm.sqlite3 and, on Debian, dbm.ndbm write can be read")),
        }
    }

    /// Puts a value, and nothing else, into it, in the format that it has, or else in this one.
    pub(crate) fn write(&self, value: Option<&[u8]>, modified: Timestamp, new: Format) -> Result<()> {
        let cannot = |errno| failure("write a session's database", errno);
        let format = match Format::of(self)? {
            Found::As(format) => format,
            Found::Nothing => {
                // A lone file of several would make another database of what comes to it.
                self.remove().map_err(cannot)?;
                new
            }
            Found::Unknown(what) => {
                return Err(Error::unsupported(format!("a session's database cannot be written: it is {what}")));
            }
        };
        let images = format.images(self, KEY, value)?;
        // They would be applied to the new file. While there is none, the old one needs them.
        let side = if format == Format::Sqlite3 { &SIDE[..] } else { &[] };
        images.iter().try_for_each(|(suffix, image)| {
            let unlink_side = || side.iter().try_for_each(|suffix| self.unlink(suffix).map(drop));
            replace_after(self.folder, &self.file(suffix), image, modified, unlink_side)
        })
    }

    /// Removes all its files, and tells whether there was a database.
    pub(crate) fn remove(&self) -> Result<bool, Errno> {
        let mut was_there = false;
        for suffix in SIDE {
            self.unlink(suffix)?;
        }
        // The index of `dbm.dumb` goes before its data.
        for suffix in MAIN.into_iter().rev() {
            was_there |= self.has(suffix)? && self.unlink(suffix)?;
        }
        Ok(was_there)
    }

    /// Gives all its files other names, under which nobody looks for them.
    pub(crate) fn put_aside(&self) -> Result<Aside<'_, 'f>, Errno> {
        let mut aside = Aside { database: self, name: Folder::aside_name(), suffixes: Vec::new() };
        for suffix in MAIN.into_iter().chain(SIDE) {
            let rename = || renameat(self.folder, self.file(suffix), self.folder, aside.file(suffix));
            let has = self.has(suffix);
            match has.and_then(|has| if has { rename() } else { Err(Errno::NOENT) }) {
                Ok(()) => aside.suffixes.push(suffix),
                Err(Errno::NOENT) => {}
                Err(errno) => {
                    // What has its own name still is no new database.
                    aside.give_back()?;
                    return Err(errno);
                }
            }
        }
        Ok(aside)
    }
}

impl Files for Database<'_> {
    fn open(&self, suffix: Suffix) -> Result<Option<File>> {
        let opened = self.folder.open(self.file(suffix)).or_else(|errno| absent(errno, None));
        let opened = opened.map_err(|errno| failure("open a session's database", errno))?;
        Ok(opened.map(|(file, _)| File::from(file)))
    }
}

/// The names of some files may be too long to be there, where that of another is not.
fn absent<T>(errno: Errno, nothing: T) -> Result<T, Errno> {
    if errno == Errno::NAMETOOLONG { Ok(nothing) } else { Err(errno) }
}

/// The files of a session under other names.
pub(crate) struct Aside<'d, 'f> {
    database: &'d Database<'f>,
    name: String,
    suffixes: Vec<Suffix>,
}

impl Aside<'_, '_> {
    fn file(&self, suffix: Suffix) -> String {
        // As what a killed save leaves behind, which is removed where the application is stopped.
        [&self.name, suffix, ".temp"].concat()
    }

    /// Whether there was any.
    pub(crate) fn is_empty(&self) -> bool {
        self.suffixes.is_empty()
    }

    /// Whether all that tell were last written to before this.
    pub(crate) fn is_before(&self, cutoff: Timestamp) -> Result<bool, Errno> {
        for suffix in self.suffixes.iter().filter(|suffix| DATED.contains(suffix)) {
            let facts = self.database.folder.facts(self.file(suffix))?;
            if facts.is_some_and(|facts| facts.modified.is_none_or(|modified| modified >= cutoff)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn remove(self) -> Result<(), Errno> {
        self.suffixes.iter().try_for_each(|suffix| self.database.folder.unlink(self.file(suffix)).map(drop))
    }

    /// Gives them their names back, unless somebody has made new ones, which count. A new database that holds nothing does
    /// not: Beaker makes one without a lock as soon as it looks for one that is not there
    /// (`DBMNamespaceManager._checkfile`, 1.14.1). It is replaced under the lock that this takes, if it can.
    pub(crate) fn put_back(self, lock: impl FnOnce() -> Result<Option<Lock>>) -> Result<(), Errno> {
        if self.database.standing()?.is_some() {
            let lock = lock();
            if lock.is_err() || !matches!(self.database.read(), Ok(Some(Content::Empty))) {
                return self.remove();
            }
            self.database.remove()?;
            // It is held until they are back.
            return self.give_back();
        }
        self.give_back()
    }

    fn give_back(self) -> Result<(), Errno> {
        let give = |suffix: &Suffix| self.database.folder.give_back(&self.file(suffix), &self.database.file(suffix));
        self.suffixes.iter().rev().try_for_each(give)
    }
}

#[cfg(test)]
mod tests {
    use beakerhelpers_container::{Name, Tree};
    use beakerhelpers_core::{Error, ErrorKind};

    use super::*;

    #[test]
    fn what_can_be_put_aside_in_part_only_is_there_as_before() {
        let root = tempfile::tempdir().expect("a directory");
        let tree = Tree::open(root.path()).expect("it can be read").expect("it is there");
        let folder = tree.make_folder(&Name::of("id", EXTENSION).expect("a name")).expect("there is room");
        let database = Database::new(&folder, "id");
        database.write(Some(b"old"), Timestamp::from_secs(1), Format::Dumb).expect("it writes");
        let mut aside = database.put_aside().expect("it can be put aside");
        assert_eq!(aside.suffixes, [".dat", ".dir"]);
        // As where the second could not be renamed.
        let second = aside.suffixes.pop().expect("there are two");
        folder.give_back(&aside.file(second), &database.file(second)).expect("it can be given back");
        aside.give_back().expect("it can be given back");
        assert_eq!(database.read().ok().flatten(), Some(Content::Value(b"old".to_vec())));
    }

    #[test]
    fn what_is_put_aside_gives_way_to_a_session_and_not_to_an_empty_database() {
        let root = tempfile::tempdir().expect("a directory");
        let tree = Tree::open(root.path()).expect("it can be read").expect("it is there");
        let folder = tree.make_folder(&Name::of("id", EXTENSION).expect("a name")).expect("there is room");
        let database = Database::new(&folder, "id");
        let save =
            |value: Option<&[u8]>| database.write(value, Timestamp::from_secs(1), Format::Dumb).expect("it writes");
        let read = || database.read().expect("it is read").expect("it is there");
        let held = || Err(Error::new(ErrorKind::Unavailable, "it is held"));
        let (old, new) = (Content::Value(b"old".to_vec()), Content::Value(b"new".to_vec()));
        let put_back_after = |value: Option<Option<&[u8]>>, lock: fn() -> Result<Option<Lock>>| {
            database.remove().expect("it can be removed");
            save(Some(b"old"));
            let aside = database.put_aside().expect("it can be put aside");
            assert!(database.read().expect("it is read").is_none());
            if let Some(value) = value {
                save(value);
            }
            aside.put_back(lock).expect("it can be put back");
            assert_eq!(std::fs::read_dir(root.path().join("i/id")).expect("it is there").count(), 2);
            read()
        };
        assert_eq!(put_back_after(None, held), old);
        assert_eq!(put_back_after(Some(None), || Ok(None)), old);
        assert_eq!(put_back_after(Some(None), held), Content::Empty);
        assert_eq!(put_back_after(Some(Some(b"new")), || Ok(None)), new);
    }
}
