//! Durus shared with a Quixote site, in a file and by its server.

use std::path::Path;
use std::time::{Duration, SystemTime};

use beakerhelpers_codec::{AccessedTime, Settings};
use beakerhelpers_core::{
    Cutoff, DeletePlan, ErrorKind, Query, Record, Rest, Result, SaveMode, SessionId, SessionStore, SetupMode, Severity,
    StoreConfig, Timestamp,
};
use beakerhelpers_testkit::Python;

use super::server::Server;
use super::{in_file, opened, ready, shown};
use crate::site::{attempt, decode, expected, listed, visit};

fn plan() -> DeletePlan {
    DeletePlan::default()
        .with_rest(Rest::For(Duration::ZERO))
        .with_times(std::sync::Arc::new(AccessedTime::new(Settings::new())))
}

/// Keeps what is deleted.
#[derive(Default)]
struct Keeper(Vec<Record>);

impl beakerhelpers_core::Progress for Keeper {
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        self.0.extend_from_slice(records);
        Ok(())
    }
}

/// All that a site and a store do in turn.
fn shared_with_a_site(python: &Python, kind: &str, place: &str, store: &dyn SessionStore) {
    let visits = visit(python, kind, place, &["joe", "ann", "eve"]);
    assert_eq!(listed(store), expected(&visits));
    assert!(store.check().expect("it looks").is_empty());
    let id = SessionId::new(&visits[1].id);
    let record = store.load(&id).expect("it answers").expect("ann is there");
    let data = decode(&record).value("data").map(|data| format!("{:?}", data.has_parts()));
    assert_eq!(data.as_deref(), Some("true"));

    assert!(store.delete(&id).expect("it deletes") && !store.delete(&id).expect("it answers"));
    let come_back = format!("={}", visits[1].id);
    assert_eq!(visit(python, kind, place, &[&come_back])[0].user, "-");
    store.save(&record, SaveMode::Create).expect("it is put back");
    let error = store.save(&record, SaveMode::Create).expect_err("it is there");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let back = visit(python, kind, place, &[&come_back]);
    assert_eq!((&*back[0].user, &*back[0].count), ("ann", "2"));
    assert_eq!(listed(store), expected(&visits));

    // Joe's last visit was in 2005.
    let mut joe = store.load(&SessionId::new(&visits[0].id)).expect("it answers").expect("joe is there");
    joe.payload = aged(&joe.payload);
    store.save(&joe, SaveMode::Upsert).expect("it saves");
    let cutoff = Cutoff::ago(Timestamp::from(SystemTime::now()), Duration::from_secs(3600));
    let mut keeper = Keeper::default();
    let counted = store.delete_old(
        cutoff,
        &{
            let mut dry = plan();
            dry.mode = beakerhelpers_core::CleanupMode::Count;
            dry
        },
        &mut keeper,
    );
    assert_eq!(counted.expect("it counts").deleted, 1);
    let done = store.delete_old(cutoff, &plan().with_archive(), &mut keeper).expect("it cleans");
    assert_eq!((done.deleted, done.kept, done.unknown), (1, 2, 0));
    assert_eq!(keeper.0, [joe]);
    assert_eq!(listed(store), expected(&visits[1..]));
    let out = visit(python, kind, place, &[&format!("-{}", visits[1].id), &format!("={}", visits[2].id)]);
    assert_eq!((&*out[0].id, &*out[1].user, &*out[1].count), ("-", "eve", "2"));
    assert_eq!(listed(store), expected(&visits[2..]));
}

/// The same session, with its access time long ago.
fn aged(payload: &beakerhelpers_core::Payload) -> beakerhelpers_core::Payload {
    let key = b"_access_time";
    let bytes = payload.bytes();
    let at = bytes.windows(key.len()).position(|window| window == key).expect("it has one");
    // Behind the key there may be its number in the memo.
    let float = at + bytes[at..].iter().position(|byte| *byte == b'G').expect("a float follows");
    let mut bytes = bytes.to_vec();
    bytes[float + 1..float + 9].copy_from_slice(&1_118_664_000.5_f64.to_be_bytes());
    beakerhelpers_core::Payload::new(payload.framing(), bytes)
}

#[test]
fn a_file_that_session3_made() {
    let python = beakerhelpers_testkit::python!();
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("shop.durus");
    shared_with_a_site(&python, "durus-file", shown(&file), &*in_file(&file));
}

