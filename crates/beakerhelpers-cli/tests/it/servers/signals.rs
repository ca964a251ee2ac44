//! Cleanups that are ended before they are done, in each database.

use beakerhelpers_core::command::exit;
use rustix::process::Signal;

use crate::interrupted::listening;
use crate::servers::child::{Running, wait_until};
use crate::servers::place::{KEPT, OLD, Place, ROWS, on_all};
use crate::shop::DAY;

/// A cleanup that rests after its first batch for as long as it takes.
fn resting(place: &Place<'_>) -> Running {
    let args = ["--batch-size", "150", "--sleep", "1d"];
    let mut cleanup = Running::start(listening(&place.command("cleanup", &[OLD, &args].concat())));
    cleanup.wait_until("the first batch is done", || place.count() < ROWS);
    cleanup
}

#[test]
fn signals_keep_what_was_committed() {
    on_all(|place| {
        let rows = place.count();
        let mut left = rows;
        for (signal, code) in [(Signal::INT, exit::INTERRUPTED), (Signal::TERM, exit::TERMINATED)] {
            let mut cleanup = resting(place);
            cleanup.wait_until("a batch is done", || place.count() < left);
            let deleted = left - place.count();
            cleanup.send(signal);
            let run = cleanup.end();
            assert_eq!((run.code, run.stderr.as_str()), (code, ""));
            assert!(
                run.stdout.starts_with(&format!("deleted {deleted} sessions older than 20d and ")),
                "{}",
                run.stdout
            );
            assert!(run.stdout.ends_with(" s; interrupted\n"), "{}", run.stdout);
            left = place.count();
        }
        assert_eq!(place.clean(&[])["deleted"], left - KEPT);
        assert_eq!((place.count(), place.old()), (KEPT, 0));
    });
}

#[test]
fn kill_9_keeps_what_was_committed() {
    on_all(|place| {
        let query = format!(
            "SELECT CASE WHEN accessed < {} THEN concat('old ', namespace) ELSE namespace END AS t FROM beaker_cache \
             ORDER BY id",
            place.ago(30 * DAY)
        );
        let before = place.texts(&query);
        let cleanup = resting(place);
        cleanup.send(Signal::KILL);
        assert_eq!(cleanup.end().code, 137);
        let left = place.texts(&query);
        let (batch, rest) = before.split_at(150);
        let kept = batch.iter().filter(|row| !row.starts_with("old ")).chain(rest);
        assert!(kept.eq(&left), "one whole batch is gone");
        // The server may take a moment to see that the other one is gone.
        let mut summary = place.clean(&[]);
        wait_until("the next cleanup has all for itself", || {
            let alone = summary["ended"] == "completed";
            if !alone {
                summary = place.clean(&[]);
            }
            alone
        });
        assert_eq!((place.count(), place.old()), (KEPT, 0));
    });
}

#[test]
fn stop_file_and_max_time_end_it() {
    on_all(|place| {
        let file = place.path().join("stop");
        let stop = ["--stop-file", file.to_str().expect("a plain path"), "--batch-size", "150", "--sleep", "1d"];
        let mut cleanup = Running::start(place.command("cleanup", &[OLD, &stop].concat()));
        cleanup.wait_until("the first batch is done", || place.count() < ROWS);
        std::fs::write(&file, "").expect("it can be written");
        let ended = cleanup.end().done();
        assert!(ended.ends_with("; ended by `--stop-file`, there may be more\n"), "{ended}");
        let left = place.count();
        assert_eq!(place.clean(&stop)["ended"], "stop-file");
        assert_eq!(place.count(), left, "nothing is deleted where the file is there already");
        std::fs::remove_file(&file).expect("it is there");
        let once = place.clean(&["--max-time", "0s", "--batch-size", "150"]);
        assert_eq!((&once["ended"], &once["batches"]), (&"max-time".into(), &1.into()));
        assert_eq!(once["deleted"], left - place.count());
        let few = place.clean(&["--limit", "7"]);
        assert_eq!((&few["ended"], &few["deleted"]), (&"limit".into(), &7.into()));
        assert_eq!(place.clean(&[])["ended"], "completed");
        assert_eq!((place.count(), place.old()), (KEPT, 0));
    });
}
