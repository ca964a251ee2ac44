//! `session2:durus`: sessions in a dict of an object database, `root['sessions']`.
//!
//! session2 puts its session objects into a `PersistentDict`, and they are not persistent themselves: all of them are one
//! record, which every save writes anew (`session2/store/DurusSessionStore.py`, 0.6). So does this.

mod dict;
mod file;
mod record;
mod server;
mod setup;
mod storage;

use std::fmt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_codec::ObjectDict;
use beakerhelpers_core::{
    Access, Capabilities, CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Finding, Framing, Payload,
    Progress, Query, Record, Records, Result, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, StoreConfig,
    StoreInfo, escape_controls,
};

use self::dict::Sessions;
use self::storage::{Commit, Storage};
use crate::inside::{self, Inside, Picked};
use crate::list::limited;
use crate::paths::{of_option, shown};

/// Of a server; a file is for one process at a time.
pub(crate) const CAPABILITIES: Capabilities = Capabilities::NONE
    .with_setup(true)
    .with_iter(true)
    .with_delete_old(true)
    .with_archive(true)
    .with_multiprocess_safe(true);

/// Where Durus's server listens if nobody says otherwise (`durus/storage_server.py`, 4.3).
const PORT: u16 = 2972;
/// Between two tries to get at what others use.
const PAUSE: Duration = Duration::from_millis(10);

pub(crate) fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    let place = match (config.get("file"), config.get("host"), config.get("port")) {
        (Some(_), None, None) => Place::File(of_option(config, "file")?),
        (None, None, None) => {
            return Err(Error::config(format!("`{}.file` is not set", config.prefix()))
                .with_hint("set `file` to Durus's file, or `host` and `port` to those of its server"));
        }
        (None, host, port) => Place::Server(
            host.unwrap_or("127.0.0.1").to_owned(),
            port.map_or(Ok(PORT), |port| {
                port.parse().map_err(|_| {
                    Error::config(format!("`{}` is no port", escape_controls(port)))
                        .with_context("at", config.origin("port"))
                })
            })?,
        ),
        (Some(_), ..) => {
            return Err(Error::config("sessions are in a file or on a server, not both")
                .with_context("at", config.origin("file"))
                .with_hint("set `file`, or `host` and `port`: while a server runs, the file is its own"));
        }
    };
    Ok(Box::new(DurusStore { place, access: config.access(), wait: config.wait() }))
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Server(String, u16),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown(path)),
            Self::Server(host, port) => write!(f, "durus://{}:{port}", escape_controls(host)),
        }
    }
}

/// Sessions in Durus. Each call opens the file, or connects, anew.
#[derive(Debug)]
pub(crate) struct DurusStore {
    place: Place,
    access: Access,
    wait: Duration,
}

/// What a change of the dict leads to.
enum Change<T> {
    Nothing(T),
    Made(T),
}

impl DurusStore {
    /// Opens what is there; to write it, others are kept out, or found out.
    fn storage(&self, access: Access) -> Result<Box<dyn Storage>> {
        let opened: Result<Box<dyn Storage>> = match &self.place {
            Place::File(path) => file::open(path, access, self.wait).map(|file| Box::new(file) as _),
            Place::Server(host, port) => server::connect(host, *port, self.wait).map(|server| Box::new(server) as _),
        };
        opened.map_err(|error| error.with_context("at", self.place.to_string()))
    }

    fn read(&self) -> Result<ObjectDict> {
        let started = Instant::now();
        loop {
            match dict::read(&mut *self.storage(Access::ReadOnly)?)? {
                Some(sessions) => return Ok(sessions.dict),
                // Somebody packed or changed it meanwhile.
                None if started.elapsed() < self.wait => thread::sleep(PAUSE),
                None => return Err(busy()),
            }
        }
    }

    /// Changes the dict, all at once: where somebody else was faster, it is read and changed again.
    fn change<T>(&self, mut work: impl FnMut(&mut ObjectDict) -> Result<Change<T>>) -> Result<T> {
        self.refuse_to_write()?;
        let started = Instant::now();
        loop {
            let mut storage = self.storage(Access::ReadWrite)?;
            if let Some(Sessions { oid, mut dict }) = dict::read(&mut *storage)? {
                let done = match work(&mut dict)? {
                    Change::Nothing(done) => return Ok(done),
                    Change::Made(done) => done,
                };
                let record = record::of_dict(oid, &dict)?;
                if storage.commit(&[(oid, record)])? == Commit::Done {
                    return Ok(done);
                }
            }
            if started.elapsed() >= self.wait {
                return Err(busy());
            }
            drop(storage);
            thread::sleep(PAUSE);
        }
    }

    fn refuse_to_write(&self) -> Result<()> {
        self.access.refuse_to_write()
    }
}

fn busy() -> Error {
    Error::new(ErrorKind::Unavailable, "others change the sessions all the time").with_hint("try again")
}

impl SessionStore for DurusStore {
    fn info(&self) -> StoreInfo {
        let capabilities = CAPABILITIES.with_multiprocess_safe(matches!(self.place, Place::Server(..)));
        StoreInfo::new(crate::DURUS.name, self.place.to_string(), capabilities).with_framing(Framing::Object)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        Ok(self.read()?.payload(id.as_str())?.map(|payload| Record::new(id.clone(), payload)))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let id = record.id.as_str();
        self.change(|dict| {
            if mode == SaveMode::Create && dict.keys().any(|key| key == id) {
                return Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already"));
            }
            dict.set(id, &record.payload).map(Change::Made)
        })
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.change(|dict| Ok(if dict.remove(id.as_str()) { Change::Made(true) } else { Change::Nothing(false) }))
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        Ok(self.read()?.keys().any(|key| key == id.as_str()))
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.refuse_to_write()?;
        setup::run(self, mode)
    }

    fn check(&self) -> Result<Vec<Finding>> {
        setup::findings(self)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        let dict = match self.read() {
            Ok(dict) => dict,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let keys: Vec<_> = dict.keys().map(ToOwned::to_owned).collect();
        let records = keys.into_iter().filter_map(move |key| {
            // It cannot be written again: of this one alone.
            let payload = dict.payload(&key).map_err(|error| Error::corrupt(error.message())).transpose()?;
            Some(payload.map(|payload| Record::new(SessionId::new(key), payload)))
        });
        limited(query, records)
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        if plan.mode != CleanupMode::Count {
            self.refuse_to_write()?;
        }
        inside::run(self, cutoff, plan, progress)
    }
}

impl Inside for DurusStore {
    fn each(&self, show: &mut dyn FnMut(&str, Result<Payload>)) -> Result<()> {
        self.read()?.iter().for_each(|(id, payload)| show(id, payload));
        Ok(())
    }

    fn delete_if(
        &self,
        ids: &[String],
        is_old: &dyn Fn(&Payload) -> bool,
        mut archive: Option<&mut dyn Progress>,
    ) -> Result<(u64, u64)> {
        self.change(|dict| {
            let Picked { old, kept } = inside::pick(ids, is_old, &mut archive, |id| dict.payload(id).ok().flatten())?;
            for id in &old {
                dict.remove(id);
            }
            let done = (old.len() as u64, kept);
            Ok(if old.is_empty() { Change::Nothing(done) } else { Change::Made(done) })
        })
    }
}
