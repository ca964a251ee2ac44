//! Real Beaker and this store use the same databases, in turns.

#[cfg(feature = "sqlite")]
use std::fs;

#[cfg(feature = "sqlite")]
use beakerhelpers_core::Timestamp;
use beakerhelpers_core::{Query, Record, SaveMode, SessionId, SessionStore};
use beakerhelpers_testkit::{CURRENT_RELEASE, Loaded, OLDER_RELEASES, Python, Request, python};

use crate::support::{NOW, Place, load, record, texts};

/// What a database has of files, by how their names end, where Beaker has written to it more than once.
type Endings = &'static [&'static str];

fn text(loaded: &Loaded, key: &str) -> String {
    loaded[key].1.clone()
}

/// Values that are kept in different ways: short, and longer than a page.
fn contents(n: usize) -> String {
    format!("{{'user_name': 'visitor {n}', 'text': 'ž' * {n}}}")
}

fn take_turns(python: &Python, module: Option<&str>, endings: Endings) {
    let place = Place::new();
    let module = module.map(|module| format!("beaker.session.dbmmodule = {module}\n")).unwrap_or_default();
    let ini = place.ini(&module);
    let site = python.site(&ini);
    let sizes = [3, 900, 5_000, 60_000];

    // Beaker writes, and looks for what is not there.
    let requests: Vec<_> = sizes.iter().map(|n| Request::save("", &contents(*n)).without_cookie()).collect();
    let ids = site.answer(&requests);
    site.answer(&[Request::save(&ids[0], &contents(1_500)), Request::touch(&ids[1])]);
    assert_eq!(site.load(&["unknown"]), [None]);

    // This store reads.
    let store = place.reader();
    for (n, (id, size)) in ids.iter().zip([1_500, 900, 5_000, 60_000]).enumerate() {
        for ending in endings {
            assert!(*ending == ".bak" || place.file(id, ending).is_file(), "{ending}: {:?}", place.files());
        }
        let expected = vec![("user_name".to_owned(), format!("visitor {size}")), ("text".to_owned(), "ž".repeat(size))];
        let record = load(&store, id).expect("it is there");
        assert_eq!(texts(&record), Some(expected), "session {n}");
        assert!(record.accessed > Some(NOW) && record.created.is_none());
    }
    let unknown = load(&store, "unknown").expect("Beaker has made a database for it");
    assert_eq!(texts(&unknown), None);
    let before = place.files();
    let listed: Vec<Record> = store.iter(Query::ALL).map(|item| item.expect("it is read")).collect();
    assert_eq!(listed.len(), ids.len() + 1);
    assert!(load(&store, "never-seen").is_none());
    assert_eq!(place.files(), before, "reading leaves nothing behind");

    // It writes, over what is there, into what is empty, and anew; as the others are.
    let store = beakerhelpers_dbm::DbmStore::new(&place.config()).expect("a store");
    let values: Vec<_> = ids.iter().map(|id| load(&store, id).expect("it is there").payload.bytes().to_vec()).collect();
    for (id, n) in [(ids[0].as_str(), 3), (&ids[3], 1), ("unknown", 2), ("restored", 3)] {
        let mode = if id == "restored" { SaveMode::Create } else { SaveMode::Upsert };
        store.save(&record(id, &values[n], NOW), mode).expect("it writes");
        assert_eq!(load(&store, id).and_then(|record| record.accessed), Some(NOW));
    }
    assert!(endings.iter().all(|ending| *ending == ".bak" || place.file("restored", ending).is_file()));

    // Beaker reads, and goes on.
    let names = |ids: &[&str]| -> Vec<String> {
        let loaded = site.load(ids).into_iter();
        loaded.map(|loaded| text(&loaded.expect("Beaker finds it"), "user_name")).collect()
    };
    let all = [ids[0].as_str(), &ids[1], &ids[2], &ids[3], "unknown", "restored"];
    let expected = ["visitor 60000", "visitor 900", "visitor 5000", "visitor 900", "visitor 5000", "visitor 60000"];
    assert_eq!(names(&all), expected);
    site.answer(&[Request::save("restored", &contents(70_000)), Request::save(&ids[3], &contents(2))]);
    for (id, name) in [("restored", "visitor 70000"), (&ids[3], "visitor 2")] {
        let texts = texts(&load(&store, id).expect("it is there")).expect("a session");
        assert!(texts.contains(&("user_name".to_owned(), name.to_owned())));
    }

    // What is deleted is gone for both.
    for id in all {
        assert!(store.delete(&SessionId::new(id)).expect("it deletes"));
    }
    assert_eq!(place.files(), [""; 0]);
    assert_eq!(site.load(&["restored"]), [None]);
}

