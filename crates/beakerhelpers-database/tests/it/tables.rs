//! Files and tables that are not what they should be.

use std::fs;
use std::time::Duration;

use beakerhelpers_core::{DeletePlan, ErrorKind, Query, Rest, SaveMode, SessionId, SessionStore, SetupMode, Silent};

use crate::support::{Place, assert_error, cutoff, open, record, registry};

fn first_error(store: &dyn SessionStore) -> beakerhelpers_core::Error {
    let mut items = store.iter(Query::ALL);
    let error = items.next().expect("an item").expect_err("it cannot be read");
    assert!(items.next().is_none(), "it goes on after a failure");
    error
}

#[test]
fn a_missing_file_is_an_error_and_stays_missing() {
    let place = Place::new();
    for store in [place.store(), place.reader()] {
        let error = first_error(&*store);
        assert_error(&error, ErrorKind::NotSetUp, &["does not exist", "sessions.db", "correct the URL"]);
        let id = SessionId::new("a");
        assert_eq!(store.load(&id).expect_err("no file").kind(), ErrorKind::NotSetUp);
        assert_eq!(store.has(&id).expect_err("no file").kind(), ErrorKind::NotSetUp);
    }
    assert_eq!(place.store().delete(&SessionId::new("a")).expect_err("no file").kind(), ErrorKind::NotSetUp);
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_relative_path_that_the_ini_meant_is_recognised() {
    let place = Place::with_table();
    let ini = place.dir.path().join("prod.ini");
    fs::write(&ini, "[app:main]\nbeaker.session.url = sqlite:///sessions.db\n").expect("it can be written");
    let config = beakerhelpers_core::Config::load(&ini).expect("an ini").store("beaker.session").expect("keys");
    let store = registry().open(&config).expect("a store");
    assert_error(&first_error(&*store), ErrorKind::NotSetUp, &["sqlite:///%(here)s/sessions.db"]);
}

#[test]
fn setup_makes_the_file_and_beakers_tables() {
    for (store_type, schema) in [
        (
            "ext:database",
            "CREATE TABLE beaker_cache (\n\tid INTEGER NOT NULL, \n\tnamespace VARCHAR(255) NOT NULL, \n\taccessed DATETIME \
             NOT NULL, \n\tcreated DATETIME NOT NULL, \n\tdata BLOB NOT NULL, \n\tPRIMARY KEY (id), \n\tUNIQUE \
             (namespace)\n)",
        ),
        (
            "ext:sqla",
            "CREATE TABLE beaker_cache (\n\tnamespace VARCHAR(255) NOT NULL, \n\taccessed DATETIME NOT NULL, \n\tcreated \
             DATETIME NOT NULL, \n\tdata BLOB NOT NULL, \n\tPRIMARY KEY (namespace)\n)",
        ),
    ] {
        let place = Place::new();
        open(&place.config().with("type", store_type)).setup(SetupMode::IfMissing).expect("it is set up");
        let made = place.text("SELECT sql FROM sqlite_schema WHERE name = 'beaker_cache'");
        assert_eq!(made.replace('`', ""), schema);
        assert_eq!(place.text("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), "1");
    }
}

#[test]
fn what_is_no_database_is_said_to_be_none() {
    let place = Place::new();
    fs::write(place.path(), b"[app:main]\nkey = value\n".repeat(100)).expect("it can be written");
    assert_error(&first_error(&*place.reader()), ErrorKind::Config, &["not an SQLite database", "sessions.db"]);
    assert_error(&first_error(&*place.store()), ErrorKind::Config, &["not an SQLite database"]);
    fs::remove_file(place.path()).expect("it is there");
    fs::create_dir(place.path()).expect("it can be made");
    assert_error(&first_error(&*place.reader()), ErrorKind::Config, &["is a directory"]);
}

#[test]
fn a_missing_table_names_those_that_are_there() {
    let place = Place::new();
    fs::write(place.path(), b"").expect("it can be written");
    assert_error(&first_error(&*place.reader()), ErrorKind::NotSetUp, &["no table `beaker_cache`", "none at all"]);
    place.sql("CREATE TABLE users (id); CREATE TABLE \"site's sessions\" (id)");
    assert_error(
        &first_error(&*place.reader()),
        ErrorKind::NotSetUp,
        &["`site's sessions`, `users`", "beaker.session.table_name", "beaker.session.schema_name"],
    );
}

#[test]
fn missing_columns_are_named() {
    let place = Place::new();
    place.sql("CREATE TABLE beaker_cache (id INTEGER PRIMARY KEY, Namespace TEXT, accessed TEXT)");
    assert_error(&first_error(&*place.reader()), ErrorKind::NotSetUp, &["lacks the columns `created`, `data`"]);
}

#[test]
fn a_schema_that_sqlite_has_not_is_refused() {
    let place = Place::with_table();
    let error = registry().open(&place.config().with("schema_name", "site")).expect_err("there is none");
    assert_error(&error, ErrorKind::Config, &["no schema `site`", "beaker.session.schema_name"]);
    let store = open(&place.config().with("schema_name", "main"));
    assert_eq!(store.iter(Query::ALL).count(), 0);
}

#[test]
fn a_name_of_a_table_is_only_ever_a_name() {
    for name in ["x\"; DROP TABLE victim; --", "it's", "`", "select", "a b.c", "[x]", "ž\u{1F980}", "%s ? :a $1"] {
        let place = Place::new();
        place.sql("CREATE TABLE victim (id)");
        let store = open(&place.config().with("table_name", name));
        assert_eq!(first_error(&*store).kind(), ErrorKind::NotSetUp, "{name}");
        store.setup(SetupMode::Recreate).expect(name);
        let record = record("a", "2026-11-20 11:30:00");
        store.save(&record, SaveMode::Create).expect(name);
        assert_eq!(store.load(&record.id).expect(name), Some(record.clone()), "{name}");
        assert_eq!(store.iter(Query::ALL).count(), 1, "{name}");
        assert!(store.delete(&record.id).expect(name));
        assert_eq!(place.text("SELECT count(*) FROM victim"), "0");
    }
    let place = Place::new();
    let error = registry().open(&place.config().with("table_name", "a\0b")).expect_err("no name can be that");
    assert_eq!(error.kind(), ErrorKind::Config);
}

/// Fills a table with more rows than a page has, lists it both ways and cleans it.
fn works_in_full(place: &Place) {
    place.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
         INSERT INTO beaker_cache (namespace, accessed, created, data)
         SELECT printf('s%05d', n), iif(n % 10, '2026-11-20 10:00:00.000000', '2026-11-20 11:30:00.000000'),
                '2026-11-01 00:00:00.000000', x'80' FROM n",
    );
    let store = place.store();
    let ids = |query| {
        let mut ids: Vec<String> =
            store.iter(query).map(|record| record.expect("it is read").id.as_str().to_owned()).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "each once");
        count
    };
    assert_eq!((ids(Query::ALL), ids(Query::newest(1700))), (2500, 1700));
    assert_eq!(ids(Query::ALL.active_since(crate::support::cutoff())), 250);
    let plan = beakerhelpers_core::DeletePlan::default()
        .with_batch_size(700)
        .with_rest(beakerhelpers_core::Rest::For(std::time::Duration::ZERO));
    let done = store.delete_old(crate::support::cutoff(), &plan, &mut beakerhelpers_core::Silent).expect("it cleans");
    assert_eq!((done.deleted, done.kept), (2250, 250));
    assert_eq!(ids(Query::ALL), 250);
}

#[test]
fn tables_of_every_layout_are_read_and_cleaned() {
    let columns = "namespace VARCHAR(255) NOT NULL, accessed DATETIME NOT NULL, created DATETIME NOT NULL, data BLOB";
    for table in [
        format!("id INTEGER NOT NULL, {columns}, PRIMARY KEY (id), UNIQUE (namespace)"),
        format!("{columns}, PRIMARY KEY (namespace)"),
        format!("{columns}, PRIMARY KEY (namespace)) WITHOUT ROWID; --"),
        // An `id` that is no number of rows, and a column that takes a name of that number away.
        format!("id VARCHAR, rowid VARCHAR, {columns}"),
        format!("oid, rowid, _rowid_, {columns}, UNIQUE (namespace)"),
        format!("id INTEGER PRIMARY KEY DESC, {columns}"),
    ] {
        let place = Place::new();
        place.sql(&format!("CREATE TABLE beaker_cache ({table})"));
        works_in_full(&place);
    }
}

#[test]
fn a_view_can_be_listed() {
    let place = Place::with_table();
    place.store().save(&record("a", "2026-11-20 11:30:00"), SaveMode::Create).expect("it saves");
    place.sql("CREATE VIEW site AS SELECT namespace, accessed, created, data FROM beaker_cache");
    let store = open(&place.config().with("table_name", "site"));
    assert_eq!(
        store.iter(Query::ALL).map(|record| record.expect("it is read").id).collect::<Vec<_>>(),
        [SessionId::new("a")]
    );
    assert_eq!(store.delete(&SessionId::new("a")).expect_err("a view").kind(), ErrorKind::Other);
}

#[test]
fn a_database_in_utf_16_is_refused() {
    let place = Place::new();
    place.sql("PRAGMA encoding = 'UTF-16'; CREATE TABLE beaker_cache (namespace, accessed, created, data)");
    assert_error(&first_error(&*place.reader()), ErrorKind::Unsupported, &["UTF-16"]);
}

#[test]
fn keys_of_every_type_are_read_once() {
    // One that begins again after each page, with room enough to be noticed.
    let most = 10_000;
    for columns in ["namespace", "namespace VARCHAR(255)", "namespace INTEGER", "namespace BLOB"] {
        let place = Place::new();
        place.sql(&format!(
            "CREATE TABLE beaker_cache ({columns}, accessed, created, data, PRIMARY KEY (namespace)) WITHOUT ROWID;
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1100),
             keys(key) AS (SELECT n FROM n UNION ALL SELECT n + 0.5 FROM n UNION ALL SELECT '!' || n FROM n
             UNION ALL SELECT CAST('z' || n AS BLOB) FROM n UNION ALL SELECT CAST(x'ff' AS TEXT) UNION ALL SELECT x'')
             INSERT INTO beaker_cache SELECT key, '2026-11-20 10:00:00.000000', '2026-11-20 10:00:00.000000', x'00' FROM keys"
        ));
        for query in [Query::ALL, Query::newest(most)] {
            let store = place.reader();
            assert_eq!(store.iter(query).take(usize::try_from(most).expect("small")).count(), 4402, "{columns}");
        }
        let old = DeletePlan::default().with_batch_size(700).with_rest(Rest::For(Duration::ZERO));
        let done = place.store().delete_old(cutoff(), &old.with_limit(most), &mut Silent).expect("it cleans");
        assert_eq!((done.deleted, done.kept), (4402, 0), "{columns}");
    }
}

#[test]
fn a_view_with_rows_without_id_is_read_to_its_end() {
    let place = Place::with_table();
    place.sql(
        "DROP TABLE beaker_cache;
         CREATE VIEW beaker_cache AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
         SELECT CASE WHEN n > 10 THEN 's' || n END AS namespace, '2026-11-20 10:00:00.000000' AS accessed,
         '2026-11-20 10:00:00.000000' AS created, x'00' AS data FROM n",
    );
    let records: Vec<_> = place.reader().iter(Query::ALL).take(10_000).collect();
    assert_eq!((records.len(), records.iter().flatten().count()), (1500, 1490));
}
