//! Giving space back.

use std::sync::atomic::Ordering;

use beakerhelpers_core::command::exit;

use super::place::{Place, Store};
use crate::command::CleanupArgs;

fn vacuums(store: Store, args: &[&str]) -> usize {
    let place = Place::new(store);
    place.run::<CleanupArgs>(&[&["--vacuum"], args].concat()).done();
    place.store.vacuums.load(Ordering::Relaxed)
}

#[test]
fn space_is_given_back_only_when_all_is_done_and_something_went() {
    let able = || Store { vacuum: Some(Ok(())), ..Store::default() };
    assert_eq!(vacuums(able(), &[]), 1);
    assert_eq!(vacuums(able(), &["-t", "1d"]), 0, "nothing was deleted");
    assert_eq!(vacuums(able(), &["--dry-run"]), 0);
    assert_eq!(vacuums(able(), &["--limit", "1"]), 0, "there is more to do");
    let place = Place::new(able());
    place.run::<CleanupArgs>(&[]).done();
    assert_eq!(place.store.vacuums.load(Ordering::Relaxed), 0, "nobody asked for it");
}

#[test]
fn a_store_that_cannot_is_refused_before_anything_is_deleted() {
    let place = Place::new(Store::default());
    let run = place.run::<CleanupArgs>(&["--vacuum"]);
    assert_eq!((run.code, run.stdout.as_str(), place.ids().len()), (exit::USAGE, "", 7));
    assert!(run.stderr.contains("hint: leave `--vacuum` out"), "{}", run.stderr);
}

#[test]
fn a_failure_is_told_after_the_summary() {
    let place = Place::new(Store { vacuum: Some(Err("there is no room")), ..Store::default() });
    let run = place.run::<CleanupArgs>(&["--vacuum"]);
    assert_eq!((run.code, place.ids().len()), (exit::FAILED, 3));
    assert!(run.stdout.starts_with("deleted 4 sessions "), "{}", run.stdout);
    assert!(run.stderr.starts_with("error: there is no room\n  after: a cleanup that is done"), "{}", run.stderr);
}
