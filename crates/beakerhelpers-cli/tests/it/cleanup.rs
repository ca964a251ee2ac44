//! What `cleanup` deletes, says and refuses.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use beakerhelpers_core::Timestamp;
use beakerhelpers_core::command::Terminals;
use serde_json::{Value as Json, json};

use crate::run::{Run, at_terminal, finish, unprivileged};
use crate::shop::{DAY, HOUR, MINUTE, Shop};

/// 2026-01-15 12:00:00.25 UTC
const NOW: Timestamp = Timestamp::from_micros(1_768_478_400_250_000);
const SENTENCE: &str = "error: Timeout must be seconds, minutes, hours or days. E.g. 20s, 1m, 4h, 1d\n";

/// Sessions of five minutes, two hours, three days and two years, and two of unknown age.
fn shop(keys: &str) -> Shop {
    fill(Shop::new(keys))
}

fn fill(shop: Shop) -> Shop {
    for (id, age) in [("minutes", 5 * MINUTE), ("hours", 2 * HOUR), ("days", 3 * DAY), ("years", 730 * DAY)] {
        shop.add(id, age, &json!({ "user_name": id }));
    }
    shop.add_row("empty", "", b"");
    shop.add_row("number", "1768478400", b"");
    shop
}

const ALL: [&str; 6] = ["days", "empty", "hours", "minutes", "number", "years"];

/// Runs it in this process, in UTC, with somebody at the terminal who types this.
fn asked(shop: &Shop, args: &[&str], typed: &str) -> Run {
    let args = [&["--time-zone", "UTC"], args].concat();
    at_terminal(shop.args("cleanup", &args), NOW, Terminals::of(None, true, true), typed)
}

/// The seconds that a run took, replaced.
fn untimed(text: &str) -> String {
    let Some((start, rest)) = text.split_once(", in ") else { return text.to_owned() };
    let end = rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == '.');
    format!("{start}, in N{end}")
}

#[test]
fn the_summary_says_what_was_deleted_and_kept_and_why_it_ended() {
    let pinned =
        |args: &[&str]| untimed(&asked(&fill(Shop::at(NOW, "beaker.session.timeout = 3600")), args, "").done());
    assert_eq!(
        pinned(&[]),
        "deleted 3 sessions older than 1h (2026-01-15 11:00:00 UTC), kept 3 (2 of them of unknown age), in N s\n"
    );
    assert_eq!(
        pinned(&["--timeout", "400d"]),
        "deleted 1 session older than 400d (2024-12-11 12:00:00 UTC), kept 5 (2 of them of unknown age), in N s\n"
    );
    assert_eq!(
        pinned(&["--limit", "1", "--batch-size", "1"]),
        "deleted 1 session older than 1h (2026-01-15 11:00:00 UTC), kept 1, in N s; ended by `--limit`, there may be \
         more\n"
    );
    assert_eq!(
        pinned(&["--max-time", "0s", "--batch-size", "2"]),
        "deleted 1 session older than 1h (2026-01-15 11:00:00 UTC), kept 1, in N s; ended by `--max-time`, there may \
         be more\n"
    );
}

#[test]
fn the_exact_cutoff_is_kept() {
    let shop = Shop::at(NOW, "");
    shop.add("exact", HOUR, &json!({ "a": 1 }));
    shop.add_row("older", "2026-01-15 11:00:00.249999", b"");
    assert!(asked(&shop, &["-t", "1h"], "").done().starts_with("deleted 1 session "));
    assert_eq!(shop.ids(), ["exact"]);
}

#[test]
fn a_timeout_that_would_delete_everything_or_nothing_known_is_refused() {
    let shop = shop("beaker.session.timeout = 3600");
    for text in ["-5m", "10", "", "1.5h", "m", "xm", "1w"] {
        assert_eq!(shop.run("cleanup", &["--timeout", text]).failed(2), format!("{SENTENCE}  got: `{text}`\n"));
        assert_eq!(shop.run("cleanup", &[&format!("-t{text}")]).code, 2, "{text}");
    }
    for text in ["0", "0s", "0d"] {
        assert_eq!(
            shop.run("cleanup", &["--timeout", text]).failed(2),
            "error: a timeout of 0 would delete every session\n  from: `--timeout`\n\n\
             hint: give the age from which on sessions are to go, such as `30d`\n"
        );
    }
    assert_eq!(shop.ids(), ALL);
}

