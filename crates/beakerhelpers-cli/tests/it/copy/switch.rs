//! The steps of `docs/guide/copying.md`, in order.

use std::time::SystemTime;

use beakerhelpers_core::Timestamp;
use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::Request;

use super::{HOURLY, between_each, copy, counts, loaded};
use crate::servers::place::Place;
use crate::shop::HOUR;

/// Access times, to the second.
fn times(place: &Place<'_>) -> Vec<String> {
    let mut times = place.texts(
        "SELECT concat(namespace, ' ', substr(cast(accessed AS char(30)), 1, 19), ' ', \
         substr(cast(created AS char(30)), 1, 19)) AS t FROM beaker_cache WHERE namespace <> 'idle'",
    );
    times.sort_unstable();
    times
}

#[test]
fn nobody_is_logged_out_when_a_site_moves() {
    between_each(HOURLY, |python, from, to| {
        let (old, new) = (from.ini(), to.ini());
        let (old, new) = (python.site(&old), python.site(&new));
        let now: Timestamp = SystemTime::now().into();
        let save = |id: &str, contents: &str| Request::save(id, contents);
        let cart = "{'user_name': 'joe', 'cart': [1, {'n': Decimal('1.10')}], 'raw': b'\\x00\\xff'}";
        old.answer(&[
            save("idle", "{'user_name': 'sue'}").at(now.earlier_by(2 * HOUR)),
            save("joe", cart).at(now.earlier_by(HOUR / 2)),
            save("ann", "{'user_name': 'ann', 'at': datetime(2026, 1, 2, 3, 4, 5, 6)}"),
            save("bob", "{'user_name': 'bob'}"),
            save("tim", "{'user_name': 'tim'}").at(now.earlier_by(HOUR / 3)),
        ]);

        // 1 and 2. The new site has a configuration, and what it needs is set up.
        let unset = copy(from, to, &[]).failed(exit::FAILED);
        assert!(unset.contains("hint: "), "{unset}");
        to.run("setup", &["--quiet"]).done();

        // 3. What would be copied.
        assert_eq!(counts(from, to, &["--dry-run"]), [4, 0, 0, 0, 0, 0]);
        assert_eq!(to.count(), 0);

        // 4. Most is copied while the site goes on.
        assert_eq!(counts(from, to, &[]), [4, 0, 0, 0, 0, 0]);
        old.answer(&[
            save("ann", "{'user_name': 'ann', 'visits': 2}"),
            Request::delete("bob"),
            save("eve", "{'user_name': 'eve'}"),
        ]);
        let behind = copy(from, to, &["--verify"]);
        assert_eq!(behind.code, exit::FAILED, "{behind:?}");
        assert!(behind.stdout.starts_with("compared 5 sessions: 2 the same, 1 missing in TO, 1 older in TO, 1 that"));
        assert_eq!(behind.stderr.lines().count(), 3, "{behind:?}");

        // 5. Again, which is shorter: what is new or changed since, and who has logged out.
        assert_eq!(counts(from, to, &[]), [1, 1, 2, 0, 1, 0]);

        // 6. The site is stopped, and what it saved last is copied.
        old.answer(&[Request::touch("eve")]);
        assert_eq!(counts(from, to, &[]), [0, 1, 3, 0, 0, 0]);

        // Everything is there.
        assert_eq!(counts(from, to, &["--verify"]), [0, 0, 4, 0, 0, 0]);
        let gone = |row: &String| row.starts_with("bob ");
        let rows: Vec<_> = times(from).into_iter().filter(|row| !gone(row)).collect();
        assert_eq!(rows, times(to));

        // 7. The site is started with the new configuration: each visitor has the session as it was.
        let ids = ["joe", "ann", "eve", "tim"];
        let (before, after) = (loaded(python, from, &ids), loaded(python, to, &ids));
        assert!(before.iter().all(Option::is_some), "{before:?}");
        assert_eq!(before, after);
        assert_eq!(loaded(python, to, &["bob", "idle"]), [None, None]);

        // 8. After the switch TO is ahead, and whoever runs it again takes nothing back.
        new.answer(&[Request::touch("joe"), save("kim", "{'user_name': 'kim'}"), save("tim", "{'visits': 3}")]);
        assert_eq!(counts(from, to, &["--verify"]), [0, 0, 2, 2, 0, 0]);
        assert_eq!(counts(from, to, &[]), [0, 0, 2, 2, 0, 0]);

        // The way back is the same way.
        assert_eq!(counts(to, from, &[]), [1, 2, 2, 0, 0, 0]);
        assert_eq!(counts(to, from, &["--verify"]), [0, 0, 5, 0, 0, 0]);
        let ids = ["joe", "ann", "eve", "tim", "kim"];
        assert_eq!(loaded(python, from, &ids), loaded(python, to, &ids));
    });
}

#[test]
fn what_is_over_is_copied_with_all_others_where_that_is_wanted() {
    between_each(HOURLY, |python, from, to| {
        let old = from.ini();
        let now: Timestamp = SystemTime::now().into();
        let save = |id: &str, age| Request::save(id, "{'a': 1}").at(now.earlier_by(age));
        python.site(&old).answer(&[save("idle", 2 * HOUR), save("joe", HOUR / 2)]);
        to.run("setup", &["--quiet"]).done();
        assert_eq!(counts(from, to, &[]), [1, 0, 0, 0, 0, 0]);
        assert_eq!(counts(from, to, &["--all"]), [1, 0, 1, 0, 0, 0]);
        assert_eq!(counts(from, to, &["--all", "--verify"]), [0, 0, 2, 0, 0, 0]);
    });
}

#[test]
fn a_site_that_was_not_stopped_loses_no_login_after_the_switch() {
    between_each(HOURLY, |python, from, to| {
        let (old, new) = (from.ini(), to.ini());
        let (old, new) = (python.site(&old), python.site(&new));
        let now: Timestamp = SystemTime::now().into();
        let save = |id: &str, contents: &str| Request::save(id, contents).at(now.earlier_by(HOUR / 2));
        old.answer(&[save("joe", "{'cart': 1}"), save("ann", "{'user_name': 'ann'}")]);
        to.run("setup", &["--quiet"]).done();
        assert_eq!(counts(from, to, &[]), [2, 0, 0, 0, 0, 0]);
        // After the switch joe logs in, and an old worker answers his next click, ann's log-out and a new visitor.
        new.answer(&[Request::save("joe", "{'user_name': 'joe'}").at(now.earlier_by(HOUR / 3))]);
        old.answer(&[Request::touch("joe"), Request::delete("ann"), Request::save("eve", "{'user_name': 'eve'}")]);
        let ids = ["joe", "ann"];
        let before = loaded(python, to, &ids);
        for expected in [[1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]] {
            let summary = copy(from, to, &["--new-only", "--format", "json"]).done();
            assert!(summary.contains("\"left\":2,"), "{summary}");
            assert_eq!(super::numbers(&summary), expected);
            assert_eq!(loaded(python, to, &ids), before);
        }
        assert_eq!(loaded(python, to, &["eve"]), loaded(python, from, &["eve"]));
    });
}
