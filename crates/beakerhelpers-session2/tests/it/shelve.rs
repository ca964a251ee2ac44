//! `session2:shelve`.

use std::path::Path;

use beakerhelpers_core::{ErrorKind, Framing, Registry, SaveMode, SessionId, SessionStore, SetupMode, StoreConfig};
use beakerhelpers_session2::SHELVE;
use tempfile::TempDir;

use crate::site::{expected, listed, visit};

fn opened(name: &Path) -> Box<dyn SessionStore> {
    let config = StoreConfig::new("quixote").with("type", SHELVE.name);
    let config = config.with("filename", name.to_str().expect("a simple name"));
    Registry::default().with_store(&SHELVE).open(&config).expect("it can be named")
}

fn bare() -> (TempDir, Box<dyn SessionStore>, Box<dyn SessionStore>) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    (place, opened(&name), opened(&name))
}

fn ready() -> (TempDir, Box<dyn SessionStore>, Box<dyn SessionStore>) {
    let (place, store, other) = bare();
    store.setup(SetupMode::IfMissing).expect("it is made");
    (place, store, other)
}

beakerhelpers_testkit::conformance!(ready, Framing::Object);

mod not_set_up {
    use super::*;

    beakerhelpers_testkit::bare_conformance!(bare, Framing::Object);
}

/// As `shelve.open` makes it where there is no better dbm.
#[test]
fn what_session3_writes() {
    let python = beakerhelpers_testkit::python!();
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    let path = name.to_str().expect("a simple name");
    let store = opened(&name);
    let visits = visit(&python, "shelve-dumb", path, &["joe", "ann"]);
    assert_eq!(listed(&*store), expected(&visits));
    let id = SessionId::new(&visits[0].id);
    let record = store.load(&id).expect("it answers").expect("joe is there");
    assert!(store.delete(&id).expect("it deletes"));
    assert_eq!(visit(&python, "shelve-dumb", path, &[&format!("={}", visits[0].id)])[0].user, "-");
    store.save(&record, SaveMode::Create).expect("it is put back");
    let back = visit(&python, "shelve-dumb", path, &[&format!("={}", visits[0].id), &format!("-{}", visits[1].id)]);
    assert_eq!((&*back[0].user, &*back[0].count, &*back[1].id), ("joe", "2", "-"));
    assert_eq!(listed(&*store), expected(&visits[..1]));
}

#[test]
fn other_dbms_are_told() {
    let place = tempfile::tempdir().expect("a temporary directory");
    for suffix in ["", ".db", ".pag"] {
        let name = place.path().join(format!("other{suffix}"));
        std::fs::write(&name, "x").expect("it is written");
        let error = opened(&place.path().join("other")).has(&SessionId::new("a")).expect_err("it is another's");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        std::fs::remove_file(&name).expect("it is there");
    }
}
