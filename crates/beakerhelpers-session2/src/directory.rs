//! `session2:directory`: a file for each session, named by its id.

mod cleanup;
mod files;
mod old;
mod save;
mod setup;

use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::{
    Access, Capabilities, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Finding, Framing, Payload, Progress, Query,
    Record, Records, Result, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, StoreConfig, StoreInfo,
};

use self::files::{Contents, Files, Locked};
use crate::list::limited;
use crate::paths::{failed, of_option, shown};

pub(crate) const CAPABILITIES: Capabilities = Capabilities::NONE
    .with_setup(true)
    .with_iter(true)
    .with_delete_old(true)
    .with_archive(true)
    .with_access_times(true)
    .with_multiprocess_safe(true);

pub(crate) fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    let directory = of_option(config, "directory")?;
    Ok(Box::new(DirectoryStore { directory, access: config.access(), wait: config.wait() }))
}

/// A directory of session files. It is looked at with each call anew, and nothing is open between two calls.
#[derive(Debug)]
pub(crate) struct DirectoryStore {
    directory: PathBuf,
    access: Access,
    wait: Duration,
}

impl DirectoryStore {
    fn files(&self) -> Files<'_> {
        Files { directory: &self.directory, wait: self.wait }
    }

    fn refuse_to_write(&self) -> Result<()> {
        self.access.refuse_to_write()
    }

    /// What a missing file means: nothing, unless the directory is missing too.
    fn missing<T>(&self, nothing: T) -> Result<T> {
        setup::need(&self.directory).map(|()| nothing)
    }
}

fn record(id: &str, contents: Contents) -> Record {
    let payload = Payload::new(Framing::Object, contents.bytes);
    Record::new(SessionId::new(id), payload).with_times(None, Some(contents.modified))
}

impl SessionStore for DirectoryStore {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(crate::DIRECTORY.name, shown(&self.directory), CAPABILITIES).with_framing(Framing::Object)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let Some(path) = self.files().path(id.as_str()) else { return self.missing(None) };
        match self.files().read(&path)? {
            Some(contents) => Ok(Some(record(id.as_str(), contents))),
            None => self.missing(None),
        }
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.refuse_to_write()?;
        let Some(accessed) = record.accessed else {
            return Err(Error::unsupported("a record without an access time cannot be kept in a file"));
        };
        setup::need(&self.directory)?;
        let Some(path) = self.files().path(record.id.as_str()) else {
            return Err(Error::unsupported("the session's id can be no name of a file in the directory"));
        };
        save::run(&self.files(), &path, record.payload.bytes(), accessed, mode)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.refuse_to_write()?;
        let Some(path) = self.files().path(id.as_str()) else { return self.missing(false) };
        match self.files().lock(&path, self.wait)? {
            Locked::Here(file) => file.unlink().map_err(|error| failed("delete a session", &self.directory, error)),
            Locked::Missing => self.missing(false),
            Locked::InUse => Err(files::in_use()),
            Locked::Refused(error) => Err(error),
        }
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        let Some(path) = self.files().path(id.as_str()) else { return self.missing(false) };
        if files::is_file(&path).map_err(|error| failed("look for a session", &self.directory, error))? {
            return Ok(true);
        }
        self.missing(false)
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.refuse_to_write()?;
        setup::run(&self.files(), mode)
    }

    fn check(&self) -> Result<Vec<Finding>> {
        setup::findings(&self.files())
    }

    fn iter(&self, query: Query) -> Records<'_> {
        let names = match setup::need_sessions(&self.files()).and_then(|()| self.files().names()) {
            Ok(names) => names,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let mut ended = false;
        let records = names.filter_map(move |name| {
            let item = name.and_then(|name| self.listed(&name, query.active)).transpose();
            (!ended).then(|| {
                // What concerns no single record will not be better with the next one.
                ended = item
                    .as_ref()
                    .is_some_and(|item| item.as_ref().is_err_and(|error| error.kind() != ErrorKind::Corrupt));
                item
            })?
        });
        limited(query, records)
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        cleanup::run(self, cutoff, plan, progress)
    }
}

impl DirectoryStore {
    /// The record of a file that was found; `None` for what is gone, or is old.
    fn listed(&self, name: &str, active: Option<Cutoff>) -> Result<Option<Record>> {
        let Some(path) = self.files().path(name) else { return Ok(None) };
        let is_old = |modified| active.is_some_and(|cutoff| modified < cutoff.at());
        if active.is_some() && files::saved(&self.directory, &path)?.is_none_or(|(modified, _)| is_old(modified)) {
            return Ok(None);
        }
        let contents = self.files().read(&path).map_err(|error| match error.kind() {
            // Of this one alone.
            ErrorKind::Unavailable => Error::corrupt("a session was locked all the time, and could not be read"),
            _ => error,
        })?;
        Ok(contents.filter(|contents| !is_old(contents.modified)).map(|contents| record(name, contents)))
    }
}
