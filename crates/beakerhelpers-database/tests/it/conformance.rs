//! The contract of stores, on each layout of the table and in both journal modes.

use beakerhelpers_core::{SessionStore, SetupMode};

use crate::support::{Place, open};

type Opened = (Place, Box<dyn SessionStore>, Box<dyn SessionStore>);

/// Sets up a table in a database where some SQL ran before.
fn opened(store_type: &str, sql: &str) -> Opened {
    let place = Place::new();
    place.sql(sql);
    let config = place.config().with("type", store_type);
    let store = open(&config);
    store.setup(SetupMode::IfMissing).expect("it is set up");
    (place, store, open(&config))
}

mod database {
    fn opened() -> super::Opened {
        super::opened("ext:database", "")
    }
    beakerhelpers_testkit::conformance!(opened);
}

mod sqla_in_wal_mode {
    fn opened() -> super::Opened {
        super::opened("ext:sqla", "PRAGMA journal_mode = WAL")
    }
    beakerhelpers_testkit::conformance!(opened);
}

mod without_a_file {
    fn opened() -> super::Opened {
        let place = super::Place::new();
        let (store, other) = (place.store(), place.store());
        (place, store, other)
    }
    beakerhelpers_testkit::bare_conformance!(opened);
}

mod without_a_table {
    fn opened() -> super::Opened {
        let place = super::Place::new();
        place.sql("PRAGMA journal_mode = WAL; CREATE TABLE beaker_caches (id)");
        let (store, other) = (place.store(), place.store());
        (place, store, other)
    }
    beakerhelpers_testkit::bare_conformance!(opened);
}
