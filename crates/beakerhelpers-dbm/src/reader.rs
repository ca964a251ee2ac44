//! Reading and removing sessions, one by one.

use std::sync::Arc;

use beakerhelpers_container::{Age, Fate, Form, Guard, Place, Sessions, Spot, Taken, Tree, failure, of_one};
use beakerhelpers_core::{Error, Query, Record, Result, SessionId, Timestamp};
use rustix::io::Errno;

use crate::content::into_payload;
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
        self.place.locks().read(self.locks.as_ref(), spot.id(), || self.read_locked(spot)).map_err(of_one)
    }

    fn read_locked(&self, spot: &Spot) -> Result<Option<Record>> {
        record(&Database::new(spot.folder(), spot.id()), spot.session_id()).map_err(of_one)
    }

    fn remove(&self, spot: &Spot, guard: Guard, cutoff: Timestamp) -> Result<Fate> {
        let database = Database::new(spot.folder(), spot.id());
        if guard == Guard::Locked {
            return Ok(if database.remove().map_err(cannot_delete)? { Fate::Removed } else { Fate::Gone });
        }
        self.remove_without_lock(&database, spot.id(), cutoff)
    }
}

impl Reader {
    /// Removes a database that has no lock file, which Beaker makes before it opens one. Whoever has it open now came
    /// after that was seen, and has made the lock file: so the database goes only if there is none once nobody can find the
    /// database any more, or if it can be locked and nothing was written.
    fn remove_without_lock(&self, database: &Database<'_>, id: &str, cutoff: Timestamp) -> Result<Fate> {
        let aside = database.put_aside().map_err(cannot_delete)?;
        if aside.is_empty() {
            return Ok(Fate::Gone);
        }
        // The folder of the lock files may be new as well.
        let locks = self.place.locks();
        let taken = locks.open().and_then(|tree| locks.try_to_delete(tree.as_ref(), id));
        let is_old = aside.is_before(cutoff).map_err(cannot_delete);
        if matches!((&taken, &is_old), (Ok(Taken::Lock(_) | Taken::NoLockFile), Ok(true))) {
            return aside.remove().map(|()| Fate::Removed).map_err(cannot_delete);
        }
        // Whoever holds the lock may be about to write to a new database.
        let may_replace = || match &taken {
            Ok(Taken::Lock(_) | Taken::NoLockFile) => Ok(None),
            Ok(Taken::Held) | Err(_) => locks.to_delete(locks.open()?.as_ref(), id),
        };
        aside.put_back(may_replace).map_err(cannot_delete)?;
        taken.and(is_old).map(|_| Fate::Touched)
    }
}

fn cannot_delete(errno: Errno) -> Error {
    failure("delete a session's database", errno)
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
    Ok(content.map(|content| Record::new(id, into_payload(content)).with_times(None, accessed)))
}
