//! Deleting old sessions.

use std::time::{Duration, Instant};

use beakerhelpers_core::{CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Pace, Progress, Result};

use super::files::{Kind, Locked, saved};
use super::old::{Fate, Old};
use super::{DirectoryStore, record, setup};
use crate::paths::{failed, of_one};

/// Whoever has an old session locked is about to save it: it is not waited for long.
const PATIENCE: Duration = Duration::from_millis(20);
/// As many files are open at once where what is deleted is to be kept elsewhere, of so many bytes.
const OPEN: usize = 100;
const ARCHIVED: u64 = 8 << 20;

/// Finds and deletes, batch by batch, in the order of the directory.
pub(super) fn run(
    store: &DirectoryStore,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let counts = plan.mode == CleanupMode::Count;
    if !counts {
        store.refuse_to_write()?;
    }
    setup::need_sessions(&store.files())?;
    let mut names = store.files().names()?;
    let mut pace = Pace::start_shared(plan);
    let mut so_far = Deleted::default();
    let mut more = true;
    while more {
        let most = pace.may_delete(so_far.deleted);
        let most = if plan.archive { most.min(OPEN as u64) } else { most };
        let (mut old, mut bytes, mut looked) = (Vec::new(), 0, 0);
        while looked < pace.batch_size() && (old.len() as u64) < most && bytes < ARCHIVED {
            let Some(name) = names.next().transpose()? else {
                more = false;
                break;
            };
            looked += 1;
            let Some(path) = store.files().path(&name) else { continue };
            match saved(&store.directory, &path)? {
                None => {}
                // Whatever else is in the directory is not for this to delete.
                Some((accessed, _)) if accessed < cutoff.at() && store.files().kind(&path)? == Some(Kind::Other) => {
                    progress.unreadable(&Error::corrupt("a file in the directory does not begin as a session does"));
                    so_far.kept += 1;
                }
                Some((accessed, size)) if accessed < cutoff.at() => {
                    progress.old(accessed);
                    bytes += if plan.archive { size } else { 0 };
                    old.push(name);
                }
                Some(_) => so_far.kept += 1,
            }
        }
        let busy = if counts || old.is_empty() {
            so_far.deleted += old.len() as u64;
            None
        } else {
            let started = Instant::now();
            delete(store, &old, cutoff, plan.archive, &mut so_far, progress)?;
            Some(started.elapsed())
        };
        if let Some(ended) = pace.batch_done(busy, &so_far, progress) {
            // A limit of nothing is reached before anything is looked at.
            so_far.ended = ended;
            return Ok(so_far);
        }
    }
    Ok(so_far)
}

fn delete(
    store: &DirectoryStore,
    old: &[String],
    cutoff: Cutoff,
    archive: bool,
    so_far: &mut Deleted,
    progress: &mut dyn Progress,
) -> Result<()> {
    let remove =
        |file: Old| file.remove(&store.directory).map_err(|error| failed("delete a session", &store.directory, error));
    let mut held = Vec::new();
    for name in old {
        let fate = match still_old(store, name, cutoff, progress)? {
            Ok(file) if archive => {
                held.push((name, file));
                continue;
            }
            Ok(file) => remove(file)?,
            Err(fate) => fate,
        };
        count(fate, so_far);
    }
    // Nothing is deleted before all of it is kept elsewhere.
    let (mut records, mut kept_elsewhere) = (Vec::new(), Vec::new());
    for (name, mut file) in held {
        match file.read(&store.directory) {
            Ok(Some(contents)) => {
                records.push(record(name, contents));
                kept_elsewhere.push(file);
            }
            Ok(None) => count(Fate::Kept, so_far),
            // What cannot be kept elsewhere stays.
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                progress.unreadable(&error);
                count(Fate::Kept, so_far);
            }
            Err(error) => return Err(error),
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    progress.archive(&records)?;
    for file in kept_elsewhere {
        count(remove(file)?, so_far);
    }
    Ok(())
}

const fn count(fate: Fate, so_far: &mut Deleted) {
    match fate {
        Fate::Gone => so_far.deleted += 1,
        Fate::Kept => so_far.kept += 1,
        Fate::Missing => {}
    }
}

/// Locks a file, and looks at its age again.
fn still_old(
    store: &DirectoryStore,
    name: &str,
    cutoff: Cutoff,
    progress: &mut dyn Progress,
) -> Result<Result<Old, Fate>> {
    let Some(path) = store.files().path(name) else { return Ok(Err(Fate::Missing)) };
    Ok(match store.files().lock(&path, PATIENCE)? {
        Locked::Here(file) => {
            let old = Old::of(file, cutoff).map_err(|error| failed("look at a session", &store.directory, error))?;
            old.ok_or(Fate::Kept)
        }
        Locked::Missing => Err(Fate::Missing),
        Locked::InUse => Err(Fate::Kept),
        // Nobody knows whether it is being saved.
        Locked::Refused(error) => {
            progress.unreadable(&of_one(&error));
            Err(Fate::Kept)
        }
    })
}
