//! `session2:directory`.

use beakerhelpers_core::{Framing, Registry, SessionStore, SetupMode, StoreConfig};
use beakerhelpers_session2::DIRECTORY;
use tempfile::TempDir;

pub(crate) fn store(directory: &std::path::Path) -> Box<dyn SessionStore> {
    let config = StoreConfig::new("quixote").with("type", DIRECTORY.name);
    let config = config.with("directory", directory.to_str().expect("a temporary directory has a simple name"));
    Registry::default().with_store(&DIRECTORY).open(&config).expect("a directory can be named")
}

fn bare() -> (TempDir, Box<dyn SessionStore>, Box<dyn SessionStore>) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let directory = place.path().join("sessions");
    let stores = (store(&directory), store(&directory));
    (place, stores.0, stores.1)
}

pub(crate) fn ready() -> (TempDir, Box<dyn SessionStore>, Box<dyn SessionStore>) {
    let (place, store, other) = bare();
    store.setup(SetupMode::IfMissing).expect("the directory is made");
    (place, store, other)
}

beakerhelpers_testkit::conformance!(ready, Framing::Object);

mod not_set_up {
    use super::*;

    beakerhelpers_testkit::bare_conformance!(bare, Framing::Object);
}

mod site {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use beakerhelpers_core::{Cutoff, DeletePlan, Kind, Record, SaveMode, SessionId, Silent, Timestamp};

    use super::super::site::{decode, expected, listed, visit};
    use super::*;

    #[test]
    fn what_session3_writes_is_listed_and_goes_when_it_is_old() {
        let python = beakerhelpers_testkit::python!();
        let (place, store, _) = bare();
        let directory = place.path().join("sessions");
        let name = directory.to_str().expect("a simple name");
        let visits = visit(&python, "directory", name, &["joe", "ann", "eve"]);
        assert_eq!(listed(&*store), expected(&visits));
        let record = store.load(&SessionId::new(&visits[1].id)).expect("it answers").expect("ann is there");
        let session = decode(&record);
        let Some(Kind::Dict(mut data)) = session.value("data").map(beakerhelpers_core::Value::kind) else {
            panic!("no data")
        };
        assert_eq!(
            data.next().map(|(key, visits)| (key.as_str() == Some("visits"), visits.as_i64())),
            Some((true, Some(1)))
        );

        // What is kept elsewhere and put back is the same for the site.
        assert!(store.delete(&record.id).expect("it deletes"));
        let gone = visit(&python, "directory", name, &[&format!("={}", record.id.as_str())]);
        assert_eq!((&*gone[0].user, &*gone[0].count), ("-", "-"));
        store.save(&record, SaveMode::Create).expect("it is put back");
        let back = visit(&python, "directory", name, &[&format!("={}", record.id.as_str())]);
        assert_eq!((&*back[0].user, &*back[0].count), ("ann", "2"));

        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let age = |id: &str| {
            let file = fs::File::options().write(true).open(directory.join(id)).expect("the file is there");
            file.set_modified(hour_ago).expect("it is ours");
        };
        age(&visits[0].id);
        age(&visits[1].id);
        visit(&python, "directory", name, &[&format!("={}", visits[1].id)]);
        let cutoff = Cutoff::ago(Timestamp::from(SystemTime::now()), Duration::from_secs(1800));
        let done = store.delete_old(cutoff, &DeletePlan::default(), &mut Silent).expect("it cleans");
        assert_eq!((done.deleted, done.kept, done.unknown), (1, 2, 0));
        assert_eq!(listed(&*store), expected(&visits[1..]));
        let out = visit(&python, "directory", name, &[&format!("-{}", visits[1].id)]);
        assert_eq!(out[0].id, "-", "and the site still logs people out");
        assert_eq!(listed(&*store), expected(&visits[2..]));
    }

    /// Saves of session3 and ours go to one session at the same time, from two processes: none is torn, none fails. What
    /// session3 has just emptied may be empty for long on a busy machine.
    #[test]
    fn two_processes_share_a_session() {
        let python = beakerhelpers_testkit::python!();
        let (place, store, _) = bare();
        let directory = place.path().join("sessions");
        let name = directory.to_str().expect("a simple name");
        let joe = visit(&python, "directory", name, &["joe"]).remove(0);
        let id = SessionId::new(&joe.id);
        let back = format!("={}", joe.id);
        let comes_back = vec![&*back; 300];
        let visits = std::thread::scope(|scope| {
            let visits = scope.spawn(|| visit(&python, "directory", name, &comes_back));
            while !visits.is_finished() {
                let record: Record = store.load(&id).expect("it answers").expect("joe is there");
                if record.payload.bytes().is_empty() {
                    continue;
                }
                assert_eq!(decode(&record).value("user").and_then(beakerhelpers_core::Value::as_str), Some("joe"));
                store.save(&record, SaveMode::Upsert).expect("it saves");
            }
            visits.join().expect("no visit fails")
        });
        assert!(visits.iter().all(|visit| visit.user == "joe"));
    }
}

