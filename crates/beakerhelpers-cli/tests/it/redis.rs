//! Sites whose sessions are in Redis, as those meet it who run them.

use std::path::{Path, PathBuf};

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::servers::{Database, Kind, User, Via};
use beakerhelpers_testkit::{Python, Request, python, server};
use serde_json::{Value as Json, json};

use crate::run::{Run, run};

const JOE: &str = "0123456789abcdef0123456789abcdef";
const ANN: &str = "1123456789abcdef0123456789abcdef";

/// Writes an ini file of a site.
fn ini(folder: &Path, url: &str, keys: &str) -> PathBuf {
    let ini = folder.join("site.ini");
    // To configparser a percent sign begins the name of another key.
    let url = url.replace('%', "%%");
    let text = format!("[app:main]\nbeaker.session.type = ext:redis\nbeaker.session.url = {url}\n{keys}\n");
    std::fs::write(&ini, text).expect("it can be written");
    ini
}

fn command(name: &str, ini: &Path, args: &[&str]) -> Run {
    run([&[name, ini.to_str().expect("paths of tests are text")], args].concat())
}

/// Two sessions of two days, and one of now.
fn fill(python: &Python, ini: &Path) {
    let now = beakerhelpers_core::Timestamp::from(std::time::SystemTime::now());
    let then = now.earlier_by(std::time::Duration::from_secs(2 * 86_400));
    let joe = Request::save(JOE, "{'user_name': 'joe'}").at(then);
    let ann = Request::save(ANN, "{'user_name': 'ann'}");
    python.site(ini).answer(&[joe, ann, Request::save("now", "{'user_name': 'eve'}").at(now)]);
}

fn size(database: &Database<'_>) -> u64 {
    database.run("DBSIZE\n").trim().parse().expect("it is a number")
}

#[test]
fn sessions_are_listed_cleaned_and_deleted() {
    let python = python!().with_time_zone("UTC");
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let folder = tempfile::tempdir().expect("a folder");
    for keys in ["", "beaker.session.encrypt_key = k\nbeaker.session.validate_key = v"] {
        let ini = ini(folder.path(), &database.url("redis"), keys);
        fill(&python, &ini);
        let table = command("sessions", &ini, &[]).done();
        assert!(table.contains("joe") && table.contains("ann") && !table.contains(JOE), "{table}");
        let lines = command("sessions", &ini, &["-f", "jsonl", "--show-ids", "--where", "user_name=joe"]).done();
        let joe: Json = serde_json::from_str(&lines).expect("one line of JSON");
        assert_eq!((&joe["id"], &joe["user_name"]), (&json!(JOE), &json!("joe")), "{joe}");
        assert_eq!(command("sessions", &ini, &["--timeout", "1d", "--count"]).done(), "1\n");

        let dry = command("cleanup", &ini, &["-t", "1d", "--dry-run"]).done();
        assert!(dry.contains("would delete 2 sessions older than 1d"), "{dry}");
        assert_eq!(size(&database), 3);
        let args = ["-t", "1d", "--skip-clock-check", "-f", "json"];
        let done: Json = serde_json::from_str(&command("cleanup", &ini, &args).done()).expect("JSON");
        let counts = ["deleted", "kept", "unknown_age", "unreadable"].map(|key| done[key].as_u64());
        assert_eq!(counts, [2, 1, 0, 0].map(Some), "{done}");
        assert_eq!(command("delete", &ini, &["--where", "user_name=eve", "--yes"]).stdout, "deleted 1 session\n");
        assert_eq!(size(&database), 0);
    }
}

#[test]
fn an_archive_brings_back_what_went() {
    let python = python!().with_time_zone("UTC");
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let folder = tempfile::tempdir().expect("a folder");
    let ini = ini(folder.path(), &database.url("redis"), "");
    fill(&python, &ini);
    let archive = folder.path().join("old.gz");
    let archive = archive.to_str().expect("it is text");
    let said = command("cleanup", &ini, &["-t", "1d", "--archive", archive]).done();
    assert!(said.starts_with("deleted 2 sessions") && said.contains("archived in"), "{said}");
    assert_eq!(size(&database), 1);
    let restored = command("restore", &ini, &[archive]);
    assert_eq!((restored.code, size(&database)), (exit::DONE, 3), "{restored:?}");
    assert_eq!(python.site(&ini).load(&[JOE])[0].as_ref().expect("it is there")["user_name"].1, "joe");
}

#[test]
fn what_cannot_be_read_is_kept_told_once_and_counted() {
    let python = python!().with_time_zone("UTC");
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let folder = tempfile::tempdir().expect("a folder");
    let ini = ini(folder.path(), &database.url("redis"), "");
    fill(&python, &ini);
    for n in 0..5 {
        database.run(&format!("LPUSH beaker_cache:list-{n}:session 1\n"));
    }
    for (args, verb) in [(&["-t", "1d", "--dry-run"][..], "would delete"), (&["-t", "1d"], "deleted")] {
        let done = command("cleanup", &ini, args);
        assert_eq!(done.code, exit::SOME_UNREADABLE, "{done:?}");
        let line = format!("{verb} 2 sessions older than 1d");
        assert!(done.stdout.contains(&line), "{done:?}");
        assert!(done.stdout.contains("kept 6 (5 of them of unknown age: 5 could not be read)"), "{done:?}");
        assert_eq!(done.stderr.matches("warning: a session cannot be read, and is kept: ").count(), 1, "{done:?}");
        assert!(!done.stderr.contains("list-"), "{done:?}");
    }
    let quiet = command("cleanup", &ini, &["-t", "1d", "--quiet"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (exit::SOME_UNREADABLE, ""), "{quiet:?}");
    assert_eq!(quiet.stderr.lines().count(), 1, "{quiet:?}");
    let json: Json = serde_json::from_str(&command("cleanup", &ini, &["-t", "1d", "-f", "json"]).stdout).expect("JSON");
    assert_eq!((&json["unknown_age"], &json["unreadable"], &json["kept"]), (&json!(5), &json!(5), &json!(6)), "{json}");
}

#[test]
fn what_redis_refuses_is_told_without_its_secrets() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    database.run("SET beaker_cache:a:session x\n");
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = database.url_for("redis", User::SITE.with_password("wrong-password"), Via::Tcp);
    let said = command("sessions", &ini(folder.path(), &wrong, ""), &[]).failed(exit::FAILED);
    assert!(said.contains("refuses the user or the password") && said.contains("site.ini"), "{said}");
    assert!(!said.contains("wrong-password"), "{said}");
    let nonsense = ini(folder.path(), "http://u:secret@h", "");
    let said = command("cleanup", &nonsense, &["-t", "1d"]).failed(exit::USAGE);
    assert!(said.contains("no URL of Redis") && !said.contains("secret"), "{said}");
    let said = command("setup", &ini(folder.path(), &wrong, ""), &["--check"]).failed(exit::FAILED);
    assert!(said.contains("refuses the user or the password") && !said.contains("wrong-password"), "{said}");
    let right = ini(folder.path(), &database.url("redis"), "");
    for (args, words) in
        [(&[][..], "nothing is needed: redis://"), (&["--check"], "it answers, and needs no setting up: ")]
    {
        assert!(command("setup", &right, args).done().starts_with(words), "{words}");
    }
}
