//! What is done about each session of a run.

use std::time::{Duration, Instant};

use beakerhelpers_codec::refuses_all;
use beakerhelpers_core::{Error, ErrorKind, Record, Result, SaveBatch, SaveMode, SessionId, SessionStore, Timestamp};

use crate::judge::Verdict;
use crate::{Copied, CopyMode, Difference, Observer};

/// No session waits longer than this for others to be saved with.
const LONGEST: Duration = Duration::from_millis(100);

/// Which of the places an error is of, in its context.
pub(crate) const OF: &str = "of";
pub(crate) const FROM: &str = "FROM";
pub(crate) const TO: &str = "TO";

/// A run, and what has come of it.
pub(crate) struct Run<'r> {
    mode: CopyMode,
    new_only: bool,
    to: &'r dyn SessionStore,
    now: Timestamp,
    pub(crate) so_far: &'r mut Copied,
    pub(crate) observer: &'r mut dyn Observer,
    /// Sessions that TO does not have, to be saved.
    waiting: SaveBatch,
    /// Since when the first of them waits.
    since: Instant,
    /// Whether it is still to be found out if TO refuses whatever is saved.
    may_refuse_all: bool,
}

impl<'r> Run<'r> {
    pub(crate) fn new(
        mode: CopyMode,
        new_only: bool,
        to: &'r dyn SessionStore,
        now: Timestamp,
        so_far: &'r mut Copied,
        observer: &'r mut dyn Observer,
    ) -> Self {
        let (waiting, since) = (SaveBatch::new(), Instant::now());
        Self { mode, new_only, to, now, so_far, observer, waiting, since, may_refuse_all: true }
    }

    /// How many differences were found.
    pub(crate) fn differences(&self) -> u64 {
        self.so_far.differences() + self.waiting.len() as u64
    }

    /// Does what is to be done with a session, or has it wait for others.
    ///
    /// # Errors
    ///
    /// Those that are not about this session alone.
    pub(crate) fn carry_out(&mut self, verdict: Verdict, id: &SessionId) -> Result<()> {
        let copies = self.mode == CopyMode::Copy;
        let (done, difference) = match verdict {
            Verdict::New(record) if copies => return self.wait(record),
            Verdict::New(_) => (Ok(&mut self.so_far.new), Difference::Missing),
            Verdict::Changed(_) | Verdict::LoggedOut if self.new_only => {
                self.so_far.left += 1;
                return Ok(());
            }
            Verdict::Changed(record) => {
                let saved = if copies { self.to.save(&record, SaveMode::Upsert) } else { Ok(()) };
                (saved.map(|()| &mut self.so_far.changed), Difference::Older)
            }
            Verdict::LoggedOut => {
                let deleted = if copies { self.to.delete(id).map(drop) } else { Ok(()) };
                (deleted.map(|()| &mut self.so_far.logged_out), Difference::LoggedOut)
            }
            Verdict::Same(wrong_time) => {
                self.so_far.unchanged += 1;
                if wrong_time.is_none() || self.mode != CopyMode::Verify || self.new_only {
                    return Ok(());
                }
                (Ok(&mut self.so_far.wrong_times), Difference::Times)
            }
            other => {
                match other {
                    Verdict::Newer => self.so_far.newer += 1,
                    Verdict::NoSession => self.so_far.no_sessions += 1,
                    Verdict::Over => self.so_far.over += 1,
                    Verdict::Gone => self.so_far.gone += 1,
                    _ => {}
                }
                return Ok(());
            }
        };
        match done {
            Ok(count) => *count += 1,
            Err(error) => return self.refused(error, id),
        }
        if self.mode == CopyMode::Verify {
            self.observer.differs(difference, id);
        }
        Ok(())
    }

    fn wait(&mut self, record: Record) -> Result<()> {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        let enough = self.waiting.push(record) || self.since.elapsed() >= LONGEST;
        // The first one tells whether TO takes any.
        if enough || self.so_far.new == 0 { self.save() } else { Ok(()) }
    }

    /// Saves what waits, each only where there is still none of its id.
    ///
    /// # Errors
    ///
    /// As [`carry_out`](Self::carry_out).
    pub(crate) fn save(&mut self) -> Result<()> {
        let records = self.waiting.take();
        let saved = self.to.save_all(&records, SaveMode::Create);
        for (record, saved) in records.iter().zip(saved) {
            match saved {
                Ok(()) => self.so_far.new += 1,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self.so_far.newer += 1,
                Err(error) => self.refused(error, &record.id)?,
            }
        }
        Ok(())
    }

    /// TO has failed to save a session, or to delete one.
    fn refused(&mut self, error: Error, id: &SessionId) -> Result<()> {
        let refused = error.kind() == ErrorKind::Unsupported;
        // What TO says to everything is not to be told of each session.
        if refused && std::mem::take(&mut self.may_refuse_all) {
            match refuses_all(self.to, self.now) {
                Ok(false) => {}
                Ok(true) => return Err(error.with_context(OF, TO)),
                Err(error) => return Err(error.with_context(OF, TO)),
            }
        }
        self.failed(error, Some(id))
    }

    /// Counts a session that could not be read, which has no id then, or that cannot be in TO.
    ///
    /// # Errors
    ///
    /// The same one, where it is not about a session but about a store.
    pub(crate) fn failed(&mut self, error: Error, id: Option<&SessionId>) -> Result<()> {
        match error.kind() {
            ErrorKind::Corrupt => {}
            ErrorKind::Unsupported if id.is_some() => {}
            // Of one whose id is known nothing more is asked of FROM.
            _ => return Err(error.with_context(OF, if id.is_some() { TO } else { FROM })),
        }
        self.so_far.failed += 1;
        self.observer.failed(&error, id);
        Ok(())
    }
}
