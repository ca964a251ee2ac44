//! Files that Python wrote, and somebody mutant.

use std::fs;
use std::path::Path;

use beakerhelpers_core::{ErrorKind, Query, SessionId, SessionStore, SetupMode};
use beakerhelpers_testkit::recorded_store;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::Place;

/// The files of a recorded session, by how their names end.
fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let recorded = recorded_store(name);
    let copy = recorded.copy();
    let id = &recorded.sessions[0].id;
    let folder = copy.path().join("data/container_dbm").join(&id[..1]).join(&id[..2]);
    let files = fs::read_dir(folder).expect("it is there").map(|file| file.expect("a readable folder").path());
    let suffix = |path: &Path| path.file_name()?.to_str()?.strip_prefix(&format!("{id}.dbm")).map(str::to_owned);
    files.filter_map(|path| Some((suffix(&path)?, fs::read(&path).expect("it is read")))).collect()
}

/// Whatever is in the files: a load gives something or says that this session is damaged, and a listing does the same.
fn survive(name: &str) {
    let files = files(name);
    let place = Place::new();
    let store = place.store("dumb");
    store.setup(SetupMode::IfMissing).expect("it is set up");
    let id = SessionId::new("hostile");
    let path = |suffix: &str| place.file(id.as_str(), suffix);
    fs::create_dir_all(path("").parent().expect("a folder")).expect("a folder");
    let changes =
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()), 1..8);
    let cut = proptest::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>()));
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let run = |(changes, cut): (Vec<(prop::sample::Index, u8, prop::sample::Index)>, Option<_>)| {
        let mut mutant = files.clone();
        for (at, byte, file) in changes {
            let bytes = &mut mutant[file.index(files.len())].1;
            // Most of a file is zero, and does not matter.
            let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
            if !used.is_empty() {
                bytes[used[at.index(used.len())]] = byte;
            }
        }
        if let Some((file, at)) = cut {
            let (file, at): (prop::sample::Index, prop::sample::Index) = (file, at);
            let bytes = &mut mutant[file.index(files.len())].1;
            bytes.truncate(at.index(bytes.len() + 1));
        }
        for (suffix, bytes) in &mutant {
            fs::write(path(suffix), bytes).expect("it is written");
        }
        let size: usize = mutant.iter().map(|(_, bytes)| bytes.len()).sum();
        match store.load(&id) {
            Ok(Some(record)) => prop_assert!(record.payload.bytes().len() <= size.max(16)),
            Ok(None) => prop_assert!(false, "it is there"),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
        prop_assert_eq!(store.iter(Query::ALL).count(), 1);
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(&(changes, cut), run) {
        panic!("{failure}");
    }
}

#[test]
fn dumb_databases() {
    survive("py27-b1.5.4-dbm");
}

#[test]
fn gnu_databases() {
    survive("dbm-gnu");
}

#[test]
fn ndbm_databases() {
    survive("dbm-ndbm-bdb");
}
