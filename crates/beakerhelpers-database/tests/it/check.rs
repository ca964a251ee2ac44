//! What a check finds.

use beakerhelpers_core::{Finding, SessionStore, Severity};
use beakerhelpers_testkit::{Request, python, sqlite_ini};

use crate::support::{Place, open};

/// Looks with a store that may write and with one that may not, which must agree and leave no trace.
#[track_caller]
fn check(place: &Place, table: &str) -> Vec<Finding> {
    let files = place.files();
    let config = place.config().with("table_name", table);
    let found = open(&config).check().expect("it can be looked at");
    let reader = open(&config.with_access(beakerhelpers_core::Access::ReadOnly));
    assert_eq!(reader.check().expect("it can be looked at"), found);
    assert!(found.iter().map(|finding| finding.severity).is_sorted(), "{found:?}");
    assert_eq!(place.files(), files);
    found
}

/// The messages of what is worse than advice.
fn wrong(found: &[Finding]) -> Vec<(Severity, &str)> {
    let worse = found.iter().filter(|finding| finding.severity < Severity::Advice);
    worse.map(|finding| (finding.severity, finding.message.as_str())).collect()
}

#[test]
fn beakers_own_table_gets_only_advice() {
    let python = python!();
    let place = Place::new();
    let ini = sqlite_ini(place.dir.path(), "");
    python.site(&ini).answer(&[Request::save("", "{'a': 1}").without_cookie()]);
    let found = check(&place, "beaker_cache");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].severity, Severity::Advice);
    assert!(found[0].message.contains("no index on `accessed`"), "{found:?}");
    assert!(found[0].hint.as_ref().expect("what to do").contains("setup --index"), "{found:?}");
    place.store().add_index().expect("it is added");
    assert_eq!(check(&place, "beaker_cache"), []);
}

#[test]
fn a_beaker_cache_in_the_same_table_is_noticed() {
    let python = python!();
    let place = Place::with_table();
    let script = "import sys; from beaker.cache import CacheManager; \
                  c = CacheManager(type='ext:database', url='sqlite:///' + sys.argv[1]); \
                  c.get_cache('shop.front_page').set_value('k', 'v')";
    let output = python.command().args(["-c", script]).arg(place.path()).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = check(&place, "beaker_cache");
    let [(Severity::Odd, message)] = wrong(&found)[..] else { panic!("{found:?}") };
    assert_eq!(message, "rows with names that Beaker gives no session: 1 of 1 looked at");
    assert!(found[0].hint.as_ref().expect("what to do").contains("beaker.cache.table_name"), "{found:?}");
    assert!(!format!("{found:?}").contains("front_page"), "a name is told");
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let place = Place::new();
    let found = check(&place, "beaker_cache");
    assert!(found[0].message.starts_with("the database file does not exist"), "{found:?}");
    place.sql("CREATE TABLE beaker_caches (id); CREATE TABLE alarms (id)");
    let found = check(&place, "beaker_cache");
    assert!(found[0].message.starts_with("the database has no table `beaker_cache`"), "{found:?}");
    assert!(found[0].message.contains("tables: `beaker_caches`, `alarms`"), "{found:?}");
    assert!(found[0].hint.as_ref().expect("what to do").contains("beakerhelpers setup"), "{found:?}");
    let found = check(&place, "beaker_caches");
    assert!(found[0].message.contains("lacks the columns `namespace`, `accessed`, `created`, `data`"), "{found:?}");
    let place = Place::new();
    place.sql("PRAGMA encoding = 'UTF-16'; CREATE TABLE beaker_cache (id)");
    let found = check(&place, "beaker_cache");
    assert!(found.len() == 1 && found[0].message.contains("UTF-16"), "{found:?}");
    assert_eq!(found[0].severity, Severity::Missing);
}

const TIMES: &str = "accessed DATETIME NOT NULL, created DATETIME NOT NULL";

