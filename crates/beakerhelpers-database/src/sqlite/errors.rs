//! SQLite's errors in the words of the contract.

use beakerhelpers_core::{Access, Error, ErrorKind};
use diesel::result::Error as DieselError;

use super::files::{self, Files, Want};
use super::holders;

/// What SQLite says, by its result code. Diesel hands on the code's text alone (`sqlite3ErrStr` in `main.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Busy,
    ReadOnly,
    CannotOpen,
    NotADatabase,
    Corrupt,
    Full,
    Io,
    Unknown,
}

impl Trouble {
    pub(crate) fn of(message: &str) -> Self {
        match message {
            "database is locked" | "database table is locked" | "database schema is locked" | "locking protocol" => {
                Self::Busy
            }
            "attempt to write a readonly database" => Self::ReadOnly,
            "unable to open database file" => Self::CannotOpen,
            "file is not a database" => Self::NotADatabase,
            "disk I/O error" => Self::Io,
            "database or disk is full" => Self::Full,
            _ if message.starts_with("database disk image is malformed")
                || message.starts_with("malformed database schema")
                || message.starts_with("database corruption") =>
            {
                Self::Corrupt
            }
            _ => Self::Unknown,
        }
    }

    pub(crate) fn of_error(error: &DieselError) -> Self {
        match error {
            DieselError::DatabaseError(_, information) => Self::of(information.message()),
            _ => Self::Unknown,
        }
    }
}

/// Whatever went wrong, for people; `access` is what the store was opened for.
pub(crate) fn explain(error: &DieselError, files: &Files, access: Access) -> Error {
    let error = match Trouble::of_error(error) {
        Trouble::Busy => busy(files),
        Trouble::ReadOnly => read_only(files, access),
        Trouble::CannotOpen => cannot_open(files),
        Trouble::NotADatabase => Error::config("the file is not an SQLite database")
            .with_hint("correct the URL; an encrypted database cannot be read either"),
        // Not `Corrupt`, which is one record: the rest could not be trusted.
        Trouble::Corrupt => Error::new(ErrorKind::Other, "the database is damaged")
            .with_hint("run `sqlite3 FILE 'PRAGMA integrity_check'`, and restore it from a backup or with `.recover`"),
        Trouble::Full => Error::new(ErrorKind::Unavailable, "the disk is full")
            .with_hint("SQLite needs room beside the database even to delete; free some"),
        Trouble::Io => Error::new(ErrorKind::Unavailable, "the disk failed to read or write the database")
            .with_hint("look for disk errors in the system's log"),
        Trouble::Unknown => unknown(error),
    };
    error.with_context("file", files.main.display().to_string())
}

/// Errors that no code stands for. Only those of SQLite's sentences are repeated that can hold nothing but names of
/// tables and columns: a trigger of the site may put together any message.
fn unknown(error: &DieselError) -> Error {
    const HARMLESS: &[&str] =
        &["no such ", "cannot modify ", "not authorized", "out of memory", "unsupported file format"];
    let message = match error {
        DieselError::DatabaseError(_, information) => information.message(),
        _ => "",
    };
    if HARMLESS.iter().any(|start| message.starts_with(start)) {
        return Error::new(ErrorKind::Other, format!("SQLite refuses: {message}"));
    }
    Error::new(ErrorKind::Other, "SQLite, or a constraint or trigger of the database, refuses this")
}

fn busy(files: &Files) -> Error {
    let error = Error::new(ErrorKind::Unavailable, "the database is locked by another program");
    match holders::describe(files) {
        Some(who) => {
            error.with_context("locked by", who).with_hint("try again when it is done, or wait longer with `--wait`")
        }
        None => error.with_hint("try again later, or wait longer with `--wait`"),
    }
}

fn read_only(files: &Files, access: Access) -> Error {
    if access != Access::ReadOnly {
        return denied(files, Want::Write);
    }
    if files::len(&files.journal) > 0 {
        let owner =
            files::owner(&files.main).map_or_else(|| "its owner".to_owned(), |owner| format!("{owner}, its owner,"));
        return Error::new(
            ErrorKind::Unavailable,
            "a program died while it wrote to the database, which is half changed now",
        )
        .with_context("journal", files.journal.display().to_string())
        .with_hint(format!(
            "start the application, or run `sqlite3 FILE .schema` as {owner} and SQLite restores the last whole \
                 state; never delete the journal",
        ));
    }
    as_owner(files, "the database cannot be read without writing beside it")
}

/// An error for what only the owner of the file, or root, can do without harm to the application.
pub(crate) fn as_owner(files: &Files, message: &str) -> Error {
    let owner = files::owner(&files.main).unwrap_or_else(|| "its owner".to_owned());
    Error::new(ErrorKind::PermissionDenied, message)
        .with_hint(format!("run this as {owner}, who owns the file: files that another user creates beside it would lock out the application"))
}

fn cannot_open(files: &Files) -> Error {
    for (want, path) in [
        (Want::Read, &*files.main),
        (Want::Read, &*files.wal),
        (Want::Read, &*files.shm),
        (Want::Write, files.directory()),
    ] {
        if path.exists() && !files::may(want, path) {
            return denied_at(want, path);
        }
    }
    Error::new(ErrorKind::Unavailable, "SQLite cannot open the database")
}

/// An error for a file or its directory that this user may not use.
pub(crate) fn denied(files: &Files, want: Want) -> Error {
    let path = if files::may(want, &files.main) { files.directory() } else { &files.main };
    denied_at(want, path)
}

fn denied_at(want: Want, path: &std::path::Path) -> Error {
    let what = if path.is_dir() { "the directory of the database" } else { "the database" };
    let verb = if want == Want::Read { "read" } else { "write to" };
    let error = Error::new(ErrorKind::PermissionDenied, format!("this user may not {verb} {what}"))
        .with_context("path", path.display().to_string());
    match files::owner(path) {
        Some(owner) => error.with_hint(format!("run this as {owner}, who owns it")),
        None => error,
    }
}
