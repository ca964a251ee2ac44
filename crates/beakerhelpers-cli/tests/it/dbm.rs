//! Sessions in dbm databases, through the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::{Python, Request, python, recorded_store};

use crate::run::{binary, finish};

/// A site whose Python writes `dbm.dumb`, which any Python can.
fn ini(directory: &Path) -> PathBuf {
    let ini = directory.join("site.ini");
    let keys = "beaker.session.type = dbm\nbeaker.session.data_dir = %(here)s/data\nbeaker.session.timeout = 3600\n";
    fs::write(&ini, format!("[app:main]\n{keys}beaker.session.dbmmodule = dbm.dumb\n")).unwrap();
    ini
}

/// Lets a session be as old as that.
fn age(directory: &Path, id: &str, age: Duration) {
    let folder = directory.join("data/container_dbm").join(&id[..1]).join(&id[..2]);
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.file_name().unwrap().to_str().unwrap().starts_with(id) {
            let then = SystemTime::now() - age;
            fs::File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
        }
    }
}

fn filled(python: &Python, directory: &Path) -> PathBuf {
    let ini = ini(directory);
    let site = python.site(&ini);
    site.answer(&[Request::save("ann-1", "{'user_name': 'ann'}"), Request::save("joe-1", "{'user_name': 'joe'}")]);
    // Beaker makes a database even for what it only looks for.
    assert_eq!(site.load(&["unknown"]), [None]);
    age(directory, "joe-1", Duration::from_secs(7200));
    ini
}

#[test]
fn sessions_of_beaker_are_listed() {
    let python = python!();
    let directory = tempfile::tempdir().unwrap();
    let ini = filled(&python, directory.path());
    let list = |timeout: &str| {
        let args =
            ["--timeout", timeout, "--format", "csv", "--show-ids", "--columns", "user_name", "--sort", "user_name"];
        finish(binary().arg("sessions").arg(&ini).args(args)).done()
    };
    assert_eq!(list("0"), "id,user_name\r\nann-1,ann\r\njoe-1,joe\r\n");
    assert_eq!(list("1h"), "id,user_name\r\nann-1,ann\r\n");
}

#[test]
fn old_databases_are_cleaned_with_all_their_files() {
    let python = python!();
    let directory = tempfile::tempdir().unwrap();
    let ini = filled(&python, directory.path());
    let data = directory.path().join("data/container_dbm");
    assert!(data.join("j/jo/joe-1.dbm.dat").is_file());
    let cleaned = finish(binary().arg("cleanup").arg(&ini)).done();
    assert!(cleaned.contains("deleted 1 session"), "{cleaned}");
    assert_eq!(fs::read_dir(data.join("j/jo")).unwrap().count(), 0);
    let loaded = python.site(&ini).load(&["ann-1", "joe-1"]);
    assert!(loaded[0].is_some() && loaded[1].is_none());
    // What was looked for, and never used.
    age(directory.path(), "unknown", Duration::from_secs(7200));
    let cleaned = finish(binary().arg("cleanup").arg(&ini)).done();
    assert!(cleaned.contains("deleted 1 session"), "{cleaned}");
    assert_eq!(fs::read_dir(data.join("u/un")).unwrap().count(), 0);
}

#[test]
fn recorded_databases_of_every_kind_are_listed() {
    for (name, expected) in [("py27-b1.5.4-dbm", 12), ("dbm-gnu", 4), ("dbm-ndbm-bdb", 4)] {
        let copy = recorded_store(name).copy();
        let run = finish(binary().arg("sessions").arg(copy.config()).args(["-t", "0", "--count"]));
        assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""), "{name}");
        assert_eq!(run.stdout.trim(), expected.to_string(), "{name}");
    }
}
