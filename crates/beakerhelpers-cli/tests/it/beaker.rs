//! Real Beaker writes, the program lists and cleans, and Beaker goes on.

use std::collections::BTreeMap;

use beakerhelpers_core::Timestamp;
use beakerhelpers_testkit::{Loaded, OLDER_RELEASES, Python, Request, Site, python, sqlite_ini};

use crate::run::{Run, binary, finish};
use crate::shop::{DAY, MINUTE, Shop};

/// 2026-01-15 12:00:00.25 UTC
const THEN: Timestamp = Timestamp::from_micros(1_768_478_400_250_000);

/// What visitors may have in their sessions. Beaker itself says what `str` makes of it.
pub(crate) const CONTENTS: [&str; 8] = [
    "{'user_name': 'joe@doe.com', 'visits': 7, 'admin': False, 'score': 1.5, 'nothing': None, 'empty': ''}",
    "{'at': datetime(2026, 1, 2, 3, 4, 5, 6), 'aware': datetime(2026, 1, 2, tzinfo=timezone.utc), \
      'day': date(2026, 1, 2), 'time': time(1, 2), 'for': timedelta(days=1, microseconds=3), \
      'neg': timedelta(seconds=-1)}",
    "{'price': Decimal('1.10'), 'tiny': Decimal('1E-30'), \
      'uuid': UUID('12345678-1234-5678-1234-567812345678'), 'complex': 1+2j}",
    "{'list': [1, 'two', None, [3.0]], 'tuple': (1,), 'set': {1}, 'frozen': frozenset({'a'}), \
      'dict': {'a': {'b': (1, 2)}}, 'ordered': OrderedDict(b=1, a=2), 'deque': deque([1], 3), 'bytes': b'\\x00caf\\xe9', \
      'array': bytearray(b'x')}",
    "{'lt': 'Linas Juškevičius', 'cjk': '日本語', 'emoji': '👩\\u200d👧', 'lines': 'a\\nb\\r\\nc', 'tab': 'a\\tb', \
      'quotes': '\"\\'', 'comma': 'a,b', 'nul': 'a\\0b', 'lone': ['\\ud800']}",
    "{1: 'int', (1, 'x'): 'tuple', None: 'none', 2.5: 'float', True: 'bool', b'k': 'bytes', 'ž': 'text'}",
    "{'big': 2**64, 'negative': -2**100, 'inf': float('inf'), 'nan': float('nan'), 'small': 5e-324, 'e': 1e16, \
      'minus': -0.0}",
    "{}",
];

/// The cells of a CSV listing by the id of the session, the empty ones left out.
fn listed(run: Run) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = run.done();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = header.iter().zip(&row).skip(1).filter(|(_, cell)| !cell.is_empty());
        (row[0].to_owned(), cells.map(|(key, cell)| (key.to_owned(), cell.to_owned())).collect())
    });
    rows.collect()
}

fn list(ini: &std::path::Path, args: &[&str]) -> Run {
    finish(binary().arg("sessions").arg(ini).args(["--show-ids", "--format", "csv"]).args(args))
}

/// Lets Beaker store all of [`CONTENTS`], and holds the listing to what Beaker itself loads then.
fn assert_listed_as_loaded(site: Site<'_>, ini: &std::path::Path, release: &str) {
    let requests: Vec<_> = CONTENTS.iter().map(|contents| Request::save("", contents).without_cookie()).collect();
    let ids = site.answer(&requests);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let listed = listed(list(ini, &["--timeout", "0"]));
    assert_eq!(listed.len(), CONTENTS.len());
    for (id, loaded) in ids.iter().zip(site.load(&ids)) {
        // Beaker sets the time of the access when it loads, and its floats are shown as times.
        let is_time = |key: &str| matches!(key, "_accessed_time" | "_creation_time");
        let loaded: Loaded = loaded.expect("Beaker finds the session");
        let expected: BTreeMap<_, _> = loaded
            .into_iter()
            .filter(|(key, (_, text))| !is_time(key) && !text.is_empty())
            .map(|(key, (_, text))| (key, text))
            .collect();
        let mut shown = listed[*id].clone();
        shown.retain(|key, _| !is_time(key));
        assert_eq!(shown, expected, "Beaker {release}");
    }
}

#[test]
fn all_that_current_beaker_stores_is_listed_as_python_shows_it() {
    let python = python!().with_time_zone("UTC");
    let directory = tempfile::tempdir().unwrap();
    let ini = sqlite_ini(directory.path(), "");
    assert_listed_as_loaded(python.site(&ini), &ini, "current");
}

#[test]
fn all_that_older_beakers_store_is_listed_as_python_shows_it() {
    for release in OLDER_RELEASES {
        let python = python!(release).with_time_zone("UTC");
        let directory = tempfile::tempdir().unwrap();
        let ini = sqlite_ini(directory.path(), "");
        assert_listed_as_loaded(python.site(&ini), &ini, release);
    }
}

