//! Files that are old, and go only as they were seen to be.
//!
//! The lock keeps nobody from emptying a file: session2 does that before it asks for the lock, and writes afterwards
//! (`session2/store/DirectorySessionStore.py`, 0.6; `session3`, 3.4.1). It shows in the file's time alone.

use std::fs;
use std::io;
use std::path::Path;

use beakerhelpers_core::{Cutoff, Result, Timestamp};

use super::files::{Contents, Held};
use super::save::hidden;
use crate::paths::{failed, is_same};

/// A locked file that is old.
#[derive(Debug)]
pub(super) struct Old {
    held: Held,
    /// When it was written last, and its size, when it was found old.
    seen: (Timestamp, u64),
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Gone,
    Kept,
    /// It was gone before.
    Missing,
}

impl Old {
    /// `None` for what is not old.
    pub(super) fn of(held: Held, cutoff: Cutoff) -> io::Result<Option<Self>> {
        let seen = held.seen()?;
        Ok((seen.0 < cutoff.at()).then_some(Self { held, seen }))
    }

    /// What is in it; `None` where somebody has begun to write it.
    pub(super) fn read(&mut self, directory: &Path) -> Result<Option<Contents>> {
        let contents = self.held.read(directory)?;
        let now = self.held.seen().map_err(|error| failed("look at a session", directory, error))?;
        Ok((now == self.seen).then_some(contents))
    }

    /// Deletes it, unless somebody has written it, or has put another in its place.
    ///
    /// It gets another name first. Who opens the file by its name comes either before that, and has emptied it, so that it
    /// gets its name back; or after it, and makes a new one.
    pub(super) fn remove(self, directory: &Path) -> io::Result<Fate> {
        let aside = hidden(directory);
        match fs::rename(&self.held.path, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Fate::Missing),
            Err(error) => return Err(error),
        }
        let unchanged = is_same(&self.held.file, &aside).and_then(|same| Ok(same && self.held.seen()? == self.seen));
        let fate =
            unchanged.and_then(
                |unchanged| {
                    if unchanged { fs::remove_file(&aside).map(|()| Fate::Gone) } else { Ok(Fate::Kept) }
                },
            );
        if !matches!(fate, Ok(Fate::Gone)) {
            give_back(&aside, &self.held.path)?;
        }
        fate
    }
}

/// Gives a file its name back, unless there is a newer one of this name.
fn give_back(aside: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(aside, path) {
        Ok(()) => fs::remove_file(aside),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::remove_file(aside),
        // A file system without hard links.
        Err(_) => fs::rename(aside, path),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    use super::super::files::{Files, Locked};
    use super::*;

    /// A directory with one session that was written last an hour ago.
    fn old() -> (tempfile::TempDir, Old) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("joe");
        fs::write(&path, "(dp0\n.").expect("it is written");
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(&path).and_then(|file| file.set_modified(hour_ago)).expect("it is ours");
        let files = Files { directory: place.path(), wait: Duration::ZERO };
        let Ok(Locked::Here(held)) = files.lock(&path, Duration::ZERO) else { panic!("it is there") };
        let cutoff = Cutoff::ago(Timestamp::from(SystemTime::now()), Duration::from_secs(60));
        let old = Old::of(held, cutoff).expect("it is there").expect("it is old");
        (place, old)
    }

    /// What is in the directory, by name.
    fn files(place: &tempfile::TempDir) -> Vec<(String, String)> {
        let entries = fs::read_dir(place.path()).expect("it is there").map(|entry| entry.expect("one").path());
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("a simple name").to_owned();
        entries.map(|path| (name(&path), fs::read_to_string(&path).expect("a file"))).collect()
    }

    fn joe(text: &str) -> [(String, String); 1] {
        [("joe".to_owned(), text.to_owned())]
    }

    #[test]
    fn what_nobody_touched_is_read_and_goes() {
        let (place, mut old) = old();
        assert!(old.read(place.path()).expect("it is there").is_some());
        assert_eq!(old.remove(place.path()).expect("it is ours"), Fate::Gone);
        assert_eq!(files(&place), []);
    }

    #[test]
    fn what_is_being_saved_keeps_its_name_and_is_not_read() {
        let (place, mut old) = old();
        // As session3 does, which now waits for the lock.
        let mut writer = File::create(place.path().join("joe")).expect("it is ours");
        assert!(old.read(place.path()).expect("it is there").is_none());
        assert_eq!(old.remove(place.path()).expect("it is ours"), Fate::Kept);
        writer.lock().expect("the cleanup let it go");
        writer.write_all(b"(dp1\n.").expect("there is room");
        assert_eq!(files(&place), joe("(dp1\n."));
    }

    #[test]
    fn another_session_of_the_same_name_is_kept() {
        let (place, old) = old();
        let other = place.path().join(".other");
        fs::write(&other, "(dp0\n.").expect("it is written");
        File::options()
            .write(true)
            .open(&other)
            .and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH))
            .expect("ours");
        fs::rename(&other, place.path().join("joe")).expect("it is ours");
        assert_eq!(old.remove(place.path()).expect("it is ours"), Fate::Kept);
        assert_eq!(files(&place), joe("(dp0\n."));
    }

    #[test]
    fn what_was_deleted_meanwhile_is_missing() {
        let (place, old) = old();
        fs::remove_file(place.path().join("joe")).expect("it is there");
        assert_eq!(old.remove(place.path()).expect("it answers"), Fate::Missing);
    }

    #[test]
    fn a_newer_one_is_not_overwritten() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (aside, path) = (place.path().join(".aside"), place.path().join("joe"));
        fs::write(&aside, "older").expect("it is written");
        fs::write(&path, "newer").expect("it is written");
        give_back(&aside, &path).expect("it is ours");
        assert_eq!(files(&place), joe("newer"));
    }
}
