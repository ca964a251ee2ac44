//! Grace, replicas, the stop file, and why it ended.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use beakerhelpers_core::command::exit;

use super::place::{Place, Store, untimed};
use crate::command::CleanupArgs;

const ALL: [&str; 7] = ["m10", "m110", "m130", "m30", "m50", "m70", "m90"];

fn run(place: &Place, args: &[&str]) -> super::place::Run {
    place.run::<CleanupArgs>(args)
}

fn ended(place: &Place, args: &[&str]) -> (u8, String) {
    let run = run(place, &[args, &["-f", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("a JSON summary");
    (run.code, json["ended"].as_str().expect("text").to_owned())
}

fn lagging(lags: &[Option<u64>]) -> Store {
    Store { lags: Mutex::new(lags.to_vec()), ..Store::default() }
}

#[test]
fn sessions_are_kept_for_a_grace_past_their_timeout() {
    let place = Place::new(Store::default());
    assert_eq!(
        untimed(&run(&place, &["--grace", "40m"]).done()),
        "deleted 2 sessions older than 1h and 40m of grace (2026-01-15 10:20:00 UTC), kept 5, in N s\n"
    );
    assert_eq!(place.ids(), ["m10", "m30", "m50", "m70", "m90"]);
    // With `-t` too. It is the age that may log people out, and that is above the site's hour.
    let text = untimed(&run(&place, &["-t", "50m", "--grace", "30m"]).done());
    assert!(text.starts_with("deleted 1 session older than 50m and 30m of grace (2026-01-15 10:40:00 UTC)"), "{text}");
    let short = run(&place, &["-t", "20m", "--grace", "5m", "-f", "json"]);
    assert!(short.stderr.contains("2 sessions that the site still takes for active"), "{}", short.stderr);
    let json: serde_json::Value = serde_json::from_str(&short.stdout).unwrap();
    assert_eq!((&json["timeout_seconds"], &json["grace_seconds"]), (&1200.into(), &300.into()));
    assert_eq!(json["cutoff"], "2026-01-15T11:35:00.000000+00:00");
    assert_eq!(place.ids(), ["m10"]);
}

#[test]
fn a_stop_file_that_is_there_lets_nothing_be_deleted() {
    let place = Place::new(Store::default());
    let file = place.path("stop");
    fs::write(&file, "").unwrap();
    let stop = ["--stop-file", file.to_str().unwrap()];
    assert_eq!(
        untimed(&run(&place, &stop).done()),
        "deleted 0 sessions older than 1h (2026-01-15 11:00:00 UTC), kept 0, in N s; ended by `--stop-file`, there may \
         be more\n"
    );
    assert_eq!(ended(&place, &[&stop[..], &["-t", "1m"]].concat()), (exit::DONE, "stop-file".to_owned()));
    assert_eq!(run(&place, &[&stop[..], &["--quiet"]].concat()).done(), "");
    assert_eq!(place.ids(), ALL);
    fs::remove_file(&file).unwrap();
    assert_eq!(ended(&place, &stop), (exit::DONE, "completed".to_owned()));
    assert_eq!(place.ids().len(), 3);
}

#[test]
fn a_stop_file_that_appears_ends_a_wait_for_replicas() {
    let place = Place::new(lagging(&[Some(60)]));
    let file = place.path("stop");
    let args = ["--max-lag", "5s", "--stop-file", file.to_str().unwrap()];
    std::thread::scope(|scope| {
        let run = scope.spawn(|| ended(&place, &args));
        while place.store.lags_asked.load(Ordering::Relaxed) < 2 {
            assert!(!run.is_finished(), "it does not wait");
            std::thread::yield_now();
        }
        fs::write(&file, "").unwrap();
        assert_eq!(run.join().unwrap(), (exit::DONE, "stop-file".to_owned()));
    });
    assert_eq!(place.ids(), ALL);
}

#[test]
fn it_waits_for_replicas_and_goes_on() {
    // Asked once at the start, then at the gate, then a second later.
    let place = Place::new(lagging(&[Some(60), Some(60), Some(5)]));
    let started = Instant::now();
    assert_eq!(ended(&place, &["--max-lag", "5s"]), (exit::DONE, "completed".to_owned()));
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(place.ids(), ["m10", "m30", "m50"]);
}

#[test]
fn max_time_and_signals_end_a_wait() {
    let place = Place::new(lagging(&[Some(60)]));
    assert_eq!(ended(&place, &["--max-lag", "5s", "--max-time", "0s"]), (exit::DONE, "max-time".to_owned()));
    let run = place.run_with::<CleanupArgs>(&["--max-lag", "5s"], |signal| {
        signal.store(15, Ordering::Relaxed);
        Ok(())
    });
    assert_eq!(run.code, exit::TERMINATED);
    assert!(run.stdout.ends_with("; interrupted\n"), "{}", run.stdout);
    assert_eq!(place.ids(), ALL);
}

#[test]
fn a_lag_that_nobody_sees_is_refused() {
    let place = Place::new(Store::default());
    let refused = run(&place, &["--max-lag", "5s"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (exit::USAGE, ""));
    assert!(refused.stderr.contains("hint: name the replicas, each with `--replica URL`"), "{}", refused.stderr);
    let primary = place.register("primary", Place::new(lagging(&[None])).store);
    for (url, reason) in [(primary.as_str(), "is no replica"), ("nowhere", "no such store")] {
        let refused = run(&place, &["--max-lag", "5s", "--replica", url]);
        assert_eq!((refused.code, refused.stdout.as_str()), (exit::USAGE, ""));
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
    // Without `--max-lag` a replica has no meaning.
    assert_eq!(run(&place, &["--replica", &primary]).code, exit::USAGE);
    assert_eq!(place.ids(), ALL);
    let replica = place.register("replica", Place::new(lagging(&[Some(0)])).store);
    assert_eq!(ended(&place, &["--max-lag", "5s", "--replica", &replica]).1, "completed");
}

#[test]
fn a_store_without_replicas_waits_for_none() {
    let place = Place::new(lagging(&[None]));
    let run = run(&place, &["--max-lag", "5s"]);
    assert_eq!((run.code, place.ids().len()), (exit::DONE, 3));
    assert!(run.stderr.starts_with("note: the store has no replicas that it sees"), "{}", run.stderr);
}

#[test]
fn replicas_that_are_gone_end_the_run() {
    let place = Place::new(lagging(&[Some(0), None]));
    let run = run(&place, &["--max-lag", "5s"]);
    assert_eq!((run.code, run.stdout.as_str(), place.ids().len()), (exit::FAILED, "", 7));
    assert!(run.stderr.contains("does not see its replicas any more"), "{}", run.stderr);
}

#[test]
fn another_cleanup_is_left_alone() {
    let place = Place::new(Store { another_cleanup: true, ..Store::default() });
    assert_eq!(run(&place, &[]).done(), "another cleanup is at work on these sessions: this one left them to it\n");
    assert_eq!(run(&place, &["--quiet"]).done(), "");
    assert_eq!(ended(&place, &[]), (exit::DONE, "another-cleanup".to_owned()));
}

#[test]
fn the_other_ends() {
    let place = Place::new(Store { fails: true, ..Store::default() });
    assert_eq!(ended(&place, &[]), (exit::FAILED, "failed".to_owned()));
    let place = Place::new(Store::default());
    assert_eq!(ended(&place, &["--limit", "1"]), (exit::DONE, "limit".to_owned()));
    assert_eq!(ended(&place, &["--max-time", "0s", "--batch-size", "3"]), (exit::DONE, "max-time".to_owned()));
}
