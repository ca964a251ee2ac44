//! How fast a cleanup goes: one rule for every store.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use super::{DeletePlan, Deleted, Ended, Progress, Rest};

/// What a batch may keep the store busy for. A writer that waits for it does not notice. On a busy disk one batch in a
/// hundred takes half as long again, which is to stay below 50 ms; part of it is the price of any commit.
const TARGET: Duration = Duration::from_millis(30);
/// Rests are slept in slices of this, so that a signal is answered at once.
const SLICE: Duration = Duration::from_millis(50);
const SMALLEST: usize = 20;
const LARGEST: usize = 5_000;
const FIRST: usize = 200;

/// Keeps a cleanup short of breath: finds the batch size that keeps each batch short, rests between batches, and says
/// when to end. A store's `delete_old` calls [`batch_done`](Self::batch_done) after each of its batches.
#[derive(Debug)]
pub struct Pace<'p> {
    plan: &'p DeletePlan,
    started: Instant,
    size: usize,
}

impl<'p> Pace<'p> {
    /// Starts the clock.
    #[must_use]
    pub fn start(plan: &'p DeletePlan) -> Self {
        let size = plan.batch_size.unwrap_or(FIRST).max(1);
        Self { plan, started: Instant::now(), size }
    }

    /// How many records the next batch may look at.
    pub const fn batch_size(&self) -> usize {
        self.size
    }

    /// How many records the next batch may delete after so many.
    pub fn may_delete(&self, deleted: u64) -> u64 {
        self.plan.limit.map_or(u64::MAX, |limit| limit.saturating_sub(deleted))
    }

    /// Takes note of a batch that kept a lock for `busy`, reports it, rests, and tells why the run is to end, if it is.
    /// `busy` is `None` for a batch that found nothing to delete: that one needs no rest.
    pub fn batch_done(
        &mut self,
        busy: Option<Duration>,
        so_far: &Deleted,
        progress: &mut dyn Progress,
    ) -> Option<Ended> {
        if let Some(busy) = busy {
            progress.held(busy);
        }
        if let (Some(busy), None) = (busy, self.plan.batch_size) {
            self.adapt(busy);
        }
        if self.may_delete(so_far.deleted) == 0 {
            let _ = progress.batch(so_far);
            return Some(Ended::Limit);
        }
        let rest = match (busy, self.plan.rest) {
            (None, _) => Duration::ZERO,
            (Some(busy), Rest::AsLongAsTheBatch) => busy.max(Duration::from_millis(10)),
            (Some(_), Rest::For(rest)) => rest,
        };
        // No instant is that far away: such a rest lasts until something else ends it.
        let rest_until = Instant::now().checked_add(rest);
        loop {
            if self.plan.max_time.is_some_and(|max| self.started.elapsed() >= max) {
                let _ = progress.batch(so_far);
                return Some(Ended::MaxTime);
            }
            if progress.batch(so_far) == ControlFlow::Break(()) {
                return Some(Ended::Stopped);
            }
            let left = rest_until.map_or(SLICE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return None;
            }
            thread::sleep(left.min(SLICE));
        }
    }

    /// Moves the size towards the target, by half down and a quarter up at most: one slow batch may be chance, but one fast
    /// batch must not make the next one a slow one.
    fn adapt(&mut self, busy: Duration) {
        let ratio = (TARGET.as_secs_f64() / busy.as_secs_f64().max(1e-6)).clamp(0.5, 1.25);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "sizes are small and positive"
        )]
        let size = (self.size as f64 * ratio) as usize;
        self.size = size.clamp(SMALLEST, LARGEST);
    }
}

#[cfg(test)]
mod tests {
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
}
