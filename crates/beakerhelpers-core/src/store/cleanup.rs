//! The words of a cleanup: what is old, how to go about it, what came of it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::{Error, Payload, Record, Result, Timestamp};

/// The instant that divides active sessions from old ones, and when the question was asked.
///
/// A session is *active* where accessed ≥ cutoff and *old* where accessed < cutoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff {
    at: Timestamp,
    now: Timestamp,
}

impl Cutoff {
    /// The cutoff of a timeout: `now − timeout`.
    #[must_use]
    pub fn ago(now: Timestamp, timeout: Duration) -> Self {
        Self { at: now.earlier_by(timeout), now }
    }

    /// The instant itself.
    pub const fn at(self) -> Timestamp {
        self.at
    }

    /// When the question was asked; naive local times between the two decide with it
    /// ([`Zone::naive_cutoff`](crate::Zone::naive_cutoff)).
    pub const fn now(self) -> Timestamp {
        self.now
    }
}

/// Reads from a payload when its session was last accessed, for stores that keep no times beside it. The codec has
/// one; a store does not decode.
pub trait TimeReader: fmt::Debug + Send + Sync {
    /// When the session was last accessed, as Beaker notes in it; `None` where it does not say: it is deleted, or no
    /// session at all.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Unsupported` where the payload cannot be decoded.
    fn accessed(&self, payload: &Payload) -> Result<Option<Timestamp>>;
}

/// How to go about a cleanup.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeletePlan {
    /// Whether anything is deleted.
    pub mode: CleanupMode,
    /// How many records a batch looks at; `None` lets the store find the number that keeps each batch short.
    pub batch_size: Option<usize>,
    /// How long to rest after each batch that deleted something, so that waiting writers get their turn.
    pub rest: Rest,
    /// Ends the run after this long.
    pub max_time: Option<Duration>,
    /// Ends the run after deleting so many.
    pub limit: Option<u64>,
    /// Hands every record that goes to [`Progress::archive`] first.
    pub archive: bool,
    /// Tells the age of sessions in a store that keeps no access times beside the payload; others do without.
    pub times: Option<Arc<dyn TimeReader>>,
}

impl Default for DeletePlan {
    fn default() -> Self {
        Self {
            mode: CleanupMode::Delete,
            batch_size: None,
            rest: Rest::Auto,
            max_time: None,
            limit: None,
            archive: false,
            times: None,
        }
    }
}

impl DeletePlan {
    /// Only counts what would be deleted.
    #[must_use]
    pub fn dry_run() -> Self {
        Self { mode: CleanupMode::Count, ..Self::default() }
    }

    /// Sets how many records a batch looks at.
    #[must_use]
    pub const fn with_batch_size(mut self, records: usize) -> Self {
        self.batch_size = Some(records);
        self
    }

    /// Sets the rest after each batch.
    #[must_use]
    pub const fn with_rest(mut self, rest: Rest) -> Self {
        self.rest = rest;
        self
    }

    /// Sets when to end.
    #[must_use]
    pub const fn with_max_time(mut self, max_time: Duration) -> Self {
        self.max_time = Some(max_time);
        self
    }

    /// Sets after how many to end.
    #[must_use]
    pub const fn with_limit(mut self, records: u64) -> Self {
        self.limit = Some(records);
        self
    }

    /// Hands every record that goes to [`Progress::archive`] first. A run that only counts hands over none.
    #[must_use]
    pub const fn with_archive(mut self) -> Self {
        self.archive = true;
        self
    }

    /// Sets who tells the age of sessions in a store that keeps no access times beside the payload.
    #[must_use]
    pub fn with_times(mut self, times: Arc<dyn TimeReader>) -> Self {
        self.times = Some(times);
        self
    }

    /// Who tells the age of sessions, for a store that cannot do without.
    ///
    /// # Errors
    ///
    /// `Unsupported` where nobody was set.
    pub fn time_reader(&self) -> Result<&dyn TimeReader> {
        self.times.as_deref().ok_or_else(|| {
            Error::unsupported(
                "the access times are inside of the sessions, and nobody was given to read them: nothing was deleted",
            )
            .with_hint("set `DeletePlan::with_times`")
        })
    }
}

/// Whether a cleanup deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CleanupMode {
    /// It does.
    Delete,
    /// It counts what it would delete, with the same test.
    Count,
}

/// How long a cleanup rests after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rest {
    /// By the store's own rule. One that a single writer locks rests as [`AsLongAsTheBatch`](Self::AsLongAsTheBatch)
    /// says. One in which others go on writing during a batch rests only while it is slower than it usually was in this
    /// run.
    Auto,
    /// As long as the batch kept the store busy, and 10 ms at least: others get half of the time.
    AsLongAsTheBatch,
    /// Always this long.
    For(Duration),
}

/// What came of a cleanup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// Records deleted, or counted in a dry run.
    pub deleted: u64,
    /// Records looked at and kept.
    pub kept: u64,
    /// How many of the kept had no valid access time.
    pub unknown: u64,
    /// Why it ended.
    pub ended: Ended,
}

impl Deleted {
    /// Records looked at.
    pub const fn scanned(&self) -> u64 {
        self.deleted + self.kept
    }
}

/// What came of tidying up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tidied {
    /// Files removed, or counted, none of them a session: lock files, and what saves that were killed left behind.
    pub files: u64,
    /// Folders removed, or counted, in which nothing was left.
    pub folders: u64,
}

/// Why a cleanup ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Every record was looked at.
    #[default]
    Completed,
    /// [`DeletePlan::max_time`] was over.
    MaxTime,
    /// [`DeletePlan::limit`] was reached.
    Limit,
    /// [`Progress::batch`] said so.
    Stopped,
    /// Another cleanup is at work on the same sessions, and this one left them to it.
    AnotherCleanup,
}

/// Follows a cleanup while it runs.
///
/// The store holds no lock while it calls, so whoever follows may use the store; [`archive`](Self::archive) alone is
/// called in the middle of a transaction.
pub trait Progress {
    /// A record was found old and is about to be deleted, or counted; its access time. A record that is touched
    /// from here on is kept.
    fn old(&mut self, accessed: Timestamp) {
        let _ = accessed;
    }

    /// These records are deleted, or locked to be deleted, in a transaction that is committed after this call: keep
    /// them safe before you return. A batch may call several times, with some MiB each. It is called where
    /// [`DeletePlan::archive`] says so. It must be quick, and must not use the store, which is locked.
    ///
    /// # Errors
    ///
    /// They end the run: the transaction is rolled back, so that of this batch nothing is deleted, and
    /// [`SessionStore::delete_old`](crate::SessionStore::delete_old) returns the error. Records of an earlier call of
    /// the same batch are then still in the store; the same holds where the commit fails, and a batch that is tried again
    /// hands them over again. By default it is
    /// `Unsupported`: nothing is dropped silently.
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        let _ = records;
        Err(Error::unsupported("whoever follows this cleanup keeps no records: nothing was deleted"))
    }

    /// A record, or what holds some, cannot be read or may not be deleted, which is therefore kept. Where it is the age
    /// that cannot be read, it is counted as unknown.
    fn unreadable(&mut self, error: &Error) {
        let _ = error;
    }

    /// A batch kept others from writing for this long; batches that found nothing to delete keep nobody.
    fn held(&mut self, lock: Duration) {
        let _ = lock;
    }

    /// A batch is done; `so_far` is everything until now. `Break` ends the run after this batch.
    fn batch(&mut self, so_far: &Deleted) -> ControlFlow<()> {
        let _ = so_far;
        ControlFlow::Continue(())
    }
}

/// Follows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
