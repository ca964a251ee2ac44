//! What happens to a server or to a connection in the middle of a cleanup.

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Kind, User};
use rustix::process::Signal;

use crate::interrupted::listening;
use crate::run::Run;
use crate::servers::child::{Running, hold};
use crate::servers::place::{KEPT, OLD, Place, ROWS, SLOWLY, on_each, on_each_own};
use crate::shop::DAY;

fn start(place: &Place<'_>, args: &[&str]) -> Running {
    Running::start(place.command("cleanup", &[OLD, args].concat()))
}

/// A run that lost connections did all that there was to do.
#[track_caller]
fn assert_completed(place: &Place<'_>, run: &Run) {
    assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""), "{}", run.stdout);
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).expect("the summary is JSON");
    assert_eq!((place.count(), place.old()), (KEPT, 0), "{summary}");
    assert_eq!(summary["ended"], "completed");
    // Whether a batch was committed that it had no answer to, it does not know.
    let deleted = summary["deleted"].as_i64().expect("a number");
    assert!((ROWS - KEPT - 150 * 5..=ROWS - KEPT).contains(&deleted), "{summary}");
    assert_eq!(place.clean(&[])["deleted"], 0);
}

/// Takes the server away under a cleanup, and brings it back when that has noticed.
fn without_a_server_for_a_while(place: &Place<'_>, server: &Server, end: impl FnOnce(&Server)) {
    let mut cleanup = start(place, SLOWLY);
    cleanup.freeze_in_mid_run(place);
    end(server);
    cleanup.send(Signal::CONT);
    // It asks a server that is not there a few times; nobody tells when.
    assert!(cleanup.try_wait().expect("it is ours").is_none(), "it goes on without a server");
    server.start();
    assert_completed(place, &cleanup.end());
}

#[test]
fn a_server_is_restarted() {
    on_each_own(|place, server| without_a_server_for_a_while(place, server, Server::stop));
}

#[test]
fn a_server_crashes() {
    on_each_own(|place, server| without_a_server_for_a_while(place, server, Server::kill));
}

#[test]
fn connections_are_killed() {
    on_each(|place| {
        let mut cleanup = start(place, SLOWLY);
        for _ in 0..5 {
            cleanup.freeze_in_mid_run(place);
            kill_connections(place);
            cleanup.send(Signal::CONT);
        }
        assert_completed(place, &cleanup.end());
    });
}

fn kill_connections(place: &Place<'_>) {
    let name = place.database().name();
    if place.kind() == Some(Kind::Postgres) {
        let killed = place.number(
            "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert!(killed > 0, "somebody was connected");
        return;
    }
    let others = place.texts(&format!(
        "SELECT id AS t FROM information_schema.processlist WHERE db = '{name}' AND id <> connection_id()"
    ));
    assert!(!others.is_empty(), "somebody was connected");
    for id in others {
        place.sql(&format!("KILL CONNECTION {id};"));
    }
}

#[test]
fn a_server_that_was_never_there_is_not_waited_for() {
    on_each_own(|place, server| {
        server.stop();
        for (command, args) in [("sessions", &[][..]), ("cleanup", OLD), ("setup", &["--check"])] {
            let began = std::time::Instant::now();
            let run = place.run(command, args);
            // A restart is waited for for a minute, this is not.
            assert!(began.elapsed().as_secs() < 40, "{command}: {:?}", began.elapsed());
            let stderr = run.failed(exit::FAILED);
            assert!(stderr.starts_with("error: ") && stderr.contains("127.0.0.1"), "{stderr}");
            assert!(stderr.contains(&server.port().to_string()), "{stderr}");
        }
        server.start();
        assert_eq!(place.count(), ROWS);
    });
}

#[test]
fn whoever_waits_for_a_server_can_be_told_to_end() {
    on_each_own(|place, server| {
        let args = [OLD, SLOWLY].concat();
        let mut cleanup = Running::start(listening(&place.command("cleanup", &args)));
        cleanup.freeze_in_mid_run(place);
        let deleted = ROWS - place.count();
        server.stop();
        cleanup.send(Signal::CONT);
        cleanup.send(Signal::TERM);
        let run = cleanup.end();
        assert_eq!((run.code, run.stderr.as_str()), (exit::TERMINATED, ""), "{}", run.stdout);
        let summary: serde_json::Value = serde_json::from_str(&run.stdout).expect("the summary is JSON");
        assert_eq!(summary["ended"], "interrupted");
        assert!((deleted - 150..=deleted).contains(&summary["deleted"].as_i64().expect("a number")), "{summary}");
        server.start();
        assert_eq!(place.count(), ROWS - deleted);
    });
}

#[test]
fn a_session_that_somebody_keeps_locked_is_left() {
    on_each(|place| {
        let old = place.ago(30 * DAY);
        let ids = place.texts(&format!("SELECT namespace AS t FROM beaker_cache WHERE accessed < {old} ORDER BY id"));
        let id = &ids[ids.len() / 2];
        let database = place.database();
        let lock = format!("BEGIN; SELECT namespace FROM beaker_cache WHERE namespace = '{id}' FOR UPDATE;");
        let writer = hold(database.server(), User::SITE, Some(database.name()), &lock);
        let summary = place.clean(&[]);
        assert_eq!((&summary["ended"], &summary["deleted"]), (&"completed".into(), &(ROWS - KEPT - 1).into()));
        let left = place.texts(&format!("SELECT namespace AS t FROM beaker_cache WHERE accessed < {old}"));
        assert!(left.iter().eq([id]), "{} are left", left.len());
        drop(writer);
        assert_eq!(place.clean(&[])["deleted"], 1);
    });
}
