//! From one sort of store to another, in which sessions have other frames, times and lifetimes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use beakerhelpers_core::Timestamp;
use beakerhelpers_testkit::servers::{Database, Kind};
use beakerhelpers_testkit::{Loaded, Python, Request, Server, file_ini, own_server, python, server, sqlite_ini};
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

fn memcached_ini(folder: &Path, server: &Server) -> PathBuf {
    let ini = folder.join("site.ini");
    let keys = format!("type = ext:memcached\nbeaker.session.url = 127.0.0.1:{}", server.port());
    let keys = format!("{keys}\nbeaker.session.memcache_module = memcache\nbeaker.session.lock_dir = %(here)s/lock");
    fs::write(&ini, format!("[app:main]\nbeaker.session.{keys}\n{HOURLY}\n")).unwrap();
    ini
}

fn dbm_ini(folder: &Path) -> PathBuf {
    let ini = folder.join("site.ini");
    let keys = "type = dbm\nbeaker.session.data_dir = %(here)s/data\nbeaker.session.dbmmodule = dbm.dumb";
    fs::write(&ini, format!("[app:main]\nbeaker.session.{keys}\n{HOURLY}\n")).unwrap();
    ini
}

/// Lets three visitors come, of whom one is not seen again: what Beaker finds of the others.
fn visitors(python: &Python, ini: &Path) -> Vec<Option<Loaded>> {
    let now: Timestamp = SystemTime::now().into();
    set_up(ini);
    python.site(ini).answer(&[
        Request::save(BOB, "{'user_name': 'bob'}").at(now.earlier_by(2 * HOUR)),
        Request::save(JOE, CONTENTS).at(now.earlier_by(HOUR / 2)),
        Request::save(ANN, "{'user_name': 'ann'}").at(now.earlier_by(10 * MINUTE)),
    ]);
    let before = loaded_by(python, ini, &[JOE, ANN]);
    assert!(before.iter().all(Option::is_some));
    before
}

/// From each site to the next: after each step all visitors are there, and nothing is left to copy.
fn pass_on(python: &Python, sites: &[&PathBuf], before: &[Option<Loaded>]) {
    for pair in sites.windows(2) {
        let [from, to] = pair else { continue };
        set_up(to);
        assert_eq!(counts_by(from, to, &[]), [2, 0, 0, 0, 0, 0]);
        assert_eq!(counts_by(from, to, &[]), [0, 0, 2, 0, 0, 0]);
        assert_eq!(counts_by(from, to, &["--verify"]), [0, 0, 2, 0, 0, 0]);
        assert_eq!(loaded_by(python, to, &[JOE, ANN]), before);
        assert_eq!(loaded_by(python, to, &[BOB]), [None]);
    }
}

/// Files to Redis, to SQLite, to Redis, to files.
fn go_round(python: &Python) {
    let server = server!(Kind::Redis);
    let (first, second) = (server.create_database(), server.create_database());
    let (_old, old) = folder(|folder| file_ini(folder, HOURLY));
    let (_redis, redis) = folder(|folder| redis_ini(folder, &first));
    let (_sqlite, sqlite) = folder(|folder| sqlite_ini(folder, HOURLY));
    let (_again, again) = folder(|folder| redis_ini(folder, &second));
    let (_files, files) = folder(|folder| file_ini(folder, HOURLY));
    let before = visitors(python, &old);
    pass_on(python, &[&old, &redis, &sqlite, &again, &files], &before);
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
fn visitors_go_round_by_memcached_and_dbm() {
    let python = python!().with_time_zone("UTC");
    let server = own_server!(Kind::Memcached);
    let (_old, old) = folder(|folder| file_ini(folder, HOURLY));
    let (_memcached, memcached) = folder(|folder| memcached_ini(folder, &server));
    let (_dbm, dbm) = folder(dbm_ini);
    let (_sqlite, sqlite) = folder(|folder| sqlite_ini(folder, HOURLY));
    let before = visitors(&python, &old);
    pass_on(&python, &[&old, &memcached, &dbm, &sqlite], &before);
    assert_eq!(counts_by(&sqlite, &old, &[]), [0, 0, 2, 0, 0, 0], "it is what it was");
    // Beaker has looked for somebody in dbm, and left an empty database: that is no log-out.
    python.site(&sqlite).answer(&[Request::save(BOB, "{'user_name': 'bob'}")]);
    assert_eq!(python.site(&dbm).load(&[BOB]), [None]);
    assert_eq!(counts_by(&dbm, &sqlite, &[]), [0, 0, 2, 1, 0, 0]);
    python.site(&dbm).answer(&[Request::delete(JOE)]);
    assert_eq!(counts_by(&dbm, &sqlite, &[]), [0, 0, 1, 1, 1, 0]);
    assert!(python.site(&sqlite).load(&[JOE, BOB]).iter().map(Option::is_some).eq([false, true]));
}

#[test]
fn what_a_cleanup_archived_is_restored_into_stores_of_other_types() {
    let python = python!().with_time_zone("UTC");
    let (redis_server, server) = (server!(Kind::Redis), own_server!(Kind::Memcached));
    let (_files, files) = folder(|folder| file_ini(folder, HOURLY));
    let (_dbm, dbm) = folder(dbm_ini);
    let (_sqlite, sqlite) = folder(|folder| sqlite_ini(folder, HOURLY));
    let (first, second) = (redis_server.create_database(), redis_server.create_database());
    let (_redis, redis) = folder(|folder| redis_ini(folder, &first));
    let (_memcached, memcached) = folder(|folder| memcached_ini(folder, &server));
    let (_again, again) = folder(|folder| redis_ini(folder, &second));
    // Neither of the two has times beside its sessions, and each has a frame of its own.
    for (from, to) in [(&redis, [&sqlite, &files, &memcached]), (&memcached, [&sqlite, &dbm, &again])] {
        let before = visitors(&python, from);
        let archive = from.with_file_name("old.jsonl.gz");
        let archive = archive.to_str().unwrap();
        run(["cleanup", from.to_str().unwrap(), "-q", "-t", "5m", "--archive", archive]).done();
        assert_eq!(loaded_by(&python, from, &[JOE, ANN]), [None, None]);
        for to in to {
            set_up(to);
            assert_eq!(
                run(["restore", to.to_str().unwrap(), archive]).done(),
                "restored 3 sessions\n",
                "{}",
                to.display()
            );
            assert_eq!(loaded_by(&python, to, &[JOE, ANN]), before, "{}", to.display());
            run(["cleanup", to.to_str().unwrap(), "-q", "-t", "1s"]).done();
        }
    }
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
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        copy_by(&old, &redis, &[]).done();
    }
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
