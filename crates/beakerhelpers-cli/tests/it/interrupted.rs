//! Runs that do not come to their end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use beakerhelpers_core::command::{Terminals, exit};
use diesel::connection::SimpleConnection as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::run::{Run, binary, code, collect, interrupted_at_once};
use crate::shop::{DAY, MINUTE, Shop};

fn start(shop: &Shop, command: &str, args: &[&str]) -> Child {
    let mut command = listening(&shop.command(command, args));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The same command with SIGINT as it is by default: a shell that runs the tests in the background ignores it, and so
/// would all that they start.
pub(crate) fn listening(command: &Command) -> Command {
    let mut listening = Command::new("env");
    listening.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => listening.env(name, value),
            None => listening.env_remove(name),
        };
    }
    listening
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    kill_process(pid, signal).unwrap();
}

/// Old sessions, and a young one at the end.
fn shop(old: u32) -> Shop {
    let shop = Shop::new("");
    shop.add_many(old, |n| DAY + MINUTE * n, |n| json!({ "n": n }));
    shop.add("young", MINUTE, &json!({ "n": 0 }));
    shop
}

/// Waits until fewer sessions are left.
fn wait_for_fewer(shop: &Shop, than: i64, child: &mut Child) {
    while shop.count() >= than {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it deleted anything");
        std::thread::yield_now();
    }
}

/// Interrupts a cleanup of ten old sessions in its rest after the first batch of three, which is as long as it takes.
pub(crate) fn interrupt(signal: Signal, format: &str) -> (Shop, Run) {
    let shop = shop(10);
    let mut child = start(&shop, "cleanup", &["-t", "1h", "--batch-size", "3", "--sleep", "1d", "--format", format]);
    wait_for_fewer(&shop, 11, &mut child);
    send(&child, signal);
    (shop, collect(child))
}

#[test]
fn sigint_keeps_what_was_committed() {
    let (shop, run) = interrupt(Signal::INT, "text");
    assert_eq!((run.code, run.stderr.as_str()), (exit::INTERRUPTED, ""));
    assert!(run.stdout.starts_with("deleted 3 sessions older than 1h ("), "{}", run.stdout);
    assert!(run.stdout.ends_with(" s; interrupted\n"), "{}", run.stdout);
    assert_eq!(shop.count(), 8);
    shop.assert_integrity();
    assert!(shop.run("cleanup", &["-t", "1h"]).done().starts_with("deleted 7 sessions "), "the next run goes on");
    assert_eq!(shop.ids(), ["young"]);
}

#[test]
fn sigterm_keeps_what_was_committed() {
    let (shop, run) = interrupt(Signal::TERM, "json");
    assert_eq!((run.code, run.stderr.as_str()), (exit::TERMINATED, ""));
    assert!(run.stdout.contains("\"ended\":\"interrupted\""), "{}", run.stdout);
    assert_eq!(shop.count(), 8);
    shop.assert_integrity();
}

#[test]
fn a_signal_before_the_work_leaves_everything() {
    let now = std::time::SystemTime::now().into();
    let terminals = Terminals::of(None, true, true);
    let shop = shop(10);
    // At a question nobody listens for signals: they end the process at once.
    let args = shop.args("delete", &["--id", "0001"]);
    assert_eq!(interrupted_at_once(&args, now, terminals, "n\n").code, exit::DONE);
    for args in [&["--id", "0001", "--yes"][..], &["--where", "n=1", "--yes"], &["--where", "n=1", "--dry-run"]] {
        let run = interrupted_at_once(shop.args("delete", args), now, terminals, "");
        assert_eq!((run.code, run.stderr.as_str()), (exit::INTERRUPTED, ""), "{args:?}");
        assert!(run.stdout.ends_with("delete 0 sessions\n") || run.stdout == "deleted 0 sessions\n", "{}", run.stdout);
    }
    assert_eq!(shop.count(), 11);
    let args = shop.args("cleanup", &["-t", "1h", "--batch-size", "2", "--time-zone", "UTC"]);
    let run = interrupted_at_once(args, now, terminals, "");
    assert_eq!((run.code, shop.count()), (exit::INTERRUPTED, 11), "{run:?}");
    assert!(run.stdout.starts_with("deleted 0 sessions ") && run.stdout.ends_with("; interrupted\n"), "{run:?}");
}

