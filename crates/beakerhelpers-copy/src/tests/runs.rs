//! One run after another.

use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{Error, ErrorKind};

use super::*;
use crate::{CopyMode, Difference, Ended, Observer};

#[test]
fn a_second_run_copies_what_has_changed_since() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    let (from, to) = (Place::new(&old), Place::new(&new));
    for id in ["stays", "comes back", "logs out", "moves on"] {
        put(&old, id, &session(id, 100));
    }
    assert_eq!(counts(copy(&from, &to)), [4, 0, 0, 0, 0, 0, 0]);
    assert_eq!(there(&old, "stays"), there(&new, "stays"));

    put(&old, "comes back", &session("again", 10));
    log_out(&old, "logs out", Some(seconds_ago(9)));
    put(&new, "moves on", &session("in TO", 8));
    put(&old, "comes", &session("comes", 7));
    let expected = [1, 1, 1, 1, 1, 0, 0];
    let counted = Copy::new().with_mode(CopyMode::Count).run(&from, &to, NOW, &mut ()).unwrap();
    assert_eq!((counts(counted), there(&new, "comes")), (expected, None), "counting changes nothing");
    assert_eq!(counts(copy(&from, &to)), expected);
    for id in ["stays", "comes back", "comes"] {
        assert_eq!(there(&new, id).unwrap().payload, there(&old, id).unwrap().payload);
        assert_eq!(there(&new, id).unwrap().accessed, there(&old, id).unwrap().accessed);
    }
    assert_eq!(there(&new, "logs out"), None);
    assert_eq!(there(&new, "moves on").unwrap().accessed, Some(seconds_ago(8)));
    assert_eq!(counts(copy(&from, &to)), [0, 0, 3, 1, 0, 0, 0]);
}

#[test]
fn what_is_over_is_left_behind_unless_all_is_wanted() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    put(&old, "in use", &session("joe", 3_599));
    put(&old, "on the edge", &session("ann", 3_600));
    put(&old, "over", &session("sue", 3_601));
    // By the time inside, as for Beaker, whatever the store says.
    let over = there(&old, "over").unwrap().with_times(None, Some(seconds_ago(10)));
    old.save(&over, SaveMode::Upsert).unwrap();
    let hour = Duration::from_secs(3_600);
    let day = Duration::from_secs(86_400);
    for (from, to) in [
        (Place::new(&old).with_timeout(hour), Place::new(&new).with_timeout(day)),
        (Place::new(&old).with_timeout(day), Place::new(&new).with_timeout(hour)),
    ] {
        new.setup(beakerhelpers_core::SetupMode::Recreate).unwrap();
        let copied = copy(&from, &to);
        assert_eq!((copied.new, copied.over), (2, 1));
        assert_eq!(there(&new, "over"), None);
        let verified = Copy::new().with_mode(CopyMode::Verify).run(&from, &to, NOW, &mut ()).unwrap();
        assert_eq!((verified.unchanged, verified.over, verified.differences()), (2, 1, 0));
        assert_eq!(Copy::new().with_all().run(&from, &to, NOW, &mut ()).unwrap().new, 1);
    }
}

#[test]
fn what_only_its_row_calls_over_is_missing() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    put(&old, "joe", &session("joe", 10));
    put(&old, "long over", &session("ann", 9_000));
    let row = there(&old, "joe").unwrap().with_times(None, Some(seconds_ago(9_000)));
    old.save(&row, SaveMode::Upsert).unwrap();
    let (from, to) = (Place::new(&old).with_timeout(Duration::from_secs(3_600)), Place::new(&new));
    let copied = copy(&from, &to);
    assert_eq!((copied.seen, copied.new, copied.over), (0, 0, 0));
    let verified = Copy::new().with_mode(CopyMode::Verify).run(&from, &to, NOW, &mut ()).unwrap();
    assert_eq!((verified.seen, verified.new, verified.over), (2, 1, 1));
}

