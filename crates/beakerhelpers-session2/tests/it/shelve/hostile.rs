//! Shelves that somebody damaged: a listing ends, and gives no more than there is.

use std::fs;
use std::path::PathBuf;

use beakerhelpers_core::{ErrorKind, Framing, Payload, Query, Record, SaveMode, SessionId, SessionStore, SetupMode};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::opened;

/// A shelve of sessions that are kept in different ways.
fn filled(format: &str) -> (TempDir, Box<dyn SessionStore>, Vec<PathBuf>) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let store = opened(&place.path().join("shop"), format);
    store.setup(SetupMode::IfMissing).expect("it is made");
    for n in 0..12_usize {
        let payload = Payload::new(Framing::Object, vec![n.to_le_bytes()[0]; n * n * 40]);
        store.save(&Record::new(SessionId::new(format!("session-{n}")), payload), SaveMode::Create).expect("it saves");
    }
    let files = fs::read_dir(place.path()).expect("it is there").map(|entry| entry.expect("it is read").path());
    let files = files.collect();
    (place, store, files)
}

fn survive(format: &str) {
    let (_place, store, files) = filled(format);
    let good: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("it is there")).collect();
    let changes =
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()), 1..10);
    let cut = proptest::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>()));
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let run = |(changes, cut): (Vec<(prop::sample::Index, u8, prop::sample::Index)>, Option<_>)| {
        let mut bad = good.clone();
        for (at, byte, file) in changes {
            let bytes = &mut bad[file.index(good.len())];
            // Most of a file is zero, and does not matter.
            let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
            if !used.is_empty() {
                bytes[used[at.index(used.len())]] = byte;
            }
        }
        if let Some((file, at)) = cut {
            let (file, at): (prop::sample::Index, prop::sample::Index) = (file, at);
            let bytes = &mut bad[file.index(good.len())];
            bytes.truncate(at.index(bytes.len() + 1));
        }
        for (file, bytes) in files.iter().zip(&bad) {
            fs::write(file, bytes).expect("it is written");
        }
        let size: usize = bad.iter().map(Vec::len).sum();
        let (mut items, mut given) = (0, 0);
        for item in store.iter(Query::ALL) {
            items += 1;
            match item {
                Ok(record) => given += record.payload.bytes().len(),
                Err(error) => prop_assert!(
                    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported | ErrorKind::NotSetUp),
                    "{}",
                    error.report()
                ),
            }
        }
        // Lines of an index that are the same lead to the same bytes.
        prop_assert!(items <= size.max(1) && given <= 12 * size, "{items} items, {given} bytes of {size}");
        let loaded = store.load(&SessionId::new("session-7"));
        prop_assert!(
            loaded.is_err() || loaded.is_ok_and(|record| record.is_none_or(|r| r.payload.bytes().len() <= size))
        );
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(&(changes, cut), run) {
        panic!("{failure}");
    }
}

#[test]
fn dumb_shelves() {
    survive("dumb");
}

#[test]
fn gnu_shelves() {
    survive("gnu");
}

#[test]
fn ndbm_shelves() {
    survive("ndbm");
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_shelves() {
    survive("sqlite3");
}
