//! Real Beaker on the same table.

use std::time::Duration;

use beakerhelpers_core::{Cutoff, DeletePlan, Query, Rest, SaveMode, SessionId, SetupMode, Silent, Timestamp};
use beakerhelpers_testkit::servers::{Database, Kind, User, Via};
use beakerhelpers_testkit::{Request, database_ini, python, server};
use tempfile::TempDir;

use crate::servers::{count, listed, store};

/// Everything about the table that the server knows, its owner and numbers aside.
fn shape(database: &Database<'_>) -> String {
    database.run(
        "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default \
         FROM information_schema.columns WHERE table_name = 'beaker_cache' ORDER BY ordinal_position;
         SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'beaker_cache'::regclass ORDER BY 1;
         SELECT indexdef FROM pg_indexes WHERE tablename = 'beaker_cache' ORDER BY 1;
         SELECT sequencename, data_type FROM pg_sequences;",
    )
}

#[test]
fn setting_up_makes_the_table_that_beaker_makes() {
    let (server, python) = (&server!(Kind::Postgres), python!());
    let (ours, theirs) = (server.create_database(), server.create_database());
    let directory = TempDir::new().expect("a directory");
    let ini = database_ini(directory.path(), &theirs.url("postgresql+psycopg2"), "");
    python.site(&ini).answer(&[Request::save("a", "{'user': 'ona'}")]);
    store(&ours).setup(SetupMode::IfMissing).expect("it is set up");
    assert_eq!(shape(&ours), shape(&theirs));
}

#[test]
fn what_beaker_saves_is_read_and_what_is_saved_beaker_loads() {
    let (server, python) = (&server!(Kind::Postgres), python!());
    let python = python.with_time_zone("UTC");
    let database = server.create_database();
    let directory = TempDir::new().expect("a directory");
    let ini = database_ini(directory.path(), &database.url_for("postgresql+psycopg2", User::SITE, Via::Socket), "");
    let site = python.site(&ini);
    let now = Timestamp::from(std::time::SystemTime::now());
    let ago = |hours: i64| Timestamp::from_micros(now.as_micros() - hours * 3_600_000_000);
    let big = "{'big': 'ą' * 300000, 'user': 'ona'}";
    site.answer(&[
        Request::save("old", "{'n': 1}").at(ago(5)),
        Request::save("active", big).at(ago(1)),
        Request::save("touched", "{'n': 2}").at(ago(5)),
        Request::touch("touched").at(now),
    ]);
    let store = store(&database);
    assert_eq!(listed(&*store, Query::ALL).len(), 3);
    let mut copy = store.load(&SessionId::new("active")).expect("it answers").expect("it is there");
    let accessed = copy.accessed.expect("a time").as_micros();
    assert!((accessed - ago(1).as_micros()).abs() < 1_000_000, "{accessed}");
    copy.id = SessionId::new("copy");
    copy.accessed = Some(now);
    store.save(&copy, SaveMode::Create).expect("it saves");
    let cutoff = Cutoff::ago(now, Duration::from_secs(2 * 3600));
    let done = store.delete_old(cutoff, &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.kept, count(&database)), (1, 3, 3));
    let loaded = site.load(&["old", "active", "touched", "copy"]);
    assert!(loaded[0].is_none());
    for (loaded, key, value) in [(&loaded[1], "user", "ona"), (&loaded[2], "n", "2"), (&loaded[3], "user", "ona")] {
        assert_eq!(loaded.as_ref().expect("Beaker loads it")[key].1, value);
    }
}

#[test]
fn a_live_site_notices_nothing_of_a_cleanup() {
    let (server, python) = (&server!(Kind::Postgres), python!());
    let python = python.with_time_zone("UTC");
    let database = server.create_database();
    let directory = TempDir::new().expect("a directory");
    let ini = database_ini(directory.path(), &database.url("postgresql+psycopg2"), "");
    let live = python.site(&ini).go_live();
    crate::servers::fill(&database, 20_000);
    let store = store(&database);
    let now = Timestamp::from(std::time::SystemTime::now());
    let cutoff = Cutoff::ago(now, Duration::from_secs(3600));
    // Long enough for the site to save many times meanwhile.
    let plan = DeletePlan::default().with_batch_size(200).with_rest(Rest::For(Duration::from_millis(10)));
    let done = store.delete_old(cutoff, &plan, &mut Silent).expect("it cleans");
    assert_eq!(done.deleted, 20_000);
    let report = live.end();
    assert_eq!(report.errors, [""; 0]);
    assert!(report.answered > 0);
    for n in 0..20_u64.min(report.answered) {
        assert!(store.has(&SessionId::new(format!("live-{n}"))).expect("it answers"), "a live session is gone");
    }
}
