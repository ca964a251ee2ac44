//! Creating the table as Beaker does, and the index that Beaker does not make.

use beakerhelpers_core::{
    ErrorKind, Framing, IndexOutcome, Payload, Query, Record, SaveMode, SessionId, SessionStore, SetupMode,
    SetupOutcome,
};
use beakerhelpers_testkit::{OLDER_RELEASES, Python, Request, python, sqlite_ini};
use diesel::connection::SimpleConnection as _;

use crate::support::{Place, assert_error, at, open, record};

/// The current one, and older ones.
const RELEASES: [&str; 5] = ["", OLDER_RELEASES[0], OLDER_RELEASES[1], OLDER_RELEASES[2], OLDER_RELEASES[3]];
const SCHEMA: &str = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)";

/// The schema as a program made it, which may quote a name or not.
fn schema(place: &Place) -> String {
    place.text(SCHEMA).replace('`', "")
}

fn setup(store: &dyn SessionStore) -> SetupOutcome {
    store.setup(SetupMode::IfMissing).expect("it is set up")
}

/// Lets Beaker make its table in the file of a place.
fn made_by(python: &Python) -> Place {
    let place = Place::new();
    let ini = sqlite_ini(place.dir.path(), "");
    python.site(&ini).answer(&[Request::save("joe", "{'user_name': 'joe'}")]);
    place
}

#[test]
fn the_table_is_beakers_to_the_letter() {
    let ours = Place::with_table();
    for release in RELEASES {
        let python = if release.is_empty() { python!() } else { python!(release) };
        let theirs = made_by(&python);
        assert_eq!(schema(&ours), schema(&theirs));
        assert_eq!(setup(&*theirs.store()), SetupOutcome::Existing);
        assert_eq!(theirs.text("SELECT count(*) FROM beaker_cache"), "1");
    }
}

#[test]
fn the_table_of_sqla_is_beakers_too() {
    let (ours, theirs) = (Place::new(), Place::new());
    setup(&*open(&ours.config().with("type", "ext:sqla")));
    let script = "import sqlalchemy, sys, beaker.ext.sqla as s; metadata = sqlalchemy.MetaData(); \
                  s.SqlaNamespaceManager._init_dependencies(); s.make_cache_table(metadata); \
                  metadata.create_all(sqlalchemy.create_engine('sqlite:///' + sys.argv[1]))";
    let python = python!();
    let output = python.command().args(["-c", script]).arg(theirs.path()).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(schema(&ours), schema(&theirs));
}

