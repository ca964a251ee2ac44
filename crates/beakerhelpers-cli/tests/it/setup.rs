//! What `setup` creates, checks, and never destroys unasked.

use beakerhelpers_core::Timestamp;
use beakerhelpers_core::command::{Terminals, exit};
use beakerhelpers_testkit::{Request, python};
use serde_json::{Value as Json, json};

use crate::run::{Run, at_terminal, binary, finish, run};
use crate::shop::{DAY, MINUTE, Shop};

const NOW: Timestamp = Timestamp::from_micros(1_768_478_400_250_000);

/// A site without a database.
fn bare() -> Shop {
    Shop::without_table(NOW, "")
}

/// A site with two visitors.
fn shop() -> Shop {
    let shop = Shop::at(NOW, "");
    shop.add("0123456789abcdef0123456789abcdef", MINUTE, &json!({ "a": 1 }));
    shop.add("1123456789abcdef0123456789abcdef", DAY, &json!({ "a": 2 }));
    shop
}

fn setup(shop: &Shop, args: &[&str]) -> Run {
    shop.run("setup", args).without(shop.path())
}

const LOCATION: &str = "sqlite:///sessions.db, table beaker_cache";

#[test]
fn it_creates_the_table_once_and_leaves_it_alone() {
    let shop = bare();
    assert_eq!(setup(&shop, &[]).done(), format!("created {LOCATION}\n"));
    let made = shop.snapshot();
    assert_eq!(setup(&shop, &[]).done(), format!("{LOCATION} is there already; nothing was changed\n"));
    assert_eq!(setup(&shop, &["--quiet"]).done(), "");
    assert_eq!(shop.snapshot(), made);
    shop.assert_integrity();
    let quiet = bare();
    assert_eq!(setup(&quiet, &["-q"]).done(), "");
    assert_eq!(quiet.count(), 0);
}

#[test]
fn beaker_goes_on_with_what_was_set_up() {
    let python = python!();
    let shop = bare();
    setup(&shop, &["--index"]).done();
    let ini = shop.ini();
    let site = python.site(&ini);
    site.answer(&[Request::save("0123456789abcdef0123456789abcdef", "{'user_name': 'ann'}")]);
    assert!(site.load(&["0123456789abcdef0123456789abcdef"])[0].is_some());
    assert_eq!(setup(&shop, &["--check"]).done(), format!("nothing is missing: {LOCATION}\n"));
}

#[test]
fn the_index_is_added_once() {
    let shop = shop();
    let there = format!("{LOCATION} is there already\n");
    assert_eq!(setup(&shop, &["--index"]).done(), there.clone() + "added an index on the access times\n");
    assert_eq!(
        setup(&shop, &["--index"]).done(),
        there + "an index on the access times is there already; nothing was changed\n"
    );
    let indexes = "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'ix_beaker_cache_accessed'";
    assert_eq!((shop.number(indexes), shop.count()), (1, 2));
    let fresh = bare();
    assert_eq!(setup(&fresh, &["--index", "-q"]).done(), "");
    assert_eq!(fresh.number(indexes), 1);
}

#[test]
fn a_check_of_a_sound_table_gives_advice_and_zero() {
    let shop = shop();
    let before = shop.snapshot();
    let printed = setup(&shop, &["--check"]).done();
    assert!(printed.starts_with("advice: there is no index on `accessed`"), "{printed}");
    assert!(printed.ends_with(&format!("nothing is missing: {LOCATION}\n")), "{printed}");
    assert_eq!(setup(&shop, &["--check", "--quiet"]).done(), "");
    let object: Json = serde_json::from_str(&setup(&shop, &["--check", "-f", "json"]).done()).expect("JSON");
    assert_eq!((&object["ok"], &object["location"]), (&json!(true), &json!(LOCATION)));
    assert_eq!(object["findings"][0]["severity"], "advice");
    assert_eq!(shop.snapshot(), before);
}

#[test]
fn a_check_that_finds_something_missing_ends_with_one() {
    let shop = bare();
    for args in [&["--check"][..], &["--check", "--quiet"]] {
        let run = setup(&shop, args);
        assert_eq!((run.code, run.stderr.as_str()), (exit::FAILED, ""));
        assert!(run.stdout.starts_with("missing: the database file does not exist"), "{}", run.stdout);
        assert!(!run.stdout.contains("nothing is missing"), "{}", run.stdout);
    }
    assert!(!shop.database().exists(), "a check creates nothing");
    shop.sql("CREATE TABLE beaker_cache (namespace, accessed, created, data)");
    let run = setup(&shop, &["--check", "--format", "json"]);
    let object: Json = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((run.code, &object["ok"]), (exit::FAILED, &json!(false)));
    assert!(object["findings"][0]["hint"].as_str().expect("a hint").contains("CREATE UNIQUE INDEX"), "{object}");
}

#[test]
fn what_is_there_already_and_lacks_something_is_not_passed_over() {
    let shop = bare();
    shop.sql("CREATE TABLE beaker_cache (id, name); INSERT INTO beaker_cache VALUES (1, 'ann')");
    let run = setup(&shop, &[]);
    assert_eq!(run.code, exit::FAILED);
    assert!(run.stdout.ends_with("is there already; nothing was changed\n"), "{run:?}");
    assert!(run.stderr.starts_with("missing: the table `beaker_cache` lacks the columns"), "{run:?}");
    assert_eq!(setup(&shop, &["-q"]).failed(1), run.stderr);
    let refused = setup(&shop, &["--recreate", "--yes"]).failed(1);
    assert!(
        refused.starts_with("error: `beaker_cache` is left alone: the table `beaker_cache` lacks the columns"),
        "{refused}"
    );
    assert_eq!(shop.count(), 1);
}

