//! Tables that are not quite as Beaker makes them, and large ones.

use std::time::Duration;

use beakerhelpers_core::{Cutoff, DeletePlan, ErrorKind, Query, SaveMode, SessionId, SetupMode, Silent};
use beakerhelpers_testkit::server;
use beakerhelpers_testkit::servers::Kind;

use crate::servers::{ACTIVE, OLD, config, count, fill, listed, save, store, with_table};
use crate::support::{assert_error, at, cutoff, open, record};

#[test]
fn partitions_are_one_table() {
    let server = &server!(Kind::Postgres);
    let database = server.create_database();
    database.run(
        "CREATE TABLE beaker_cache (id int NOT NULL, namespace varchar(255) NOT NULL PRIMARY KEY, accessed timestamp \
         NOT NULL, created timestamp NOT NULL, data bytea NOT NULL) PARTITION BY HASH (namespace); \
         CREATE TABLE p0 PARTITION OF beaker_cache FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
         CREATE TABLE p1 PARTITION OF beaker_cache FOR VALUES WITH (MODULUS 2, REMAINDER 1); \
         INSERT INTO beaker_cache SELECT n, 'o' || n, '2026-11-01', '2026-11-01', 'x' FROM generate_series(1, 50) n; \
         GRANT ALL ON beaker_cache TO site;",
    );
    let store = store(&database);
    assert_eq!(listed(&*store, Query::ALL).len(), 50);
    let done = store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, count(&database)), (50, 0));
}

#[test]
fn a_table_is_found_by_the_search_path() {
    let server = &server!(Kind::Postgres);
    let database = server.create_database();
    database.run("CREATE SCHEMA shop AUTHORIZATION site;");
    let in_schema = open(&config(&database.url("postgresql")).with("schema_name", "shop"));
    in_schema.setup(SetupMode::IfMissing).expect("it is set up");
    save(&*in_schema, "a", ACTIVE);
    let by_path = open(&config(&format!("{}?options=-csearch_path%3Dshop", database.url("postgresql"))));
    assert!(by_path.has(&SessionId::new("a")).expect("it is found"));
    let nowhere = store(&database).has(&SessionId::new("a")).expect_err("not in this path");
    assert_error(&nowhere, ErrorKind::NotSetUp, &["shop.beaker_cache"]);
}

#[test]
fn columns_of_other_types_are_named() {
    let server = &server!(Kind::Postgres);
    for (change, part) in [
        ("ALTER accessed TYPE timestamptz", "timestamp with time zone"),
        ("ALTER data TYPE text USING ''", "`data`"),
        ("DROP COLUMN created", "lacks the column `created`"),
    ] {
        let (database, _) = with_table(server);
        database.run(&format!("ALTER TABLE beaker_cache {change};"));
        let error = store(&database).has(&SessionId::new("a")).expect_err(change);
        assert!(error.report().to_string().contains(part), "{error:?}");
    }
    let (database, _) = with_table(server);
    database.run("ALTER TABLE beaker_cache DROP COLUMN id, DROP CONSTRAINT beaker_cache_namespace_key;");
    let error = store(&database).has(&SessionId::new("a")).expect_err("no key");
    assert_error(&error, ErrorKind::Unsupported, &["has no key"]);
}

/// Beaker's column has all digits; somebody may have made it smaller. PostgreSQL rounds to what it has.
#[test]
fn what_was_accessed_after_the_cutoff_is_kept_where_the_column_rounds_its_time() {
    let server = &server!(Kind::Postgres);
    for (column, rounds) in [("timestamp", false), ("timestamp(1)", true), ("timestamp(0)", true)] {
        let (database, _) = with_table(server);
        database.run(&format!("ALTER TABLE beaker_cache ALTER accessed TYPE {column};"));
        let store = store(&database);
        save(&*store, "before", "2026-11-20 11:00:00.02");
        save(&*store, "after", "2026-11-20 11:00:00.04");
        let cutoff = Cutoff::ago(at("2026-11-20 12:00:00.03"), Duration::from_secs(3600));
        let kept = if rounds { 2 } else { 1 };
        assert_eq!(listed(&*store, Query::ALL.active_since(cutoff)).len(), kept, "{column}");
        let done = store.delete_old(cutoff, &DeletePlan::default(), &mut Silent).expect("it cleans");
        assert_eq!((done.kept, count(&database)), (kept as u64, kept as u64), "{column}");
        assert!(store.has(&SessionId::new("after")).expect("it answers"), "{column}");
    }
}

#[test]
fn constraints_and_triggers_refuse_without_telling_contents() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    database.run("ALTER TABLE beaker_cache ADD CONSTRAINT short CHECK (length(namespace) < 10);");
    let error = store.save(&record("a-secret-session-id", ACTIVE), SaveMode::Upsert).expect_err("it is too long");
    assert_error(&error, ErrorKind::Other, &["constraint: short"]);
    database.run(
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', OLD.namespace; END $$; \
         CREATE TRIGGER t BEFORE DELETE ON beaker_cache FOR EACH ROW EXECUTE FUNCTION tell();",
    );
    save(&*store, "s3cret", OLD);
    let error = store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect_err("the trigger refuses");
    for error in [error, store.delete(&SessionId::new("s3cret")).expect_err("the trigger refuses")] {
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert_eq!(count(&database), 1);
}

#[test]
fn pages_of_all_sizes_hold_every_record_once() {
    let server = &server!(Kind::Postgres);
    for store_type in ["ext:database", "ext:sqla"] {
        let database = server.create_database();
        let store = open(&config(&database.url("postgresql")).with("type", store_type));
        store.setup(SetupMode::IfMissing).expect("it is set up");
        fill(&database, 12_000);
        // Sizes from nothing to megabytes, the largest behind many small ones.
        database.run(
            "INSERT INTO beaker_cache (namespace, accessed, created, data) SELECT 'z' || n, '2026-11-20 11:30:00', \
             '2026-11-10', convert_to(repeat('x', 30000 * n), 'UTF8') FROM generate_series(1, 100) n;",
        );
        let ids = |query: Query| {
            let mut ids: Vec<_> =
                store.iter(query).map(|item| item.expect("it lists").id.as_str().to_owned()).collect();
            let all = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), all);
            all
        };
        assert_eq!((ids(Query::ALL), ids(Query::ALL.active_since(cutoff()))), (12_100, 100));
        assert_eq!(ids(Query::newest(7000)), 7000);
        let sizes: usize = store
            .iter(Query::ALL.active_since(cutoff()))
            .map(|item| item.expect("it lists").payload.bytes().len())
            .sum();
        assert_eq!(sizes, 30_000 * 5050);
    }
}
