//! The contract of stores, on each layout of the table.

use beakerhelpers_core::{SessionStore, SetupMode};
use beakerhelpers_testkit::servers::{Database, Kind};

use crate::servers::{config, shared};
use crate::support::open;

type Opened = Option<(Database<'static>, Box<dyn SessionStore>, Box<dyn SessionStore>)>;

/// Sets up a table, and changes it then by some SQL.
fn opened(store_type: &str, sql: &str) -> Opened {
    let database = shared(Kind::MariaDb)?.create_database();
    let config = config(&database.url("mysql+pymysql"))
        .with("type", store_type)
        .with("schema_name", database.name())
        .with("table_name", "be`aker ca.che");
    let store = open(&config);
    store.setup(SetupMode::IfMissing).expect("it is set up");
    database.run(sql);
    Some((database, store, open(&config)))
}

mod database {
    fn opened() -> super::Opened {
        super::opened("ext:database", "SELECT 1;")
    }
    beakerhelpers_testkit::conformance!(opened);
}

/// With sessions by their id, fractions of seconds, much room, and ids that are compared byte by byte.
mod sqla {
    fn opened() -> super::Opened {
        const SQL: &str = "ALTER TABLE `be``aker ca.che` MODIFY accessed DATETIME(6) NOT NULL, \
                           MODIFY created DATETIME(6) NOT NULL, MODIFY data LONGBLOB NOT NULL, \
                           MODIFY namespace VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL;";
        super::opened("ext:sqla", SQL)
    }
    beakerhelpers_testkit::conformance!(opened);
}
