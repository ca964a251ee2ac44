//! The places that options name, and what the file system says of them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use beakerhelpers_core::{Error, ErrorKind, Result, StoreConfig, escape_controls};

/// The path of an option. A relative one begins where the configuration file is.
///
/// # Errors
///
/// `Config` where it is not set, or can be no path.
pub(crate) fn of_option(config: &StoreConfig, name: &str) -> Result<PathBuf> {
    let value = config.require(name)?;
    if value.contains('\0') {
        return Err(
            Error::config(format!("`{}` is no path", escape_controls(value))).with_context("at", config.origin(name))
        );
    }
    Ok(match config.base_dir() {
        Some(base) => base.join(value),
        None => PathBuf::from(value),
    })
}

/// As people read it.
pub(crate) fn shown(path: &Path) -> String {
    escape_controls(&path.to_string_lossy()).to_string()
}

/// What failed at a place. The place is that of the store: the name of a file in it may be a session id.
pub(crate) fn failed(what: &str, place: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorKind::NotSetUp,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => ErrorKind::Unavailable,
        _ => ErrorKind::Other,
    };
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    let error = Error::new(kind, format!("cannot {what}")).with_context("at", shown(place)).with_source(error);
    if denied { error.with_hint("run it as the user that the application runs as") } else { error }
}

/// Turns an error into one about one record, where others may well be readable: a listing goes on after it.
pub(crate) fn of_one(error: &Error) -> Error {
    // What is counted by its message is to say why.
    let why = std::error::Error::source(error).map(|why| format!(": {why}")).unwrap_or_default();
    let one = Error::corrupt(format!("{}{why}", error.message()));
    match error.hint() {
        Some(hint) => one.with_hint(hint),
        None => one,
    }
}

/// Whether a path leads to the file that is open.
#[cfg(unix)]
pub(crate) fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Other systems do not let go of the name of a file that is open.
#[cfg(not(unix))]
pub(crate) fn is_same(_: &File, path: &Path) -> io::Result<bool> {
    fs::symlink_metadata(path).map(|metadata| metadata.is_file())
}