#[test]
fn dumb_databases() {
    take_turns(&python!(), Some("dbm.dumb"), &[".dat", ".dir", ".bak"]);
}

#[test]
fn dumb_databases_of_older_releases() {
    for release in OLDER_RELEASES {
        take_turns(&python!(release), Some("dbm.dumb"), &[".dat", ".dir", ".bak"]);
    }
}

#[test]
fn gnu_databases() {
    let Some(python) = Python::with_dbm(CURRENT_RELEASE, "dbm.gnu") else { return };
    take_turns(&python, Some("dbm.gnu"), &[""]);
}

#[test]
fn ndbm_databases_of_berkeley_db() {
    let Some(python) = Python::with_dbm(CURRENT_RELEASE, "dbm.ndbm") else { return };
    take_turns(&python, Some("dbm.ndbm"), &[".db"]);
}

/// With Python 3.13 where there is one, else with its statements.
#[cfg(feature = "sqlite")]
#[test]
fn sqlite_databases() {
    let python = Python::having("dbm.sqlite3").unwrap_or(python!());
    take_turns(&python, Some("dbm.sqlite3"), &[""]);
}

/// As an ini file has it, which cannot name a module.
#[test]
fn databases_as_this_python_writes_them() {
    let python = python!();
    let module =
        "import dbm, tempfile; name = tempfile.mkdtemp() + '/x'; dbm.open(name, 'c').close(); print(dbm.whichdb(name))";
    let endings: Endings = match python.run(module).trim() {
        "dbm.dumb" => &[".dat", ".dir"],
        "dbm.gnu" | "dbm.sqlite3" => &[""],
        "dbm.ndbm" => &[".db"],
        other => panic!("{other}"),
    };
    take_turns(&python, None, endings);
}

/// What Python was in the middle of when it was killed: SQLite has it in a file beside the database.
#[cfg(feature = "sqlite")]
#[test]
fn a_write_ahead_log_that_was_left_behind_is_read_and_left_alone() {
    let python = python!();
    let place = Place::new();
    let id = "left-behind";
    let path = place.file(id, "");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let script = format!(
        "import os, sys; sys.path.insert(0, {scripts:?})\n\
         import sqlite_dbm\n\
         database = sqlite_dbm.open({path:?}, 'c')\n\
         database['session'] = b'first'\n\
         database.close()\n\
         database = sqlite_dbm.open({path:?}, 'c')\n\
         database['session'] = b'second'\n\
         os._exit(0)\n",
        scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../beakerhelpers-testkit/python"),
    );
    python.run(&script);
    let files = place.files();
    assert_eq!(files, ["left-behind.dbm", "left-behind.dbm-shm", "left-behind.dbm-wal"]);
    let (file, log) = (fs::read(&path).expect("it is there"), fs::read(place.file(id, "-wal")).expect("it is there"));
    let store = place.reader();
    assert_eq!(load(&store, id).expect("it is there").payload.bytes(), b"second");
    assert_eq!(place.files(), files);
    assert!(fs::read(&path).expect("it is there") == file && fs::read(place.file(id, "-wal")).expect("there") == log);
    let later = Timestamp::from_micros(NOW.as_micros() + 1);
    place.store("sqlite3").save(&record(id, b"third", later), SaveMode::Upsert).expect("it writes");
    assert_eq!(
        load(&store, id).map(|record| (record.payload.bytes().to_vec(), record.accessed)),
        Some((b"third".to_vec(), Some(later)))
    );
    let read = format!("import sqlite3; print(sqlite3.connect({path:?}).execute('SELECT value FROM Dict').fetchall())");
    assert_eq!(python.run(&read).trim(), "[(b'third',)]");
}
