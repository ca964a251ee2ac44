//! Shelves that Python's own modules write and read.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use beakerhelpers_codec::{AccessedTime, Settings};
use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, ErrorKind, Progress, Query, Record, Rest, Result, SaveMode, SessionId,
    SessionStore, SetupMode, Silent, Timestamp, Value,
};
use beakerhelpers_testkit::{Python, python};

use super::opened;
use crate::site::{decode, expected, listed, visit, with_dbm};

const SESSIONS: usize = 400;
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../beakerhelpers-testkit/python");

/// What Python says of a shelve: of each id the user, and the checksum of its bytes.
pub(super) type Shelf = BTreeMap<String, (String, u32)>;

pub(super) fn command(python: &Python, module: &str, name: &Path, args: &[&str]) -> std::process::Command {
    let mut command = python.command();
    command.args(["-c", include_str!("../../python/shelf.py"), module, SCRIPTS]).arg(name).args(args);
    command.stderr(Stdio::inherit());
    command
}

pub(super) fn run(python: &Python, module: &str, name: &Path, args: &[&str]) -> Shelf {
    let output = command(python, module, name, args).output().expect("Python runs");
    assert!(output.status.success(), "Python failed");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let line = |line: &str| {
        let [id, user, sum] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        (id.to_owned(), (user.to_owned(), sum.parse().expect("a number")))
    };
    text.lines().map(line).collect()
}

/// The same, as this store has it.
pub(super) fn shelf(store: &dyn SessionStore) -> Shelf {
    let session = |item: Result<Record>| {
        let record = item.expect("the store lists");
        let session = decode(&record);
        let user = session.value("user").and_then(Value::as_str).expect("it has a user");
        let mut sum = flate2::Crc::new();
        sum.update(record.payload.bytes());
        (record.id.as_str().to_owned(), (user.replace(' ', "-"), sum.sum()))
    };
    store.iter(Query::ALL).map(session).collect()
}

pub(super) fn plan() -> DeletePlan {
    let times = Arc::new(AccessedTime::new(Settings::new()));
    DeletePlan::default().with_rest(Rest::For(Duration::ZERO)).with_times(times)
}

pub(super) fn yesterday() -> Cutoff {
    Cutoff::ago(Timestamp::from(SystemTime::now()), Duration::from_secs(86_400))
}

/// Keeps what is deleted.
#[derive(Default)]
struct Keeper(Vec<Record>);

impl Progress for Keeper {
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        self.0.extend_from_slice(records);
        Ok(())
    }
}

/// Everything that is done to a shelve, with Python at the other end.
fn take_turns(python: &Python, module: &str) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    run(python, module, &name, &["fill", &SESSIONS.to_string()]);
    let store = opened(&name, "dumb");
    let before = run(python, module, &name, &["read"]);
    assert_eq!(before.len(), SESSIONS);
    assert_eq!(shelf(&*store), before);
    assert!(store.check().expect("it looks").is_empty());
    let mut few = Query::ALL;
    few.limit = Some(7);
    assert_eq!(store.iter(few).count(), 7);

    let large = SessionId::new(format!("{:032x}", 100 * 7919));
    let record = store.load(&large).expect("it answers").expect("it is there");
    assert!(record.payload.bytes().len() > 1_000_000 && store.has(&large).expect("it answers"));
    assert!(store.delete(&large).expect("it deletes") && !store.delete(&large).expect("it answers"));
    assert!(store.load(&large).expect("it answers").is_none());
    let mut left = before.clone();
    left.remove(large.as_str());
    assert_eq!(run(python, module, &name, &["read"]), left);

    let mut counting = plan();
    counting.mode = CleanupMode::Count;
    let old = SESSIONS.div_ceil(3);
    assert_eq!(store.delete_old(yesterday(), &counting, &mut Silent).expect("it counts").deleted, old as u64);
    let mut keeper = Keeper::default();
    let done = store.delete_old(yesterday(), &plan().with_archive(), &mut keeper).expect("it cleans");
    assert_eq!((done.deleted, done.kept, done.unknown), (old as u64, (SESSIONS - 1 - old) as u64, 0));
    assert_eq!(keeper.0.len(), old);
    for gone in &keeper.0 {
        left.remove(gone.id.as_str()).expect("it was there");
    }
    assert_eq!(run(python, module, &name, &["read"]), left);
    assert_eq!(shelf(&*store), left);

    // What was deleted is put back, what is there replaced, and Python goes on with it.
    store.save(&record, SaveMode::Create).expect("it is put back");
    let error = store.save(&record, SaveMode::Create).expect_err("it is there");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    for gone in &keeper.0[..5] {
        store.save(gone, SaveMode::Upsert).expect("it is put back");
        store.save(gone, SaveMode::Upsert).expect("it is replaced");
        left.insert(gone.id.as_str().to_owned(), before[gone.id.as_str()].clone());
    }
    left.insert(large.as_str().to_owned(), before[large.as_str()].clone());
    assert_eq!(run(python, module, &name, &["read"]), left);
    run(python, module, &name, &["fill", &SESSIONS.to_string()]);
    let after = run(python, module, &name, &["read"]);
    assert!(after.keys().eq(before.keys()));
    assert_eq!(shelf(&*store), after);

    assert_eq!(store.setup(SetupMode::Recreate).expect("it empties it"), beakerhelpers_core::SetupOutcome::Recreated);
    assert!(run(python, module, &name, &["read"]).is_empty() && shelf(&*store).is_empty());
    run(python, module, &name, &["fill", "100"]);
    assert_eq!(shelf(&*store).len(), 100);
}

