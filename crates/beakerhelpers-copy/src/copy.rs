//! Going through the sessions of one place.

use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Cutoff, Error, Query, Records, Result, Timestamp, answers};

use crate::judge::Judge;
use crate::run::{OF, Run, TO};
use crate::{Copied, Ended, Observer, Place};

/// Whoever waits looks up so often.
const SLICE: Duration = Duration::from_millis(50);

/// What is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyMode {
    /// Sessions are copied.
    #[default]
    Copy,
    /// What would be copied is counted.
    Count,
    /// What is in both places is compared.
    Verify,
}

/// How to go about copying.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    mode: CopyMode,
    all: bool,
    new_only: bool,
    rate: Option<u32>,
    limit: Option<u64>,
    max_time: Option<Duration>,
}

impl Copy {
    /// Copies everything that is not over, as fast as it goes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what is done.
    #[must_use]
    pub const fn with_mode(mut self, mode: CopyMode) -> Self {
        self.mode = mode;
        self
    }

    /// Copies also what is over by the timeout of either place, unless TO would drop it at once.
    #[must_use]
    pub const fn with_all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Copies only what TO does not have, and neither changes nor deletes anything there: for a TO that is in use.
    #[must_use]
    pub const fn with_new_only(mut self) -> Self {
        self.new_only = true;
        self
    }

    /// Looks at so many sessions a second at most.
    #[must_use]
    pub const fn with_rate(mut self, per_second: u32) -> Self {
        self.rate = Some(per_second);
        self
    }

    /// Ends after so many that were copied, or would be, or that differ.
    #[must_use]
    pub const fn with_limit(mut self, sessions: u64) -> Self {
        self.limit = Some(sessions);
        self
    }

    /// Ends after this long.
    #[must_use]
    pub const fn with_max_time(mut self, time: Duration) -> Self {
        self.max_time = Some(time);
        self
    }

    /// Copies from one place to the other what the other does not have yet, or an older state of.
    ///
    /// A session is saved whole or not at all, so that a run can be ended at any moment, and the next one goes on. None is
    /// saved over a newer one.
    ///
    /// # Concurrency
    ///
    /// Both places may be in use. What is saved in FROM meanwhile the next run copies. Between looking at a session in TO
    /// and saving it there is a moment in which the application of TO may save it, too, and lose that: let nobody use TO
    /// before all is copied, or copy [what is new only](Self::with_new_only). A session that is not there yet is never saved
    /// over one that is.
    ///
    /// # Errors
    ///
    /// `Config` where both are the same place; `Unsupported` where FROM cannot list its sessions, or the sessions of one
    /// cannot be in the other, or TO refuses whatever is saved; otherwise what the stores say. What was copied until then
    /// stays. A session that cannot be read, or that TO cannot hold, is counted and passed over.
    pub fn run(&self, from: &Place<'_>, to: &Place<'_>, now: Timestamp, observer: &mut dyn Observer) -> Result<Copied> {
        let mut so_far = Copied::default();
        self.run_into(from, to, now, observer, &mut so_far).map(|()| so_far)
    }

    /// As [`run`](Self::run), where it is to be known how far it came before an error.
    pub(crate) fn run_into(
        &self,
        from: &Place<'_>,
        to: &Place<'_>,
        now: Timestamp,
        observer: &mut dyn Observer,
        so_far: &mut Copied,
    ) -> Result<()> {
        check(from, to)?;
        // What TO says to everything is not to be told of each session.
        answers(to.store).map_err(|error| error.with_context(OF, TO))?;
        let timeout = [from.timeout, to.timeout].into_iter().flatten().min().filter(|_| !self.all);
        let cutoff = timeout.map(|timeout| Cutoff::ago(now, timeout));
        let mut judge = Judge::new(from, to, cutoff.map(Cutoff::at), now)?;
        // Whoever verifies wants to know of everything, even of what only the times beside it hide.
        let skipped = cutoff.filter(|_| self.mode != CopyMode::Verify);
        let query = skipped.map_or(Query::ALL, |cutoff| Query::ALL.active_since(cutoff)).with_expiry();
        let mut run = Run::new(self.mode, self.new_only, to.store, now, so_far, observer);
        let done = self.go(from.store.iter(query), &mut judge, &mut run);
        // What waits to be saved is, whatever ended the run.
        let saved = run.save();
        done.and(saved)
    }

    fn go(&self, records: Records<'_>, judge: &mut Judge<'_, '_>, run: &mut Run<'_>) -> Result<()> {
        let started = Instant::now();
        for record in records {
            if let Some(ended) = self.is_over(run, started) {
                run.so_far.ended = ended;
                break;
            }
            run.so_far.seen += 1;
            match record {
                Ok(record) => {
                    let id = record.id.clone();
                    match judge.judge(record) {
                        Ok(verdict) => run.carry_out(verdict, &id)?,
                        Err(error) => run.failed(error, Some(&id))?,
                    }
                }
                Err(error) => run.failed(error, None)?,
            }
        }
        Ok(())
    }

    /// Rests where it is too fast, and tells why the run is over, if it is.
    fn is_over(&self, run: &mut Run<'_>, started: Instant) -> Option<Ended> {
        if self.limit.is_some_and(|limit| run.differences() >= limit) {
            return Some(Ended::Limit);
        }
        loop {
            if run.observer.next(run.so_far).is_break() {
                return Some(Ended::Stopped);
            }
            let elapsed = started.elapsed();
            if self.max_time.is_some_and(|max| elapsed >= max) {
                return Some(Ended::MaxTime);
            }
            // Without a need to rest it goes on.
            thread::sleep(self.rest(run.so_far.seen, elapsed)?.min(SLICE));
        }
    }

    /// How long it is too early for the next one.
    fn rest(&self, seen: u64, elapsed: Duration) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "no more sessions are looked at than a float can count")]
        let due = seen as f64 / f64::from(self.rate?.max(1));
        let due = Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX);
        due.checked_sub(elapsed).filter(|rest| !rest.is_zero())
    }
}

fn check(from: &Place<'_>, to: &Place<'_>) -> Result<()> {
    let (there, here) = (from.store.info(), to.store.info());
    // Stores in memory are all called the same.
    let same_name = there.location == here.location && there.store_type == here.store_type;
    if std::ptr::addr_eq(from.store, to.store) || (same_name && there.store_type != "memory") {
        return Err(Error::config("FROM and TO are the same place").with_context("location", there.location));
    }
    if !there.capabilities.iter {
        return Err(Error::unsupported(format!("a store of type `{}` cannot list its sessions", there.store_type)));
    }
    Ok(())
}