#[test]
fn an_id_that_is_not_unique_is_a_fault() {
    let columns =
        format!("id INTEGER PRIMARY KEY NOT NULL, namespace VARCHAR(255) NOT NULL, {TIMES}, data BLOB NOT NULL");
    for (more, unique) in [
        ("", false),
        ("; CREATE INDEX i ON beaker_cache (namespace)", false),
        ("; CREATE UNIQUE INDEX i ON beaker_cache (namespace, accessed)", false),
        ("; CREATE UNIQUE INDEX i ON beaker_cache (namespace) WHERE created > ''", false),
        ("; CREATE UNIQUE INDEX i ON beaker_cache (NameSpace)", true),
    ] {
        let place = Place::new();
        place.sql(&format!("CREATE TABLE beaker_cache ({columns}){more}"));
        let found = check(&place, "beaker_cache");
        let missing = wrong(&found);
        assert_eq!(missing.is_empty(), unique, "{more}: {found:?}");
        assert!(unique || missing[0].0 == Severity::Missing && missing[0].1.contains("unique index on `namespace`"));
    }
    for key in ["PRIMARY KEY (namespace))", "PRIMARY KEY (namespace)) WITHOUT ROWID", "id, UNIQUE (namespace))"] {
        let place = Place::new();
        place.sql(&format!("CREATE TABLE beaker_cache (namespace, accessed, created, data, {key}"));
        let found = check(&place, "beaker_cache");
        assert!(found.iter().all(|finding| finding.severity != Severity::Missing), "{key}: {found:?}");
    }
}

#[test]
fn the_hint_of_a_fault_is_sql_that_mends_it() {
    let place = Place::new();
    place.sql(&format!(
        "CREATE TABLE \"it's \"\"x\" (id INTEGER, namespace VARCHAR(255) NOT NULL, {TIMES}, data BLOB NOT NULL)"
    ));
    let found = check(&place, "it's \"x");
    let hint = found[0].hint.as_ref().expect("what to do");
    let (_, statement) = hint.split_once('`').expect("a statement");
    place.sql(&statement.trim_end_matches('`').replace('…', "mended"));
    assert_eq!(wrong(&check(&place, "it's \"x")), []);
}

#[test]
fn columns_that_beaker_declares_otherwise_are_odd() {
    let place = Place::new();
    place.sql("CREATE TABLE beaker_cache (namespace TEXT PRIMARY KEY, accessed INTEGER NOT NULL, created datetime, data BLOB NOT NULL)");
    let found = check(&place, "beaker_cache");
    let expected = [
        "the column `namespace` is `TEXT`, where Beaker makes `VARCHAR(255) NOT NULL`",
        "the column `accessed` is `INTEGER NOT NULL`, where Beaker makes `DATETIME NOT NULL`",
        "the column `created` is `datetime`, where Beaker makes `DATETIME NOT NULL`",
        "there is no column `id`, which Beaker makes for `ext:database`",
    ];
    assert_eq!(wrong(&found), expected.map(|message| (Severity::Odd, message)));
    place.sql("CREATE VIEW site AS SELECT * FROM beaker_cache");
    let found = check(&place, "site");
    assert!(found.len() == 1 && found[0].message.contains("`site` is a view"), "{found:?}");
}

#[test]
fn rows_at_both_ends_are_looked_at_once_each() {
    let place = Place::new();
    place.sql(
        "CREATE TABLE beaker_cache (id INTEGER PRIMARY KEY NOT NULL, namespace VARCHAR(255) UNIQUE, accessed DATETIME,
           created DATETIME NOT NULL, data BLOB NOT NULL);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
         INSERT INTO beaker_cache SELECT n, printf('%032x', n), '2026-11-20 10:00:00.000000', '2026', x'80' FROM n;",
    );
    let looked_at = |place: &Place| -> Vec<String> {
        let found = check(place, "beaker_cache");
        let rows = found.iter().filter(|finding| finding.message.starts_with("rows "));
        rows.map(|finding| finding.message.clone()).collect()
    };
    assert_eq!(looked_at(&place), [""; 0]);
    place.sql(
        "UPDATE beaker_cache SET accessed = NULL WHERE id IN (1, 1000, 1500, 3000);
         UPDATE beaker_cache SET accessed = 'yesterday' WHERE id = 2001;
         UPDATE beaker_cache SET accessed = 1.5 WHERE id = 2000;
         UPDATE beaker_cache SET namespace = NULL WHERE id IN (2, 2002)",
    );
    assert_eq!(
        looked_at(&place),
        [
            "rows without an id in `namespace`: 2 of 2000 looked at",
            "rows without a valid time in `accessed`: 4 of 2000 looked at",
        ]
    );
    place.sql("DELETE FROM beaker_cache WHERE id > 1500");
    assert_eq!(looked_at(&place)[1], "rows without a valid time in `accessed`: 3 of 1500 looked at");
}
