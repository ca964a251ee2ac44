//! What `delete` deletes, and what it never says.

use beakerhelpers_core::command::{Terminals, exit};
use beakerhelpers_core::{FingerprintKey, SessionId, Timestamp};
use serde_json::json;

use crate::run::{Run, at_terminal, finish, finish_with};
use crate::shop::{MINUTE, Shop, files};

const NOW: Timestamp = Timestamp::from_micros(1_768_478_400_250_000);
const IDS: [&str; 4] = ["0a1b2c3d", "1b2c3d4e", "2c3d4e5f", "3d4e5f6a"];

/// Ann is logged in twice, Joe once; one session cannot be read.
fn shop() -> Shop {
    let shop = Shop::at(NOW, "beaker.session.secret = hunter2");
    for (id, name, n) in [(IDS[0], "ann", 1), (IDS[1], "ann", 2), (IDS[2], "joe", 1)] {
        shop.add(id, MINUTE, &json!({ "user_name": name, "n": n }));
    }
    shop.add_row(IDS[3], &shop.local_time(MINUTE), b"junk");
    shop
}

fn fingerprint(id: &str) -> String {
    SessionId::new(id).fingerprint(&FingerprintKey::new(Some("hunter2"))).to_string()
}

/// Runs it, and holds it to its word that no id is shown.
#[track_caller]
fn delete(shop: &Shop, args: &[&str]) -> Run {
    silent_about_ids(shop.run("delete", args))
}

#[track_caller]
fn silent_about_ids(run: Run) -> Run {
    let shown = |text: &str| IDS.iter().any(|id| text.contains(id));
    assert!(!shown(&run.stdout) && !shown(&run.stderr), "{run:?}");
    run
}

#[test]
fn by_id() {
    let shop = shop();
    assert_eq!(delete(&shop, &["--id", IDS[0]]).done(), "deleted 1 session\n");
    assert_eq!(
        delete(&shop, &["--id", IDS[0]]).done(),
        "deleted 0 sessions; 1 of the given ids are not in the store\n"
    );
    let both = delete(&shop, &["--id", IDS[1], "--id", "nobody", "--id", IDS[3]]).done();
    assert_eq!(both, "deleted 2 sessions; 1 of the given ids are not in the store\n");
    assert_eq!(shop.ids(), [IDS[2]]);
}

#[test]
fn an_id_given_twice_is_one_session() {
    let shop = shop();
    let twice = ["--id", IDS[0], "--id", IDS[0]];
    let printed = delete(&shop, &[&twice[..], &["--dry-run"]].concat()).done();
    assert_eq!(printed, format!("{}\nwould delete 1 session\n", fingerprint(IDS[0])));
    assert_eq!(delete(&shop, &twice).done(), "deleted 1 session\n");
}

#[test]
fn what_is_too_large_to_be_read_can_be_deleted_by_its_id() {
    let shop = shop();
    shop.sql("UPDATE beaker_cache SET data = zeroblob(70000000) WHERE namespace = '3d4e5f6a'");
    assert_eq!(delete(&shop, &["--id", IDS[3]]).done(), "deleted 1 session\n");
    assert_eq!(shop.ids(), [IDS[0], IDS[1], IDS[2]]);
}

#[test]
fn an_id_in_the_wrong_place_is_not_repeated() {
    let run = delete(&shop(), &[IDS[0]]);
    let said = "error: there is an argument too many\n\nhint: session ids go behind `--id`\n";
    assert_eq!((run.code, run.stderr.as_str()), (exit::USAGE, said));
}

#[test]
fn a_key_that_is_no_text_is_found_by_what_is_shown() {
    let shop = shop();
    shop.add_row("7e7e7e7e", &shop.local_time(MINUTE), b"\x80\x02}X\x07\x00\x00\x00session}K\x07X\x01\x00\x00\x00xss.");
    let run = delete(&shop, &["--where", "7=x"]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::SOME_UNREADABLE, "deleted 1 session\n"));
    assert_eq!(shop.ids(), IDS);
}

#[test]
fn ids_that_look_like_options_or_sql() {
    let shop = shop();
    for id in ["-x", "--id", "%", "_", "' OR 1=1 --", "žąsis"] {
        shop.add(id, MINUTE, &json!({ "a": 1 }));
        assert_eq!(shop.run("delete", &["--id", id]).done(), "deleted 1 session\n", "{id}");
    }
    assert_eq!(shop.ids(), IDS);
}