#[test]
fn what_cannot_be_copied_is_passed_over_and_told() {
    #[derive(Default)]
    struct Told(Vec<(String, bool)>);
    impl Observer for Told {
        fn failed(&mut self, error: &Error, id: Option<&SessionId>) {
            self.0.push((error.to_string(), id.is_some()));
        }
    }
    let (old, new) = (MemoryStore::new(), Odd::new(Framing::Value, |can| can));
    let raw = |id: &str, bytes: &[u8]| {
        let payload = Payload::new(Framing::Namespace, bytes.to_vec());
        old.save(&Record::new(SessionId::new(id), payload), SaveMode::Upsert).unwrap();
    };
    raw("broken", b"\x80\x02}");
    raw("cache", b"}Vpage\n(I1\nNI2\nts.");
    raw("empty", b"}.");
    raw("more", b"}(Vsession\n}Va\nI1\nsVother\nI2\nu.");
    put(&old, "joe", &session("joe", 1));
    let mut told = Told::default();
    let copied = Copy::new().run(&Place::new(&old), &Place::new(&new), NOW, &mut told).unwrap();
    assert_eq!(counts(copied), [1, 0, 0, 0, 0, 1, 2]);
    assert_eq!(copied.seen, 5);
    told.0.sort();
    let why = ["the namespace has another key beside", "the pickle of the data is damaged at byte 3"];
    assert!(told.0.iter().zip(why).all(|(told, why)| told.1 && told.0.starts_with(why)), "{:?}", told.0);
}

#[test]
fn verifying_tells_each_difference_and_changes_nothing() {
    #[derive(Default)]
    struct Told(Vec<(Difference, String)>);
    impl Observer for Told {
        fn differs(&mut self, difference: Difference, id: &SessionId) {
            self.0.push((difference, id.as_str().to_owned()));
        }
    }
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    let (from, to) = (Place::new(&old), Place::new(&new));
    for id in ["a same", "b older", "c logged out", "d times", "e newer"] {
        put(&old, id, &session(id, 100));
    }
    copy(&from, &to);
    put(&old, "b older", &session("other", 50));
    log_out(&old, "c logged out", Some(seconds_ago(50)));
    let later = there(&new, "d times").unwrap().with_times(None, Some(seconds_ago(90)));
    new.save(&later, SaveMode::Upsert).unwrap();
    put(&new, "e newer", &session("other", 50));
    put(&old, "f missing", &session("other", 50));
    let mut told = Told::default();
    let verified = Copy::new().with_mode(CopyMode::Verify).run(&from, &to, NOW, &mut told).unwrap();
    assert_eq!(counts(verified), [1, 1, 2, 1, 1, 0, 0]);
    assert_eq!((verified.wrong_times, verified.differences()), (1, 4));
    let expected = [
        (Difference::Older, "b older"),
        (Difference::LoggedOut, "c logged out"),
        (Difference::Times, "d times"),
        (Difference::Missing, "f missing"),
    ];
    assert!(told.0.iter().map(|(difference, id)| (*difference, id.as_str())).eq(expected), "{:?}", told.0);
    assert_eq!(there(&new, "f missing"), None);
    assert!(there(&new, "c logged out").is_some());
}

#[test]
fn a_run_ends_when_it_is_told_to() {
    struct Stop(u64);
    impl Observer for Stop {
        fn next(&mut self, so_far: &Copied) -> ControlFlow<()> {
            if so_far.seen < self.0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        }
    }
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    (0..5).for_each(|n| put(&old, &n.to_string(), &session("joe", 1)));
    let (from, to) = (Place::new(&old), Place::new(&new));
    let run = |copy: Copy, stop| {
        let copied = copy.run(&from, &to, NOW, &mut Stop(stop)).unwrap();
        (copied.new, copied.unchanged, copied.ended)
    };
    assert_eq!(run(Copy::new(), 2), (2, 0, Ended::Stopped));
    assert_eq!(run(Copy::new().with_limit(1), 9), (1, 2, Ended::Limit));
    assert_eq!(run(Copy::new().with_max_time(Duration::ZERO), 9), (0, 0, Ended::MaxTime));
    assert_eq!(run(Copy::new().with_rate(u32::MAX), 9), (2, 3, Ended::Completed));
    // It would rest for a second after the first.
    assert_eq!(run(Copy::new().with_rate(1).with_max_time(Duration::from_millis(1)), 9), (0, 1, Ended::MaxTime));
}

