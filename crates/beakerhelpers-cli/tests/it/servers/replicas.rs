//! `--max-lag`, with real replicas.

use std::io::Write as _;
use std::process::Stdio;

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Kind, User, Via};
use rustix::process::Signal;

use crate::servers::child::{Running, wait_until};
use crate::servers::place::{KEPT, OLD, Place, on_each, on_each_own, scheme};

/// A number that SQL gives on a replica.
fn ask(replica: &Server, place: &Place<'_>, query: &str) -> i64 {
    let answer = replica.run(Some(place.database().name()), &format!("{query};"));
    answer.trim().parse().unwrap_or_else(|_| panic!("{query}: {answer}"))
}

const COUNT: &str = "SELECT count(*) AS n FROM beaker_cache";

/// Keeps a replica from following; dropping this lets it go on.
struct Pause<'r> {
    replica: &'r Server,
    /// A client that has locked all tables.
    locks: Option<Running>,
}

impl<'r> Pause<'r> {
    fn begin(replica: &'r Server) -> Self {
        if replica.kind() == Kind::Postgres {
            replica.run(None, "SELECT pg_wal_replay_pause();");
            return Self { replica, locks: None };
        }
        let mut client = replica.client(User::ADMIN, None).expect("it is installed");
        client.stdin(Stdio::piped());
        let mut locks = Running::start(client);
        let stdin = locks.stdin.as_mut().expect("it is piped");
        stdin.write_all(b"FLUSH TABLES WITH READ LOCK;\nSELECT GET_LOCK('pause', 0);\n").expect("it reads");
        wait_until("the replica is locked", || {
            replica.run(None, "SELECT IS_USED_LOCK('pause') IS NOT NULL;").trim() == "1"
        });
        Self { replica, locks: Some(locks) }
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        match self.locks.take() {
            Some(locks) => drop(locks),
            None => drop(self.replica.run(None, "SELECT pg_wal_replay_resume();")),
        }
    }
}

#[test]
fn a_cleanup_waits_for_a_replica_that_is_behind() {
    on_each_own(|place, primary| {
        let replica = primary.replica();
        let rows = place.count();
        wait_until("the replica has followed", || {
            let there = match primary.kind() {
                Kind::Postgres => {
                    format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", place.database().name())
                }
                _ => format!(
                    "SELECT count(*) FROM information_schema.tables WHERE table_schema = '{}' \
                     AND table_name = 'beaker_cache'",
                    place.database().name()
                ),
            };
            replica.run(None, &format!("{there};")).trim() == "1" && ask(&replica, place, COUNT) == rows
        });
        if primary.kind() == Kind::MariaDb {
            replica.run(None, &format!("GRANT SLAVE MONITOR ON *.* TO {}@'%';", User::SITE.name));
        }
        let url = replica.url(scheme(primary.kind()), User::SITE, place.database().name(), Via::Tcp);
        let lag = ["--max-lag", "1s", "--replica", &url];
        // What its replica says is told, and that the store itself is none.
        let own = place.url_for(User::SITE, Via::Tcp);
        let refused = place.run("cleanup", &[OLD, &["--max-lag", "1s", "--replica", &own]].concat());
        assert_ne!(refused.code, exit::DONE, "{refused:?}");

        let pause = Pause::begin(&replica);
        wait_until("the replica is behind", || {
            place.clean(&[&lag[..], &["--max-time", "0s", "--limit", "1"]].concat())["deleted"] == 0
        });
        let left = place.count();
        let mut cleanup = Running::start(place.command("cleanup", &[OLD, &lag].concat()));
        let asks = match primary.kind() {
            Kind::Postgres => "SELECT count(*) AS n FROM pg_stat_activity WHERE usename = 'site'",
            _ => "SELECT count(*) AS n FROM information_schema.processlist WHERE user = 'site'",
        };
        cleanup.wait_until("it asks the replica", || ask(&replica, place, asks) > 0);
        assert_eq!(place.count(), left, "it waits");
        // It ends at once when it is told to, however long it would have waited.
        let mut impatient =
            Running::start(crate::interrupted::listening(&place.command("cleanup", &[OLD, &lag].concat())));
        impatient.wait_until("it asks the replica, too", || ask(&replica, place, asks) > 1);
        impatient.send(Signal::TERM);
        let ended = impatient.end();
        assert!(ended.code == exit::TERMINATED, "{ended:?}");
        assert_eq!(place.count(), left, "it waited");
        drop(pause);
        let run = cleanup.end();
        assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""), "{}", run.stdout);
        assert_eq!((place.count(), place.old()), (KEPT, 0));
        wait_until("the replica has followed", || ask(&replica, place, COUNT) == KEPT);
        // Another one that is not there ends the run before anything is deleted.
        drop(replica);
        let gone = place.run("cleanup", &[OLD, &lag].concat());
        assert_eq!((gone.code, gone.stdout.as_str()), (exit::FAILED, ""), "{gone:?}");
    });
}

#[test]
fn a_server_without_replicas_is_not_waited_for_or_cannot_tell() {
    on_each(|place| {
        let run = place.run("cleanup", &[OLD, &["--max-lag", "1s"]].concat());
        if place.kind() == Some(Kind::Postgres) {
            assert_eq!(run.code, exit::DONE, "{run:?}");
            assert!(run.stderr.starts_with("note: the store has no replicas that it sees"), "{run:?}");
            assert_eq!(place.count(), KEPT);
        } else {
            assert!(run.stderr.contains("--replica"), "{run:?}");
            assert_ne!((run.code, place.count()), (exit::DONE, KEPT), "who cannot tell deletes nothing");
        }
    });
}
