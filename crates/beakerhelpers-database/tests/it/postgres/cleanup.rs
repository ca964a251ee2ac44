//! Deleting beside others.

use std::io::Write;
use std::ops::ControlFlow;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{DeletePlan, Deleted, Ended, Progress, SaveMode, SessionId, SessionStore, Silent};
use beakerhelpers_testkit::server;
use beakerhelpers_testkit::servers::{Database, Kind, User};

use crate::servers::{ACTIVE, OLD, count, fill, listed, save, store, waiting, with_table};
use crate::support::{at, cutoff, record};

/// Somebody at `psql` who has begun a transaction, and ends it when this is dropped.
struct Somebody(Child);

impl Somebody {
    fn runs(database: &Database<'_>, sql: &str) -> Self {
        let mut client = database.server().client(User::ADMIN, Some(database.name())).expect("psql is installed");
        let mut child =
            client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("psql starts");
        let input = child.stdin.as_mut().expect("it is piped");
        writeln!(input, "BEGIN; {sql}\n\\echo done\n").expect("psql reads");
        let mut lines = std::io::BufReader::new(child.stdout.as_mut().expect("it is piped"));
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut lines, &mut line).expect("text") > 0, "psql failed");
        }
        Self(child)
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_row_that_is_locked_is_kept_and_nothing_waits_for_it() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    fill(&database, 3000);
    let somebody = Somebody::runs(&database, "UPDATE beaker_cache SET data = 'x' WHERE namespace = 'o1234';");
    let started = Instant::now();
    let done = store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it gets through");
    assert_eq!((done.deleted, done.kept, done.ended), (2999, 1, Ended::Completed));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    drop(somebody);
    let done = store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it gets through");
    assert_eq!((done.deleted, count(&database)), (1, 0));
}

#[test]
fn a_table_that_is_locked_is_waited_for_as_long_as_was_said() {
    let server = &server!(Kind::Postgres);
    let (database, _) = with_table(server);
    fill(&database, 10);
    let impatient = waiting(&database, Duration::from_millis(500));
    assert!(impatient.has(&SessionId::new("o1")).expect("it answers"));
    let somebody = Somebody::runs(&database, "LOCK TABLE beaker_cache;");
    let started = Instant::now();
    let error = impatient.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect_err("it is locked");
    assert_eq!(error.kind(), beakerhelpers_core::ErrorKind::Unavailable, "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(somebody);
    let done = impatient.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it is free");
    assert_eq!(done.deleted, 10);
}

/// Does something in the middle of the transaction of a batch, when the archive is written.
struct WhenHandedOver<F: FnMut()>(F);

impl<F: FnMut()> Progress for WhenHandedOver<F> {
    fn archive(&mut self, _: &[beakerhelpers_core::Record]) -> beakerhelpers_core::Result<()> {
        (self.0)();
        Ok(())
    }
}

#[test]
fn a_second_cleanup_steps_aside() {
    let server = &server!(Kind::Postgres);
    let (database, first) = with_table(server);
    fill(&database, 50);
    let second = store(&database);
    let mut others = Vec::new();
    let mut progress = WhenHandedOver(|| {
        others.push(second.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it steps aside"));
    });
    let plan = DeletePlan::default().with_archive();
    let done = first.delete_old(cutoff(), &plan, &mut progress).expect("it gets through");
    assert_eq!((done.deleted, count(&database)), (50, 0));
    assert!(!others.is_empty());
    for other in others {
        assert_eq!((other.deleted, other.ended), (0, Ended::AnotherCleanup));
    }
    // The lock is gone with the transaction.
    let done = second.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it gets through");
    assert_eq!(done.ended, Ended::Completed);
}

#[test]
fn many_cleanups_at_once_delete_everything_once() {
    let server = &server!(Kind::Postgres);
    let (database, _first) = with_table(server);
    fill(&database, 4000);
    let all: Vec<Deleted> = thread::scope(|scope| {
        let one = || {
            let store = store(&database);
            let plan = DeletePlan::default().with_batch_size(50);
            store.delete_old(cutoff(), &plan, &mut Silent).expect("it gets through or steps aside")
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(all.iter().any(|done| done.ended == Ended::Completed), "{all:?}");
    assert_eq!((all.iter().map(|done| done.deleted).sum::<u64>(), count(&database)), (4000, 0), "{all:?}");
}

#[test]
fn infinite_times_are_no_times() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    for accessed in ["infinity", "-infinity", "0044-03-15 00:00:00 BC", "20000-01-01"] {
        database.run(&format!(
            "INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES ('{accessed}', '{accessed}', 'infinity', 'x');"
        ));
    }
    save(&*store, "old", OLD);
    let all = listed(&*store, beakerhelpers_core::Query::ALL);
    assert_eq!(all.iter().filter(|record| record.accessed.is_none()).count(), 4);
    let active = beakerhelpers_core::Query::ALL.active_since(cutoff());
    assert_eq!(listed(&*store, active).len(), 4);
    let done = store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.kept, done.unknown), (1, 4, 4));
}

/// Keeps the plans of a batch's DELETE from changing with an index or with what the statistics say.
#[test]
fn a_batch_finds_its_rows_by_their_keys_whatever_the_statistics_say() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    fill(&database, 10);
    database.run("ANALYZE beaker_cache; ALTER TABLE beaker_cache SET (autovacuum_enabled = false);");
    fill_more(&database);
    store.add_index().expect("it is added");
    for analyzed in [false, true] {
        if analyzed {
            database.run("ANALYZE beaker_cache;");
        }
        let plan = database.run(
            "SET enable_seqscan = off; EXPLAIN (COSTS OFF) DELETE FROM beaker_cache WHERE id >= 1 AND id <= 5000 \
             AND (accessed + interval '0') < '2026-11-20' AND (accessed + interval '0') >= '0001-01-01';",
        );
        assert!(plan.contains("beaker_cache_pkey"), "{plan}");
        assert!(!plan.contains("ix_beaker_cache_accessed") && !plan.contains("Seq Scan"), "{plan}");
    }
    let scans = || database.run("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'beaker_cache';");
    database.run("SELECT pg_stat_force_next_flush();");
    let before = scans();
    let done = store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!(done.deleted, 20_010);
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(before, scans(), "a batch has read the whole table");
}

fn fill_more(database: &Database<'_>) {
    database.run(
        "INSERT INTO beaker_cache (namespace, accessed, created, data) SELECT 'p' || n, \
         timestamp '2026-11-01 00:00:00' + n * interval '1 second', '2026-11-01', repeat('contents', 20)::bytea \
         FROM generate_series(1, 20000) n;",
    );
}

/// Breaks off after the first batch.
struct Once;

impl Progress for Once {
    fn batch(&mut self, so_far: &Deleted) -> ControlFlow<()> {
        if so_far.deleted > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn what_is_saved_while_a_batch_waits_is_kept() {
    let server = &server!(Kind::Postgres);
    let (database, cleaner) = with_table(server);
    fill(&database, 200);
    let live: Box<dyn SessionStore> = store(&database);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                for n in 1..=20 {
                    live.save(&record(&format!("o{n}"), ACTIVE), SaveMode::Upsert).expect("it saves");
                }
            }
        });
        while !writer.is_finished() {
            cleaner.delete_old(cutoff(), &DeletePlan::default(), &mut Once).expect("it gets through");
        }
    });
    for n in 1..=20 {
        let kept = live.load(&SessionId::new(format!("o{n}"))).expect("it answers").expect("it is there");
        assert_eq!(kept.accessed, Some(at(ACTIVE)));
    }
}
