//! Reading and removing sessions, one by one.

use std::sync::Arc;

use beakerhelpers_container::{Age, Fate, Form, Guard, Place, Sessions, Spot, Tree, Wait, failure};
use beakerhelpers_core::{Error, ErrorKind, Query, Record, Result, SessionId, Timestamp};
use rustix::io::Errno;

use crate::database::{Database, FORM};

/// The databases of a place.
#[derive(Debug)]
pub(crate) struct Reader {
    place: Arc<Place>,
    /// The lock files, for many sessions in a row.
    locks: Option<Tree>,
}

impl Reader {
    pub(crate) fn open(place: Arc<Place>) -> Result<Self> {
        Ok(Self { locks: place.locks().open()?, place })
    }
}

impl Sessions for Reader {
    fn form(&self) -> Form {
        Form(&FORM)
    }

    fn age(&self, spot: &Spot) -> Result<Age> {
        let age = || {
            let database = Database::new(spot.folder(), spot.id());
            // Of several files one stands for them.
            if database.standing()? == Some(spot.extension()) { database.age() } else { Ok(Age::Gone) }
        };
        age().map_err(|errno| failure("look at a session's database", errno))
    }

    fn read(&self, spot: &Spot) -> Result<Option<Record>> {
        self.read_active(spot, Query::ALL)
    }

    fn read_active(&self, spot: &Spot, query: Query) -> Result<Option<Record>> {
        let is_old = |age: &Age| {
            query.active.is_some_and(|cutoff| matches!(age, Age::Accessed(accessed) if *accessed < cutoff.at()))
        };
        let age = self.age(spot).map_err(of_one)?;
        if matches!(age, Age::Gone) || is_old(&age) {
            return Ok(None);
        }
        // Python writes in place.
        let _lock = self.place.locks().to_read(self.locks.as_ref(), spot.id()).map_err(of_one)?;
        self.read_locked(spot)
    }

    fn read_locked(&self, spot: &Spot) -> Result<Option<Record>> {
        record(&Database::new(spot.folder(), spot.id()), spot.session_id()).map_err(of_one)
    }

    fn remove(&self, spot: &Spot, guard: Guard, cutoff: Timestamp) -> Result<Fate, Errno> {
        let database = Database::new(spot.folder(), spot.id());
        if guard == Guard::Locked {
            return Ok(if database.remove()? { Fate::Removed } else { Fate::Gone });
        }
        self.remove_without_lock(&database, spot.id(), cutoff)
    }
}

impl Reader {
    /// Removes a database that has no lock file, which Beaker makes before it opens one. Whoever has it open now came
    /// after that was seen, and has made the lock file: so the database goes only if there is none once nobody can find the
    /// database any more, or if it can be locked and nothing was written.
    fn remove_without_lock(&self, database: &Database<'_>, id: &str, cutoff: Timestamp) -> Result<Fate, Errno> {
        let aside = database.put_aside()?;
        if aside.is_empty() {
            return Ok(Fate::Gone);
        }
        // The folder of the lock files may be new as well.
        let locks = self.place.locks();
        let lock = locks.open().and_then(|tree| locks.to_delete(tree.as_ref(), id, Wait::Never));
        if lock.is_ok() && aside.is_before(cutoff)? {
            return aside.remove().map(|()| Fate::Removed);
        }
        aside.put_back().map(|()| Fate::Touched)
    }
}

/// Reads a session whose lock is held, if it has one.
pub(crate) fn record(database: &Database<'_>, id: SessionId) -> Result<Option<Record>> {
    let cannot = |errno| failure("look at a session's database", errno);
    let accessed = match database.age().map_err(cannot)? {
        Age::Gone => return Ok(None),
        Age::Accessed(accessed) => Some(accessed),
        Age::Unknown(_) => None,
    };
    let content = database.read()?;
    Ok(content.map(|content| Record::new(id, content.into_payload()).with_times(None, accessed)))
}

/// The error of one session, where others may well be readable.
fn of_one(error: Error) -> Error {
    if error.kind() == ErrorKind::Corrupt {
        return error;
    }
    let hint = error.hint().map(str::to_owned);
    let error = Error::corrupt(error.message().to_owned()).with_source(error);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
