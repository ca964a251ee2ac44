//! Real Beaker, current and older.

use std::time::Duration;

use beakerhelpers_core::Timestamp;
use beakerhelpers_testkit::{Loaded, OLDER_RELEASES, Python, Request, python, sqlite_ini};

const THEN: Timestamp = Timestamp::from_micros(1_768_478_400_250_000);

/// Reads a column of a table with Python's own SQLite.
fn column(python: &Python, database: &std::path::Path, expression: &str) -> Vec<String> {
    let script = "import sqlite3, sys\nfor (x,) in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(x)";
    let query = format!("select {expression} from beaker_cache order by namespace");
    let output = python.command().args(["-c", script]).arg(database).arg(query).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

fn value<'l>(loaded: Option<&'l Loaded>, key: &str) -> &'l str {
    &loaded.expect("a session").get(key).expect("a key").1
}

#[test]
fn beaker_writes_what_it_reads() {
    let python = python!().with_time_zone("Europe/Vilnius");
    let directory = tempfile::tempdir().expect("a directory");
    let ini = sqlite_ini(directory.path(), "beaker.session.secret = s3cret");
    let site = python.site(&ini);
    let ids = site.answer(&[
        Request::save("joe", "{'user_name': 'joe@doe.com', 'since': datetime(2026, 1, 2), 'cart': [1, 2]}").at(THEN),
        Request::save("gone", "{'a': 1}"),
        Request::delete("gone"),
        Request::touch("joe").at(THEN.later_by(Duration::from_secs(60))),
        Request::save("", "{'a': 1}").without_cookie(),
    ]);
    assert_eq!(&ids[..4], ["joe", "gone", "gone", "joe"]);
    assert_eq!(ids[4].len(), 32);
    let database = directory.path().join("sessions.db");
    let accessed = column(&python, &database, "accessed");
    assert!(accessed.contains(&"2026-01-15 14:01:00.250000".to_owned()), "{accessed:?}");
    assert!(accessed.contains(&"2026-01-15 14:00:00.250000".to_owned()), "{accessed:?}");

    let loaded = site.load(&["joe", "nobody"]);
    assert_eq!(value(loaded[0].as_ref(), "user_name"), "joe@doe.com");
    assert_eq!(value(loaded[0].as_ref(), "since"), "2026-01-02 00:00:00");
    assert_eq!(value(loaded[0].as_ref(), "_creation_time"), "1768478400.25");
    assert!(loaded[1].is_none());
    assert_eq!(column(&python, &database, "accessed"), accessed, "reading changes nothing");
}

#[test]
fn a_new_id_leaves_the_old_session() {
    let python = python!();
    let directory = tempfile::tempdir().expect("a directory");
    let ini = sqlite_ini(directory.path(), "");
    let site = python.site(&ini);
    site.answer(&[Request::save("before", "{'a': 1}")]);
    let new = site.answer(&[Request::invalidate("before", "{'b': 2}")]).remove(0);
    let loaded = site.load(&["before", &new]);
    assert_eq!((value(loaded[0].as_ref(), "a"), value(loaded[1].as_ref(), "b")), ("1", "2"));
}

#[test]
fn every_older_release_writes_what_it_reads() {
    for release in OLDER_RELEASES {
        let python = python!(release);
        let directory = tempfile::tempdir().expect("a directory");
        let ini = sqlite_ini(directory.path(), "beaker.session.timeout = 600");
        let site = python.site(&ini);
        site.answer(&[Request::save("joe", "{'user_name': 'joe'}"), Request::save("old", "{}").at(THEN)]);
        let loaded = site.load(&["joe", "old"]);
        assert_eq!(value(loaded[0].as_ref(), "user_name"), "joe", "{release}");
        assert!(loaded[1].is_none(), "{release}: it has timed out");
        let database = directory.path().join("sessions.db");
        let encoded = column(&python, &database, "instr(data, 'gAJ9') > 0");
        let base64 = if ["1.9.1", "1.11.0"].contains(&release) { "0" } else { "1" };
        assert_eq!(encoded, [base64, base64], "{release}");
    }
}

#[test]
fn a_live_site_goes_on_until_it_is_ended() {
    let python = python!();
    let directory = tempfile::tempdir().expect("a directory");
    let ini = sqlite_ini(directory.path(), "");
    let report = python.site(&ini).go_live().end();
    assert!(report.answered >= 1 && report.errors.is_empty() && !report.longest.is_zero(), "{report:?}");
    assert_eq!(value(python.site(&ini).load(&["live-0"])[0].as_ref(), "visits"), "1");
}

#[test]
fn visitors_notice_what_is_lost() {
    let python = python!();
    let directory = tempfile::tempdir().expect("a directory");
    let ini = sqlite_ini(directory.path(), "");
    let site = python.site(&ini);
    site.answer(&["there", "kept", "lost"].map(|id| Request::save(id, "{}")));
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let visits = site.let_visitors_come(&ids(&["there"]), &ids(&["kept"])).leave();
    assert_eq!((visits.back, visits.gone, visits.between), (1, 0, 0), "{visits:?}");
    assert!(visits.answered >= 5 && visits.errors.is_empty() && visits.lost.is_empty(), "{visits:?}");
    // One was deleted long ago, and one goes while its visitor is away.
    let visitors = site.let_visitors_come(&ids(&["gone"]), &ids(&["lost"]));
    let script = "import sqlite3, sys\ndatabase = sqlite3.connect(sys.argv[1])\nwith database:\n \
                  database.execute(\"delete from beaker_cache where namespace = 'lost'\")";
    let deleted = python.command().args(["-c", script]).arg(directory.path().join("sessions.db")).status();
    assert!(deleted.expect("Python starts").success());
    let visits = visitors.leave();
    assert_eq!((visits.back, visits.gone, visits.between), (0, 1, 0), "{visits:?}");
    assert_eq!(visits.lost, ["lost"]);
}

#[test]
fn another_prefix_is_another_site() {
    let python = python!();
    let directory = tempfile::tempdir().expect("a directory");
    let ini = sqlite_ini(
        directory.path(),
        "bkr.session.type = ext:database\nbkr.session.url = sqlite:///%(here)s/sessions.db\nbkr.session.timeout = 600",
    );
    let old = Request::save("old", "{}").at(THEN);
    let site = python.site(&ini);
    site.answer(&[old]);
    assert!(site.load(&["old"])[0].is_some());
    assert!(site.with_prefix("bkr.session").load(&["old"])[0].is_none());
}

#[test]
fn rows_of_the_original_tests_are_aged_local_times() {
    let python = python!().with_time_zone("Asia/Tokyo");
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("sessions.db");
    let minute = Duration::from_secs(60);
    let now = python.original_rows(
        &database,
        "beaker_cache",
        &[
            ("abc", minute, Some("{'_accessed_time': accessed, 'user_name': 'john@doe.com'}")),
            ("bcd", Duration::ZERO, None),
        ],
    );
    // SQLite counts naive times as UTC.
    let seconds = column(&python, &database, "strftime('%s', accessed) - 9 * 3600");
    let expected = [now.earlier_by(minute), now].map(|at| (at.as_micros() / 1_000_000).to_string());
    assert_eq!(seconds, expected);
    assert_eq!(column(&python, &database, "length(data) = 0"), ["0", "1"]);
}
