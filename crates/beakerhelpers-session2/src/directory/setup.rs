//! Making the directory, and looking at it.

use std::fs;
use std::io;
use std::path::Path;

use beakerhelpers_core::{Error, ErrorKind, Finding, Result, SetupMode, SetupOutcome, Severity};

use super::files::{Files, Kind, Locked};
use crate::paths::{failed, shown};

/// So many files are looked at by a check.
const SAMPLED: u64 = 1000;
/// So many are looked at for a session, before any of them is taken for one.
const FIRST: u64 = 100;

/// Makes sure that there is a directory.
pub(super) fn need(directory: &Path) -> Result<()> {
    let problem = match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => "it is not a directory",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "there is no such directory",
        Err(error) => return Err(failed("look at the directory", directory, error)),
    };
    Err(Error::new(ErrorKind::NotSetUp, problem).with_context("at", shown(directory)).with_hint(
        "correct `directory`, or run `beakerhelpers setup`; session2 makes it where it is told `create=True`",
    ))
}

/// Makes the directory, one level of it, as session2 does.
pub(super) fn run(files: &Files<'_>, mode: SetupMode) -> Result<SetupOutcome> {
    let directory = files.directory;
    match fs::create_dir(directory) {
        Ok(()) => return Ok(SetupOutcome::Created),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => need(directory)?,
        Err(error) => return Err(failed("create the directory", directory, error)),
    }
    match mode {
        SetupMode::IfMissing => Ok(SetupOutcome::Existing),
        SetupMode::Recreate => empty(files).map(|()| SetupOutcome::Recreated),
        _ => Err(Error::unsupported("this version knows no such way to set up")),
    }
}

/// Deletes every session, and what is empty. What is something else stays.
fn empty(files: &Files<'_>) -> Result<()> {
    need_sessions(files)?;
    for name in files.names()? {
        let Some(path) = files.path(&name?) else { continue };
        match files.lock(&path, files.wait)? {
            Locked::Here(mut file) => {
                let error = |error| failed("delete a session", files.directory, error);
                if file.kind().map_err(error)? != Kind::Other {
                    file.unlink().map_err(error)?;
                }
            }
            Locked::Missing => {}
            Locked::InUse => return Err(super::files::in_use()),
            Locked::Refused(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes sure that this is no directory of something else. Empty files tell nothing.
pub(super) fn need_sessions(files: &Files<'_>) -> Result<()> {
    let sample = sample(files, FIRST)?;
    if sample.others == 0 || sample.sessions > 0 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::NotSetUp, "the directory is left alone: of the first files in it none is a session")
        .with_context("at", shown(files.directory))
        .with_hint("correct `directory`"))
}

#[derive(Default)]
struct Sample {
    looked: u64,
    sessions: u64,
    others: u64,
}

/// Looks at the first files that can be read: the others tell nothing.
fn sample(files: &Files<'_>, most: u64) -> Result<Sample> {
    let mut sample = Sample::default();
    let mut names = files.names()?;
    while sample.looked < most
        && let Some(name) = names.next()
    {
        let Some(path) = files.path(&name?) else { continue };
        if let Locked::Here(mut file) = files.shared(&path)?
            && let Ok(kind) = file.kind()
        {
            sample.looked += 1;
            sample.sessions += u64::from(kind == Kind::Session);
            sample.others += u64::from(kind == Kind::Other);
        }
    }
    Ok(sample)
}

pub(super) fn findings(files: &Files<'_>) -> Result<Vec<Finding>> {
    match need(files.directory) {
        Err(error) if error.kind() == ErrorKind::NotSetUp => {
            let message = format!("{}: {}", error.message(), shown(files.directory));
            let hint = error.hint().unwrap_or_default();
            return Ok(vec![Finding::new(Severity::Missing, message).with_hint(hint)]);
        }
        other => other?,
    }
    let Sample { looked, others, .. } = sample(files, SAMPLED)?;
    let message = format!("files that do not begin as sessions do: {others} of {looked} looked at");
    let hint = "every file here is taken for a session, and session2 deletes all that are old: move others away";
    Ok((others > 0).then(|| Finding::new(Severity::Odd, message).with_hint(hint)).into_iter().collect())
}
