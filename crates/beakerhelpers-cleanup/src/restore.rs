//! Putting archived sessions back.

use std::ops::ControlFlow;

use beakerhelpers_core::{Error, ErrorKind, Result, SaveMode, SessionStore};

use crate::archive::ArchiveReader;

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
/// `follow` is called after each line, with the reason where it could not be read; `Break` ends the work.
///
/// # Errors
///
/// What the store says, and what the archive says of itself as a whole. What was put back until then stays.
pub fn restore_sessions(
    store: &dyn SessionStore,
    archive: &mut ArchiveReader,
    mode: RestoreMode,
    mut follow: impl FnMut(&Restored, Option<&Error>) -> ControlFlow<()>,
) -> Result<Restored> {
    let mut so_far = Restored::default();
    while let Some(record) = archive.next() {
        let put = record.and_then(|record| match mode {
            RestoreMode::Restore => match store.save(&record, SaveMode::Create) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                // Such as one without times, in a database.
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    Err(Error::corrupt(format!("line {} of the archive: {error}", archive.line())))
                }
                saved => saved.map(|()| true),
            },
            RestoreMode::Count => store.has(&record.id).map(|there| !there),
        });
        let mut unreadable = None;
        match put {
            Ok(true) => so_far.restored += 1,
            Ok(false) => so_far.existing += 1,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                so_far.unreadable += 1;
                unreadable = Some(error);
            }
            Err(error) => return Err(error),
        }
        if follow(&so_far, unreadable.as_ref()).is_break() {
            break;
        }
    }
    Ok(so_far)
}
