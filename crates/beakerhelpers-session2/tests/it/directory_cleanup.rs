//! Cleanups of `session2:directory` beside others.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{
    Cutoff, DeletePlan, Error, ErrorKind, Progress, Record, Result, SessionStore, SetupMode, Timestamp,
};

use crate::directory::ready;

const PICKLE: &[u8] = b"\x80\x02cshop\nSession\n)\x81}U\x04userU\x03joesb.";

pub(crate) fn save_an_hour_ago(path: &Path) {
    let mut file = File::create(path).expect("it is made");
    file.write_all(PICKLE).expect("there is room");
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("it is ours");
}

pub(crate) fn cutoff() -> Cutoff {
    Cutoff::ago(Timestamp::from(SystemTime::now()), Duration::from_secs(60))
}

/// While sessions are being archived, one of them is saved and another is made anew, as session3 does it.
struct Busy {
    directory: PathBuf,
    saving: Option<File>,
    archived: usize,
}

impl Progress for Busy {
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        self.archived += records.len();
        // It is empty now, and its writer waits for the lock.
        self.saving = Some(File::create(self.directory.join("joe")).expect("it is there"));
        fs::remove_file(self.directory.join("ann")).expect("it is there");
        fs::write(self.directory.join("ann"), PICKLE).expect("it is made");
        Ok(())
    }
}

#[test]
fn what_is_saved_while_it_is_archived_is_kept() {
    let (place, store, _) = ready();
    let directory = place.path().join("sessions");
    for id in ["joe", "ann", "eve"] {
        save_an_hour_ago(&directory.join(id));
    }
    let mut busy = Busy { directory: directory.clone(), saving: None, archived: 0 };
    let done = store.delete_old(cutoff(), &DeletePlan::default().with_archive(), &mut busy).expect("it cleans");
    assert_eq!((done.deleted, done.kept, busy.archived), (1, 2, 3));
    let mut saving = busy.saving.expect("it was archived");
    saving.lock().expect("the cleanup is over");
    saving.write_all(b"(isaved\nNow\n.").expect("there is room");
    assert_eq!(fs::read(directory.join("joe")).expect("it is there"), b"(isaved\nNow\n.");
    assert_eq!(fs::read(directory.join("ann")).expect("it is there"), PICKLE);
    assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 2, "and nothing is left behind");
}

#[derive(Default)]
struct Told(Vec<String>);

impl Progress for Told {
    fn unreadable(&mut self, error: &Error) {
        self.0.push(error.to_string());
    }
}

#[test]
fn what_is_no_session_is_kept() {
    let (place, store, _) = ready();
    let directory = place.path().join("sessions");
    let names = || {
        let entries = fs::read_dir(&directory).expect("it is there");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("one").file_name()).collect();
        names.sort();
        names
    };
    let an_hour_ago = |name: &str, text: &str| {
        let path = directory.join(name);
        save_an_hour_ago(&path);
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("it is there");
        fs::write(&path, text).expect("it is ours");
        File::options().write(true).open(&path).and_then(|file| file.set_modified(modified)).expect("it is ours");
    };
    for (name, text) in [("config", "copy_reg\n."), ("notes.txt", "hello"), ("empty", "")] {
        an_hour_ago(name, text);
    }
    let refused =
        store.delete_old(cutoff(), &DeletePlan::default(), &mut Told::default()).expect_err("it is another's");
    assert_eq!(refused.kind(), ErrorKind::NotSetUp);
    assert_eq!(store.setup(SetupMode::Recreate).expect_err("it is another's").kind(), ErrorKind::NotSetUp);
    assert_eq!(names(), ["config", "empty", "notes.txt"]);

    save_an_hour_ago(&directory.join("ann"));
    for plan in [DeletePlan::dry_run(), DeletePlan::default()] {
        assert_eq!(names(), ["ann", "config", "empty", "notes.txt"]);
        let mut told = Told::default();
        let done = store.delete_old(cutoff(), &plan, &mut told).expect("it cleans");
        assert_eq!((done.deleted, done.kept), (2, 2));
        assert_eq!(told.0, ["a file in the directory does not begin as a session does"; 2]);
    }
    assert_eq!(names(), ["config", "notes.txt"], "what is empty goes: nothing is in it");
    save_an_hour_ago(&directory.join("ann"));
    store.setup(SetupMode::Recreate).expect("it is emptied");
    assert_eq!(names(), ["config", "notes.txt"]);
}
