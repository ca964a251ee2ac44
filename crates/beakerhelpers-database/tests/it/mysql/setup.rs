//! Setting up, checking, indexing, giving space back.

use beakerhelpers_core::{ErrorKind, IndexOutcome, SetupMode, SetupOutcome, Severity};
use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{Request, database_ini, python, server};

use crate::servers::{ACTIVE, config, fill, save, store, with_table};
use crate::support::{assert_error, open};

#[test]
fn the_table_is_the_one_that_beaker_makes() {
    let server = &server!(Kind::MariaDb);
    let python = python!();
    let (theirs, ours) = (server.create_database(), server.create_database());
    let directory = tempfile::tempdir().expect("a directory");
    let ini = database_ini(directory.path(), &theirs.url("mysql+pymysql"), "");
    python.site(&ini).answer(&[Request::save("joe", "{}")]);
    theirs.run("DELETE FROM beaker_cache; ALTER TABLE beaker_cache AUTO_INCREMENT = 1;");
    assert_eq!(store(&ours).setup(SetupMode::IfMissing).expect("it is set up"), SetupOutcome::Created);
    let create = "SHOW CREATE TABLE beaker_cache;";
    assert_eq!(ours.run(create), theirs.run(create));
}

#[test]
fn only_sessions_are_destroyed() {
    let server = &server!(Kind::MariaDb);
    let database = server.create_database();
    database.run("CREATE TABLE users (id int); INSERT INTO users VALUES (1);");
    let users = open(&config(&database.url("mysql")).with("table_name", "users"));
    let error = users.setup(SetupMode::Recreate).expect_err("these are no sessions");
    assert_error(&error, ErrorKind::NotSetUp, &["left alone"]);
    assert_eq!(users.setup(SetupMode::IfMissing).expect("it is there"), SetupOutcome::Existing);
    assert_eq!(database.run("SELECT count(*) FROM users;").trim(), "1");
}

#[test]
fn what_is_odd_is_found() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    let find = |part: &str| {
        let findings = store.check().expect("it looks");
        findings.into_iter().find(|finding| finding.message.contains(part)).map(|finding| finding.severity)
    };
    assert_eq!(find("65535 bytes"), Some(Severity::Advice));
    assert_eq!(find("no index on `accessed`"), Some(Severity::Advice));
    assert_eq!(store.add_index().expect("it is made"), IndexOutcome::Created);
    assert_eq!(store.add_index().expect("it is there"), IndexOutcome::Existing);
    assert_eq!(find("no index on `accessed`"), None);
    database.run(
        "ALTER TABLE beaker_cache ENGINE=Aria; ALTER TABLE beaker_cache DROP INDEX namespace; \
         ALTER TABLE beaker_cache MODIFY namespace VARCHAR(100) NOT NULL; \
         INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES ('x', NOW(), NOW(), REPEAT('x', 65535));",
    );
    assert_eq!(find("unique index"), Some(Severity::Missing));
    assert_eq!(find("`Aria`"), Some(Severity::Odd));
    assert_eq!(find("`varchar(100)`"), Some(Severity::Odd));
    assert_eq!(find("cut off"), Some(Severity::Odd));
    database.run("DROP TABLE beaker_cache;");
    assert_eq!(find("no table"), Some(Severity::Missing));
}

#[test]
fn space_comes_back() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    fill(&database, 20_000);
    save(&*store, "kept", ACTIVE);
    database.run("DELETE FROM beaker_cache WHERE namespace LIKE 'o%';");
    let size = || -> u64 {
        let name = database.name();
        let query = format!(
            "SELECT file_size FROM information_schema.innodb_sys_tablespaces WHERE name = '{name}/beaker_cache';"
        );
        database.run(&query).trim().parse().expect("a number")
    };
    let before = size();
    store.vacuum().expect("it is rebuilt");
    assert!(size() * 4 < before, "{before} {}", size());
    assert_eq!(crate::servers::count(&database), 1);
}

#[test]
fn a_primary_does_not_know_how_far_replicas_are() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    // It takes a right that the site does not have.
    let error = store.replication_lag().expect_err("it may not see");
    assert_error(&error, ErrorKind::PermissionDenied, &["REPLICATION CLIENT"]);
    let admin = beakerhelpers_testkit::servers::User::ADMIN;
    let url = database.url_for("mysql", admin, beakerhelpers_testkit::servers::Via::Socket);
    // A primary, or what may be one: it keeps a log of its changes.
    let error = open(&config(&url)).replication_lag().expect_err("a primary does not know");
    assert_error(&error, ErrorKind::Unsupported, &["--replica URL"]);
}
