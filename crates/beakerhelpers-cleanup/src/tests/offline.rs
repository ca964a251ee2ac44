//! Tidying up while the application is stopped.

use std::sync::Mutex;

use beakerhelpers_core::CleanupMode;
use beakerhelpers_core::command::exit;

use super::place::{Place, Store};
use crate::command::CleanupArgs;

fn able() -> Store {
    Store { tidy: Some(Mutex::default()), ..Store::default() }
}

fn tidies(args: &[&str]) -> (Vec<CleanupMode>, String) {
    let place = Place::new(able());
    let stdout = place.run::<CleanupArgs>(args).done();
    let modes = place.store.tidy.as_ref().expect("it can").lock().expect("no panic").clone();
    (modes, stdout)
}

#[test]
fn it_tidies_up_when_all_is_done_and_only_if_asked() {
    let (modes, stdout) = tidies(&["--offline"]);
    assert_eq!(modes, [CleanupMode::Delete]);
    assert!(stdout.ends_with("\nremoved 5 lock files and other remains, and 2 empty folders\n"), "{stdout}");
    assert_eq!(tidies(&["--offline", "--limit", "1"]).0, [], "there is more to do");
    let (modes, stdout) = tidies(&[]);
    assert!(modes.is_empty() && !stdout.contains("lock files"), "{stdout}");
}

#[test]
fn a_dry_run_counts() {
    let (modes, stdout) = tidies(&["--offline", "--dry-run"]);
    assert_eq!(modes, [CleanupMode::Count]);
    assert!(stdout.ends_with("\nwould remove 5 lock files and other remains, and 2 empty folders\n"), "{stdout}");
    let (_, json) = tidies(&["--offline", "--dry-run", "--format", "json"]);
    assert!(json.contains(r#""tidied":{"files":5,"folders":2}"#), "{json}");
}

#[test]
fn a_store_that_leaves_nothing_behind_refuses() {
    let place = Place::new(Store::default());
    let run = place.run::<CleanupArgs>(&["--offline"]);
    assert_eq!((run.code, run.stdout.as_str(), place.ids().len()), (exit::USAGE, "", 7));
    assert!(run.stderr.contains("hint: leave `--offline` out"), "{}", run.stderr);
}
