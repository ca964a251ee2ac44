//! What releases of Beaker and Python wrote that no longer run everywhere.

use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{Access, Query, SessionStore, StoreConfig};
use beakerhelpers_dbm::DbmStore;
use beakerhelpers_testkit::{RecordedState, corpus};

use crate::support::load;

#[test]
fn every_recorded_session_is_read() {
    let stores: Vec<_> = corpus().into_iter().filter(|store| store.backend == "dbm").collect();
    assert_eq!(stores.len(), 3);
    for recorded in stores {
        let copy = recorded.copy();
        let data = copy.path().join("data");
        let config = StoreConfig::new("beaker.session").with("data_dir", data.to_str().expect("UTF-8"));
        let store = DbmStore::new(&config.with_access(Access::ReadOnly)).expect("a store");
        for session in &recorded.sessions {
            let record = load(&store, &session.id).expect("it is there");
            let decoded = Decoder::new().decode(&record.payload).expect("it can be decoded");
            match (decoded, session.state) {
                (Decoded::Session(found), RecordedState::Live | RecordedState::LiveUnimportable) => {
                    assert_eq!(found.iter().count(), session.values.len(), "{} {}", recorded.name, session.name);
                }
                // Later releases leave a stub with two keys of their own.
                (Decoded::Empty | Decoded::Session(_), RecordedState::Deleted) => {}
                (decoded, state) => panic!("{} {}: {state:?} {decoded:?}", recorded.name, session.name),
            }
        }
        let listed: Result<Vec<_>, _> = store.iter(Query::ALL).collect();
        assert!(listed.expect("all are read").len() >= recorded.sessions.len(), "{}", recorded.name);
    }
}
