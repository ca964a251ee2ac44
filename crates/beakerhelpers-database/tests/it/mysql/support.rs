//! What the tests on MariaDB share.

use std::sync::OnceLock;
use std::time::Duration;

use beakerhelpers_core::{Access, Query, Record, SaveMode, SessionStore, SetupMode, StoreConfig, Zone};
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Database, Kind};

use crate::support::{open, record};

/// Before the cutoff of [`crate::support::cutoff`], and after it.
pub(crate) const OLD: &str = "2026-11-20 10:00:00";
pub(crate) const ACTIVE: &str = "2026-11-20 11:30:00";

/// The server of all tests, for as long as the process runs.
pub(crate) fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::shared(Kind::MariaDb)).as_ref();
    if server.is_none() {
        // Each test says so, and fails where it must.
        drop(Server::shared(Kind::MariaDb));
    }
    server
}

/// Gives the server, or ends the test.
macro_rules! mariadb {
    () => {
        match $crate::mysql::support::shared() {
            Some(server) => server,
            None => return,
        }
    };
}
pub(crate) use mariadb;

pub(crate) fn config(url: &str) -> StoreConfig {
    StoreConfig::new("beaker.session").with("url", url).with("type", "ext:database").with_zone(Zone::UTC)
}

pub(crate) fn store(database: &Database<'_>) -> Box<dyn SessionStore> {
    open(&config(&database.url("mysql+pymysql")))
}

pub(crate) fn reader(database: &Database<'_>) -> Box<dyn SessionStore> {
    open(&config(&database.url("mysql+pymysql")).with_access(Access::ReadOnly))
}

/// A store that waits for nothing.
pub(crate) fn impatient(database: &Database<'_>) -> Box<dyn SessionStore> {
    open(&config(&database.url("mysql+pymysql")).with_wait(Duration::ZERO))
}

/// A database with Beaker's table.
pub(crate) fn with_table(server: &Server) -> (Database<'_>, Box<dyn SessionStore>) {
    let database = server.create_database();
    let store = store(&database);
    store.setup(SetupMode::IfMissing).expect("it is set up");
    (database, store)
}

pub(crate) fn save(store: &dyn SessionStore, id: &str, accessed: &str) {
    store.save(&record(id, accessed), SaveMode::Upsert).expect("it saves");
}

/// As many old sessions, named `o1` and so on, as are wanted, without a store.
pub(crate) fn fill(database: &Database<'_>, old: u32) {
    database.run(&format!(
        "INSERT INTO beaker_cache (namespace, accessed, created, data) SELECT CONCAT('o', seq), \
         '2026-11-01 00:00:00' + INTERVAL seq SECOND, '2026-11-01', 'contents' FROM seq_1_to_{old};"
    ));
}

pub(crate) fn count(database: &Database<'_>) -> u64 {
    database.run("SELECT count(*) FROM beaker_cache;").trim().parse().expect("a number")
}

/// What a query lists.
pub(crate) fn listed(store: &dyn SessionStore, query: Query) -> Vec<Record> {
    store.iter(query).map(|item| item.expect("it lists")).collect()
}