#[test]
fn by_ids_from_standard_input() {
    let shop = shop();
    let text = format!("{}\r\n\n{}\nnobody\n{}", IDS[0], IDS[1], IDS[3]);
    let run = finish_with(&mut shop.command("delete", &["--id", "-"]), text.as_bytes());
    assert_eq!(silent_about_ids(run).done(), "deleted 3 sessions; 1 of the given ids are not in the store\n");
    assert_eq!(shop.ids(), [IDS[2]]);
    for (stdin, why) in [
        (&b""[..], "error: standard input holds no session id\n"),
        (
            b"\xff\n",
            "error: cannot read session ids from standard input\n  caused by: stream did not contain valid UTF-8\n",
        ),
    ] {
        assert_eq!(finish_with(&mut shop.command("delete", &["--id", "-"]), stdin).failed(2), why);
    }
}

#[test]
fn by_fingerprint() {
    let shop = shop();
    let listing = shop.run("sessions", &["-f", "plain", "-c", "session", "--where", "n=2"]);
    assert_eq!(listing.stdout.trim_end(), fingerprint(IDS[1]));
    assert_eq!(delete(&shop, &["--fingerprint", &fingerprint(IDS[1])]).done(), "deleted 1 session\n");
    assert_eq!(delete(&shop, &["--fingerprint", &fingerprint(IDS[3])]).done(), "deleted 1 session\n");
    let run = delete(&shop, &["--fingerprint", "000000000000"]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::DONE, "deleted 0 sessions\n"));
    assert_eq!(run.stderr, "note: 1 of the given fingerprints is not in the store\n");
    assert_eq!(delete(&shop, &["--fingerprint", "000000000000", "-q"]).done(), "");
    assert_eq!(shop.ids(), [IDS[0], IDS[2]]);
    // Somebody may give the id for it.
    let refused = delete(&shop, &["--fingerprint", IDS[0]]).failed(2);
    assert!(refused.starts_with("error: what `--fingerprint` got is no fingerprint\n\nhint: "), "{refused}");
}

#[test]
fn by_what_is_in_them() {
    let shop = shop();
    let run = delete(&shop, &["--where", "user_name=ann"]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::SOME_UNREADABLE, "deleted 2 sessions\n"));
    let warning = format!("warning: session {} cannot be read: ", fingerprint(IDS[3]));
    assert!(run.stderr.starts_with(&warning) && run.stderr.lines().count() == 1, "{}", run.stderr);
    assert_eq!(shop.ids(), [IDS[2], IDS[3]], "what cannot be read is kept");
}

#[test]
fn a_key_that_no_session_has_is_told() {
    let shop = shop();
    delete(&shop, &["--id", IDS[3]]).done();
    let run = delete(&shop, &["-w", "usr_name=ann", "-w", "n=1", "-w", "usr_name=joe"]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::DONE, "deleted 0 sessions\n"));
    assert_eq!(run.stderr, "note: no session has a key `usr_name`\n");
    let run = delete(&shop, &["-w", "usr_name=ann", "--id", IDS[0]]);
    assert_eq!(run.stderr, "note: none of the chosen sessions has a key `usr_name`\n");
    assert_eq!(delete(&shop, &["-w", "user_name=x"]).done(), "deleted 0 sessions\n");
    assert_eq!(delete(&shop, &["-q", "-w", "usr_name=ann"]).done(), "");
    // At a terminal it is told before the question, and once.
    let args =
        shop.args("delete", &["-w", "user_name=ann", "-w", "n=1", "--fingerprint", "000000000000", "--fingerprint"]);
    let args = [args, vec![fingerprint(IDS[0])]].concat();
    let run = at_terminal(args, NOW, Terminals::of(None, true, true), "y\n");
    let told = "note: 1 of the given fingerprints is not in the store\nDelete 1 session? [y/N] ";
    assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, told));
    assert_eq!(shop.ids(), [IDS[1], IDS[2]]);
}

#[test]
fn what_log_outs_leave_can_be_deleted() {
    let shop = shop();
    delete(&shop, &["--id", IDS[3]]).done();
    shop.add("4e5f6a7b", MINUTE, &json!({ "_domain": null, "_path": "/" }));
    assert_eq!(delete(&shop, &["--logged-out"]).done(), "deleted 1 session\n");
    assert_eq!(delete(&shop, &["--logged-out"]).done(), "deleted 0 sessions\n");
    assert_eq!(shop.ids(), [IDS[0], IDS[1], IDS[2]]);
}

