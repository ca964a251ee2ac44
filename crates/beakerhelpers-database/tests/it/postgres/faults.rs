//! Servers and connections that go away in the middle of the work.

use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use beakerhelpers_core::{DeletePlan, Deleted, Ended, Progress, Query, SessionId};
use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{own_server, server};

use crate::servers::{count, fill, with_table};
use crate::support::cutoff;

/// Does something once, after a batch.
struct After<F: FnMut()>(Option<F>);

impl<F: FnMut()> Progress for After<F> {
    fn batch(&mut self, so_far: &Deleted) -> ControlFlow<()> {
        if let Some(mut work) = self.0.take_if(|_| so_far.deleted > 0) {
            work();
        }
        ControlFlow::Continue(())
    }
}

const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND application_name = 'beakerhelpers';";

#[test]
fn a_cleanup_survives_the_loss_of_its_connection() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    fill(&database, 2000);
    let plan = DeletePlan::default().with_batch_size(100);
    let mut progress = After(Some(|| assert!(database.run(KILL).contains('t'), "it was connected")));
    let done = store.delete_old(cutoff(), &plan, &mut progress).expect("it connects again");
    assert_eq!((done.deleted, done.ended, count(&database)), (2000, Ended::Completed, 0));
}

#[test]
fn a_listing_survives_the_loss_of_its_connection() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    fill(&database, 3000);
    let mut listing = store.iter(Query::ALL);
    let first = listing.next().expect("there are many").expect("it lists").id;
    database.run(KILL);
    let rest: Vec<_> = listing.map(|item| item.expect("it connects again").id).collect();
    assert_eq!(rest.len(), 2999);
    assert!(!rest.contains(&first));
    // An idle one, too.
    database.run(KILL);
    assert!(store.has(&SessionId::new("o1")).expect("it connects again"));
}

#[test]
fn a_cleanup_survives_a_restart_of_the_server() {
    let server = own_server!(Kind::Postgres);
    let (database, store) = with_table(&server);
    fill(&database, 2000);
    let plan = DeletePlan::default().with_batch_size(100);
    for crash in [false, true] {
        let before = count(&database);
        let limited = plan.clone().with_limit(1000);
        let done = thread::scope(|scope| {
            let mut progress = After(Some(|| {
                if crash {
                    server.kill();
                } else {
                    server.stop();
                }
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(700));
                    server.start();
                });
            }));
            store.delete_old(cutoff(), &limited, &mut progress).expect("it waits for the server")
        });
        assert_eq!((done.deleted, before - count(&database)), (1000, 1000), "crash: {crash}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_at_once() {
    let server = own_server!(Kind::Postgres);
    let (database, store) = with_table(&server);
    let other = crate::servers::store(&database);
    server.stop();
    let started = std::time::Instant::now();
    let error = other.has(&SessionId::new("a")).expect_err("it is gone");
    assert_eq!(error.kind(), beakerhelpers_core::ErrorKind::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(3), "who was never there is not waited for");
    drop(store);
}