#[test]
fn without_a_terminal_nothing_is_destroyed_unless_it_is_said_so() {
    let shop = shop();
    let before = shop.snapshot();
    let said = "error: `--recreate` destroys all sessions, and there is nobody to ask; nothing was done\n\n\
                hint: if that is what you want, say `--yes`\n";
    assert_eq!(setup(&shop, &["--recreate"]).failed(exit::USAGE), said);
    for args in [&["--yes"][..], &["--check", "--recreate"], &["--check", "--index"], &["--format", "json"]] {
        setup(&shop, args).failed(exit::USAGE);
    }
    assert_eq!(shop.snapshot(), before);
    let done = setup(&shop, &["--recreate", "--yes"]).done();
    assert_eq!(done, format!("destroyed all sessions and created {LOCATION} anew\n"));
    assert_eq!(shop.count(), 0);
    assert_eq!(setup(&bare(), &["--recreate", "--yes"]).done(), format!("created {LOCATION}\n"));
}

fn asked(shop: &Shop, typed: &str) -> Run {
    let terminals = Terminals::of(None, true, true);
    at_terminal(shop.args("setup", &["--recreate"]), NOW, terminals, typed).without(shop.path())
}

#[test]
fn at_a_terminal_it_says_how_many_are_lost_and_asks() {
    let shop = shop();
    // One whose age nobody knows is lost as well.
    shop.add_row("2123456789abcdef0123456789abcdef", "yesterday", b"");
    let question = format!("Destroy 3 sessions in {LOCATION} and log these people out? [y/N] ");
    for typed in ["", "n\n", "\n", "yess\n"] {
        let run = asked(&shop, typed);
        assert_eq!((run.code, run.stderr), (exit::DONE, question.clone() + "nothing was destroyed\n"));
        assert_eq!(shop.count(), 3);
    }
    let run = asked(&shop, "y\n");
    assert_eq!((run.code, run.stderr), (exit::DONE, question));
    assert_eq!(run.stdout, format!("destroyed 3 sessions and created {LOCATION} anew\n"));
    assert_eq!(shop.count(), 0);
    let nothing = asked(&bare(), "");
    assert_eq!(nothing.done(), format!("created {LOCATION}\n"), "nobody is asked for nothing");
    let other = bare();
    other.sql("CREATE TABLE beaker_cache (id); INSERT INTO beaker_cache VALUES (1)");
    let run = asked(&other, "y\n");
    assert!(run.code == exit::FAILED && run.stderr.starts_with("missing: the table"), "{run:?}");
    assert_eq!(other.count(), 1);
}

#[test]
fn stores_that_need_nothing_are_left_alone() {
    let site = |store_type: &str, more: &str| {
        let keys = format!("[app:main]\nbeaker.session.type = {store_type}\nbeaker.session.validate_key = v\n{more}");
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("site.ini"), keys).expect("it can be written");
        directory
    };
    let setup = |directory: &tempfile::TempDir, args: &[&str]| {
        finish(binary().arg("setup").arg(directory.path().join("site.ini")).args(args)).without(directory.path())
    };
    // Nobody listens on port 1.
    for (store_type, url, location) in [
        ("ext:redis", "beaker.session.url = redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0"),
        ("ext:memcached", "beaker.session.url = 127.0.0.1:1", "memcached 127.0.0.1:1"),
        ("cookie", "", "cookies of the visitors"),
    ] {
        let site = site(store_type, url);
        assert_eq!(setup(&site, &[]).done(), format!("nothing is needed: {location} needs no setting up\n"));
        assert_eq!(setup(&site, &["-q"]).done(), "");
        for (args, what) in [(&["--recreate"][..], "be created anew"), (&["--index"], "index its access times")] {
            let said = format!("error: a store of type `{store_type}` cannot {what}; nothing was done\n");
            assert_eq!(setup(&site, args).failed(exit::USAGE), said);
        }
        let code = if url.is_empty() { exit::USAGE } else { exit::FAILED };
        let failed = setup(&site, &["--check"]).failed(code);
        assert!(url.is_empty() || failed.contains("\n  at: site.ini:4, `beaker.session.url`\n"), "{failed}");
    }
    let memory = site("memory", "");
    for args in [&[][..], &["--check"]] {
        assert_eq!(setup(&memory, args).code, exit::DONE);
    }
}

#[test]
fn the_help_tells_the_price_of_the_index() {
    let help = run(["setup", "--help"]).done();
    for word in ["CONCURRENTLY", "HOT", "SQLite", "online", "DROP INDEX", "--recreate"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn a_cleanup_after_the_index_does_the_same() {
    let shop = shop();
    setup(&shop, &["--index"]).done();
    let args = shop.args("cleanup", &["-t", "2h", "--time-zone", "UTC", "-q"]);
    assert_eq!(at_terminal(args, NOW, Terminals::default(), "").done(), "");
    assert_eq!(shop.ids(), ["0123456789abcdef0123456789abcdef"]);
    shop.assert_integrity();
}