#[test]
fn a_timeout_of_the_file_that_is_no_good_is_refused() {
    let refusal = |keys: &str| {
        let shop = shop(keys);
        let run = shop.run("cleanup", &[]);
        assert_eq!(shop.ids(), ALL);
        run.without(shop.path()).failed(2)
    };
    let missing = "error: from which age on? neither `--timeout` nor `beaker.session.timeout` is set\n\n\
                   hint: give the age from which on sessions are to go, such as `--timeout 30d`\n";
    assert_eq!(refusal(""), missing);
    assert_eq!(refusal("beaker.session.timeout ="), missing);
    assert_eq!(
        refusal("beaker.session.timeout = 0"),
        "error: a timeout of 0 would delete every session\n  from: site.ini:4, `beaker.session.timeout`\n\n\
         hint: give the age from which on sessions are to go, such as `30d`\n"
    );
    for text in ["1h", "-60", "1.5", "soon"] {
        assert_eq!(
            refusal(&format!("beaker.session.timeout = {text}")),
            format!(
                "error: the session timeout must be a whole number of seconds, not `{text}`\n  \
                 at: site.ini:4, `beaker.session.timeout`\n"
            )
        );
    }
}

#[test]
fn a_dry_run_counts_what_a_real_run_deletes_and_changes_no_byte() {
    let shop = fill(Shop::at(NOW, "beaker.session.timeout = 3600"));
    let before = shop.snapshot();
    let dry = asked(&shop, &["--dry-run"], "").done();
    assert!(shop.snapshot() == before, "a dry run changed something");
    assert_eq!(
        untimed(&dry),
        "\x20     up to 1 d         1  ########################################\n\
         \x20     up to 7 d         1  ########################################\n\
         \x20    up to 30 d         0\n\
         \x20    up to 90 d         0\n\
         \x20     up to 1 y         0\n\
         \x20 more than 1 y         1  ########################################\n\
         would delete 3 sessions older than 1h (2026-01-15 11:00:00 UTC), kept 3 (2 of them of unknown age), in N s\n"
    );
    let real = asked(&shop, &[], "").done();
    let last = dry.lines().last().unwrap().replace("would delete", "deleted");
    assert_eq!(untimed(&real).trim_end(), untimed(&last));
    assert_eq!(shop.ids(), ["empty", "minutes", "number"]);
}

