//! Tidying up while the application is stopped.

use std::fs::{self, File};
use std::time::Duration;

use beakerhelpers_core::CleanupMode::{Count, Delete};
use beakerhelpers_core::{DeletePlan, ErrorKind, SessionStore, Silent};
use beakerhelpers_testkit::{Request, file_ini, python};
use rustix::fs::{FlockOperation, flock};

use crate::support::{HOUR, Place, counts, cutoff};

#[test]
fn what_beaker_leaves_behind_goes() {
    let python = python!();
    let place = Place::bare();
    let ini = file_ini(place.path(), "");
    let site = python.site(&ini);
    site.answer(&[Request::save("abc", "{'user': 'ann'}"), Request::save("xyz", "{}")]);
    site.load(&["never-saved"]);
    place.save("xyz", 2 * HOUR);
    let store = place.store();
    assert_eq!(counts(store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans")), (1, 1));
    fs::write(place.file("x/xy/xyz.cache.temp"), "half").expect("there is room");
    let counted = store.tidy_offline(Count).expect("nobody is at work");
    // Four: `site.load` asks under an id of its own.
    assert_eq!(place.count(".lock") + 1, usize::try_from(counted.files).expect("few"));
    assert_eq!(store.tidy_offline(Delete).expect("nobody is at work"), counted);
    let left: Vec<_> = place.everything().into_iter().map(|(path, _)| path).collect();
    let expected = ["data", "data/container_file", "data/container_file/a", "data/container_file/a/ab"]
        .into_iter()
        .chain(["data/container_file/a/ab/abc.cache", "data/container_file_lock", "site.ini"]);
    assert_eq!(left, expected.map(|path| place.path().join(path)).collect::<Vec<_>>());
    // It starts again.
    site.answer(&[Request::save("new", "{'user': 'eve'}")]);
    let loaded = site.load(&["abc", "new"]);
    assert_eq!(loaded[0].as_ref().expect("it is there")["user"].1, "ann");
    assert_eq!(loaded[1].as_ref().expect("it is there")["user"].1, "eve");
}

#[test]
fn a_process_that_holds_a_lock_is_seen() {
    let place = Place::new();
    place.save("abc", Duration::ZERO);
    let lock = place.path().join("data/container_file_lock/a/a9/a9993e364706816aba3e25717850c26c9cd0d89d.lock");
    let file = File::open(&lock).expect("it is there");
    flock(&file, FlockOperation::LockShared).expect("it is free");
    (0..50).for_each(|n| place.save(&format!("other{n}"), Duration::ZERO));
    let locks = place.count(".lock");
    for mode in [Count, Delete] {
        let error = place.store().tidy_offline(mode).expect_err("somebody is at work");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert!(lock.exists() && locks == 51);
    assert_eq!(place.count(".lock"), locks, "it is seen before any lock file is gone");
}

#[test]
fn what_is_of_another_form_stays() {
    let place = Place::new();
    place.save("abc", Duration::ZERO);
    let locks = place.path().join("data/container_file_lock");
    for path in ["b/b1/notes.lock", "b/b1/0123.lock", "c/readme"] {
        let path = locks.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("there is room");
        fs::write(path, "").expect("there is room");
    }
    std::os::unix::fs::symlink("/tmp", locks.join("s")).expect("there is room");
    let tidied = place.store().tidy_offline(Delete).expect("nobody is at work");
    assert_eq!((tidied.files, tidied.folders), (1, 2));
    assert!(locks.join("b/b1/0123.lock").exists() && locks.join("c/readme").exists() && locks.join("s").exists());
}