/// As Durus made them up to 3.7; packed, the index is behind the records.
#[test]
fn a_file_of_the_older_format() {
    let python = beakerhelpers_testkit::python!();
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("shop.durus");
    shared_with_a_site(&python, "durus-dfs20", shown(&file), &*in_file(&file));
    let pack = "import sys; from durus.file_storage2 import FileStorage2; FileStorage2(sys.argv[1]).pack()";
    let packed = python.command().args(["-c", pack, shown(&file)]).status().expect("Python runs");
    assert!(packed.success());
    let before = listed(&*in_file(&file));
    assert_eq!(before.len(), 1);
    shared_with_a_site_again(&python, "durus-dfs20", &file, &before);
}

fn shared_with_a_site_again(python: &Python, kind: &str, file: &Path, before: &[(String, String)]) {
    let visits = visit(python, kind, shown(file), &["zoe"]);
    let store = in_file(file);
    assert!(store.delete(&SessionId::new(&before[0].0)).expect("it deletes"));
    assert_eq!(listed(&*store), expected(&visits));
    let back = visit(python, kind, shown(file), &[&format!("={}", visits[0].id)]);
    assert_eq!((&*back[0].user, &*back[0].count), ("zoe", "2"));
}

#[test]
fn a_file_that_was_packed() {
    let python = beakerhelpers_testkit::python!();
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("shop.durus");
    visit(&python, "durus-file", shown(&file), &["joe"]);
    let pack = python.command().args(["-m", "durus", "-p", "--file", shown(&file)]).status().expect("Python runs");
    assert!(pack.success());
    shared_with_a_site_again(&python, "durus-file", &file, &listed(&*in_file(&file)));
}

#[test]
fn a_file_that_is_made_here() {
    let python = beakerhelpers_testkit::python!();
    let (place, store, _) = ready();
    shared_with_a_site(&python, "durus-file", shown(&place.path().join("shop.durus")), &*store);
}

#[test]
fn a_server() {
    let python = beakerhelpers_testkit::python!();
    let place = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&python, &place.path().join("shop.durus"));
    shared_with_a_site(&python, "durus-server", &server.place(), &*server.store());
}

#[test]
fn a_server_that_is_set_up_here() {
    let python = beakerhelpers_testkit::python!();
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("shop.durus");
    let server = Server::start(&python, &file);
    let store = server.store();
    assert_eq!(store.iter(Query::ALL).next().expect("an error").expect_err("no root").kind(), ErrorKind::NotSetUp);
    assert_eq!(store.check().expect("it looks")[0].severity, Severity::Missing);
    store.setup(SetupMode::IfMissing).expect("it is set up");
    shared_with_a_site(&python, "durus-server", &server.place(), &*store);
    // While the server runs, the file is its own: it can be read, and not written.
    let config = StoreConfig::new("quixote").with("file", shown(&file)).with_wait(Duration::from_millis(20));
    let direct = opened(config);
    assert_eq!(listed(&*direct), listed(&*store));
    let error = direct.delete(&SessionId::new("a")).expect_err("it is locked");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint().is_some_and(|hint| hint.contains("host")));
}

/// Two that change the same dict: who was slower does it again, and nothing is lost.
#[test]
fn a_site_and_a_store_at_the_same_time() {
    let python = beakerhelpers_testkit::python!();
    let place = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&python, &place.path().join("shop.durus"));
    let store = server.store();
    let joe = visit(&python, "durus-server", &server.place(), &["joe"]).remove(0);
    let record = store.load(&SessionId::new(&joe.id)).expect("it answers").expect("joe is there");
    let mut saved = 0;
    // The site, unlike this, gives up where it is slower.
    let visits = std::thread::scope(|scope| {
        let names: Vec<String> = (0..40).map(|n| format!("visitor{n}")).collect();
        let (python, address) = (&python, server.place());
        let visits = scope.spawn(move || {
            names.iter().map(|name| attempt(python, "durus-server", &address, &[name])).collect::<Vec<_>>()
        });
        while !visits.is_finished() && saved < 20 {
            let mut other = record.clone();
            other.id = SessionId::new(format!("other-{saved}"));
            store.save(&other, SaveMode::Create).expect("it saves");
            saved += 1;
        }
        visits.join().expect("the site is asked to the end")
    });
    let ids: Vec<_> = store.iter(Query::ALL).map(|item| item.expect("it lists").id.as_str().to_owned()).collect();
    assert!((0..saved).all(|n| ids.contains(&format!("other-{n}"))));
    for visit in visits {
        match visit {
            Ok(visit) => assert!(ids.contains(&visit[0].id)),
            Err(said) => assert!(said.contains("Conflict"), "{said}"),
        }
    }
}
