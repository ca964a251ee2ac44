//! Real Beaker and this project in one store: every store, serializer, cipher and release of Beaker that installs, in
//! both directions. What came of it is `docs/reference/compatibility.md`, which `cargo xtask test --matrix --write`
//! writes.

mod cell;
mod jar;
mod recorded;
mod table;
mod trial;

use beakerhelpers_core::Registry;
use beakerhelpers_testkit::servers::{Cluster, Kind, User};
use beakerhelpers_testkit::{Python, RELEASES, server};

use self::cell::Cell;
use self::table::Table;

/// Tries every release of Beaker. `keys` gives what an ini file says about the store alone, for each number of a form:
/// the places differ, or may be one.
fn try_all(store: &str, keys: impl Fn(usize) -> String) {
    try_with(Python::with_beaker, store, keys);
}

/// The same, each release with the Python that `python` gives.
fn try_with(python: impl Fn(&str) -> Option<Python>, store: &str, keys: impl Fn(usize) -> String) {
    let mut table = Table::new(store);
    for release in RELEASES {
        let Some(python) = python(release) else { return };
        table.add(release, trial::row(&python.with_time_zone("UTC"), release, &keys));
    }
    table.hold();
}

fn table(store_type: &str, url: &str, form: usize) -> String {
    format!("type = {store_type}\nurl = {url}\ntable_name = sessions_{form}\nlock_dir = %(here)s/locks")
}

/// To configparser a percent sign begins the name of another key.
fn escaped(url: &str) -> String {
    url.replace('%', "%%")
}

#[test]
fn database_on_sqlite() {
    try_all("`ext:database` on SQLite", |form| table("ext:database", "sqlite:///%(here)s/sessions.db", form));
}

#[test]
fn sqla_on_sqlite() {
    try_all("`ext:sqla` on SQLite", |form| table("ext:sqla", "sqlite:///%(here)s/sessions.db", form));
}

#[test]
fn database_on_postgresql() {
    on_server(Kind::Postgres, "postgresql+psycopg2", "ext:database");
}

#[test]
fn database_on_mariadb() {
    on_server(Kind::MariaDb, "mysql+pymysql", "ext:database");
}

#[test]
fn sqla_on_postgresql() {
    on_server(Kind::Postgres, "postgresql+psycopg2", "ext:sqla");
}

#[test]
fn sqla_on_mariadb() {
    on_server(Kind::MariaDb, "mysql+pymysql", "ext:sqla");
}

fn on_server(kind: Kind, scheme: &str, store_type: &str) {
    let server = server!(kind);
    let database = server.create_database();
    let url = escaped(&database.url(scheme));
    try_all(&format!("`{store_type}` on {}", kind.name()), |form| table(store_type, &url, form));
}

#[test]
fn file() {
    try_all("`file`", |form| format!("type = file\ndata_dir = %(here)s/data-{form}"));
}

#[test]
fn dbm_dumb() {
    try_all("`dbm`, Python's `dbm.dumb`", |form| dbm("dbm.dumb", form));
}

#[test]
fn dbm_sqlite3() {
    try_all("`dbm`, Python's `dbm.sqlite3`", |form| dbm("dbm.sqlite3", form));
}

#[test]
fn dbm_gnu() {
    try_with(|release| Python::with_dbm(release, "dbm.gnu"), "`dbm`, Python's `dbm.gnu`", |form| dbm("dbm.gnu", form));
}

#[test]
fn dbm_ndbm() {
    let python = |release: &str| Python::with_dbm(release, "dbm.ndbm");
    try_with(python, "`dbm`, Python's `dbm.ndbm` with Berkeley DB", |form| dbm("dbm.ndbm", form));
}

fn dbm(module: &str, form: usize) -> String {
    format!("type = dbm\ndbmmodule = {module}\ndata_dir = %(here)s/data-{form}")
}

#[test]
fn memcached() {
    let server = server!(Kind::Memcached);
    let url = format!("127.0.0.1:{}", server.port());
    let keys = format!("type = ext:memcached\nmemcache_module = memcache\nurl = {url}\nlock_dir = %(here)s/locks");
    try_all("`ext:memcached`", |_| keys.clone());
}

#[test]
fn cookie() {
    try_all("`cookie`", |_| "type = cookie".to_owned());
}

#[test]
fn redis() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let url = escaped(&database.url("redis"));
    try_all("`ext:redis`", |_| format!("type = ext:redis\nurl = {url}"));
}

#[test]
fn rediscluster() {
    let Some(cluster) = Cluster::own() else { return };
    let User { name, password, .. } = User::SITE;
    // Beaker takes host and port alone from the URLs.
    let keys = format!(
        "type = ext:rediscluster\nurls = {}\nusername = {name}\npassword = {}",
        escaped(&cluster.url(User::SITE)),
        escaped(password)
    );
    try_all("`ext:rediscluster`", |_| keys.clone());
}

/// The types of stores above, and one that nobody else can look at.
const TRIED: [&str; 8] =
    ["cookie", "dbm", "ext:database", "ext:memcached", "ext:redis", "ext:rediscluster", "ext:sqla", "file"];
const NOT_TRIED: [&str; 1] = ["memory"];

#[test]
fn every_store_type_is_tried() {
    let registry = Registry::linked().expect("the plugins agree");
    let others = registry.stores().map(|store| store.name).filter(|name| !name.starts_with("session2:"));
    let untried: Vec<_> = others.filter(|name| !TRIED.contains(name) && !NOT_TRIED.contains(name)).collect();
    assert_eq!(untried, [""; 0], "add them to the matrix");
}
