//! How fast a cleanup goes: one rule for every store.

mod slowness;

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use self::slowness::Slowness;
use super::{DeletePlan, Deleted, Ended, Progress, Rest};

/// What a batch may keep the store busy for. A writer that waits for it does not notice. On a busy disk one batch in a
/// hundred takes half as long again, which is to stay below 50 ms; part of it is the price of any commit.
const TARGET: Duration = Duration::from_millis(30);
/// Shorter rests are not worth the name: a waiting writer looks only now and then whether the lock is free.
const SHORTEST: Duration = Duration::from_millis(10);
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
    /// What had been deleted when the last batch was done.
    deleted: u64,
    /// Of a store in which others go on writing.
    shared: Option<Slowness>,
}

impl<'p> Pace<'p> {
    /// Starts the clock, for a store in which a batch keeps every other writer waiting.
    #[must_use]
    pub fn start(plan: &'p DeletePlan) -> Self {
        let size = plan.batch_size.unwrap_or(FIRST).max(1);
        Self { plan, started: Instant::now(), size, deleted: 0, shared: None }
    }

    /// Starts the clock, for a store on a server, in which others go on writing during a batch: [`Rest::Auto`] then
    /// rests only while the server is slower than it usually was in this run, in proportion to how much slower.
    #[must_use]
    pub fn start_shared(plan: &'p DeletePlan) -> Self {
        Self { shared: Some(Slowness::default()), ..Self::start(plan) }
    }

    /// How many records the next batch may look at.
    pub const fn batch_size(&self) -> usize {
        self.size
    }

    /// How many records the next batch may delete after so many.
    pub fn may_delete(&self, deleted: u64) -> u64 {
        self.plan.limit.map_or(u64::MAX, |limit| limit.saturating_sub(deleted))
    }

    /// Takes note of a batch that kept a lock, or a server, for `busy`, reports it, rests, and tells why the run is to end, if it is.
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
        let rows = so_far.deleted.saturating_sub(self.deleted);
        self.deleted = so_far.deleted;
        let rest = busy.map_or(Duration::ZERO, |busy| self.rest(busy, rows));
        // No instant is that far away: such a rest lasts until something else ends it.
        let rest_until = Instant::now().checked_add(rest);
        loop {
            if self.is_over() {
                let _ = progress.batch(so_far);
                return Some(Ended::MaxTime);
            }
            if progress.batch(so_far) == ControlFlow::Break(()) {
                return Some(Ended::Stopped);
            }
            let left = rest_until.map_or(SLICE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                // Whoever follows may have taken its time.
                return self.is_over().then_some(Ended::MaxTime);
            }
            thread::sleep(left.min(SLICE));
        }
    }

    fn is_over(&self) -> bool {
        self.plan.max_time.is_some_and(|max| self.started.elapsed() >= max)
    }

    /// How long to rest after a batch that deleted so many rows.
    fn rest(&mut self, busy: Duration, rows: u64) -> Duration {
        let shared = self.shared.as_mut().map(|slowness| slowness.rest(busy, rows));
        match self.plan.rest {
            Rest::For(rest) => rest,
            Rest::Auto => shared.unwrap_or(busy.max(SHORTEST)),
            Rest::AsLongAsTheBatch => busy.max(SHORTEST),
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
mod tests;