#[test]
fn who_sits_at_a_terminal_is_told_what_is_read() {
    let shop = shop();
    let terminals = Terminals::of(None, true, true);
    let run = at_terminal(shop.args("delete", &["--id", "-"]), NOW, terminals, IDS[0]);
    let told = "note: reading session ids, one a line, from standard input; end with Ctrl-D on a line of its own\n";
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("deleted 1 session\n", told));
}

#[test]
fn conditions_of_all_kinds_must_hold_together() {
    let shop = shop();
    let deleted = |args: &[&str]| delete(&shop, args).done();
    assert_eq!(deleted(&["--id", IDS[0], "--where", "user_name=joe"]), "deleted 0 sessions\n");
    assert_eq!(deleted(&["--id", IDS[0], "--fingerprint", &fingerprint(IDS[1])]), "deleted 0 sessions\n");
    assert_eq!(deleted(&["--id", IDS[0], "-w", "user_name=ann", "-w", "n=2"]), "deleted 0 sessions\n");
    assert_eq!(shop.ids(), IDS);
    let all =
        ["--id", IDS[0], "--id", IDS[1], "-w", "user_name=ann", "-w", "n=2", "--fingerprint", &fingerprint(IDS[1])];
    assert_eq!(deleted(&all), "deleted 1 session\n");
    assert_eq!(shop.ids(), [IDS[0], IDS[2], IDS[3]]);
}

#[test]
fn a_dry_run_shows_fingerprints_and_changes_no_byte() {
    let shop = shop();
    let before = files(shop.path());
    let run = delete(&shop, &["--where", "user_name=ann", "--dry-run"]);
    let expected = format!("{}\n{}\nwould delete 2 sessions\n", fingerprint(IDS[0]), fingerprint(IDS[1]));
    assert_eq!((run.code, run.stdout), (exit::SOME_UNREADABLE, expected));
    assert!(files(shop.path()) == before, "a dry run changed something");
    assert_eq!(delete(&shop, &["--id", IDS[0], "--dry-run", "--quiet"]).done(), "");
}

#[test]
fn without_a_condition_it_refuses() {
    let shop = shop();
    assert_eq!(
        delete(&shop, &["--yes"]).failed(2),
        "error: which sessions? no condition is given, and all of them are never meant\n\n\
         hint: give `--id`, `--fingerprint`, `--where` or `--logged-out`; `beakerhelpers cleanup` deletes by age\n"
    );
    assert_eq!(shop.ids(), IDS);
}

#[test]
fn on_a_terminal_it_asks() {
    for (typed, left) in [("y\n", 2), ("n\n", 4), ("", 4)] {
        let shop = shop();
        let terminals = Terminals::of(Some(80), true, true);
        let args = shop.args("delete", &["--id", IDS[0], "--id", IDS[1], "--id", "nobody"]);
        let run = silent_about_ids(at_terminal(args, NOW, terminals, typed));
        let refused = if left == 4 { "nothing was deleted\n" } else { "" };
        assert_eq!(run.stderr, format!("Delete 2 sessions? [y/N] {refused}"));
        assert_eq!((run.code, shop.ids().len()), (0, left), "{typed:?}");
    }
    // With nothing to delete, and with `--yes`, there is no question.
    let shop = shop();
    for (args, text) in [
        (["--id", "nobody", "--yes"], "deleted 0 sessions; 1 of the given ids are not in the store\n"),
        (["--id", "nobody", "--id=x"], "deleted 0 sessions; 2 of the given ids are not in the store\n"),
        (["--id", IDS[0], "--yes"], "deleted 1 session\n"),
    ] {
        let run = at_terminal(shop.args("delete", &args), NOW, Terminals::of(None, true, true), "n\n");
        assert_eq!(run.done(), text);
    }
}

#[test]
fn what_cannot_be_read_is_told_once_before_the_question() {
    let shop = shop();
    let args = shop.args("delete", &["--where", "n=2"]);
    let run = silent_about_ids(at_terminal(args, NOW, Terminals::of(Some(80), true, true), "y\n"));
    assert_eq!((run.code, run.stdout.as_str()), (exit::SOME_UNREADABLE, "deleted 1 session\n"));
    let (warning, question) = run.stderr.split_once('\n').unwrap();
    assert!(warning.starts_with("warning: session ") && question == "Delete 1 session? [y/N] ", "{}", run.stderr);
}

#[test]
fn quiet_says_nothing() {
    let shop = shop();
    assert_eq!(finish(&mut shop.command("delete", &["--quiet", "--id", IDS[0]])).done(), "");
    assert_eq!(shop.ids(), IDS[1..]);
}
