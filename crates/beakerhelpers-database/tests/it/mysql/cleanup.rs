//! Cleaning up, and what keeps it from it.

use beakerhelpers_core::{DeletePlan, Ended, Error, ErrorKind, Progress, Record, Rest, Result, Silent};
use beakerhelpers_testkit::server;
use beakerhelpers_testkit::servers::Kind;

use crate::servers::{ACTIVE, OLD, count, fill, save, store, with_table};
use crate::support::{assert_error, cutoff};

/// Keeps what it is handed, and refuses from some record on.
#[derive(Default)]
struct Shelf {
    records: Vec<Record>,
    room: Option<usize>,
}

impl Progress for Shelf {
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        self.records.extend_from_slice(records);
        if self.room.is_some_and(|room| self.records.len() > room) {
            return Err(Error::new(ErrorKind::Unavailable, "the disk is full"));
        }
        Ok(())
    }
}

fn plan() -> DeletePlan {
    DeletePlan::default().with_rest(Rest::For(std::time::Duration::ZERO))
}

#[test]
fn what_is_deleted_is_handed_over_and_nothing_else() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    fill(&database, 500);
    save(&*store, "active", ACTIVE);
    let mut shelf = Shelf::default();
    let plan = plan().with_archive().with_batch_size(120);
    let done = store.delete_old(cutoff(), &plan, &mut shelf).expect("it cleans");
    assert_eq!((done.deleted, done.kept, shelf.records.len()), (500, 1, 500));
    assert!(shelf.records.iter().all(|record| record.payload.bytes() == b"contents"));
    assert_eq!(count(&database), 1);
}

#[test]
fn what_cannot_be_kept_is_not_deleted() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    fill(&database, 300);
    let mut shelf = Shelf { room: Some(150), ..Shelf::default() };
    let plan = plan().with_archive().with_batch_size(100);
    let error = store.delete_old(cutoff(), &plan, &mut shelf).expect_err("the disk is full");
    assert_error(&error, ErrorKind::Unavailable, &["disk is full"]);
    assert_eq!(count(&database), 200, "the batch that could not be kept is there still");
}

/// Starts another one in the middle.
struct Second<'d>(&'d beakerhelpers_testkit::servers::Database<'d>, Vec<Ended>);
impl Progress for Second<'_> {
    fn batch(&mut self, _: &beakerhelpers_core::Deleted) -> std::ops::ControlFlow<()> {
        let done = store(self.0).delete_old(cutoff(), &plan(), &mut Silent).expect("it steps aside");
        assert_eq!(done.deleted, 0);
        self.1.push(done.ended);
        std::ops::ControlFlow::Continue(())
    }
}

#[test]
fn two_at_once_are_one() {
    let server = &server!(Kind::MariaDb);
    let (database, one) = with_table(server);
    fill(&database, 300);
    let mut second = Second(&database, Vec::new());
    let done = one.delete_old(cutoff(), &plan().with_batch_size(100), &mut second).expect("it cleans");
    assert_eq!((done.deleted, done.ended), (300, Ended::Completed));
    assert!(!second.1.is_empty() && second.1.iter().all(|ended| *ended == Ended::AnotherCleanup));
    // Another table is another matter, and the lock goes with the run.
    fill(&database, 10);
    assert_eq!(store(&database).delete_old(cutoff(), &plan(), &mut Silent).expect("it cleans").deleted, 10);
}

#[test]
fn what_is_there_twice_is_deleted_by_its_key() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    database.run("ALTER TABLE beaker_cache DROP INDEX namespace;");
    save(&*store, "twice", OLD);
    database.run(
        "INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES ('twice', '2026-11-20 11:30:00', NOW(), 'x');",
    );
    let done = crate::servers::store(&database).delete_old(cutoff(), &plan(), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.kept), (1, 1));
    assert_eq!(database.run("SELECT data FROM beaker_cache;").trim(), "x");
}
