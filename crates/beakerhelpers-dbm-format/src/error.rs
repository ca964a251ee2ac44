//! What is wrong with a database, in words. None of them names a path or a key: both tell ids.

use std::io;

use beakerhelpers_core::{Error, ErrorKind};

/// Larger values are not read: no session is, and a file can be made to claim any length.
pub const LARGEST: u64 = 64 << 20;

/// The error for a database that is not as it must be; `why` is a clause.
pub(crate) fn damaged(format: &'static str, why: &str) -> Error {
    Error::corrupt(format!("a {format} database is damaged: {why}"))
}

/// The error for a database that may well be in order. It is one record's, and those after it can be read.
pub(crate) fn unreadable(format: &'static str, why: &str) -> Error {
    Error::corrupt(format!("a {format} database cannot be read: {why}"))
}

/// The error for a value that is too large to be a session.
pub(crate) fn too_large(size: u64) -> Error {
    Error::corrupt(format!("a session is too large to be one: {size} bytes"))
}

/// Says what could not be done with a file.
pub(crate) fn failed(what: &'static str, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("cannot {what} a dbm database: {error}"))
}

/// What an error of reading means: the end of the file is damage, anything else a matter of the system.
pub(crate) fn broken_off(format: &'static str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(format, "the file ends too early"),
        _ => failed("read", error),
    }
}
