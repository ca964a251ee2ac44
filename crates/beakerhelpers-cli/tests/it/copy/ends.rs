//! Copying that does not come to its end.

use beakerhelpers_core::command::exit;
use rustix::process::Signal;

use super::{ROWS, between_each, copy, counts};
use crate::interrupted::listening;
use crate::run::binary;
use crate::servers::child::Running;
use crate::servers::place::Place;

/// Copying at a hundred sessions a second, of which some are there.
fn copying(from: &Place<'_>, to: &Place<'_>) -> Running {
    let mut command = binary();
    command.arg("copy").arg(from.ini()).arg(to.ini()).args(["--rate", "100", "--skip-clock-check"]);
    command.env("HOME", from.path());
    let before = to.count();
    let mut copying = Running::start(listening(&command));
    copying.wait_until("some are copied", || to.count() > before);
    copying
}

#[test]
fn the_next_run_goes_on_where_one_was_ended() {
    between_each("", |python, from, to| {
        from.fill(python, ROWS);
        to.run("setup", &["--quiet"]).done();
        for (signal, code) in [(Signal::INT, exit::INTERRUPTED), (Signal::TERM, exit::TERMINATED)] {
            // What is there already is looked at first, and nothing of it is new.
            to.sql("DELETE FROM beaker_cache;");
            let copying = copying(from, to);
            copying.send(signal);
            let run = copying.end();
            assert_eq!((run.code, run.stderr.as_str()), (code, ""));
            let there = to.count();
            let s = if there == 1 { "" } else { "s" };
            assert!(run.stdout.starts_with(&format!("copied {there} session{s} ({there} new, ")), "{}", run.stdout);
            assert!(run.stdout.ends_with(" s; interrupted\n"), "{}", run.stdout);
        }
        to.sql("DELETE FROM beaker_cache;");
        let killed = copying(from, to);
        killed.send(Signal::KILL);
        assert_eq!(killed.end().code, 137);
        let args = ["--skip-clock-check"];
        let there = to.count().unsigned_abs();
        assert!((1..ROWS).contains(&there), "{there}");
        assert_eq!(counts(from, to, &args), [ROWS - there, 0, there, 0, 0, 0]);
        assert_eq!(counts(from, to, &["--verify", args[0]]), [0, 0, ROWS, 0, 0, 0]);
        assert_eq!(from.rows().len(), to.rows().len());
    });
}

#[test]
fn limits_end_it_and_say_so() {
    let (from, to) = (Place::sqlite(""), Place::sqlite(""));
    from.run("setup", &["--quiet"]).done();
    to.run("setup", &["--quiet"]).done();
    for id in ["a", "b", "c"] {
        let insert = "INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES";
        let data = "X'80027d55077365737369 6f6e7d55016155016273732e'".replace(' ', "");
        from.sql(&format!("{insert} ('{id}', '2026-01-02 03:04:05.000006', '2026-01-02 03:04:05.000006', {data});"));
    }
    let ended = copy(&from, &to, &["--limit", "2"]).done();
    assert!(ended.starts_with("copied 2 sessions (2 new, 0 changed), 0 unchanged, in "), "{ended}");
    assert!(ended.ends_with(" s; ended by `--limit`, there may be more\n"), "{ended}");
    let missing = copy(&from, &to, &["--verify"]);
    assert_eq!(missing.code, exit::FAILED);
    assert!(missing.stdout.starts_with("compared 3 sessions: 2 the same, 1 missing in TO, in "), "{missing:?}");
    assert!(missing.stderr.starts_with("warning: session ") && missing.stderr.ends_with(" is missing in TO\n"));
    let ended = copy(&from, &to, &["--max-time", "0s"]).done();
    assert!(ended.ends_with(" s; ended by `--max-time`, there may be more\n"), "{ended}");
    assert_eq!(copy(&from, &to, &["--quiet"]).done(), "");
    let partly = copy(&from, &to, &["--verify", "--max-time", "0s"]);
    assert_eq!((partly.code, partly.stderr.as_str()), (exit::FAILED, ""));
    assert!(partly.stdout.starts_with("compared 0 sessions: 0 the same, in "), "{partly:?}");
    assert!(partly.stdout.ends_with(" s; ended by `--max-time`, not everything was compared\n"), "{partly:?}");
    copy(&from, &to, &["--verify"]).done();
    assert_eq!(to.count(), 3);
    to.sql("DELETE FROM beaker_cache;");
    from.sql(
        "INSERT INTO beaker_cache (namespace, accessed, created, data) WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL \
         SELECT n + 1 FROM numbers WHERE n < 22) SELECT 'many' || n, accessed, created, data FROM beaker_cache, numbers \
         WHERE namespace = 'a';",
    );
    let missing = copy(&from, &to, &["--verify", "--quiet"]).failed(exit::FAILED);
    assert_eq!(missing.lines().count(), 21);
    assert!(missing.ends_with("\nwarning: 5 more are missing in TO\n"), "{missing}");
}