#[test]
fn an_object_of_the_application_is_shown_by_its_class() {
    let python = python!().with_time_zone("UTC");
    let directory = tempfile::tempdir().unwrap();
    let ini = sqlite_ini(directory.path(), "");
    python.site(&ini).answer(&[Request::save("joe", "{'user': Opaque(name='joe'), 'list': [Opaque()]}")]);
    let joe = &listed(list(&ini, &[]))["joe"];
    assert_eq!((joe["user"].as_str(), joe["list"].as_str()), ("<values.Opaque object>", "[<values.Opaque object>]"));
}

#[test]
fn after_a_cleanup_beaker_loads_the_survivors() {
    let releases = OLDER_RELEASES.into_iter().map(Some).chain([None]);
    for release in releases {
        let python = match release {
            Some(release) => python!(release),
            None => python!(),
        };
        let python = python.with_time_zone("UTC");
        let shop = Shop::without_table(THEN, "beaker.session.timeout = 86400000");
        let site = python.site(&shop.path().join("site.ini")).answer_all();
        let run = shop.run("cleanup", &["--timeout", "1d"]);
        assert!(run.stdout.starts_with("deleted 2 sessions older than 1d ("), "{run:?}");
        assert_eq!(shop.ids(), site);
        let ini = shop.ini();
        let loaded = python.site(&ini).load(&["joe", "ann", "gone"]);
        let name = |n: usize| loaded[n].as_ref().map(|session: &Loaded| session["user_name"].1.clone());
        assert_eq!([name(0), name(1), name(2)], [Some("joe".to_owned()), Some("ann".to_owned()), None], "{release:?}");
    }
}

/// The visitors of [`after_a_cleanup_beaker_loads_the_survivors`].
trait AnswerAll {
    fn answer_all(self) -> Vec<String>;
}

impl AnswerAll for Site<'_> {
    /// Two sessions of now, two of long ago; gives the ids that a cleanup leaves.
    fn answer_all(self) -> Vec<String> {
        self.answer(&[Request::save("joe", "{'user_name': 'joe'}"), Request::save("ann", "{'user_name': 'ann'}")]);
        self.answer(&[Request::save("gone", "{'user_name': 'x'}").at(THEN), Request::save("away", "{}")]);
        vec!["ann".to_owned(), "joe".to_owned()]
    }
}

#[test]
fn what_beaker_leaves_behind_is_listed_as_it_leaves_it() {
    let python = python!().with_time_zone("UTC");
    let directory = tempfile::tempdir().unwrap();
    let ini = sqlite_ini(directory.path(), "");
    let site = python.site(&ini);
    site.answer(&[Request::save("gone", "{'a': 1}"), Request::delete("gone"), Request::save("before", "{'a': 1}")]);
    let after = site.answer(&[Request::invalidate("before", "{'b': 2}")]).remove(0);

    let all = listed(list(&ini, &[]));
    assert_eq!(all["gone"], BTreeMap::from([("_domain", "None"), ("_path", "/")].map(|(k, v)| (k.into(), v.into()))));
    assert_eq!((all["before"]["a"].as_str(), all[&after]["b"].as_str()), ("1", "2"));
    let hidden = listed(list(&ini, &["--hide-deleted"]));
    assert_eq!(hidden.keys().collect::<Vec<_>>().len(), 2);
    assert!(!hidden.contains_key("gone"));
}

#[test]
fn what_older_beakers_leave_of_deleted_sessions() {
    for release in OLDER_RELEASES {
        let python = python!(release).with_time_zone("UTC");
        let directory = tempfile::tempdir().unwrap();
        let ini = sqlite_ini(directory.path(), "");
        python.site(&ini).answer(&[Request::save("gone", "{'a': 1}"), Request::delete("gone")]);
        // Up to 1.10 nothing is left in it, and what is empty is no session.
        let left = if release == "1.9.1" { "0\n" } else { "1\n" };
        let count = |args: &[&str]| finish(binary().arg("sessions").arg(&ini).arg("--count").args(args)).done();
        assert_eq!((count(&[]).as_str(), count(&["--hide-deleted"]).as_str()), (left, "0\n"), "Beaker {release}");
    }
}

