//! The contract of stores, on each layout of the table.

use beakerhelpers_core::{SessionStore, SetupMode};
use beakerhelpers_testkit::servers::{Database, Kind};

use crate::servers::{config, shared};
use crate::support::open;

type Opened = Option<(Database<'static>, Box<dyn SessionStore>, Box<dyn SessionStore>)>;

/// Sets up a table in a database where some SQL ran before.
fn opened(store_type: &str, schema: &str, sql: &str) -> Opened {
    let database = shared(Kind::Postgres)?.create_database();
    database.run(sql);
    let config = config(&database.url("postgresql+psycopg2")).with("type", store_type).with("schema_name", schema);
    let store = open(&config);
    store.setup(SetupMode::IfMissing).expect("it is set up");
    Some((database, store, open(&config)))
}

mod database {
    fn opened() -> super::Opened {
        super::opened("ext:database", "", "SELECT 1;")
    }
    beakerhelpers_testkit::conformance!(opened);
}

/// Other than that: a schema whose name must be quoted, sessions by their id, a collation that sorts unlike bytes, and
/// settings of the database that must not matter.
mod sqla_in_a_schema {
    const SQL: &str = "CREATE SCHEMA \"My Sch.\"\"ema\" AUTHORIZATION site;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Kathmandu');
        EXECUTE format('ALTER DATABASE %I SET datestyle = %L', current_database(), 'German, DMY');
        EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', current_database(), 'serializable');
        EXECUTE format('ALTER DATABASE %I SET bytea_output = %L', current_database(), 'escape');
        EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database());
        EXECUTE format('ALTER DATABASE %I SET client_encoding = %L', current_database(), 'LATIN1');
        END $$;";

    fn opened() -> super::Opened {
        super::opened("ext:sqla", "My Sch.\"ema", SQL)
    }
    beakerhelpers_testkit::conformance!(opened);
}
