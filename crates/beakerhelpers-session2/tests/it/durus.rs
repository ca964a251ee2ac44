//! `session2:durus`.

mod processes;
mod server;
mod shared;

use std::path::Path;

use beakerhelpers_core::{
    ErrorKind, Framing, Record, Registry, SaveMode, SessionId, SessionStore, SetupMode, StoreConfig,
};
use beakerhelpers_session2::DURUS;
use beakerhelpers_testkit::scratch;
use tempfile::TempDir;

fn shown(path: &Path) -> &str {
    path.to_str().expect("a temporary directory has a simple name")
}

fn opened(config: StoreConfig) -> Box<dyn SessionStore> {
    Registry::default().with_store(&DURUS).open(&config.with("type", DURUS.name)).expect("it can be named")
}

fn in_file(file: &Path) -> Box<dyn SessionStore> {
    opened(StoreConfig::new("quixote").with("file", shown(file)))
}

fn bare() -> (TempDir, Box<dyn SessionStore>, Box<dyn SessionStore>) {
    let place = scratch();
    let file = place.path().join("shop.durus");
    let stores = (in_file(&file), in_file(&file));
    (place, stores.0, stores.1)
}

fn ready() -> (TempDir, Box<dyn SessionStore>, Box<dyn SessionStore>) {
    let (place, store, other) = bare();
    store.setup(SetupMode::IfMissing).expect("the file is made");
    (place, store, other)
}

beakerhelpers_testkit::conformance!(ready, Framing::Object);

mod not_set_up {
    use super::*;

    beakerhelpers_testkit::bare_conformance!(bare, Framing::Object);
}

/// A process that was killed while it wrote leaves a part of a transaction: it is none, and nothing comes behind it.
#[test]
fn the_end_of_a_file_may_be_missing() {
    for end in [&[0, 0, 0, 0][..], &[0, 0, 0, 0, 0, 0, 0, 99, 1, 2, 3]] {
        let (place, store, _) = ready();
        let file = place.path().join("shop.durus");
        let whole = std::fs::read(&file).expect("it is there");
        std::fs::write(&file, [&whole[..], end].concat()).expect("it is written");
        assert!(!store.has(&SessionId::new("a")).expect("what is whole is read"));
        let id = SessionId::new("a");
        let payload = beakerhelpers_core::Payload::new(Framing::Object, b"(ishop\nSession\n.".to_vec());
        let error = store.save(&Record::new(id, payload), SaveMode::Upsert).expect_err("nothing comes behind it");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(std::fs::read(&file).expect("it is there").starts_with(&whole));
    }
}

#[test]
fn what_is_no_file_of_durus_is_told() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("shop.durus");
    for (bytes, kind) in [
        (&b"SQLite format 3\0"[..], ErrorKind::Unsupported),
        (b"something else", ErrorKind::Unsupported),
        (b"", ErrorKind::Unsupported),
        (b"SHELF-1\n", ErrorKind::Corrupt),
        (b"DFS20\0", ErrorKind::Corrupt),
        (b"SHELF-1\n\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\xff\0\0\0\0\0\0\0\0", ErrorKind::Corrupt),
    ] {
        std::fs::write(&file, bytes).expect("it is written");
        let error = in_file(&file).load(&SessionId::new("a")).expect_err("it is none");
        assert_eq!(error.kind(), kind, "{bytes:?}");
    }
}

#[test]
fn what_says_where_it_is_says_it_once() {
    for config in [
        StoreConfig::new("quixote"),
        StoreConfig::new("quixote").with("file", "a").with("host", "b"),
        StoreConfig::new("quixote").with("port", "seventy"),
    ] {
        let error =
            Registry::default().with_store(&DURUS).open(&config.with("type", DURUS.name)).expect_err("no place");
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    let nobody = opened(StoreConfig::new("quixote").with("port", "1"));
    assert_eq!(nobody.has(&SessionId::new("a")).expect_err("nobody").kind(), ErrorKind::Unavailable);
}
