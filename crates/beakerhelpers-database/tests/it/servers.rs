//! What the tests on servers share, whichever it is.

use std::time::Duration;

use beakerhelpers_core::{Access, Query, Record, SaveMode, SessionStore, SetupMode, StoreConfig, Zone};
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Database, Kind, User, Via};

use crate::support::{open, record};

/// Before the cutoff of [`crate::support::cutoff`], and after it.
pub(crate) const OLD: &str = "2026-11-20 10:00:00";
pub(crate) const ACTIVE: &str = "2026-11-20 11:30:00";

/// The server of all tests, for those whose databases outlive a function. What is leaked is no more than its address.
pub(crate) fn shared(kind: Kind) -> Option<&'static Server> {
    Server::shared(kind).map(|server| &*Box::leak(Box::new(server)))
}

pub(crate) fn config(url: &str) -> StoreConfig {
    StoreConfig::new("beaker.session").with("url", url).with("type", "ext:database").with_zone(Zone::UTC)
}

fn config_of(database: &Database<'_>) -> StoreConfig {
    config(&url_of(database, User::SITE))
}

pub(crate) fn url_of(database: &Database<'_>, user: User) -> String {
    let scheme = match database.server().kind() {
        Kind::Postgres => "postgresql",
        _ => "mysql+pymysql",
    };
    database.url_for(scheme, user, Via::Tcp)
}

pub(crate) fn store(database: &Database<'_>) -> Box<dyn SessionStore> {
    open(&config_of(database))
}

pub(crate) fn reader(database: &Database<'_>) -> Box<dyn SessionStore> {
    open(&config_of(database).with_access(Access::ReadOnly))
}

/// A store that waits no longer than this.
pub(crate) fn waiting(database: &Database<'_>, wait: Duration) -> Box<dyn SessionStore> {
    open(&config_of(database).with_wait(wait))
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
    let (id, time, numbers) = match database.server().kind() {
        Kind::Postgres => (
            "'o' || n",
            "timestamp '2026-11-01 00:00:00' + n * interval '1 second'",
            format!("generate_series(1, {old}) AS n"),
        ),
        _ => ("CONCAT('o', seq)", "'2026-11-01 00:00:00' + INTERVAL seq SECOND", format!("seq_1_to_{old}")),
    };
    database.run(&format!(
        "INSERT INTO beaker_cache (namespace, accessed, created, data) \
         SELECT {id}, {time}, '2026-11-01', 'contents' FROM {numbers};"
    ));
}

pub(crate) fn count(database: &Database<'_>) -> u64 {
    database.run("SELECT count(*) FROM beaker_cache;").trim().parse().expect("a number")
}

/// What a query lists.
pub(crate) fn listed(store: &dyn SessionStore, query: Query) -> Vec<Record> {
    store.iter(query).map(|item| item.expect("it lists")).collect()
}
