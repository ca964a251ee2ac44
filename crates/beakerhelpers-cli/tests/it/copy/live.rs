//! A site that goes on while it is copied.

use super::{ROWS, between_each, copy, counts, loaded};

#[test]
fn a_live_site_is_copied_and_nothing_that_it_saved_is_lost() {
    between_each("", |python, from, to| {
        from.fill(python, ROWS);
        to.run("setup", &["--quiet"]).done();
        let old = from.ini();
        let live = python.site(&old).go_live();
        let all = ROWS + 20;
        copy(from, to, &["--skip-clock-check"]).done();
        // However fast that was, everybody is to have come meanwhile.
        while from.count().unsigned_abs() < all {
            copy(from, to, &["--skip-clock-check"]).done();
        }
        let again = counts(from, to, &["--skip-clock-check"]);
        let report = live.end();
        assert_eq!(report.errors, [""; 0]);
        assert!(report.answered >= 20, "{report:?}");
        let last = counts(from, to, &["--skip-clock-check"]);
        assert_eq!((again[3..].to_vec(), last[3..].to_vec()), (vec![0; 3], vec![0; 3]));
        assert_eq!(last[..3].iter().sum::<u64>(), all);
        assert_eq!(counts(from, to, &["--skip-clock-check", "--verify"]), [0, 0, all, 0, 0, 0]);
        let ids: Vec<_> = (0..20).map(|n| format!("live-{n}")).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let before = loaded(python, from, &ids);
        assert!(before.iter().all(Option::is_some));
        assert_eq!(before, loaded(python, to, &ids));
    });
}
