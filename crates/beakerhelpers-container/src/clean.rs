//! Deleting what is old, beside whoever uses it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Pace, Progress, Record, Rest, Result,
};

use crate::locks::{Lock, Taken};
use crate::{Age, Fate, Guard, Place, Sessions, Spot, Tree, Walk};

/// A batch has files of so many folders at most: each is open until the batch is done.
const FOLDERS: usize = 64;
/// So many locks are held at once while records are handed over, of so many bytes unless one alone has more.
const HANDED: usize = 64;
const HANDED_BYTES: usize = 16 << 20;

/// Deletes the sessions of a place that are older than the cutoff: the whole of a store's
/// [`delete_old`](beakerhelpers_core::SessionStore::delete_old).
///
/// The tree is walked over without a lock. Each session that is old is then looked at again under its lock, which is taken
/// only if its file is there, and not waited for: whoever holds it is using the session, which is kept. Between batches it
/// rests only where the plan says for how long.
///
/// # Errors
///
/// As the contract says. Where this user may delete none of what is old, `PermissionDenied`.
pub fn clean(
    place: &Place,
    sessions: &dyn Sessions,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    if plan.mode == CleanupMode::Delete {
        place.refuse_to_write()?;
    }
    let tree = place.open()?;
    let walk = Walk::new(&tree, sessions.form())?;
    let locks = place.locks().open()?;
    let mut run = Run {
        place,
        sessions,
        cutoff,
        plan,
        progress,
        walk,
        locks,
        old: VecDeque::new(),
        so_far: Deleted::default(),
        refused: None,
    };
    // Each session is locked alone, for a moment: nobody waits for a batch.
    let unrested = plan.clone().with_rest(Rest::For(Duration::ZERO));
    let mut rhythm = Pace::start(if plan.rest == Rest::Auto { &unrested } else { plan });
    loop {
        let may_delete = rhythm.may_delete(run.so_far.deleted);
        if run.old.is_empty() && run.find(rhythm.batch_size(), may_delete)? == 0 && may_delete > 0 {
            return run.end();
        }
        let started = Instant::now();
        let before = run.so_far.deleted;
        run.delete_batch()?;
        let busy = (run.so_far.deleted > before && plan.mode == CleanupMode::Delete).then(|| started.elapsed());
        if let Some(ended) = rhythm.batch_done(busy, &run.so_far, run.progress) {
            run.so_far.ended = ended;
            return run.end();
        }
    }
}

struct Run<'r> {
    place: &'r Place,
    sessions: &'r dyn Sessions,
    cutoff: Cutoff,
    plan: &'r DeletePlan,
    progress: &'r mut dyn Progress,
    walk: Walk,
    locks: Option<Tree>,
    /// What was found old and not yet deleted.
    old: VecDeque<Spot>,
    so_far: Deleted,
    /// Why the first session that this user may not delete was kept.
    refused: Option<Error>,
}

/// What a look at a session under its lock says.
enum Verdict {
    Old(Guard, Option<Lock>),
    Kept,
    Gone,
}

