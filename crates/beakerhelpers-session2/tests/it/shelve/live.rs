//! Shelves that Python has open.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

#[cfg(feature = "sqlite")]
use beakerhelpers_core::{Access, Query};
use beakerhelpers_core::{ErrorKind, SaveMode, SessionId, SessionStore, SetupMode, Silent};
use beakerhelpers_testkit::Python;
#[cfg(feature = "sqlite")]
use beakerhelpers_testkit::python;

#[cfg(feature = "sqlite")]
use super::opened;
use super::python::{command, plan, run, shelf, yesterday};
use super::{config, open};
use crate::site::with_dbm;

/// Python with a shelve open, which it has written to.
struct Holder(Child);

impl Holder {
    fn start(python: &Python, module: &str, name: &Path) -> Self {
        let mut holder = command(python, module, name, &["hold"]);
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
        let mut said = String::new();
        BufReader::new(holder.stdout.take().expect("a pipe")).read_line(&mut said).expect("it says something");
        assert_eq!(said.trim(), "held");
        Self(holder)
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("it ends").success());
    }
}

/// libgdbm locks what it has open: nothing is put in the place of that.
#[test]
fn a_gnu_shelve_that_python_has_open_is_left_alone() {
    let Some(python) = with_dbm("dbm.gnu") else { return };
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    run(&python, "dbm.gnu", &name, &["fill", "30"]);
    let holder = Holder::start(&python, "dbm.gnu", &name);
    let bytes = std::fs::read(&name).expect("it is there");
    let store = open(&config(&name).with_wait(Duration::from_millis(30)));
    // It can be read, as it is.
    assert_eq!(shelf(&*store).len(), 30);
    let id = SessionId::new(format!("{:032x}", 0));
    let record = store.load(&id).expect("it answers").expect("it is there");
    for error in [
        store.delete(&id).map(drop),
        store.save(&record, SaveMode::Upsert),
        store.delete_old(yesterday(), &plan(), &mut Silent).map(drop),
        store.setup(SetupMode::Recreate).map(drop),
    ] {
        let error = error.expect_err("Python has it open");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.hint().is_some_and(|hint| hint.contains("stop the application")));
    }
    assert_eq!(std::fs::read(&name).expect("it is there"), bytes);
    holder.end();
    assert!(store.delete(&id).expect("it deletes"));
}

/// What was written last is in a file beside the database.
#[cfg(feature = "sqlite")]
#[test]
fn a_sqlite_shelve_that_python_has_open_is_read_and_changed() {
    let python = Python::having("dbm.sqlite3").unwrap_or(python!());
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    let names = || -> Vec<_> {
        let files = std::fs::read_dir(place.path()).expect("it is there");
        let mut names: Vec<_> = files.map(|file| file.expect("it is read").file_name()).collect();
        names.sort();
        names
    };
    run(&python, "dbm.sqlite3", &name, &["fill", "30"]);
    for is_killed in [false, true] {
        let mut holder = Holder::start(&python, "dbm.sqlite3", &name);
        if is_killed {
            holder.0.kill().expect("it runs");
            holder.0.wait().expect("it ends");
        }
        assert_eq!(names(), ["shop", "shop-shm", "shop-wal"]);
        let reader = open(&config(&name).with_access(Access::ReadOnly));
        let before = shelf(&*reader);
        assert_eq!(names(), ["shop", "shop-shm", "shop-wal"]);
        let id = SessionId::new(before.keys().next_back().expect("there are some").as_str());
        let record = reader.load(&id).expect("it answers").expect("it is there");
        let store = opened(&name, "dumb");
        assert!(store.delete(&id).expect("it deletes") && !reader.has(&id).expect("it answers"));
        store.save(&record, SaveMode::Create).expect("it saves");
        assert_eq!(shelf(&*reader), before);
        if !is_killed {
            holder.end();
        }
        assert_eq!(run(&python, "dbm.sqlite3", &name, &["read"]), before);
    }
    // Once all have closed it, nothing is left beside it.
    assert_eq!(names(), ["shop"]);
}

/// Whoever saves while others list and clean loses nothing.
#[cfg(feature = "sqlite")]
#[test]
fn a_sqlite_shelve_is_cleaned_beside_a_site() {
    const SAVED: usize = 200;
    let python = Python::having("dbm.sqlite3").unwrap_or(python!());
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    run(&python, "dbm.sqlite3", &name, &["fill", "90"]);
    let store = opened(&name, "dumb");
    let reader = open(&config(&name).with_access(Access::ReadOnly));
    let record = store.load(&SessionId::new(format!("{:032x}", 7919))).expect("it answers").expect("it is there");
    let mut busy = command(&python, "dbm.sqlite3", &name, &["busy", &SAVED.to_string()]).spawn().expect("it starts");
    let (mut deleted, mut ours) = (0, 0);
    while busy.try_wait().expect("it runs").is_none() {
        reader.iter(Query::ALL).for_each(|item| drop(item.expect("it lists")));
        deleted += store.delete_old(yesterday(), &plan().with_limit(3), &mut Silent).expect("it cleans").deleted;
        let mut mine = record.clone();
        mine.id = SessionId::new(format!("ours-{ours}"));
        store.save(&mine, SaveMode::Create).expect("it saves");
        ours += 1;
    }
    assert!(busy.wait().expect("it ends").success());
    deleted += store.delete_old(yesterday(), &plan(), &mut Silent).expect("it cleans").deleted;
    assert_eq!(deleted, 30);
    let left = shelf(&*reader);
    assert_eq!(left.len(), 60 + SAVED + ours);
    assert!((0..SAVED).all(|n| left.contains_key(&format!("busy-{n}"))));
    assert!((0..ours).all(|n| left.contains_key(&format!("ours-{n}"))));
}
