//! Going through the sessions of one place.

use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{
    Cutoff, Error, ErrorKind, Query, Record, Result, SaveMode, SessionId, SessionStore, Timestamp,
};

use crate::judge::{Judge, Verdict};
use crate::{Copied, Difference, Ended, Observer, Place, probe};

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
        probe::answers(to.store)?;
        let mut may_refuse_all = true;
        let timeout = [from.timeout, to.timeout].into_iter().flatten().min().filter(|_| !self.all);
        let cutoff = timeout.map(|timeout| Cutoff::ago(now, timeout));
        let mut judge = Judge::new(from, to, cutoff.map(Cutoff::at), now)?;
        // Whoever verifies wants to know of everything, even of what only the times beside it hide.
        let skipped = cutoff.filter(|_| self.mode != CopyMode::Verify);
        let query = skipped.map_or(Query::ALL, |cutoff| Query::ALL.active_since(cutoff)).with_expiry();
        let started = Instant::now();
        for record in from.store.iter(query) {
            if let Some(ended) = self.is_over(so_far, started, observer) {
                so_far.ended = ended;
                break;
            }
            so_far.seen += 1;
            let mut refused = false;
            let (id, done) = match record {
                Ok(record) => {
                    let id = record.id.clone();
                    let done = judge.judge(record).and_then(|verdict| {
                        let done = self.carry_out(verdict, &id, to.store, so_far, observer);
                        refused = matches!(&done, Err(error) if error.kind() == ErrorKind::Unsupported);
                        done
                    });
                    (Some(id), done)
                }
                Err(error) => (None, Err(error)),
            };
            if refused && std::mem::take(&mut may_refuse_all) && probe::refuses_all(to.store, now)? {
                return done;
            }
            match done {
                Ok(()) => {}
                Err(error) if is_of_one_session(&error) && (id.is_some() || error.kind() == ErrorKind::Corrupt) => {
                    so_far.failed += 1;
                    observer.failed(&error, id.as_ref());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn carry_out(
        &self,
        verdict: Verdict,
        id: &SessionId,
        to: &dyn SessionStore,
        so_far: &mut Copied,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let copies = self.mode == CopyMode::Copy;
        let (count, difference) = match verdict {
            Verdict::New(record) => {
                if copies && !create(to, &record)? {
                    so_far.newer += 1;
                    return Ok(());
                }
                (&mut so_far.new, Difference::Missing)
            }
            Verdict::Changed(_) | Verdict::LoggedOut if self.new_only => {
                so_far.left += 1;
                return Ok(());
            }
            Verdict::Changed(record) => {
                if copies {
                    to.save(&record, SaveMode::Upsert)?;
                }
                (&mut so_far.changed, Difference::Older)
            }
            Verdict::LoggedOut => {
                if copies {
                    to.delete(id)?;
                }
                (&mut so_far.logged_out, Difference::LoggedOut)
            }
            Verdict::Same(wrong_time) => {
                so_far.unchanged += 1;
                if wrong_time.is_none() || self.mode != CopyMode::Verify || self.new_only {
                    return Ok(());
                }
                (&mut so_far.wrong_times, Difference::Times)
            }
            Verdict::Newer => {
                so_far.newer += 1;
                return Ok(());
            }
            Verdict::NoSession => {
                so_far.no_sessions += 1;
                return Ok(());
            }
            Verdict::Over => {
                so_far.over += 1;
                return Ok(());
            }
            Verdict::Gone => return Ok(()),
        };
        *count += 1;
        if self.mode == CopyMode::Verify {
            observer.differs(difference, id);
        }
        Ok(())
    }

    /// Rests where it is too fast, and tells why the run is over, if it is.
    fn is_over(&self, so_far: &Copied, started: Instant, observer: &mut dyn Observer) -> Option<Ended> {
        if self.limit.is_some_and(|limit| so_far.differences() >= limit) {
            return Some(Ended::Limit);
        }
        loop {
            if observer.next(so_far).is_break() {
                return Some(Ended::Stopped);
            }
            let elapsed = started.elapsed();
            if self.max_time.is_some_and(|max| elapsed >= max) {
                return Some(Ended::MaxTime);
            }
            // Without a need to rest it goes on.
            thread::sleep(self.rest(so_far.seen, elapsed)?.min(SLICE));
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

/// Saves a session that is not there. `false` where it is, by now.
fn create(to: &dyn SessionStore, record: &Record) -> Result<bool> {
    match to.save(record, SaveMode::Create) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        saved => saved.map(|()| true),
    }
}

/// Whether an error is about a session and not about a store.
fn is_of_one_session(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported)
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
