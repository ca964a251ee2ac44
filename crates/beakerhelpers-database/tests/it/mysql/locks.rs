//! Locks that others hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use beakerhelpers_core::{DeletePlan, Rest, SaveMode, Silent};
use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{own_server, server};

use crate::servers::{ACTIVE, count, fill, save, store, waiting, with_table};
use crate::support::{cutoff, record};

#[test]
fn a_row_that_somebody_has_locked_is_left_for_the_next_run() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    fill(&database, 100);
    let mut client = server
        .client(beakerhelpers_testkit::servers::User::ADMIN, Some(database.name()))
        .expect("it is installed")
        .arg("--unbuffered")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = client.stdin.take().expect("it is piped");
    let mut lines = std::io::BufReader::new(client.stdout.take().expect("it is piped"));
    std::io::Write::write_all(
        &mut input,
        b"BEGIN; UPDATE beaker_cache SET data = 'y' WHERE namespace = 'o50'; SELECT 'locked';\n",
    )
    .expect("it takes it");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut lines, &mut line).expect("it answers");
    let plan = DeletePlan::default().with_rest(Rest::For(Duration::ZERO));
    let done = store.delete_old(cutoff(), &plan, &mut Silent).expect("it goes round the row");
    assert_eq!((done.deleted, count(&database)), (99, 1));
    let error =
        waiting(&database, Duration::ZERO).save(&record("o50", ACTIVE), SaveMode::Upsert).expect_err("it is locked");
    assert_eq!(error.kind(), beakerhelpers_core::ErrorKind::Unavailable);
    drop(input);
    client.wait().expect("it ends");
    assert_eq!(store.delete_old(cutoff(), &plan, &mut Silent).expect("it is free").deleted, 1);
}

/// The application changes sessions while these are being deleted: nobody gets into a deadlock. The server counts those of
/// all its databases, and so it is the test's own.
#[test]
fn saving_what_is_being_deleted_is_no_deadlock() {
    let server = own_server!(Kind::MariaDb);
    let (database, cleaner) = with_table(&server);
    let deadlocks = || server.run(None, "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks';");
    let before = deadlocks();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3_u32)
            .map(|thread| {
                let (over, store) = (&over, waiting(&database, Duration::ZERO));
                scope.spawn(move || {
                    let mut saved = 0;
                    while !over.load(Ordering::Relaxed) {
                        saved += 1;
                        // In another order than that of the rows. Each has its own: two that add the same session get
                        // into a deadlock with each other, whoever deleted it before.
                        let id = format!("o{}", 1 + saved * 7919 % 600 * 3 + thread);
                        let old = "2026-11-01 00:00:00";
                        store
                            .save(&record(&id, old), SaveMode::Upsert)
                            .unwrap_or_else(|error| panic!("{thread}: {error:?}"));
                    }
                    saved
                })
            })
            .collect();
        let plan = DeletePlan::default().with_rest(Rest::For(Duration::ZERO)).with_batch_size(500);
        let (mut deleted, mut failed) = (0, None);
        for _ in 0..5 {
            database.run(
                "INSERT IGNORE INTO beaker_cache (namespace, accessed, created, data) \
                 SELECT CONCAT('o', seq), '2026-11-01', '2026-11-01', 'contents' FROM seq_1_to_2000;",
            );
            match cleaner.delete_old(cutoff(), &plan, &mut Silent) {
                Ok(done) => deleted += done.deleted,
                Err(error) => failed = Some(error),
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(failed.is_none(), "{failed:?}");
        assert!(deleted > 5000, "{deleted}");
        for writer in writers {
            assert!(writer.join().expect("no save fails") > 10);
        }
    });
    assert_eq!(deadlocks(), before);
    save(&*store(&database), "a", ACTIVE);
}
