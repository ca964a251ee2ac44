//! What the system refuses, in words.

use beakerhelpers_core::{Error, ErrorKind};
use rustix::io::Errno;

/// Turns a failure of the system into an error that says what could not be done. `what` names no file of a session:
/// its name is the session's id.
#[must_use]
pub fn failure(what: &str, errno: Errno) -> Error {
    let (kind, hint) = match errno {
        Errno::ACCESS | Errno::PERM => {
            (ErrorKind::PermissionDenied, Some("run it as the user that the application runs as"))
        }
        Errno::ROFS => (ErrorKind::PermissionDenied, Some("the file system is mounted for reading only")),
        Errno::NOSPC | Errno::DQUOT => {
            (ErrorKind::Unavailable, Some("make room: blocks or inodes of the file system, or the quota, are used up"))
        }
        Errno::MFILE | Errno::NFILE | Errno::IO | Errno::NOMEM | Errno::STALE | Errno::TIMEDOUT => {
            (ErrorKind::Unavailable, None)
        }
        _ => (ErrorKind::Other, None),
    };
    let error = Error::new(kind, format!("cannot {what}")).with_source(std::io::Error::from(errno));
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// As [`failure`], for what concerns one record or one folder: others may well be readable.
pub(crate) fn of_one(what: &str, errno: Errno) -> Error {
    let error = failure(what, errno);
    let hint = error.hint().map(str::to_owned);
    let error = Error::corrupt(format!("cannot {what}")).with_source(std::io::Error::from(errno));
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
