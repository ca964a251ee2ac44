//! Deleting by age, beside Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use beakerhelpers_core::{
    Cutoff, DeletePlan, Deleted, Progress, Record, Rest, Result, SaveMode, SessionStore, SetupMode, Silent, Timestamp,
};

use crate::support::{FORMATS, NOW, Place, load, record, set_time};

const OLD: Timestamp = Timestamp::from_secs(1_700_000_000);

fn cutoff() -> Cutoff {
    Cutoff::ago(NOW, Duration::from_secs(3600))
}

fn plan() -> DeletePlan {
    DeletePlan::default().with_rest(Rest::For(Duration::ZERO))
}

fn clean(place: &Place) -> Deleted {
    place.store("dumb").delete_old(cutoff(), &plan(), &mut Silent).expect("it cleans")
}

fn filled(format: &str) -> Place {
    let place = Place::new();
    let store = place.store(format);
    store.setup(SetupMode::IfMissing).expect("it is set up");
    store.save(&record("old", b"value", OLD), SaveMode::Create).expect("it writes");
    store.save(&record("new", b"value", NOW), SaveMode::Create).expect("it writes");
    place
}

#[test]
fn all_files_of_an_old_database_go_and_its_lock_file_stays() {
    for format in FORMATS {
        let place = filled(format);
        fs::write(place.file("old", ".bak"), "").expect("a file");
        let locks = fs::read_dir(place.data().join("container_dbm_lock")).expect("locks").count();
        let done = clean(&place);
        assert_eq!((done.deleted, done.kept), (1, 1), "{format}");
        assert!(place.files().iter().all(|name| name.starts_with("new")), "{:?}", place.files());
        assert_eq!(fs::read_dir(place.data().join("container_dbm_lock")).expect("locks").count(), locks);
    }
}

#[test]
fn the_newest_file_tells_the_age() {
    for suffix in [".dat", ".dir"] {
        let place = filled("dumb");
        set_time(&place.file("old", suffix), NOW);
        assert_eq!(clean(&place).deleted, 0, "{suffix}");
        set_time(&place.file("old", suffix), OLD);
        assert_eq!(clean(&place).deleted, 1, "{suffix}");
    }
}

#[test]
fn without_lock_files_it_deletes_and_makes_none() {
    for format in FORMATS {
        let place = filled(format);
        let locks = place.data().join("container_dbm_lock");
        fs::remove_dir_all(&locks).expect("they can be removed");
        fs::create_dir(&locks).expect("a folder");
        let done = clean(&place);
        assert_eq!((done.deleted, done.kept), (1, 1), "{format}");
        assert!(place.files().iter().all(|name| name.starts_with("new")), "{:?}", place.files());
        assert_eq!(fs::read_dir(&locks).expect("locks").count(), 0);
    }
}

/// Takes a lock when it is handed records, which is in the middle of deleting them.
struct Locker<'l>(&'l Path, Option<fs::File>);

impl Progress for Locker<'_> {
    fn archive(&mut self, _: &[Record]) -> Result<()> {
        let file = fs::File::create(self.0).expect("a lock file");
        file.lock().expect("it can be locked");
        self.1 = Some(file);
        Ok(())
    }
}

#[test]
fn whoever_makes_the_lock_file_in_the_last_moment_keeps_the_session() {
    for format in FORMATS {
        let place = filled(format);
        let lock = lock_file(&place);
        fs::remove_file(&lock).expect("it can be removed");
        let mut visitor = Locker(&lock, None);
        let done = place.store(format).delete_old(cutoff(), &plan().with_archive(), &mut visitor).expect("it cleans");
        assert_eq!((done.deleted, done.kept), (0, 2), "{format}");
        drop(visitor);
        assert_eq!(load(&place.reader(), "old").map(|record| record.payload.bytes().to_vec()), Some(b"value".to_vec()));
        assert_eq!(clean(&place).deleted, 1);
    }
}

/// Does this when it is handed records, which is in the middle of deleting them.
struct Does<F>(F);

impl<F: FnMut()> Progress for Does<F> {
    fn archive(&mut self, _: &[Record]) -> Result<()> {
        (self.0)();
        Ok(())
    }
}

#[test]
fn a_lock_that_cannot_be_taken_ends_the_cleanup_and_keeps_the_session() {
    let place = filled("dumb");
    let lock = lock_file(&place);
    fs::remove_file(&lock).expect("it can be removed");
    // What cannot be opened, and is no lock that is held.
    let mut visitor = Does(|| std::os::unix::fs::symlink("nowhere", &lock).expect("there is room"));
    let done = place.store("dumb").delete_old(cutoff(), &plan().with_archive(), &mut visitor);
    assert!(done.is_err());
    fs::remove_file(&lock).expect("it can be removed");
    assert!(load(&place.reader(), "old").is_some());
    assert_eq!(place.files().len(), 4);
}

#[test]
fn the_lock_of_a_cache_counts() {
    let place = filled("gnu");
    // A cache's file is called as its lock file is, after the digest of its namespace.
    let name = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let store = place.store("gnu");
    store.save(&record(name, b"value", OLD), SaveMode::Create).expect("it writes");
    let locks = place.data().join("container_dbm_lock");
    fs::remove_dir_all(&locks).expect("it can be removed");
    fs::create_dir_all(locks.join("a/a9")).expect("there is room");
    let lock = fs::File::create(locks.join(format!("a/a9/{name}.lock"))).expect("there is room");
    lock.lock().expect("it is free");
    let done = clean(&place);
    assert_eq!((done.deleted, done.kept), (1, 2));
    drop(lock);
    assert_eq!(clean(&place).deleted, 1);
}

#[test]
fn a_session_whose_lock_is_held_is_kept() {
    let place = filled("gnu");
    let file = fs::File::open(lock_file(&place)).expect("a lock file");
    file.lock_shared().expect("it can be locked");
    let done = clean(&place);
    assert_eq!((done.deleted, done.kept), (0, 2));
    drop(file);
    assert_eq!(clean(&place).deleted, 1);
}

/// The lock file of `old`: the SHA-1 of it.
fn lock_file(place: &Place) -> PathBuf {
    let mut found = Vec::new();
    let mut folders = vec![place.data().join("container_dbm_lock")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    // That of `new` is c2a6b03f190dfb2b4aa91f8af8d477a9bc3401dc.
    found.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("c2a6")));
    assert_eq!(found.len(), 1);
    found.remove(0)
}