mod files {
    use std::fs::{self, File};
    use std::path::Path;

    use beakerhelpers_core::{ErrorKind, Query, Record, SaveMode, SessionId, Severity, Timestamp};

    use super::*;

    const PICKLE: &[u8] = b"\x80\x02cshop\nSession\n)\x81}U\x04userU\x03joesb.";

    fn record(id: &str) -> Record {
        let payload = beakerhelpers_core::Payload::new(Framing::Object, PICKLE.to_vec());
        let at = Some(Timestamp::from_secs(1_118_664_000));
        Record::new(SessionId::new(id), payload).with_times(at, at)
    }

    #[test]
    fn ids_that_lead_elsewhere_are_refused() {
        let (place, store, _) = ready();
        fs::write(place.path().join("outside"), PICKLE).expect("it is written");
        let long = "x".repeat(256);
        for id in ["../outside", "/etc/passwd", "..", ".", ".hidden", "a/b", "a\0b", &long] {
            let error = store.save(&record(id), SaveMode::Upsert).expect_err("it is no name");
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{id:?}");
            assert!(store.load(&SessionId::new(id)).expect("it answers").is_none(), "{id:?}");
            assert!(!store.delete(&SessionId::new(id)).expect("it answers"), "{id:?}");
        }
        assert!(place.path().join("outside").exists());
    }

    /// A reader that is killed leaves no lock, a link is no session, and whoever opens a FIFO would wait for ever.
    #[cfg(unix)]
    #[test]
    fn links_and_directories_are_no_sessions() {
        let (place, store, _) = ready();
        let directory = place.path().join("sessions");
        store.save(&record("there"), SaveMode::Create).expect("it saves");
        std::os::unix::fs::symlink(directory.join("there"), directory.join("link")).expect("a link");
        fs::create_dir(directory.join("folder")).expect("a folder");
        fs::write(directory.join(".hidden"), "x").expect("a file");
        let ids: Vec<_> = store.iter(Query::ALL).map(|item| item.expect("it lists").id.as_str().to_owned()).collect();
        assert_eq!(ids, ["there"]);
        for id in ["link", "folder"] {
            assert!(store.load(&SessionId::new(id)).expect("it answers").is_none(), "{id}");
        }
    }

    #[test]
    fn a_directory_of_something_else_is_left_alone() {
        let (place, store, _) = ready();
        let directory = place.path().join("sessions");
        fs::write(directory.join("README"), "Do not delete me").expect("it is written");
        let error = store.iter(Query::ALL).next().expect("an error").expect_err("there is no session");
        assert_eq!(error.kind(), ErrorKind::NotSetUp);
        let error = store.setup(SetupMode::Recreate).expect_err("there is no session");
        assert_eq!(error.kind(), ErrorKind::NotSetUp);
        let findings = store.check().expect("it looks");
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Odd);
        assert!(directory.join("README").exists());
        // Beside sessions it is one, as for session2.
        store.save(&record("there"), SaveMode::Create).expect("it saves");
        assert_eq!(store.iter(Query::ALL).count(), 2);
    }

    /// session2 empties a file before it has the lock: a reader looks again.
    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let (place, store, _) = ready();
        let path = place.path().join("sessions/there");
        // What opens it has emptied it.
        let mut file = File::create(&path).expect("it is made");
        std::thread::scope(|scope| {
            let loaded = scope.spawn(|| store.load(&SessionId::new("there")).expect("it answers"));
            file.lock().expect("it is locked");
            std::io::Write::write_all(&mut file, PICKLE).expect("it is written");
            file.unlock().expect("it was locked");
            let loaded = loaded.join().expect("no panic").expect("it is there");
            assert_eq!(loaded.payload.bytes(), PICKLE);
        });
    }

    #[test]
    fn a_locked_session_is_waited_for_and_then_told() {
        let (place, store, _) = ready();
        store.save(&record("there"), SaveMode::Create).expect("it saves");
        let config = StoreConfig::new("quixote").with_wait(std::time::Duration::from_millis(30));
        let config = config.with("type", DIRECTORY.name).with("directory", shown(&place.path().join("sessions")));
        let hasty = Registry::default().with_store(&DIRECTORY).open(&config).expect("it opens");
        let file = File::open(place.path().join("sessions/there")).expect("it is there");
        file.lock().expect("it is locked");
        let id = SessionId::new("there");
        for error in [
            hasty.load(&id).expect_err("it is locked"),
            hasty.delete(&id).expect_err("it is locked"),
            hasty.save(&record("there"), SaveMode::Upsert).expect_err("it is locked"),
        ] {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
        assert!(hasty.has(&id).expect("nobody needs a lock for that"));
    }

    fn shown(path: &Path) -> String {
        path.to_str().expect("a simple name").to_owned()
    }
}