impl Run<'_> {
    /// Looks at so many sessions, up to the last that may go, and tells at how many it looked.
    fn find(&mut self, records: usize, may_delete: u64) -> Result<usize> {
        let most =
            usize::try_from(may_delete).unwrap_or(usize::MAX).min(if self.plan.archive { HANDED } else { usize::MAX });
        let (mut looked, mut folders) = (0, 0);
        while looked < records && self.old.len() < most && folders < FOLDERS {
            let Some(spot) = self.walk.next() else { break };
            looked += 1;
            let spot = match spot {
                Ok(spot) => spot,
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    self.progress.unreadable(&error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match self.sessions.age(&spot)? {
                Age::Accessed(accessed) if accessed < self.cutoff.at() => {
                    self.progress.old(accessed);
                    folders += usize::from(self.old.back().is_none_or(|last| !last.is_in(spot.shared_folder())));
                    self.old.push_back(spot);
                }
                age => self.keep(age),
            }
        }
        Ok(looked)
    }

    fn keep(&mut self, age: Age) {
        self.so_far.kept += u64::from(!matches!(age, Age::Gone));
        if let Age::Unknown(error) = age {
            self.so_far.unknown += 1;
            if let Some(error) = error {
                self.progress.unreadable(&error);
            }
        }
    }

    /// Deletes what was found, or the first part of it where records are handed over.
    fn delete_batch(&mut self) -> Result<()> {
        if self.plan.mode == CleanupMode::Count {
            self.so_far.deleted += self.old.len() as u64;
            self.old.clear();
        } else if self.plan.archive {
            self.hand_over_and_delete()?;
        } else {
            while let Some(spot) = self.old.pop_front() {
                if let Verdict::Old(guard, _lock) = self.judge(&spot)? {
                    self.remove(&spot, guard)?;
                }
            }
        }
        Ok(())
    }

    fn hand_over_and_delete(&mut self) -> Result<()> {
        let mut held = Vec::new();
        let mut records: Vec<Record> = Vec::new();
        let mut bytes = 0;
        while held.len() < HANDED && bytes < HANDED_BYTES {
            let Some(spot) = self.old.pop_front() else { break };
            let Verdict::Old(guard, lock) = self.judge(&spot)? else { continue };
            match self.sessions.read_locked(&spot) {
                Ok(Some(record)) => {
                    bytes += record.payload.bytes().len();
                    records.push(record);
                    held.push((spot, guard, lock));
                }
                Ok(None) => {}
                // What cannot be kept elsewhere stays.
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    self.so_far.kept += 1;
                    self.progress.unreadable(&error);
                }
                Err(error) => return Err(error),
            }
        }
        if !records.is_empty() {
            self.progress.archive(&records)?;
        }
        for (spot, guard, _lock) in held {
            self.remove(&spot, guard)?;
        }
        Ok(())
    }

    /// Takes the lock of a session that was old a moment ago, and looks whether it still is.
    fn judge(&mut self, spot: &Spot) -> Result<Verdict> {
        let lock = match self.place.locks().try_to_delete(self.locks.as_ref(), spot.id()) {
            Ok(Taken::Lock(lock)) => Some(lock),
            Ok(Taken::NoLockFile) => None,
            Ok(Taken::Held) => {
                self.so_far.kept += 1;
                return Ok(Verdict::Kept);
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.refuse(error);
                return Ok(Verdict::Kept);
            }
            Err(error) => return Err(error),
        };
        match self.sessions.age(spot)? {
            Age::Accessed(accessed) if accessed < self.cutoff.at() => {
                Ok(Verdict::Old(if lock.is_some() { Guard::Locked } else { Guard::NoLockFile }, lock))
            }
            Age::Gone => Ok(Verdict::Gone),
            age => {
                self.keep(age);
                Ok(Verdict::Kept)
            }
        }
    }

    fn remove(&mut self, spot: &Spot, guard: Guard) -> Result<()> {
        match self.sessions.remove(spot, guard, self.cutoff.at()) {
            Ok(Fate::Removed) => self.so_far.deleted += 1,
            Ok(Fate::Touched) => self.so_far.kept += 1,
            Ok(Fate::Gone) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => self.refuse(error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Keeps a session that this user may not delete.
    fn refuse(&mut self, error: Error) {
        self.so_far.kept += 1;
        self.progress.unreadable(&error);
        self.refused.get_or_insert(error);
    }

    fn end(self) -> Result<Deleted> {
        match self.refused {
            Some(error) if self.so_far.deleted == 0 => {
                let none = "this user may not delete the sessions: none was deleted";
                Err(self
                    .place
                    .named(Error::new(ErrorKind::PermissionDenied, none))
                    .with_hint("run it as the user that the application runs as")
                    .with_source(error))
            }
            _ => Ok(self.so_far),
        }
    }
}
