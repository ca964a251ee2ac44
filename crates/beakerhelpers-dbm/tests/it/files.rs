//! Which files make a database, and what is there besides.

use std::fs;

use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{ErrorKind, Query, SaveMode, SessionId, SessionStore, SetupMode};
use beakerhelpers_dbm::DbmStore;

use crate::support::{FORMATS, NOW, Place, load, record, texts};

fn place() -> Place {
    let place = Place::new();
    place.store("dumb").setup(SetupMode::IfMissing).expect("it is set up");
    place
}

/// Files by how their names end.
type Files<'f> = &'f [(&'f str, &'f [u8])];

fn put(place: &Place, id: &str, files: Files) {
    for (suffix, bytes) in files {
        let path = place.file(id, suffix);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

#[test]
fn each_format_has_its_files() {
    let names = [vec!["id.dbm.dat", "id.dbm.dir"], vec!["id.dbm"], vec!["id.dbm.db"], vec!["id.dbm"]];
    for (format, names) in FORMATS.into_iter().zip(names) {
        let place = place();
        place.store(format).save(&record("id", b"value", NOW), SaveMode::Create).expect("it writes");
        assert_eq!(place.files(), names, "{format}");
    }
}

#[test]
fn new_databases_are_like_those_that_are_there() {
    for format in FORMATS {
        let place = place();
        place.store(format).save(&record("one", b"value", NOW), SaveMode::Create).expect("it writes");
        let store = DbmStore::new(&place.config()).expect("a store");
        let one = place.files().len();
        store.save(&record("two", b"value", NOW), SaveMode::Create).expect("it writes");
        let endings = |id: &str| -> Vec<String> {
            place.files().iter().filter_map(|name| name.strip_prefix(id).map(str::to_owned)).collect()
        };
        assert_eq!((endings("two"), endings("two").len()), (endings("one"), one), "{format}");
        // What is there stays as it is, whatever is chosen for others.
        let other = if format == "dumb" { "gnu" } else { "dumb" };
        place.store(other).save(&record("one", b"changed", NOW), SaveMode::Upsert).expect("it writes");
        assert_eq!(endings("one"), endings("two"), "{format}");
    }
}

#[test]
fn what_is_in_the_folder_besides_is_no_session() {
    let place = place();
    let store = place.store("dumb");
    store.save(&record("id", b"value", NOW), SaveMode::Create).expect("it writes");
    put(&place, "id", &[(".bak", b"'session', (0, 1)\n"), (".dir.temp", b"half"), ("-shm", b""), (".old", b"")]);
    put(&place, "alone", &[(".bak", b""), ("-wal", b"")]);
    let ids: Vec<_> = store.iter(Query::ALL).map(|item| item.expect("it is read").id).collect();
    assert_eq!(ids, [SessionId::new("id")]);
    assert!(load(&store, "alone").is_none());
}

#[test]
fn what_creating_begins_with_is_an_empty_database() {
    let place = place();
    let beginnings: [(&str, Files); 4] =
        [("touched", &[("", b"")]), ("dat", &[(".dat", b"")]), ("dir", &[(".dir", b"")]), ("pag", &[(".pag", b"")])];
    for (id, files) in beginnings {
        put(&place, id, files);
        for format in FORMATS {
            let store = place.store(format);
            assert_eq!(texts(&load(&store, id).expect("it is there")), None, "{id}");
            assert!(store.delete(&SessionId::new(id)).expect("it deletes"));
            put(&place, id, files);
            store.save(&record(id, b"value", NOW), SaveMode::Upsert).expect("it writes");
            assert_eq!(load(&store, id).map(|record| record.payload.bytes().to_vec()), Some(b"value".to_vec()));
            store.delete(&SessionId::new(id)).expect("it deletes");
            assert_eq!(place.files(), [""; 0], "{id} {format}");
            put(&place, id, files);
        }
        place.store("dumb").delete(&SessionId::new(id)).expect("it deletes");
    }
}

#[test]
fn a_cache_is_no_session() {
    let place = place();
    put(&place, "cache", &[(".dat", b"value"), (".dir", b"'a key', (0, 5)\n"), (".bak", b"")]);
    let record = load(&place.reader(), "cache").expect("it is there");
    assert!(matches!(Decoder::new().decode(&record.payload).expect("it can be decoded"), Decoded::NotASession));
}

#[test]
fn a_name_that_has_no_room_for_the_endings_is_no_trouble() {
    let place = place();
    let id = "x".repeat(250);
    put(&place, &id, &[("", b"")]);
    let store = place.store("dumb");
    assert!(store.has(&SessionId::new(&*id)).expect("it answers"));
    assert_eq!(store.iter(Query::ALL).flatten().count(), 1);
    let error = store.save(&record(&id, b"value", NOW), SaveMode::Upsert).expect_err("it is too long");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(store.delete(&SessionId::new(&*id)).expect("it deletes"));
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_database_without_a_session_can_be_put_back() {
    for format in FORMATS {
        let place = place();
        let store = place.store(format);
        put(&place, "empty", &[("", b"")]);
        let empty = load(&store, "empty").expect("it is there");
        store.delete(&empty.id).expect("it deletes");
        store.save(&empty, SaveMode::Create).expect("it is put back");
        assert_eq!(load(&store, "empty").map(|record| record.payload), Some(empty.payload), "{format}");
    }
}

#[test]
fn what_cannot_be_read_says_what_it_is() {
    let place = place();
    let store = place.store("dumb");
    let cases: [(&str, Files, &str); 4] = [
        ("sdbm", &[(".pag", b""), (".dir", b"")], "dbm.ndbm that is not Berkeley DB's"),
        ("macos", &[(".db", b"\x00\x06\x15\x61\x00\x00\x00\x02\x00\x00\x04\xd2")], "Berkeley DB 1.85"),
        ("other-db", &[(".db", b"what is this?")], "`.db` file of no known kind"),
        ("other", &[("", b"what is this?")], "a file of no known kind"),
    ];
    for (id, files, what) in cases {
        put(&place, id, files);
        let error = store.load(&SessionId::new(id)).expect_err("it cannot be read");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains(what) && !error.report().to_string().contains(id), "{}", error.report());
        let error = store.save(&record(id, b"value", NOW), SaveMode::Upsert).expect_err("it cannot be written");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    store.save(&record("good", b"value", NOW), SaveMode::Create).expect("it writes");
    let (good, bad): (Vec<_>, Vec<_>) = store.iter(Query::ALL).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (1, 4));
    for (id, ..) in cases {
        assert!(store.delete(&SessionId::new(id)).expect("it deletes"));
    }
    assert_eq!(place.files(), ["good.dbm.dat", "good.dbm.dir"]);
}

#[test]
fn a_save_that_fails_leaves_what_belongs_to_the_old_database() {
    let place = place();
    let store = place.store("sqlite3");
    store.save(&record("id", b"value", NOW), SaveMode::Create).expect("it writes");
    put(&place, "id", &[("-wal", b"what was written last")]);
    // Nothing can be written in its place.
    fs::create_dir(place.file("id", ".temp")).expect("a folder");
    store.save(&record("id", b"changed", NOW), SaveMode::Upsert).expect_err("it cannot write");
    assert_eq!(place.files(), ["id.dbm", "id.dbm-wal"]);
    fs::remove_dir(place.file("id", ".temp")).expect("it is there");
    store.save(&record("id", b"changed", NOW), SaveMode::Upsert).expect("it writes");
    assert_eq!(place.files(), ["id.dbm"]);
}

#[test]
fn a_format_that_there_is_not_is_refused() {
    let error = DbmStore::new(&place().config().with("dbm_format", "bsddb")).expect_err("there is none");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.hint(), Some("choose one of `dumb`, `gnu`, `ndbm`, `sqlite3`"));
    assert!(DbmStore::new(&place().config().with("dbm_format", "dbm.gnu")).is_ok());
}
