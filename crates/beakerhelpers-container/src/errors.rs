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

/// Turns an error into one about one record or one folder, where others may well be readable: an iteration goes on after
/// it.
#[must_use]
pub fn of_one(error: Error) -> Error {
    if error.kind() == ErrorKind::Corrupt {
        return error;
    }
    let hint = error.hint().map(str::to_owned);
    // What is counted by its message is to say why.
    let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
    let one = Error::corrupt(format!("{}{why}", error.message()));
    match hint {
        Some(hint) => one.with_hint(hint),
        None => one,
    }
}
