//! What others do at the same time.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use beakerhelpers_core::{
    DeletePlan, Deleted, Ended, ErrorKind, Progress, Rest, SaveMode, SessionId, Silent, Timestamp,
};

use super::Subject;
use super::subject::{NOW, before_cutoff, cutoff, plan};

const OLD: i64 = 7;

fn fill(s: &Subject) {
    for n in 1..=OLD {
        s.save(&format!("s{n}"), before_cutoff(n));
    }
}

fn there(s: &Subject) -> Vec<i64> {
    (1..=OLD).filter(|n| s.has(&format!("s{n}"))).collect()
}

/// Does something when one certain session is found old.
struct WhenFound<F: FnMut()>(Timestamp, F);

impl<F: FnMut()> Progress for WhenFound<F> {
    fn old(&mut self, accessed: Timestamp) {
        if accessed == self.0 {
            self.1();
        }
    }
}

/// `None` leaves the size to the store.
fn plans() -> impl Iterator<Item = DeletePlan> {
    [Some(1), Some(3), Some(100), None].into_iter().map(|size| {
        let mut plan = plan();
        plan.batch_size = size;
        plan
    })
}

pub fn a_session_touched_after_it_was_found_survives(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    for plan in plans() {
        fill(s);
        let touched = s.record("s4", NOW);
        let mut touch = WhenFound(before_cutoff(4), || {
            s.other().save(&touched, SaveMode::Upsert).expect("the application saves while a cleanup runs");
        });
        let done = s.clean_with(&plan, &mut touch);
        assert_eq!(there(s), [4], "{plan:?}");
        assert!(s.load("s4").is_some_and(|record| record.payload == touched.payload), "what was saved is there");
        assert_eq!((done.deleted, done.kept, done.ended), (6, 1, Ended::Completed), "{plan:?}");
    }
}

pub fn a_session_touched_before_its_batch_survives(s: &Subject) {
    struct TouchTheRest<'a>(&'a Subject, bool);
    impl Progress for TouchTheRest<'_> {
        fn batch(&mut self, _: &Deleted) -> ControlFlow<()> {
            if !std::mem::replace(&mut self.1, true) {
                for n in there(self.0) {
                    let touched = self.0.record(&format!("s{n}"), NOW);
                    self.0.other().save(&touched, SaveMode::Upsert).expect("the application saves");
                }
            }
            ControlFlow::Continue(())
        }
    }
    if !s.can().delete_old {
        return;
    }
    fill(s);
    let done = s.clean_with(&plan().with_batch_size(3), &mut TouchTheRest(s, false));
    assert!((1..=3).contains(&done.deleted), "{} deleted in a batch of 3", done.deleted);
    assert_eq!(there(s).len() as u64, 7 - done.deleted);
}

pub fn a_session_deleted_meanwhile_is_not_counted(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    for plan in plans() {
        fill(s);
        let mut delete = WhenFound(before_cutoff(4), || {
            assert!(s.other().delete(&SessionId::new("s4")).expect("another deletes while a cleanup runs"));
        });
        assert_eq!(s.clean_with(&plan, &mut delete).deleted, 6, "{plan:?}");
        assert_eq!(there(s), [0; 0], "{plan:?}");
    }
}

pub fn saving_while_old_ones_go_loses_nothing(s: &Subject) {
    const WRITERS: usize = 3;
    const EACH: usize = 12;
    if !s.can().delete_old {
        return;
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    for n in 0..EACH {
                        let id = format!("w{writer}-{n}");
                        // First old, so that the cleanup wants it, then in use: from here on it must stay.
                        for accessed in [before_cutoff(1), NOW] {
                            let record = s.record(&id, accessed);
                            s.other().save(&record, SaveMode::Upsert).expect("the application saves");
                        }
                        assert!(s.other().has(&SessionId::new(id)).expect("it answers"), "a live session is gone");
                    }
                })
            })
            .collect();
        // It rests after each batch as a cleanup does by default: writers get their turn.
        let cleaner = scope.spawn(|| {
            let plan = plan().with_rest(Rest::Auto).with_batch_size(5);
            while !done.load(Ordering::Relaxed) {
                s.store().delete_old(cutoff(), &plan, &mut Silent).expect("the cleanup gets through");
            }
        });
        let results: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        cleaner.join().expect("the cleanup ends");
        for result in results {
            result.expect("no writer fails");
        }
    });
    for (writer, n) in (0..WRITERS).flat_map(|writer| (0..EACH).map(move |n| (writer, n))) {
        s.assert_stored_payload(&s.record(&format!("w{writer}-{n}"), NOW));
    }
}

pub fn threads_use_one_store(s: &Subject) {
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for n in 0..6 {
                    let record = s.save(&format!("t{thread}-{n}"), NOW);
                    s.assert_stored(&record);
                    if n % 2 == 0 {
                        assert!(s.store().delete(&record.id).expect("it deletes"));
                    }
                }
            });
        }
    });
    for thread in 0..4 {
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|n| s.has(&format!("t{thread}-{n}"))),
            [false, true, false, true, false, true]
        );
    }
}

pub fn one_of_many_creates_wins(s: &Subject) {
    for n in 0..5 {
        let id = format!("contested-{n}");
        let record = s.record(&id, NOW);
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| s.store().save(&record, SaveMode::Create))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for error in results.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}");
        }
        s.assert_stored(&record);
    }
}
