//! Deleting from stores in memory.

use beakerhelpers_core::{
    Capabilities, Error, ErrorKind, Fingerprint, FingerprintKey, Framing, MemoryStore, Payload, Query, Record, Records,
    Result, SaveMode, SessionId, SessionStore, StoreInfo,
};

use crate::delete::{Mode, Observer, go};
use crate::{Selection, delete_sessions};

/// A store that refuses to delete, as a replica does.
#[derive(Debug)]
struct Replica(MemoryStore);

impl SessionStore for Replica {
    fn info(&self) -> StoreInfo {
        StoreInfo::new("replica", "memory".to_owned(), Capabilities::NONE.with_iter(true))
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        self.0.load(id)
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.0.save(record, mode)
    }

    fn delete(&self, _: &SessionId) -> Result<bool> {
        Err(Error::unsupported("this is a replica"))
    }

    fn iter(&self, query: Query) -> Records<'_> {
        self.0.iter(query)
    }
}

const LOGGED_OUT: &[u8] = b"\x80\x02}U\x07session}(U\x07_domainNU\x05_pathU\x01/us.";
const JOE: &[u8] = b"\x80\x02}U\x07session}(U\x07_domainNU\x04userU\x03joeus.";

fn store(sessions: &[(&str, &[u8])]) -> MemoryStore {
    let store = MemoryStore::new();
    for (id, pickle) in sessions {
        let record = Record::new(SessionId::new(*id), Payload::new(Framing::Namespace, pickle.to_vec()));
        store.save(&record, SaveMode::Create).unwrap();
    }
    store
}

fn key() -> FingerprintKey {
    FingerprintKey::new(None)
}

fn fingerprint(id: &str) -> Fingerprint {
    SessionId::new(id).fingerprint(&key())
}

fn of_joe() -> Selection {
    Selection { conditions: vec!["user=joe".parse().unwrap()], ..Selection::default() }
}

#[test]
fn what_the_store_refuses_is_no_fault_of_one_session() {
    let replica = Replica(store(&[("a", JOE), ("b", JOE)]));
    for selection in [of_joe(), Selection { fingerprints: vec![fingerprint("a")], ..Selection::default() }] {
        let error = delete_sessions(&replica, &selection, &key()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Unsupported, "this is a replica"));
    }
}

#[test]
fn what_is_damaged_is_passed_over() {
    let store = store(&[("a", b"junk"), ("b", JOE)]);
    let done = delete_sessions(&store, &of_joe(), &key()).unwrap();
    assert_eq!((done.sessions, done.unreadable), (1, 1));
    assert!(store.has(&SessionId::new("a")).unwrap());
}

#[test]
fn what_log_outs_leave_is_told_from_sessions_and_from_nothing() {
    let sessions: [(&str, &[u8]); 4] =
        [("gone", LOGGED_OUT), ("joe", JOE), ("empty", b"\x80\x02}."), ("cache", b"\x80\x02}U\x01aNs.")];
    let selection = Selection { logged_out: true, ..Selection::default() };
    let filled = store(&sessions);
    assert_eq!(delete_sessions(&filled, &selection, &key()).unwrap().sessions, 1);
    assert!(!filled.has(&SessionId::new("gone")).unwrap());
    // With other kinds of conditions all of them count.
    for (given, deleted) in [("gone", 1), ("joe", 0)] {
        let selection = Selection { ids: vec![SessionId::new(given)], ..selection.clone() };
        assert_eq!(delete_sessions(&store(&sessions), &selection, &key()).unwrap().sessions, deleted, "{given}");
    }
}

/// Keeps what is told to be missing.
#[derive(Default)]
struct Missing(Vec<String>, u64);

impl Observer for Missing {
    fn missing(&mut self, keys: &mut dyn Iterator<Item = &str>, fingerprints: u64) {
        self.0.extend(keys.map(str::to_owned));
        self.1 = fingerprints;
    }
}

#[test]
fn keys_and_fingerprints_that_are_nowhere_are_told() {
    let store = store(&[("joe", JOE), ("ann", JOE)]);
    let missing = |selection: &Selection| {
        let mut missing = Missing::default();
        go(&store, selection, &key(), Mode::Count, &mut missing).unwrap();
        (missing.0, missing.1)
    };
    let mut selection = of_joe();
    selection.conditions.push("usr=joe".parse().unwrap());
    assert_eq!(missing(&selection), (vec!["usr".to_owned()], 0));
    // One that is there is there, whether it is meant or not.
    let nobodys = fingerprint("nobody");
    let both = Selection { fingerprints: vec![fingerprint("joe"), nobodys, nobodys], ..selection.clone() };
    assert_eq!(missing(&both), (vec!["usr".to_owned()], 1));
    let by_id = Selection { ids: vec![SessionId::new("ann")], fingerprints: vec![nobodys], ..Selection::default() };
    assert_eq!(missing(&by_id), (vec![], 0), "not everything was looked at");
}
