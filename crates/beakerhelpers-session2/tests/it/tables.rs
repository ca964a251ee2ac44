//! `session2:mysql` and `session2:postgres`.

use beakerhelpers_core::{
    Cutoff, DeletePlan, ErrorKind, Framing, Payload, Record, Registry, SaveMode, SessionId, SessionStore, SetupMode,
    Severity, Silent, StoreConfig, StoreType, Timestamp, Zone,
};
use beakerhelpers_session2::{MYSQL, POSTGRES};
use beakerhelpers_testkit::servers::{Database, Kind};
use beakerhelpers_testkit::{Server, server};

use crate::site::decode;

type Opened = Option<(Database<'static>, Box<dyn SessionStore>, Box<dyn SessionStore>)>;

fn store_type(kind: Kind) -> (&'static StoreType, &'static str) {
    if kind == Kind::Postgres { (&POSTGRES, "postgresql+psycopg2") } else { (&MYSQL, "mysql+pymysql") }
}

fn open(database: &Database<'_>) -> Box<dyn SessionStore> {
    let (store_type, scheme) = store_type(database.server().kind());
    let config = StoreConfig::new("quixote").with("type", store_type.name).with("url", database.url(scheme));
    // Which must not matter.
    let config = config.with_zone(Zone::parse("Asia/Kathmandu").expect("a zone"));
    Registry::default().with_store(store_type).open(&config).expect("it is a URL")
}

fn bare(kind: Kind, sql: &str) -> Opened {
    let server: &Server = Box::leak(Box::new(Server::shared(kind)?));
    let database = server.create_database();
    if !sql.is_empty() {
        database.run(sql);
    }
    let stores = (open(&database), open(&database));
    Some((database, stores.0, stores.1))
}

fn ready(kind: Kind, sql: &str) -> Opened {
    let opened = bare(kind, sql)?;
    opened.1.setup(SetupMode::IfMissing).expect("it is set up");
    Some(opened)
}

mod mysql {
    use super::*;

    fn opened() -> Opened {
        ready(Kind::MariaDb, "")
    }
    beakerhelpers_testkit::conformance!(opened, Framing::Object);

    mod not_set_up {
        use super::*;

        fn opened() -> Opened {
            bare(Kind::MariaDb, "")
        }
        beakerhelpers_testkit::bare_conformance!(opened, Framing::Object);
    }
}

mod postgres {
    use super::*;

    /// A zone with a summer time, and one that is not that of this process.
    const ZONE: &str = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), \
                        'America/New_York'); END $$;";

    fn opened() -> Opened {
        ready(Kind::Postgres, ZONE)
    }
    beakerhelpers_testkit::conformance!(opened, Framing::Object);

    mod not_set_up {
        use super::*;

        fn opened() -> Opened {
            bare(Kind::Postgres, "")
        }
        beakerhelpers_testkit::bare_conformance!(opened, Framing::Object);
    }

    #[test]
    fn only_text_is_kept() {
        let server = server!(Kind::Postgres);
        let database = server.create_database();
        let store = open(&database);
        store.setup(SetupMode::IfMissing).expect("it is set up");
        for bytes in [&b"\x80\x02."[..], b"a\0b"] {
            let at = Some(Timestamp::from_secs(1_118_664_000));
            let record = Record::new(SessionId::new("a"), Payload::new(Framing::Object, bytes.to_vec()));
            let error = store.save(&record.with_times(at, at), SaveMode::Upsert).expect_err("it is no text");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }

    /// Where the clock is put back, an hour comes twice: what may be of its second half is not old yet.
    #[test]
    fn the_hour_that_comes_twice_is_not_old_too_early() {
        let server = server!(Kind::Postgres);
        let database = server.create_database();
        database.run(ZONE);
        let store = open(&database);
        store.setup(SetupMode::IfMissing).expect("it is set up");
        database.run("INSERT INTO sessions VALUES ('a', 'N.', '2026-11-01 01:30:00');");
        let loaded = store.load(&SessionId::new("a")).expect("it answers").expect("it is there");
        // 01:30 EST, not EDT.
        assert_eq!(loaded.accessed, Some(Timestamp::from_secs(1_793_514_600)));
        let clean = |at| {
            let cutoff = Cutoff::ago(Timestamp::from_secs(at), std::time::Duration::ZERO);
            store.delete_old(cutoff, &DeletePlan::default(), &mut Silent).expect("it cleans").deleted
        };
        assert_eq!((clean(1_793_514_600), clean(1_793_514_601)), (0, 1));
    }
}

