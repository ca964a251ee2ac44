//! From one sort of store to another, in which sessions have other frames, times and lifetimes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use beakerhelpers_core::Timestamp;
use beakerhelpers_testkit::servers::{Database, Kind};
use beakerhelpers_testkit::{Python, Request, file_ini, python, server, sqlite_ini};
use tempfile::TempDir;

use super::{HOURLY, copy_by, counts_by, loaded_by};
use crate::run::run;
use crate::shop::{HOUR, MINUTE};

const CONTENTS: &str = "{'user_name': 'joe', 'cart': [1, {'n': Decimal('1.10')}], 'raw': b'\\x00\\xff', \
                        'since': datetime(2026, 1, 2), 'ž': {'a'}}";
const JOE: &str = "0123456789abcdef0123456789abcdef";
const ANN: &str = "1123456789abcdef0123456789abcdef";
const BOB: &str = "2123456789abcdef0123456789abcdef";

/// A folder with an ini file.
fn folder(ini: impl FnOnce(&Path) -> PathBuf) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ini = ini(folder.path());
    (folder, ini)
}

fn set_up(ini: &Path) {
    run(["setup", ini.to_str().unwrap(), "--quiet"]).done();
}

fn redis_ini(folder: &Path, database: &Database<'_>) -> PathBuf {
    let ini = folder.join("site.ini");
    let url = database.url("redis").replace('%', "%%");
    let text = format!("[app:main]\nbeaker.session.type = ext:redis\nbeaker.session.url = {url}\n{HOURLY}\n");
    fs::write(&ini, text).unwrap();
    ini
}

/// How many seconds a session still lives in Redis.
fn left(database: &Database<'_>, id: &str) -> i64 {
    let left = database.run(&format!("PTTL beaker_cache:{id}:session\n"));
    left.trim().parse::<i64>().expect("a number") / 1000
}

/// Files to Redis, to SQLite, to Redis, to files: after each step all visitors are there, and nothing is left to copy.
fn go_round(python: &Python) {
    let server = server!(Kind::Redis);
    let (first, second) = (server.create_database(), server.create_database());
    let (_old, old) = folder(|folder| file_ini(folder, HOURLY));
    let (_redis, redis) = folder(|folder| redis_ini(folder, &first));
    let (_sqlite, sqlite) = folder(|folder| sqlite_ini(folder, HOURLY));
    let (_again, again) = folder(|folder| redis_ini(folder, &second));
    let (_files, files) = folder(|folder| file_ini(folder, HOURLY));
    let now: Timestamp = SystemTime::now().into();
    set_up(&old);
    python.site(&old).answer(&[
        Request::save(BOB, "{'user_name': 'bob'}").at(now.earlier_by(2 * HOUR)),
        Request::save(JOE, CONTENTS).at(now.earlier_by(HOUR / 2)),
        Request::save(ANN, "{'user_name': 'ann'}").at(now.earlier_by(10 * MINUTE)),
    ]);
    let before = loaded_by(python, &old, &[JOE, ANN]);
    assert!(before.iter().all(Option::is_some));
    let mut from = &old;
    for to in [&redis, &sqlite, &again, &files] {
        if to == &sqlite || to == &files {
            set_up(to);
        }
        assert_eq!(counts_by(from, to, &[]), [2, 0, 0, 0, 0, 0]);
        assert_eq!(counts_by(from, to, &[]), [0, 0, 2, 0, 0, 0]);
        assert_eq!(counts_by(from, to, &["--verify"]), [0, 0, 2, 0, 0, 0]);
        assert_eq!(loaded_by(python, to, &[JOE, ANN]), before);
        assert_eq!(loaded_by(python, to, &[BOB]), [None]);
        from = to;
    }
    assert_eq!(counts_by(&files, &old, &[]), [0, 0, 2, 0, 0, 0], "it is what it was");
    // Beaker lets Redis keep a session two minutes longer than the site's timeout.
    for database in [&first, &second] {
        for (id, lives) in [(JOE, 3600 - 1800 + 120), (ANN, 3600 - 600 + 120)] {
            let left = left(database, id);
            assert!((lives - 100..=lives).contains(&left), "{left} and not {lives}");
        }
    }
}

#[test]
fn visitors_of_the_current_beaker_go_round() {
    go_round(&python!().with_time_zone("UTC"));
}

#[test]
fn visitors_of_a_beaker_that_pickles_plain_dicts_go_round() {
    go_round(&python!("1.11.0").with_time_zone("UTC"));
}

#[test]
fn who_logs_out_where_no_times_are_kept_is_logged_out_in_the_other_place() {
    let python = python!().with_time_zone("UTC");
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let (_redis, redis) = folder(|folder| redis_ini(folder, &database));
    let (_sqlite, sqlite) = folder(|folder| sqlite_ini(folder, HOURLY));
    set_up(&sqlite);
    let site = python.site(&redis);
    site.answer(&[Request::save(JOE, CONTENTS), Request::save(ANN, CONTENTS)]);
    assert_eq!(counts_by(&redis, &sqlite, &[]), [2, 0, 0, 0, 0, 0]);
    site.answer(&[Request::delete(JOE), Request::save(ANN, "{'visits': 2}"), Request::save(BOB, "{}")]);
    assert_eq!(counts_by(&redis, &sqlite, &["--dry-run"]), [1, 1, 0, 0, 1, 0]);
    assert_eq!(counts_by(&redis, &sqlite, &[]), [1, 1, 0, 0, 1, 0]);
    assert_eq!(counts_by(&redis, &sqlite, &["--verify"]), [0, 0, 2, 0, 0, 0]);
    assert_eq!(loaded_by(&python, &sqlite, &[JOE]), [None]);
    assert_eq!(loaded_by(&python, &sqlite, &[ANN]), loaded_by(&python, &redis, &[ANN]));
}

#[test]
fn a_live_site_moves_from_files_to_redis() {
    let python = python!().with_time_zone("UTC");
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let (_old, old) = folder(|folder| file_ini(folder, HOURLY));
    let (_redis, redis) = folder(|folder| redis_ini(folder, &database));
    set_up(&old);
    let live = python.site(&old).go_live();
    (0..5).for_each(|_| drop(copy_by(&old, &redis, &[]).done()));
    let report = live.end();
    assert!(report.errors.is_empty() && report.answered > 20, "{report:?}");
    copy_by(&old, &redis, &[]).done();
    assert_eq!(counts_by(&old, &redis, &["--verify"]), [0, 0, 20, 0, 0, 0]);
    let ids: Vec<_> = (0..20).map(|n| format!("live-{n}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(loaded_by(&python, &old, &ids), loaded_by(&python, &redis, &ids));
    // After the switch they go on where they are.
    python.site(&redis).answer(&[Request::save("live-7", "{'visits': 'many'}")]);
    assert_eq!(counts_by(&old, &redis, &[]), [0, 0, 19, 1, 0, 0]);
}
