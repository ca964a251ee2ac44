//! Creating the table and the index, looking at both, and looking after them.

use beakerhelpers_core::{
    Access, DeletePlan, ErrorKind, Finding, IndexOutcome, Query, SessionId, SessionStore, SetupMode, SetupOutcome,
    Severity, Silent,
};
use beakerhelpers_testkit::servers::{Kind, User, Via};
use beakerhelpers_testkit::{own_server, server};

use crate::servers::{ACTIVE, config, count, fill, listed, reader, save, store, url_of, with_table};
use crate::support::{assert_error, cutoff, open};

fn messages(found: &[Finding]) -> Vec<String> {
    found.iter().map(|finding| format!("{}: {}", finding.severity.name(), finding.message)).collect()
}

#[test]
fn a_table_is_created_once_and_recreated_when_told() {
    let server = &server!(Kind::Postgres);
    let database = server.create_database();
    let store = store(&database);
    assert_eq!(store.setup(SetupMode::IfMissing).expect("it is created"), SetupOutcome::Created);
    save(&*store, "a", ACTIVE);
    assert_eq!(store.setup(SetupMode::IfMissing).expect("it is there"), SetupOutcome::Existing);
    assert_eq!(count(&database), 1);
    assert_eq!(store.setup(SetupMode::Recreate).expect("it is created anew"), SetupOutcome::Recreated);
    assert_eq!(count(&database), 0);
    let refused = reader(&database).setup(SetupMode::Recreate).expect_err("it was opened for reading");
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

#[test]
fn what_is_no_table_of_sessions_is_left_alone() {
    let server = &server!(Kind::Postgres);
    let database = server.create_database();
    database.run("CREATE TABLE beaker_cache (id int, precious text); INSERT INTO beaker_cache VALUES (1, 'x');");
    let error = store(&database).setup(SetupMode::Recreate).expect_err("it holds no sessions");
    assert_error(&error, ErrorKind::NotSetUp, &["left alone", "namespace"]);
    assert_eq!(count(&database), 1);
}

#[test]
fn a_schema_that_is_missing_is_named() {
    let server = &server!(Kind::Postgres);
    let database = server.create_database();
    let store = open(&config(&database.url("postgresql")).with("schema_name", "shop"));
    let error = store.setup(SetupMode::IfMissing).expect_err("there is no such schema");
    assert_error(&error, ErrorKind::NotSetUp, &["no schema `shop`", "CREATE SCHEMA \"shop\""]);
    let stranger = open(&config(&url_of(&database, User::STRANGER)));
    let error = stranger.setup(SetupMode::IfMissing).expect_err("it may not");
    assert_error(&error, ErrorKind::PermissionDenied, &["may not create the table", "GRANT CREATE ON SCHEMA"]);
}

#[test]
fn many_at_once_create_one_table() {
    let server = &server!(Kind::Postgres);
    let database = server.create_database();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| store(&database).setup(SetupMode::IfMissing))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic").expect("it is set up")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == SetupOutcome::Created).count(), 1, "{outcomes:?}");
}

#[test]
fn an_index_is_added_and_what_was_left_of_one_replaced() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    fill(&database, 100);
    let valid =
        || database.run("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_beaker_cache_accessed'::regclass;");
    assert_eq!(store.add_index().expect("it is added"), IndexOutcome::Created);
    assert_eq!(valid().trim(), "t");
    assert_eq!(store.add_index().expect("it is there"), IndexOutcome::Existing);
    database.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_beaker_cache_accessed'::regclass;");
    let found = messages(&store.check().expect("it looks"));
    assert!(
        found.iter().any(|text| text.contains("odd: the index `ix_beaker_cache_accessed` was not built")),
        "{found:?}"
    );
    assert_eq!(store.add_index().expect("it is replaced"), IndexOutcome::Created);
    assert_eq!(valid().trim(), "t");
    let reader = open(&config(&url_of(&database, User::READER)));
    assert_eq!(reader.add_index().expect("there is one"), IndexOutcome::Existing);
    database.run("DROP INDEX ix_beaker_cache_accessed;");
    assert_eq!(reader.add_index().expect_err("it may not").kind(), ErrorKind::PermissionDenied);
}