#[test]
fn a_live_site_loses_nothing_and_waits_for_nobody() {
    let python = python!().with_time_zone("UTC");
    for journal_mode in ["DELETE", "WAL"] {
        let shop = Shop::new("");
        shop.sql(&format!("PRAGMA journal_mode = {journal_mode}"));
        shop.add_many(3_000, |n| DAY + MINUTE * n, |n| serde_json::json!({ "n": n }));
        let ini = shop.ini();
        let site = python.site(&ini);
        let live = site.go_live();
        let run = shop.run("cleanup", &["--timeout", "1h", "--batch-size", "100", "--format", "json"]);
        let report = live.end();
        let summary: serde_json::Value = serde_json::from_str(&run.done()).unwrap();

        assert!(report.errors.is_empty() && report.answered > 0, "{journal_mode}: {report:?}");
        assert_eq!(summary["deleted"], 3_000, "{summary}");
        let ids: Vec<String> = (0..20).map(|n| format!("live-{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let loaded = site.load(&ids);
        let visits = loaded.iter().flatten().filter_map(|session| session.get("visits")?.1.parse::<u64>().ok());
        assert_eq!(visits.sum::<u64>(), report.answered, "{journal_mode}: a visit is lost");
        assert!(shop.ids().iter().all(|id| id.starts_with("live-")), "{journal_mode}: old sessions are left");
        shop.assert_integrity();
        let mode =
            shop.number(&format!("SELECT lower(journal_mode) = lower('{journal_mode}') AS n FROM pragma_journal_mode"));
        assert_eq!(mode, 1, "the journal mode has changed");
    }
}

/// A site in Vilnius, two hours ahead of UTC in winter: one session a minute old, one of two hours, one of three days.
fn site_in_vilnius(python: &Python) -> Shop {
    let shop = Shop::without_table(THEN, "beaker.session.timeout = 86400");
    let now = Timestamp::from(std::time::SystemTime::now());
    let save = |id, age| Request::save(id, "{'a': 1}").at(now.earlier_by(age));
    let ini = shop.ini();
    python.site(&ini).answer(&[save("old", 3 * DAY), save("mid", 90 * MINUTE), save("new", MINUTE)]);
    shop
}

#[test]
fn cleanup_refuses_a_store_of_another_zone() {
    let python = python!().with_time_zone("Asia/Tokyo");
    let shop = site_in_vilnius(&python);
    let run = shop.run("cleanup", &[]);
    assert_eq!(
        run.failed(2),
        "error: the access times in the store are of another time zone: nothing was deleted\n  \
           seen: 3 of the 3 newest sessions are 09:00 h ahead of their own clock\n\n\
         hint: give the zone of the host that runs the application with `--time-zone`, or skip this check with \
         `--skip-clock-check`\n"
    );
    assert_eq!(shop.ids(), ["mid", "new", "old"]);
    assert!(shop.run("cleanup", &["--skip-clock-check"]).done().starts_with("deleted 1 session "));
}

#[test]
fn with_the_zone_of_the_site_cleanup_works() {
    let python = python!().with_time_zone("Europe/Vilnius");
    let vilnius =
        |shop: &Shop, args: &[&str]| shop.run("cleanup", &[&["--time-zone", "Europe/Vilnius"], args].concat());
    let shop = site_in_vilnius(&python);
    assert!(shop.run("cleanup", &[]).failed(2).contains("ahead of their own clock"));
    assert!(vilnius(&shop, &["--yes"]).done().starts_with("deleted 1 session older than 1d ("));
    assert_eq!(shop.ids(), ["mid", "new"]);
    let text = finish(shop.command("cleanup", &["-t", "1h"]).env("TZ", "Europe/Vilnius"));
    assert!(text.stdout.contains("UTC+0"), "the cutoff is in the zone of the site: {text:?}");
    assert_eq!(shop.ids(), ["new"]);
}

#[test]
fn the_listing_filters_in_the_zone_of_the_site() {
    let python = python!().with_time_zone("Europe/Vilnius");
    let shop = site_in_vilnius(&python);
    let count = |args: &[&str], zone: &str| {
        finish(shop.command("sessions", &[&["--count", "-t", "1h"], args].concat()).env("TZ", zone)).done()
    };
    assert_eq!(count(&["--time-zone", "Europe/Vilnius"], "UTC"), "1\n");
    assert_eq!(count(&[], "Europe/Vilnius"), "1\n");
    // The clock of the wrong zone takes the one of 90 minutes for one of the future.
    let wrong = finish(shop.command("sessions", &["--count", "-t", "1h"]).env("TZ", "UTC"));
    assert_eq!((wrong.code, wrong.stdout.as_str()), (0, "2\n"));
    assert!(
        wrong.stderr.starts_with("warning: the access times in the store are of another time zone, so the timeout")
            && wrong.stderr.contains(": 3 of the 3 newest sessions are 0")
            && wrong.stderr.contains("hint: give the zone of the host"),
        "{}",
        wrong.stderr
    );
    // Where there is no timeout, the zone does not matter.
    assert_eq!(finish(shop.command("sessions", &["--count", "-t", "0"]).env("TZ", "UTC")).done(), "3\n");
    let csv = finish(&mut shop.command("sessions", &["-t", "0", "-f", "csv", "--time-zone", "+02:00"])).done();
    assert_eq!(csv.matches("+02:00").count(), 6, "{csv}");
}