/// Kills a cleanup, and tells how many of ten old sessions the next one finds.
fn kill(shop: &Shop, mut child: Child) -> i64 {
    child.kill().unwrap();
    let run = collect(child);
    assert_eq!((run.code, run.stdout.as_str()), (137, ""), "{}", run.stderr);
    shop.assert_integrity();
    let left = shop.count() - 1;
    let run = shop.run("cleanup", &["-t", "1h"]);
    assert!(run.done().starts_with(&format!("deleted {left} sessions ")));
    assert_eq!(shop.ids(), ["young"]);
    left
}

#[test]
fn kill_9_keeps_what_was_committed() {
    for journal_mode in ["DELETE", "WAL"] {
        let shop = shop(10);
        shop.sql(&format!("PRAGMA journal_mode = {journal_mode}"));
        let mut child = start(&shop, "cleanup", &["-t", "1h", "--batch-size", "3", "--sleep", "1d"]);
        wait_for_fewer(&shop, 11, &mut child);
        assert_eq!(kill(&shop, child), 7, "{journal_mode}");
    }
}

#[test]
fn kill_9_in_the_middle_of_a_transaction_undoes_it() {
    let shop = shop(10);
    // Who reads keeps the others from committing.
    let mut reader = shop.connect();
    reader.batch_execute("BEGIN; SELECT count(*) FROM beaker_cache").unwrap();
    let mut child = start(&shop, "cleanup", &["-t", "1h", "--wait", "1d"]);
    while !shop.path().join("sessions.db-journal").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it deleted anything");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(reader);
    assert_eq!(kill(&shop, child), 10);
}

/// A listing that is larger than all buffers on the way.
fn long_listing() -> Shop {
    let shop = Shop::new("");
    shop.add_many(200, |n| MINUTE * n, |n| json!({ "long": "x".repeat(10_000), "n": n }));
    shop
}

#[test]
fn sigint_ends_a_listing() {
    let shop = long_listing();
    let mut child = start(&shop, "sessions", &["--format", "plain"]);
    // Now it writes, and nobody reads on.
    let mut byte = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
    send(&child, Signal::INT);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((code(child.wait().unwrap()), stderr.as_str()), (exit::INTERRUPTED, ""));
}

#[test]
fn a_pipe_that_is_closed_is_no_failure() {
    let shop = long_listing();
    for format in ["table", "plain", "json", "jsonl", "csv", "markdown"] {
        let mut child = start(&shop, "sessions", &["--format", format]);
        let mut line = String::new();
        // As `head -1`: reads a line and goes.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let run = collect(child);
        assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""), "{format}");
        assert!(!line.is_empty(), "{format}");
    }
    for args in [&["help"][..], &["plugins"], &["man", "sessions"], &["completions", "bash"], &["sessions", "--help"]] {
        let mut child = binary().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let run = collect(child);
        assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""), "{args:?}");
    }
}

#[test]
fn a_pager_that_is_left_open_keeps_nobody_from_writing() {
    let shop = long_listing();
    let mut child = start(&shop, "sessions", &[]);
    let mut byte = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
    // Its first byte is there, the rest waits for the reader. No waiting here: what is locked fails at once.
    shop.sql("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; DELETE FROM beaker_cache WHERE namespace > '0100'; COMMIT");
    let run = collect(child);
    assert_eq!(run.stdout.lines().count(), 204, "it goes on with what it has read");
    assert_eq!(shop.count(), 101);
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let shop = long_listing();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let child = shop.command("sessions", &[]).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let run = collect(child);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (exit::FAILED, "error: cannot write to standard output\n  caused by: No space left on device (os error 28)\n")
    );
    // What there is to do is done all the same.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run = collect(shop.command("cleanup", &["-t", "30s"]).stdout(full).stderr(Stdio::piped()).spawn().unwrap());
    let said = "error: cannot write to standard output\n  caused by: No space left on device (os error 28)\n\n\
                hint: what the command had to do is done; only what it has to say about that is lost\n";
    assert_eq!((run.code, run.stderr.as_str(), shop.count()), (exit::FAILED, said, 1));
}
