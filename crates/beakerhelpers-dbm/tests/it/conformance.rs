//! The contract of stores, in each format.

use beakerhelpers_core::{Framing, SessionStore, SetupMode};
use beakerhelpers_dbm::DbmStore;

use crate::support::Place;

fn opened(format: &str) -> (Place, DbmStore, DbmStore) {
    let place = Place::new();
    let store = place.store(format);
    store.setup(SetupMode::IfMissing).expect("it is set up");
    let other = place.store(format);
    (place, store, other)
}

mod dumb {
    fn opened() -> (super::Place, super::DbmStore, super::DbmStore) {
        super::opened("dumb")
    }
    beakerhelpers_testkit::conformance!(opened, super::Framing::Value);
}

mod gnu {
    fn opened() -> (super::Place, super::DbmStore, super::DbmStore) {
        super::opened("gnu")
    }
    beakerhelpers_testkit::conformance!(opened, super::Framing::Value);
}

mod ndbm {
    fn opened() -> (super::Place, super::DbmStore, super::DbmStore) {
        super::opened("ndbm")
    }
    beakerhelpers_testkit::conformance!(opened, super::Framing::Value);
}

#[cfg(feature = "sqlite")]
mod sqlite3 {
    fn opened() -> (super::Place, super::DbmStore, super::DbmStore) {
        super::opened("sqlite3")
    }
    beakerhelpers_testkit::conformance!(opened, super::Framing::Value);
}

mod without_folders {
    fn opened() -> (super::Place, super::DbmStore, super::DbmStore) {
        let place = super::Place::new();
        let (store, other) = (place.store("dumb"), place.store("dumb"));
        (place, store, other)
    }
    beakerhelpers_testkit::bare_conformance!(opened, super::Framing::Value);
}
