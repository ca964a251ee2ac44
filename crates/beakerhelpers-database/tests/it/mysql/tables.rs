//! Rows and tables as they are found.

use std::time::Duration;

use beakerhelpers_codec::Decoder;
use beakerhelpers_core::{Cutoff, DeletePlan, ErrorKind, Framing, Payload, Query, Record, SaveMode, SessionId, Silent};
use beakerhelpers_testkit::server;
use beakerhelpers_testkit::servers::Kind;

use crate::servers::{ACTIVE, OLD, config, listed, reader, save, store, with_table};
use crate::support::{assert_error, at, cutoff, open, record};

#[test]
fn ids_that_the_column_takes_for_one_are_two() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    save(&*store, "abc", ACTIVE);
    for other in ["ABC", "abc ", "ábc"] {
        let id = SessionId::new(other);
        assert!(!store.has(&id).expect("it answers") && !store.delete(&id).expect("it answers"), "{other}");
        assert!(store.load(&id).expect("it answers").is_none(), "{other}");
        let error = store.save(&record(other, ACTIVE), SaveMode::Upsert).expect_err("there is no room for it");
        assert_error(&error, ErrorKind::AlreadyExists, &["takes for this one"]);
    }
    assert!(store.has(&SessionId::new("abc")).expect("it answers"));
    // The index on `namespace` serves all the same.
    let plan = database.run(
        "EXPLAIN SELECT id FROM beaker_cache WHERE namespace = 'abc' \
         AND CAST(CONVERT(namespace USING utf8mb4) AS BINARY) = x'616263';",
    );
    assert!(plan.contains("const") && plan.contains("namespace"), "{plan}");
}

#[test]
fn zero_dates_are_unknown_and_kept() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    database.run(
        "SET sql_mode = ''; INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES \
         ('zero', '0000-00-00 00:00:00', '0000-00-00 00:00:00', 'x'), ('month', '2026-00-00', '2026-01-01', 'x'), \
         ('old', '2026-11-01 00:00:00', '2026-11-01', 'x');",
    );
    let active: Vec<Record> =
        reader(&database).iter(Query::ALL.active_since(cutoff())).map(|record| record.expect("it reads")).collect();
    assert_eq!(active.len(), 2);
    assert!(active.iter().all(|record| record.accessed.is_none()));
    let done = store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.kept, done.unknown), (1, 2, 2));
}

#[test]
fn the_servers_zone_and_modes_do_not_matter() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    save(&*store, "a", ACTIVE);
    for settings in [
        "SET GLOBAL time_zone = '+05:45';",
        "SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH';",
    ] {
        server.run(None, settings);
        let store = self::store(&database);
        let loaded = store.load(&SessionId::new("a")).expect("it answers").expect("it is there");
        assert_eq!(loaded.accessed, Some(at(ACTIVE)));
        let odd = r#"o"d'd \ `id`"#;
        save(&*store, odd, ACTIVE);
        assert!(store.delete(&SessionId::new(odd)).expect("it answers"));
    }
    server.run(None, "SET GLOBAL time_zone = 'SYSTEM', sql_mode = DEFAULT;");
}

#[test]
fn a_session_that_its_column_cut_is_named() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    let large = |size: usize| Payload::new(Framing::Namespace, vec![b'x'; size]);
    let mut record = record("large", ACTIVE);
    record.payload = large(65_536);
    let error = store.save(&record, SaveMode::Create).expect_err("it does not fit");
    assert_error(&error, ErrorKind::Unsupported, &["65536 bytes", "65535", "MEDIUMBLOB"]);
    assert!(store.load(&record.id).expect("it answers").is_none(), "nothing was cut");
    // As a server that is not strict does it.
    database.run(
        "SET sql_mode = ''; INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES \
         ('cut', '2026-11-20 11:30:00', '2026-11-20', CONCAT(x'80027D5807000000', 'session', x'58FFFFFF7F', REPEAT('x', 70000))), \
         ('short', '2026-11-20 11:30:00', '2026-11-20', x'8002');",
    );
    let decode = |id: &str| {
        let record = reader(&database).load(&SessionId::new(id)).expect("it answers").expect("it is there");
        Decoder::new().decode(&record.payload).expect_err("it is damaged")
    };
    assert_error(&decode("cut"), ErrorKind::Corrupt, &["cut off", "65535 bytes", "MEDIUMBLOB"]);
    assert!(!decode("short").message().contains("cut off"));
    database.run("ALTER TABLE beaker_cache MODIFY data MEDIUMBLOB NOT NULL;");
    record.payload = large(3_000_000);
    let store = self::store(&database);
    store.save(&record, SaveMode::Create).expect("there is room now");
    let loaded = store.load(&record.id).expect("it answers").expect("it is there");
    assert!(loaded.payload == record.payload);
}

#[test]
fn what_is_no_table_of_sessions_is_told() {
    let server = &server!(Kind::MariaDb);
    let database = server.create_database();
    let list = |table: &str| {
        let config = config(&database.url("mysql")).with("table_name", table);
        open(&config).iter(Query::ALL).next().expect("an item").expect_err("it is none")
    };
    database.run(
        "CREATE TABLE users (id int); CREATE TABLE stamps (id int primary key, namespace varchar(255), \
         accessed timestamp, created datetime, data blob); CREATE TABLE nokey (namespace varchar(255), \
         accessed datetime, created datetime, data blob);",
    );
    assert_error(&list("beaker_cache"), ErrorKind::NotSetUp, &["no table `beaker_cache`", "`users`", "table_name"]);
    assert_error(&list("users"), ErrorKind::NotSetUp, &["lacks the columns", "`namespace`"]);
    assert_error(&list("stamps"), ErrorKind::Unsupported, &["`accessed`", "`timestamp`"]);
    assert_error(&list("nokey"), ErrorKind::Unsupported, &["no key"]);
}

#[test]
fn what_was_accessed_after_the_cutoff_is_kept_where_the_column_cuts_its_time() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    save(&*store, "old", OLD);
    save(&*store, "a", "2026-11-20 11:00:00.9");
    assert_eq!(database.run("SELECT max(accessed) FROM beaker_cache;").trim(), "2026-11-20 11:00:00");
    let ago = |time: &str| Cutoff::ago(at(time), Duration::from_secs(3600));
    let clean = |time: &str| {
        let done = store.delete_old(ago(time), &DeletePlan::default(), &mut Silent).expect("it cleans");
        (done.deleted, done.kept)
    };
    assert_eq!(listed(&*store, Query::ALL.active_since(ago("2026-11-20 12:00:00.5")))[0].id.as_str(), "a");
    assert_eq!(clean("2026-11-20 12:00:00.5"), (1, 1));
    assert!(listed(&*store, Query::ALL.active_since(ago("2026-11-20 12:00:01"))).is_empty());
    assert_eq!(clean("2026-11-20 12:00:01"), (1, 0));
}
