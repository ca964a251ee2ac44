//! Pace, with durations that nobody waits for.

use super::*;
use crate::Silent;

#[test]
fn slow_batches_shrink_and_fast_ones_grow() {
    let plan = DeletePlan::default().with_rest(Rest::For(Duration::ZERO));
    let mut pace = Pace::start(&plan);
    pace.batch_done(Some(Duration::from_secs(1)), &Deleted::default(), &mut Silent);
    assert_eq!(pace.batch_size(), FIRST / 2);
    for _ in 0..20 {
        pace.batch_done(Some(Duration::ZERO), &Deleted::default(), &mut Silent);
    }
    assert_eq!(pace.batch_size(), LARGEST);
}

#[test]
fn a_size_that_was_asked_for_stays() {
    let plan = DeletePlan::default().with_batch_size(7).with_rest(Rest::For(Duration::ZERO));
    let mut pace = Pace::start(&plan);
    pace.batch_done(Some(Duration::from_secs(1)), &Deleted::default(), &mut Silent);
    assert_eq!(pace.batch_size(), 7);
}

#[test]
fn limit_and_time_end_the_run() {
    let plan = DeletePlan::default().with_limit(5);
    let five = Deleted { deleted: 5, ..Deleted::default() };
    assert_eq!(Pace::start(&plan).batch_done(None, &five, &mut Silent), Some(Ended::Limit));
    let plan = DeletePlan::default().with_max_time(Duration::ZERO);
    assert_eq!(Pace::start(&plan).batch_done(None, &five, &mut Silent), Some(Ended::MaxTime));
}

#[test]
fn whoever_follows_can_stop_it() {
    struct Stop;
    impl Progress for Stop {
        fn batch(&mut self, _: &Deleted) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    for rest in [Duration::MAX / 4, Duration::MAX] {
        let plan = DeletePlan::default().with_rest(Rest::For(rest));
        let ended = Pace::start(&plan).batch_done(Some(Duration::ZERO), &Deleted::default(), &mut Stop);
        assert_eq!(ended, Some(Ended::Stopped));
    }
}

/// What a pace rests after each of these batches: how long it took, in milliseconds, and how many rows it deleted.
fn rests(mut pace: Pace<'_>, batches: &[(u64, u64)]) -> Vec<u128> {
    batches.iter().map(|(busy, rows)| pace.rest(Duration::from_millis(*busy), *rows).as_millis()).collect()
}

#[test]
fn a_rest_is_what_the_plan_says() {
    let busy = [(2, 10), (30, 10), (300, 10), (300, 10)];
    let auto = DeletePlan::default();
    assert_eq!(rests(Pace::start(&auto), &busy), [10, 30, 300, 300]);
    let as_long = DeletePlan::default().with_rest(Rest::AsLongAsTheBatch);
    for pace in [Pace::start(&as_long), Pace::start_shared(&as_long)] {
        assert_eq!(rests(pace, &busy), [10, 30, 300, 300]);
    }
    let fixed = DeletePlan::default().with_rest(Rest::For(Duration::from_millis(7)));
    for pace in [Pace::start(&fixed), Pace::start_shared(&fixed)] {
        assert_eq!(rests(pace, &busy), [7; 4]);
    }
}

#[test]
fn a_shared_store_is_left_alone_only_while_it_is_slow() {
    let auto = DeletePlan::default();
    let mut batches = vec![(30, 1000); 8];
    batches.extend([(90, 1000); 4]);
    batches.extend([(30, 1000); 4]);
    let rests = rests(Pace::start_shared(&auto), &batches);
    assert_eq!(rests[..8], [0; 8], "as fast as ever");
    assert_eq!(rests[8], 0, "one slow batch is chance");
    assert!(rests[9..12].iter().all(|rest| (150..=180).contains(rest)), "three times as slow: {rests:?}");
    assert_eq!(rests[14..], [0; 2], "as fast as before");
}

#[test]
fn more_rows_may_take_longer() {
    struct Calls(u64);
    impl Progress for Calls {
        fn batch(&mut self, _: &Deleted) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
    }
    let plan = DeletePlan::default();
    let (mut pace, mut calls, mut so_far) = (Pace::start_shared(&plan), Calls(0), Deleted::default());
    for rows in [1000, 1000, 1000, 3000, 3000, 3000] {
        so_far.deleted += rows;
        assert_eq!(pace.batch_done(Some(Duration::from_millis(rows / 50)), &so_far, &mut calls), None);
    }
    assert_eq!(calls.0, 6, "during a rest there would be more");
}

#[test]
fn time_that_the_follower_takes_counts() {
    struct Slow;
    impl Progress for Slow {
        fn batch(&mut self, _: &Deleted) -> ControlFlow<()> {
            thread::sleep(Duration::from_millis(2));
            ControlFlow::Continue(())
        }
    }
    let plan = DeletePlan::default().with_max_time(Duration::from_millis(1)).with_rest(Rest::For(Duration::ZERO));
    assert_eq!(Pace::start(&plan).batch_done(None, &Deleted::default(), &mut Slow), Some(Ended::MaxTime));
}