/// Ids of other characters, and ids that no page of a Berkeley DB has room for.
fn odd_ids(python: &Python, module: &str) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    run(python, module, &name, &["fill", "0"]);
    run(python, module, &name, &["fill", "20"]);
    let store = opened(&name, "dumb");
    let ids = || -> Vec<String> {
        let records = store.iter(Query::ALL).map(|item| item.expect("it lists").id.as_str().to_owned());
        records.filter(|id| id.len() != 32).collect()
    };
    let mut found = ids();
    found.sort();
    let odd = ["'\\".to_owned(), "ž".repeat(400)];
    assert_eq!(found, odd);
    let records: Vec<_> = odd.iter().map(|id| store.load(&SessionId::new(id)).expect("it answers")).collect();
    for (id, record) in odd.iter().zip(records) {
        assert!(store.delete(&SessionId::new(id)).expect("it deletes"));
        assert!(!store.has(&SessionId::new(id)).expect("it answers"));
        let record = record.expect("it is there");
        store.save(&record, SaveMode::Create).expect("it saves");
        // With another change they are carried along.
        let mut other = record.clone();
        other.id = SessionId::new("long".repeat(900));
        store.save(&other, SaveMode::Upsert).expect("it saves");
    }
    let read = run(python, module, &name, &["read"]);
    assert_eq!(read.len(), 23);
    assert!(odd.iter().all(|id| read.contains_key(id)));
}

/// A shelve that is made here is one that Python goes on with.
fn made_here(python: &Python, module: &str) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    let store = opened(&name, module);
    store.setup(SetupMode::IfMissing).expect("it is made");
    run(python, module, &name, &["fill", "50"]);
    assert_eq!(shelf(&*store).len(), 50);
}

fn all(python: &Python, module: &str) {
    take_turns(python, module);
    odd_ids(python, module);
    made_here(python, module);
}

#[test]
fn dumb_shelves() {
    all(&python!(), "dbm.dumb");
}

#[test]
fn gnu_shelves() {
    let Some(python) = with_dbm("dbm.gnu") else { return };
    all(&python, "dbm.gnu");
}

#[test]
fn ndbm_shelves_of_berkeley_db() {
    let Some(python) = with_dbm("dbm.ndbm") else { return };
    let library = python.run("import dbm.ndbm; print(dbm.ndbm.library)");
    assert!(library.starts_with("Berkeley DB"), "{library}");
    all(&python, "dbm.ndbm");
}

/// The same format under another name, as Python 2 has it; none was at hand that has the module.
#[test]
fn shelves_of_bsddb() {
    let Some(python) = with_dbm("dbm.ndbm") else { return };
    let place = tempfile::tempdir().expect("a temporary directory");
    let (name, path) = (place.path().join("shop"), place.path().join("shop.db"));
    run(&python, "dbm.ndbm", &name, &["fill", "50"]);
    let mut before = run(&python, "dbm.ndbm", &name, &["read"]);
    std::fs::rename(&path, &name).expect("it is there");
    let store = opened(&name, "dumb");
    assert_eq!(shelf(&*store), before);
    let done = store.delete_old(yesterday(), &plan(), &mut Silent).expect("it cleans");
    assert_eq!(done.deleted, 17);
    let left = shelf(&*store);
    before.retain(|id, _| left.contains_key(id));
    assert_eq!((left.len(), &left), (33, &before));
    std::fs::rename(&name, &path).expect("it is there");
    assert_eq!(run(&python, "dbm.ndbm", &name, &["read"]), left);
}

/// With Python 3.13 where there is one, else with its statements.
#[cfg(feature = "sqlite")]
#[test]
fn sqlite_shelves() {
    let python = Python::having("dbm.sqlite3").unwrap_or(python!());
    all(&python, "dbm.sqlite3");
}

/// As `shelve.open` makes it with a module, by visitors.
fn visited(python: &Python, module: &str) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    let path = name.to_str().expect("a simple name");
    let store = opened(&name, "dumb");
    let kind = module.replace("dbm.", "shelve-");
    let visits = visit(python, &kind, path, &["joe", "ann"]);
    assert_eq!(listed(&*store), expected(&visits));
    let id = SessionId::new(&visits[0].id);
    let record = store.load(&id).expect("it answers").expect("joe is there");
    assert!(store.delete(&id).expect("it deletes"));
    assert_eq!(visit(python, &kind, path, &[&format!("={}", visits[0].id)])[0].user, "-");
    store.save(&record, SaveMode::Create).expect("it is put back");
    let back = visit(python, &kind, path, &[&format!("={}", visits[0].id), &format!("-{}", visits[1].id)]);
    assert_eq!((&*back[0].user, &*back[0].count, &*back[1].id), ("joe", "2", "-"));
    assert_eq!(listed(&*store), expected(&visits[..1]));
}

#[test]
fn what_session3_writes() {
    visited(&python!(), "dbm.dumb");
    for module in ["dbm.gnu", "dbm.ndbm"] {
        if let Some(python) = with_dbm(module) {
            visited(&python, module);
        }
    }
    #[cfg(feature = "sqlite")]
    if let Some(python) = Python::having("dbm.sqlite3") {
        visited(&python, "dbm.sqlite3");
    }
}