/// session2's own statements, with the drivers of today, and pickles of its sessions: its store for MySQL as session3
/// has it; that for PostgreSQL with pickles of protocol 0, as they were on Python 2, since with bytes session3 fails.
const SESSION3: &str = r#"
import pickle, sys
from urllib.parse import unquote, urlsplit

import session3.Session
from session3.DictSession import DictSession
session3.Session.get_request = lambda: type("Request", (), {"get_environ": lambda self, name: "192.0.2.7"})()

url = urlsplit(sys.argv[1])
place = dict(host=url.hostname, port=url.port, user=url.username, password=unquote(url.password or ""))
session = DictSession(sys.argv[3])
session.user, session["visits"] = "joe", 1
if sys.argv[1].startswith("mysql"):
    import pymysql
    from session3.store.MySQLSessionStore import MySQLSessionStore
    pymysql.converters.encoders[bytes] = lambda value, mapping=None: "x'" + value.hex() + "'"
    # As servers were in session2's time: MySQL up to 5.7, MariaDB up to 10.9.
    old = None if "new" in sys.argv else "SET explicit_defaults_for_timestamp = OFF"
    connection = pymysql.connect(database=url.path[1:], autocommit=True, init_command=old, **place)
    store = MySQLSessionStore(connection)
else:
    import psycopg2
    import session3.store.PostgresSessionStore as module
    class Text:
        dumps = staticmethod(lambda value: pickle.dumps(value, 0).decode("ascii"))
        loads = staticmethod(lambda text: pickle.loads(text.encode("ascii")))
    module.pickle = Text
    connection = psycopg2.connect(dbname=url.path[1:], **place)
    store = module.PostgresSessionStore(connection)
    if "setup" in sys.argv:
        store.setup()
if sys.argv[2] == "save":
    store.save_session(session)
elif sys.argv[2] == "load":
    found = store.load_session(sys.argv[3])
    print(found and (found.user, found["visits"]))
elif sys.argv[2] == "old":
    store.delete_old_sessions(int(sys.argv[3]))
"#;

fn session3(python: &beakerhelpers_testkit::Python, database: &Database<'_>, arguments: &[&str]) -> String {
    let (_, scheme) = store_type(database.server().kind());
    let url = database.url(scheme).replace("mysql+pymysql", "mysql");
    let output = python.command().args(["-c", SESSION3, &url]).args(arguments).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text").trim().to_owned()
}

fn with_session3(kind: Kind) {
    let python = beakerhelpers_testkit::python!();
    let Some(server) = Server::shared(kind) else { return };
    let database = server.create_database();
    let before = Timestamp::from(std::time::SystemTime::now());
    session3(&python, &database, &["save", "5ec2e75ec2e75ec2", "setup"]);
    let store = open(&database);
    assert!(store.check().expect("it looks").iter().all(|finding| finding.severity == Severity::Advice));
    let id = SessionId::new("5ec2e75ec2e75ec2");
    let record = store.load(&id).expect("it answers").expect("it is there");
    let session = decode(&record);
    assert_eq!(session.value("user").and_then(beakerhelpers_core::Value::as_str), Some("joe"));
    let accessed = record.accessed.expect("it has a time");
    assert!(accessed.later_by(std::time::Duration::from_secs(1)) >= before, "{accessed:?} {before:?}");
    assert!(session.accessed_time().expect("it says").since(accessed) < std::time::Duration::from_secs(60));
    assert!(store.delete(&id).expect("it deletes"));
    assert_eq!(session3(&python, &database, &["load", id.as_str()]), "None");
    store.save(&record, SaveMode::Create).expect("it is put back");
    assert_eq!(session3(&python, &database, &["load", id.as_str()]), "('joe', 1)");
    // A save of the site makes it young again.
    let old = Timestamp::from_micros(accessed.as_micros() - 7_200_000_000);
    let aged = store.load(&id).expect("it answers").expect("it is there").with_times(None, Some(old));
    store.save(&aged, SaveMode::Upsert).expect("it saves");
    let cutoff = Cutoff::ago(Timestamp::from(std::time::SystemTime::now()), std::time::Duration::from_secs(3600));
    let clean = || store.delete_old(cutoff, &DeletePlan::default(), &mut Silent).expect("it cleans").deleted;
    session3(&python, &database, &["save", id.as_str()]);
    assert_eq!(clean(), 0);
    store.save(&aged, SaveMode::Upsert).expect("it saves");
    assert_eq!(clean(), 1);
}