#[test]
fn a_session_that_comes_to_be_in_the_meantime_is_left_alone() {
    /// Somebody else is always a little faster.
    #[derive(Debug)]
    struct Raced(MemoryStore);
    impl SessionStore for Raced {
        fn info(&self) -> StoreInfo {
            self.0.info()
        }
        fn load(&self, _: &SessionId) -> Result<Option<Record>> {
            Ok(None)
        }
        fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
            put(&self.0, record.id.as_str(), &session("theirs", 0));
            self.0.save(record, mode)
        }
        fn delete(&self, id: &SessionId) -> Result<bool> {
            self.0.delete(id)
        }
    }
    let (old, new) = (MemoryStore::new(), Raced(MemoryStore::new()));
    put(&old, "joe", &session("ours", 1));
    assert_eq!(counts(copy(&Place::new(&old), &Place::new(&new))), [0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(there(&new.0, "joe").unwrap().accessed, Some(NOW));
}

#[test]
fn one_place_and_places_that_cannot_be_are_refused() {
    let store = MemoryStore::new();
    let place = Place::new(&store);
    let refused = |from: &Place<'_>, to: &Place<'_>| {
        let error = Copy::new().run(from, to, NOW, &mut ()).unwrap_err();
        (error.kind(), error.to_string())
    };
    let same = "FROM and TO are the same place".to_owned();
    assert_eq!(refused(&place, &place), (ErrorKind::Config, same.clone()));
    let odd = || Odd::new(Framing::Value, |can| can);
    let (one, other) = (odd(), odd());
    assert_eq!(refused(&Place::new(&one), &Place::new(&other)), (ErrorKind::Config, same));
    let blind = Odd::new(Framing::Value, |can| can.with_iter(false));
    let why = "a store of type `odd` cannot list its sessions".to_owned();
    assert_eq!(refused(&Place::new(&blind), &place), (ErrorKind::Unsupported, why));
    let objects = Odd::new(Framing::Object, |can| can);
    let why = "sessions of session2 are objects, and those of Beaker are not".to_owned();
    assert_eq!(refused(&Place::new(&objects), &place), (ErrorKind::Unsupported, why.clone()));
    assert_eq!(refused(&place, &Place::new(&objects)), (ErrorKind::Unsupported, why));
}

#[test]
fn a_place_that_is_in_use_gets_what_is_new_only() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    let (from, to) = (Place::new(&old), Place::new(&new));
    for id in ["back in FROM", "out of FROM", "same"] {
        put(&old, id, &session(id, 100));
    }
    copy(&from, &to);
    // A login in TO, and a later click of the same visitor in FROM, which still runs somewhere.
    put(&new, "back in FROM", &session("logged in", 50));
    put(&old, "back in FROM", &session("clicked", 40));
    log_out(&old, "out of FROM", Some(seconds_ago(40)));
    put(&old, "late", &session("late", 30));
    let touched = there(&old, "same").unwrap().with_times(None, Some(seconds_ago(20)));
    old.save(&touched, SaveMode::Upsert).unwrap();
    let before = ["back in FROM", "out of FROM", "same"].map(|id| there(&new, id));
    let new_only = Copy::new().with_new_only();
    for (mode, expected) in [(CopyMode::Count, 1), (CopyMode::Verify, 1), (CopyMode::Copy, 1), (CopyMode::Verify, 0)] {
        let copied = new_only.clone().with_mode(mode).run(&from, &to, NOW, &mut ()).unwrap();
        assert_eq!((copied.left, copied.new, copied.differences()), (3, expected, expected), "{mode:?}");
    }
    assert_eq!(["back in FROM", "out of FROM", "same"].map(|id| there(&new, id)), before);
    assert_eq!(there(&new, "late").unwrap().payload, there(&old, "late").unwrap().payload);
    // Without it the click counts.
    assert_eq!(counts(copy(&from, &to)), [0, 2, 1, 0, 1, 0, 0]);
}