#[test]
fn beaker_works_on_our_table_with_and_without_the_index() {
    for release in RELEASES {
        let python = if release.is_empty() { python!() } else { python!(release) };
        let place = Place::with_table();
        let made = schema(&place);
        let ini = sqlite_ini(place.dir.path(), "");
        let site = python.site(&ini);
        site.answer(&[Request::save("joe", "{'n': 1}"), Request::save("ann", "{'n': 1}")]);
        assert_eq!(schema(&place), made, "Beaker takes it for its own");
        assert_eq!(place.store().add_index().expect("there is none"), IndexOutcome::Created);
        site.answer(&[Request::save("joe", "{'n': 2}"), Request::save("eve", "{'n': 3}"), Request::delete("ann")]);
        let loaded = site.load(&["joe", "eve"]).into_iter().flatten();
        assert_eq!(loaded.map(|session| session["n"].1.clone()).collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!(place.reader().iter(Query::ALL).flatten().count(), 3);
        assert_eq!(place.text("SELECT group_concat(integrity_check) FROM pragma_integrity_check"), "ok");
    }
}

#[test]
fn what_holds_no_sessions_is_never_destroyed() {
    let place = Place::new();
    place.sql(
        "CREATE TABLE users (id, name); INSERT INTO users VALUES (1, 'ann'); CREATE VIEW people AS SELECT * FROM users",
    );
    for name in ["users", "people"] {
        let store = open(&place.config().with("table_name", name));
        let error = store.setup(SetupMode::Recreate).expect_err("it is no table of sessions");
        assert_error(&error, ErrorKind::NotSetUp, &["is left alone", "lacks the columns `namespace`", "yourself"]);
        assert_eq!(setup(&*store), SetupOutcome::Existing);
    }
    assert_eq!(place.text("SELECT name FROM people"), "ann");
    setup(&*place.store());
    place.sql("CREATE VIEW sessions AS SELECT * FROM beaker_cache");
    let error = open(&place.config().with("table_name", "sessions")).setup(SetupMode::Recreate).expect_err("a view");
    assert_error(&error, ErrorKind::NotSetUp, &["`sessions` is left alone: it is a view"]);
}

#[test]
fn recreating_makes_beakers_table_of_any_other() {
    let place = Place::new();
    place.sql(
        "CREATE TABLE beaker_cache (namespace, accessed, created, data, more);
         CREATE INDEX mine ON beaker_cache (more); INSERT INTO beaker_cache VALUES (1, 2, 3, 4, 5)",
    );
    assert_eq!(place.store().setup(SetupMode::Recreate).expect("it may"), SetupOutcome::Recreated);
    assert_eq!(schema(&place), schema(&Place::with_table()));
    assert_eq!(place.text("SELECT count(*) FROM beaker_cache"), "0");
}

#[test]
fn a_database_in_utf_16_is_not_set_up() {
    let place = Place::new();
    place.sql("PRAGMA encoding = 'UTF-16'; CREATE TABLE other (id)");
    for mode in [SetupMode::IfMissing, SetupMode::Recreate] {
        assert_error(&place.store().setup(mode).expect_err("no"), ErrorKind::Unsupported, &["UTF-16"]);
    }
}

#[test]
fn the_index_is_named_as_sqlalchemy_would() {
    for (name, index) in [("beaker_cache", "ix_beaker_cache_accessed"), ("it's \"x`", "ix_it's \"x`_accessed")] {
        let place = Place::new();
        let store = open(&place.config().with("table_name", name).with("schema_name", "main"));
        setup(&*store);
        assert_eq!(store.add_index().expect("there is none"), IndexOutcome::Created);
        assert_eq!(place.text("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"), index);
    }
}

#[test]
fn an_index_that_serves_is_enough_and_another_is_not() {
    for (sql, outcome) in [
        ("CREATE INDEX mine ON beaker_cache (Accessed)", IndexOutcome::Existing),
        ("CREATE INDEX mine ON beaker_cache (accessed DESC, namespace)", IndexOutcome::Existing),
        ("CREATE INDEX mine ON beaker_cache (namespace, accessed)", IndexOutcome::Created),
        ("CREATE INDEX mine ON beaker_cache (accessed) WHERE accessed > '2026'", IndexOutcome::Created),
        ("CREATE INDEX mine ON beaker_cache (date(accessed))", IndexOutcome::Created),
        ("CREATE INDEX mine ON beaker_cache (accessed COLLATE NOCASE)", IndexOutcome::Created),
    ] {
        let place = Place::with_table();
        place.sql(sql);
        assert_eq!(place.store().add_index().expect(sql), outcome, "{sql}");
        assert_eq!(place.store().add_index().expect(sql), IndexOutcome::Existing, "{sql}");
    }
}

#[test]
fn a_name_that_is_taken_and_a_view_are_said_to_be() {
    let place = Place::with_table();
    place.sql(
        "CREATE INDEX IX_beaker_cache_accessed ON beaker_cache (created); CREATE VIEW v AS SELECT * FROM beaker_cache",
    );
    let error = place.store().add_index().expect_err("the name is taken");
    assert_error(&error, ErrorKind::Other, &["`ix_beaker_cache_accessed` is taken", ".schema"]);
    let error = open(&place.config().with("table_name", "v")).add_index().expect_err("a view");
    assert_error(&error, ErrorKind::Unsupported, &["`v` is a view"]);
    let error = place.reader().add_index().expect_err("only for reading");
    assert_error(&error, ErrorKind::Unsupported, &["for reading only"]);
}

#[test]
fn a_site_that_writes_is_waited_for() {
    let place = Place::with_table();
    let mut writer = place.raw();
    writer.batch_execute("BEGIN IMMEDIATE").expect("nobody else writes");
    let store = open(&place.config().with_wait(std::time::Duration::from_millis(20)));
    assert_error(&store.add_index().expect_err("it is locked"), ErrorKind::Unavailable, &["locked"]);
    let error = store.setup(SetupMode::Recreate).expect_err("it is locked");
    assert_error(&error, ErrorKind::Unavailable, &["locked"]);
    assert_eq!(setup(&*store), SetupOutcome::Existing, "what changes nothing waits for nobody");
    writer.batch_execute("ROLLBACK").expect("it ends");
    assert_eq!(store.add_index().expect("it is free"), IndexOutcome::Created);
}

#[test]
fn sessions_survive_the_index() {
    let place = Place::with_table();
    let store = place.store();
    let id = |n: u32| SessionId::new(format!("{n:032x}"));
    for n in 0..100 {
        let record = Record::new(id(n), Payload::new(Framing::Namespace, vec![7; 5_000]));
        store.save(&record.with_times(None, Some(at("2026-11-20 11:30:00"))), SaveMode::Create).expect("there is room");
    }
    store.add_index().expect("it is added");
    assert!((0..100).all(|n| store.has(&id(n)).expect("it answers")));
    store.save(&record("a", "2026-11-20 11:30:00"), SaveMode::Create).expect("it goes on");
    assert_eq!(place.text("SELECT group_concat(integrity_check) FROM pragma_integrity_check"), "ok");
}