#[test]
fn session3_in_mysql() {
    with_session3(Kind::MariaDb);
}

#[test]
fn session3_in_postgresql() {
    with_session3(Kind::Postgres);
}

/// What session2 deletes by the server's clock and what is deleted here is the same.
#[test]
fn session3_deletes_the_same() {
    let python = beakerhelpers_testkit::python!();
    let server = server!(Kind::MariaDb);
    let database = server.create_database();
    session3(&python, &database, &["save", "fresh"]);
    session3(&python, &database, &["save", "old"]);
    let store = open(&database);
    let record = store.load(&SessionId::new("old")).expect("it answers").expect("it is there");
    let aged = record.accessed.map(|at| Timestamp::from_micros(at.as_micros() - 3_600_000_000));
    store.save(&record.with_times(None, aged), SaveMode::Upsert).expect("it saves");
    session3(&python, &database, &["old", "61"]);
    assert!(store.has(&SessionId::new("old")).expect("it answers"));
    session3(&python, &database, &["old", "59"]);
    assert!(!store.has(&SessionId::new("old")).expect("it answers"));
    assert!(store.has(&SessionId::new("fresh")).expect("it answers"));
}

/// A table that session2 makes on a server of today has no times, which a check tells; no session of it is deleted.
#[test]
fn a_table_whose_times_stand_still_is_told() {
    let python = beakerhelpers_testkit::python!();
    let server = server!(Kind::MariaDb);
    let database = server.create_database();
    session3(&python, &database, &["save", "5ec2e75ec2e75ec2", "new"]);
    let store = open(&database);
    let findings = store.check().expect("it looks");
    let missing = findings.first().filter(|finding| finding.severity == Severity::Missing).expect("the times");
    assert!(missing.message.contains("modify_time"), "{missing:?}");
    let far = Cutoff::ago(Timestamp::from_secs(9_000_000_000), std::time::Duration::ZERO);
    let done = store.delete_old(far, &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.unknown), (0, 1));
    let hint = missing.hint.as_deref().expect("a statement");
    let (_, change) = hint.trim_matches('`').split_once("MODIFY").expect("a statement");
    database.run(&format!("UPDATE sessions SET modify_time = NOW(); ALTER TABLE sessions MODIFY{change};"));
    session3(&python, &database, &["save", "1ec2e75ec2e75ec2", "new"]);
    assert!(store.check().expect("it looks").iter().all(|finding| finding.severity == Severity::Advice));
    assert!(
        store.load(&SessionId::new("1ec2e75ec2e75ec2")).expect("it answers").is_some_and(|is| is.accessed.is_some())
    );
}

/// A table of something else is neither read nor destroyed.
#[test]
fn other_tables_are_left_alone() {
    for kind in [Kind::MariaDb, Kind::Postgres] {
        let Some((database, store, _)) = bare(kind, "CREATE TABLE sessions (id INTEGER, data INTEGER);") else {
            return;
        };
        for error in [
            store.load(&SessionId::new("a")).expect_err("no session"),
            store.setup(SetupMode::Recreate).expect_err("no session"),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotSetUp);
        }
        assert!(store.check().expect("it looks").iter().any(|finding| finding.severity == Severity::Missing));
        drop(database);
    }
}

#[test]
fn the_url_of_another_database_is_refused() {
    for (store_type, url) in [(&MYSQL, "postgresql://u:s3cret@h/d"), (&POSTGRES, "mysql://u:s3cret@h/d")] {
        let config = StoreConfig::new("quixote").with("type", store_type.name).with("url", url);
        let error = Registry::default().with_store(store_type).open(&config).expect_err("it is another");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error:?}").contains("s3cret") && error.hint().is_some());
    }
}