#[test]
fn a_look_finds_what_is_missing_and_odd() {
    let server = &server!(Kind::Postgres);
    let database = server.create_database();
    let store = store(&database);
    let found = store.check().expect("it looks");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Missing), "{found:?}");
    store.setup(SetupMode::IfMissing).expect("it is set up");
    let found = store.check().expect("it looks");
    assert_eq!(found.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Advice], "{found:?}");
    database.run(
        "ALTER TABLE beaker_cache SET (autovacuum_enabled = off); ALTER TABLE beaker_cache ALTER namespace TYPE text; \
         ALTER TABLE beaker_cache DROP CONSTRAINT beaker_cache_namespace_key; REVOKE DELETE ON beaker_cache FROM site;",
    );
    let found = messages(&store.check().expect("it looks"));
    for part in ["autovacuum is off", "unique index on `namespace`", "`text`", "no right to DELETE"] {
        assert!(found.iter().any(|text| text.contains(part)), "{part}: {found:?}");
    }
    assert!(found[0].starts_with("missing"), "{found:?}");
    let stranger = open(&config(&url_of(&database, User::STRANGER)).with_access(Access::ReadOnly));
    let found = messages(&stranger.check().expect("it looks"));
    assert!(found.iter().any(|text| text.starts_with("missing") && text.contains("SELECT")), "{found:?}");
}

#[test]
fn space_is_given_back_by_those_who_may() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    fill(&database, 5000);
    database.run("DELETE FROM beaker_cache;");
    let size = || database.run("SELECT pg_relation_size('beaker_cache');").trim().parse::<u64>().expect("a number");
    let before = size();
    store.vacuum().expect("it may");
    assert!(size() < before / 2, "{before} {}", size());
    let reader = open(&config(&url_of(&database, User::READER)));
    assert_error(&reader.vacuum().expect_err("it may not"), ErrorKind::PermissionDenied, &["owner"]);
}

#[test]
fn a_server_without_replicas_has_no_lag() {
    let server = own_server!(Kind::Postgres);
    let (database, store) = with_table(&server);
    assert_eq!(store.replication_lag().expect("it tells"), None);
    let admin = open(&config(&database.url_for("postgresql", User::ADMIN, Via::Socket)));
    assert_eq!(admin.replication_lag().expect("it tells"), None);
}

#[test]
fn a_primary_and_a_replica_tell_the_lag_and_a_replica_deletes_nothing() {
    let server = own_server!(Kind::Postgres);
    let (database, store) = with_table(&server);
    fill(&database, 100);
    let replica = server.replica();
    let url = replica.url("postgresql", User::SITE, database.name(), Via::Socket);
    let copy = open(&config(&url));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !copy.has(&SessionId::new("o100")).unwrap_or(false) {
        assert!(std::time::Instant::now() < until, "the replica does not follow");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(copy.replication_lag().expect("it tells").is_some());
    let hidden = store.replication_lag().expect_err("only members of pg_monitor may see that");
    assert_error(&hidden, ErrorKind::Unsupported, &["GRANT pg_monitor"]);
    database.run("GRANT pg_monitor TO site;");
    assert!(store.replication_lag().expect("it tells").is_some());
    assert_eq!(listed(&*copy, Query::ALL).len(), 100);
    let error = copy.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect_err("it only reads");
    assert_error(&error, ErrorKind::Unavailable, &["only reads", "target_session_attrs=read-write"]);
    let both = format!(
        "postgresql://site@/{}?host={},{}&port={},{}&target_session_attrs=read-write&password={}",
        database.name(),
        replica.socket().parent().expect("a folder").display(),
        server.socket().parent().expect("a folder").display(),
        replica.port(),
        server.port(),
        "p%40ss%3Aw%2Frd%2541%2B%20%3F%23%26%3D",
    );
    let done = open(&config(&both)).delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it finds it");
    assert_eq!(done.deleted, 100);
}

#[test]
fn a_view_is_no_table() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    database.run("ALTER TABLE beaker_cache RENAME TO real; CREATE VIEW beaker_cache AS SELECT * FROM real;");
    let fresh: Box<dyn SessionStore> = crate::servers::store(&database);
    let error = fresh.has(&beakerhelpers_core::SessionId::new("a")).expect_err("it is a view");
    assert_error(&error, ErrorKind::Unsupported, &["view"]);
    drop(store);
}
