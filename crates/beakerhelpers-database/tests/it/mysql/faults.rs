//! Servers and connections that go away.

use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{DeletePlan, Deleted, Ended, Progress, Query, Rest};
use beakerhelpers_testkit::own_server;
use beakerhelpers_testkit::servers::{Kind, Server};

use crate::servers::{ACTIVE, count, fill, save, with_table};
use crate::support::cutoff;

/// Does something after each of the first batches.
struct After<F: FnMut(u32)>(u32, F);

impl<F: FnMut(u32)> Progress for After<F> {
    fn batch(&mut self, _: &Deleted) -> ControlFlow<()> {
        self.0 += 1;
        if self.0 <= 3 {
            (self.1)(self.0);
        }
        ControlFlow::Continue(())
    }
}

fn plan() -> DeletePlan {
    DeletePlan::default().with_rest(Rest::For(Duration::ZERO)).with_batch_size(100)
}

fn kill_all(server: &Server) {
    server.run(None, "KILL USER 'site'@'%';");
}

#[test]
fn a_cleanup_goes_on_after_its_connection_is_killed() {
    let server = own_server!(Kind::MariaDb);
    let (database, store) = with_table(&server);
    fill(&database, 1000);
    save(&*store, "a", ACTIVE);
    let done = store.delete_old(cutoff(), &plan(), &mut After(0, |_| kill_all(&server))).expect("it goes on");
    assert_eq!((done.deleted, done.kept, done.ended), (1000, 1, Ended::Completed));
    // A listing too, in the middle.
    fill(&database, 1000);
    let mut seen = 0;
    for record in store.iter(Query::ALL) {
        record.expect("it goes on");
        seen += 1;
        if seen == 150 {
            kill_all(&server);
        }
    }
    assert_eq!(seen, 1001);
}

#[test]
fn a_cleanup_goes_on_after_the_server_restarts() {
    let server = own_server!(Kind::MariaDb);
    let (database, store) = with_table(&server);
    fill(&database, 1000);
    let mut restart = After(0, |batch| {
        if batch == 2 {
            server.kill();
            server.start();
        }
    });
    let done = store.delete_old(cutoff(), &plan(), &mut restart).expect("it goes on");
    assert_eq!((done.deleted, count(&database), done.ended), (1000, 0, Ended::Completed));
}