#[test]
fn json_for_scripts() {
    let shop = shop("beaker.session.timeout = 3600");
    let summary = |args: &[&str]| -> Json {
        serde_json::from_str(&shop.run("cleanup", &[&["--format", "json"], args].concat()).done()).unwrap()
    };
    let dry = summary(&["--dry-run"]);
    let real = summary(&[]);
    for (key, value) in [
        ("deleted", json!(3)),
        ("kept", json!(3)),
        ("unknown_age", json!(2)),
        ("ended", json!("completed")),
        ("timeout_seconds", json!(3600)),
        ("time_zone", json!("local time")),
    ] {
        assert_eq!((&dry[key], &real[key]), (&value, &value), "{key}");
    }
    assert_eq!((&dry["dry_run"], &real["dry_run"]), (&json!(true), &json!(false)));
    assert_eq!((&dry["batches"], &dry["lock_seconds"]), (&json!(0), &json!(0.0)), "a dry run locks nothing");
    assert_eq!(real["batches"], 1);
    assert!(real["lock_ms"]["max"].as_f64().unwrap() > 0.0 && real["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(dry["ages"].as_array().unwrap().len(), 6);
    assert_eq!(dry["ages"][5], json!({ "up_to": null, "sessions": 1 }));
    assert!(real["cutoff"].as_str().unwrap().ends_with("+00:00"));
    assert_eq!(summary(&[])["deleted"], 0, "the second run finds nothing");
}

#[test]
fn quiet_prints_nothing_unless_something_is_wrong() {
    let shop = shop("beaker.session.timeout = 3600");
    assert_eq!(shop.run("cleanup", &["--quiet", "--dry-run"]).done(), "");
    assert_eq!(shop.run("cleanup", &["--quiet"]).done(), "");
    assert_eq!(shop.ids(), ["empty", "minutes", "number"]);
    // A warning that was asked not to be heard is not one.
    let shorter = shop.run("cleanup", &["--quiet", "-t", "1s"]);
    assert_eq!((shorter.done().as_str(), shop.count()), ("", 2));
    assert_eq!(shop.run("cleanup", &["--quiet", "-t", "x"]).failed(2), format!("{SENTENCE}  got: `x`\n"));
}

#[test]
fn limit_and_batches() {
    let shop = Shop::new("");
    shop.add_many(100, |n| DAY + MINUTE * n, |n| json!({ "n": n }));
    let deleted = |args: &[&str]| {
        let run = shop.run("cleanup", &[&["-t", "1h", "--sleep", "0", "-f", "json"], args].concat());
        let summary: Json = serde_json::from_str(&run.done()).unwrap();
        (summary["deleted"].as_u64().unwrap(), summary["batches"].as_u64().unwrap(), summary["ended"].clone())
    };
    assert_eq!(deleted(&["--limit", "7"]), (7, 1, json!("limit")));
    assert_eq!(shop.count(), 93);
    assert_eq!(deleted(&["--limit", "13", "--batch-size", "5"]), (13, 3, json!("limit")));
    assert_eq!(deleted(&["--max-time", "0s", "--batch-size", "10"]), (10, 1, json!("max-time")));
    assert_eq!(deleted(&["--batch-size", "30"]), (70, 3, json!("completed")));
    assert_eq!(shop.count(), 0);
}

/// What is said where `-t 1h` is below the day of the file.
const WARNING: &str = "warning: `--timeout 1h` is below `beaker.session.timeout` (1d): 1 session that the site still \
                       takes for active is to be deleted\n";

#[test]
fn below_the_timeout_of_the_site_it_warns_and_asks() {
    let keys = "beaker.session.timeout = 86400";
    for (typed, deletes) in
        [("y\n", true), ("YES\n", true), ("n\n", false), ("\n", false), ("", false), ("yeah\n", false)]
    {
        let shop = fill(Shop::at(NOW, keys));
        let run = asked(&shop, &["-t", "1h"], typed);
        let question = format!("{WARNING}Log these people out? [y/N] ");
        let (stderr, left) = if deletes { (question, 3) } else { (format!("{question}nothing was deleted\n"), 6) };
        assert_eq!((run.code, run.stderr.as_str(), shop.count()), (0, stderr.as_str(), left), "{typed:?}");
        assert_eq!(run.stdout.is_empty(), !deletes);
    }
    // Nobody is asked with `--yes`, in a dry run, and where nobody is logged out.
    let shop = fill(Shop::at(NOW, keys));
    let dry = asked(&shop, &["-t", "1h", "--dry-run"], "n\n");
    assert_eq!((dry.stderr.as_str(), shop.count()), (WARNING, 6));
    assert_eq!(asked(&shop, &["-t", "1h", "--yes"], "n\n").stderr, WARNING);
    assert_eq!(asked(&shop, &["-t", "1h"], "n\n").stderr, "");
}

#[test]
fn in_a_pipe_it_warns_and_goes_on() {
    let shop = shop("beaker.session.timeout = 86400");
    let run = shop.run("cleanup", &["-t", "1h"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, WARNING));
    assert_eq!(shop.ids(), ["empty", "minutes", "number"]);
}

#[test]
fn a_site_that_does_not_note_reading_gets_a_warning() {
    let shop = shop("beaker.session.timeout = 86400\nbeaker.session.save_accessed_time = false");
    let run = shop.run("cleanup", &[]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            0,
            "warning: `beaker.session.save_accessed_time` is false: reading a session does not move its access time, \
             so one that is in use may be deleted\n"
        )
    );
}

#[test]
fn rows_of_a_cache_go_by_age() {
    let shop = shop("");
    let cache = json!({ "report": [1.0, null, "the page"] });
    shop.add_row("app.views.report", &shop.local_time(3 * DAY), &crate::shop::pickle(&cache));
    assert!(shop.run("cleanup", &["-t", "1d"]).done().starts_with("deleted 3 sessions "));
}

#[test]
fn a_database_that_may_not_be_written() {
    let shop = shop("beaker.session.timeout = 3600");
    fs::set_permissions(shop.database(), Permissions::from_mode(0o444)).unwrap();
    let run = finish(unprivileged(shop.path()).arg("cleanup").arg(shop.ini()));
    let stderr = run.without(shop.path()).failed(1);
    assert!(
        stderr.starts_with("error: this user may not write to the database\n  path: sessions.db\n\nhint: run this as "),
        "{stderr}"
    );
    assert_eq!(shop.ids(), ALL);
}

/// What is left by a cleanup of what is older than an hour, at an instant, of rows with these local times of Vilnius.
fn left_in_vilnius(now: Timestamp, rows: &[&str]) -> Vec<String> {
    let shop = Shop::at(now, "");
    for accessed in rows {
        shop.add_row(accessed, accessed, b"\x80\x02}.");
    }
    let args = ["-t", "1h", "--time-zone", "Europe/Vilnius"];
    at_terminal(shop.args("cleanup", &args), now, Terminals::default(), "").done();
    shop.ids()
}

#[test]
fn when_the_clock_is_put_back_nobody_is_logged_out() {
    // 2026-10-25 01:20 UTC: it was 3:59 twenty minutes ago, and is 3:20 again. The cutoff was at 3:20 the first time.
    let now = Timestamp::from_secs(1_792_891_200);
    let young = ["2026-10-25 03:05:00.000000", "2026-10-25 03:20:00.000000", "2026-10-25 03:59:59.000000"];
    assert_eq!(left_in_vilnius(now, &[&young[..], &["2026-10-25 02:59:59.999999"]].concat()), young);
}

#[test]
fn when_the_clock_is_put_forward_nobody_is_logged_out() {
    // 2026-03-29 01:30 UTC: it is 4:30, and was 2:59 half an hour and a minute ago. The cutoff was at 2:30.
    let now = Timestamp::from_secs(1_774_747_800);
    let young = ["2026-03-29 02:30:00.000000", "2026-03-29 02:59:59.000000", "2026-03-29 04:00:00.000000"];
    assert_eq!(left_in_vilnius(now, &[&young[..], &["2026-03-29 02:29:59.999999"]].concat()), young);
}
