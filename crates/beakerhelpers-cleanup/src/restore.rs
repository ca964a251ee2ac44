//! Putting archived sessions back.

mod fit;

use std::ops::ControlFlow;
use std::time::SystemTime;

use beakerhelpers_codec::{Settings, refuses_all};
use beakerhelpers_core::{Error, ErrorKind, Result, SaveBatch, SaveMode, SessionStore, answers};

use crate::archive::ArchiveReader;
use fit::{Fit, of_line};

/// Whether sessions are put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreMode {
    /// They are.
    Restore,
    /// What would be is counted.
    Count,
}

/// What came of restoring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Sessions put back, or counted.
    pub restored: u64,
    /// Sessions whose id is in the store: they were left as they are.
    pub existing: u64,
    /// Lines that could not be read, and sessions that the store cannot hold.
    pub unreadable: u64,
}

/// Puts the sessions of an archive back, each with its times. One that is in the store is never overwritten.
///
/// The store may be of another type than the one that they are of: each session gets the frame that it has there, and keeps
/// its bytes. Where the archive lacks times that the store keeps, they are read from the session, of the form that the
/// settings tell.
///
/// `follow` is called after each line, with the reason where it could not be read; `Break` ends the work.
///
/// # Errors
///
/// `Unsupported`, before anything is put back, where no session of the archive can be in the store. What the store says, and
/// what the archive says of itself as a whole. What was put back until then stays.
pub fn restore_sessions(
    store: &dyn SessionStore,
    archive: &mut ArchiveReader,
    settings: &Settings,
    mode: RestoreMode,
    mut follow: impl FnMut(&Restored, Option<&Error>) -> ControlFlow<()>,
) -> Result<Restored> {
    answers(store)?;
    let mut fit = Fit::new(archive, store, settings);
    let mut restoring = Restoring {
        store,
        so_far: Restored::default(),
        waiting: SaveBatch::new(),
        lines: Vec::new(),
        may_refuse_all: true,
    };
    loop {
        // What waits is put back before anything else is told.
        let line = archive.next().map(|record| match record {
            Ok(record) => fit.record(record, archive.line()),
            malformed => malformed,
        });
        let goes_on = match line {
            None => {
                let _ = restoring.put_back(&mut follow)?;
                return Ok(restoring.so_far);
            }
            Some(Ok(record)) if mode == RestoreMode::Restore => {
                restoring.lines.push(archive.line());
                if restoring.waiting.push(record) {
                    restoring.put_back(&mut follow)?
                } else {
                    ControlFlow::Continue(())
                }
            }
            Some(record) => match restoring.put_back(&mut follow)? {
                ControlFlow::Continue(()) => {
                    let there = record.and_then(|record| store.has(&record.id));
                    restoring.count(there.map(|there| !there), &mut follow)?
                }
                over @ ControlFlow::Break(()) => over,
            },
        };
        if goes_on.is_break() {
            return Ok(restoring.so_far);
        }
    }
}

/// What has come of it, and what is still to be put back.
struct Restoring<'s> {
    store: &'s dyn SessionStore,
    so_far: Restored,
    waiting: SaveBatch,
    /// The lines of those that wait.
    lines: Vec<u64>,
    /// Whether it is still to be found out if the store refuses whatever is saved.
    may_refuse_all: bool,
}

impl Restoring<'_> {
    /// Puts back those that wait.
    fn put_back(
        &mut self,
        follow: &mut impl FnMut(&Restored, Option<&Error>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let saved = self.store.save_all(&self.waiting.take(), SaveMode::Create);
        let mut goes_on = ControlFlow::Continue(());
        for (line, saved) in std::mem::take(&mut self.lines).into_iter().zip(saved) {
            let put = match saved {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    // What the store says to everything is not to be told of each line.
                    if std::mem::take(&mut self.may_refuse_all) && refuses_all(self.store, SystemTime::now().into())? {
                        return Err(error);
                    }
                    // Such as one without times, in a database.
                    Err(of_line(line, &error))
                }
                saved => saved.map(|()| true),
            };
            // Whoever wants it to end hears of those, too, that were put back with this one.
            if self.count(put, follow)?.is_break() {
                goes_on = ControlFlow::Break(());
            }
        }
        Ok(goes_on)
    }

    fn count(
        &mut self,
        put: Result<bool>,
        follow: &mut impl FnMut(&Restored, Option<&Error>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let mut unreadable = None;
        match put {
            Ok(true) => self.so_far.restored += 1,
            Ok(false) => self.so_far.existing += 1,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                self.so_far.unreadable += 1;
                unreadable = Some(error);
            }
            Err(error) => return Err(error),
        }
        Ok(follow(&self.so_far, unreadable.as_ref()))
    }
}
