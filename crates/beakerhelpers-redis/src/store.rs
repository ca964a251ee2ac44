//! The contract.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{
    Access, CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Expiry, Framing, Payload, Progress, Query,
    Record, Records, Result, SaveMode, SessionId, SessionStore, StoreConfig, StoreInfo, StoreType, Timestamp,
};
use redis::{RedisError, RedisResult, Value, cmd};

use crate::failure::explain;
use crate::listing::expiry;
use crate::pipeline::{bytes, number};
use crate::place::Place;
use crate::server::{Server, Twice};
use crate::{cleanup, keys, listing};

/// Sessions in Redis.
pub(crate) struct RedisStore {
    store_type: &'static StoreType,
    server: Arc<Server>,
    /// How long Beaker lets Redis keep a session; `None`: for ever.
    lifetime: Option<Duration>,
    access: Access,
}

impl RedisStore {
    /// Connects to nothing yet.
    pub(crate) fn open(store_type: &'static StoreType, place: Place, config: &StoreConfig) -> Result<Self> {
        let lifetime = config.timeout()?.map(|timeout| timeout.saturating_add(Expiry::AFTER_TIMEOUT));
        Ok(Self { store_type, server: Arc::new(Server::new(place, config)?), lifetime, access: config.access() })
    }

    fn explained<T>(&self, result: RedisResult<T>) -> Result<T> {
        result.map_err(|error: RedisError| explain(&error, &self.server.place))
    }

    /// How many milliseconds a record is to live from now on; `None`: for ever.
    fn milliseconds(&self, record: &Record) -> Option<i64> {
        let left = match record.expiry {
            Expiry::Usual => self.lifetime?,
            Expiry::At(at) => at.since(Timestamp::from(SystemTime::now())),
            _ => return None,
        };
        // No time at all is no time that Redis takes: what is over is over in a moment.
        Some(i64::try_from(left.as_millis()).unwrap_or(i64::MAX / 4).clamp(1, i64::MAX / 4))
    }
}

impl SessionStore for RedisStore {
    fn info(&self) -> StoreInfo {
        let location = self.server.place.location.clone();
        StoreInfo::new(self.store_type.name, location, self.store_type.capabilities).with_framing(Framing::Value)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let key = keys::key(id);
        let value = self.explained(bytes(self.server.run(cmd("GET").arg(&key), Twice::Same)?))?;
        let Some(value) = value else { return Ok(None) };
        let left = self.explained(number(&self.server.run(cmd("PTTL").arg(&key), Twice::Same)?))?;
        let expiry = expiry(left, SystemTime::now().into());
        Ok(expiry.map(|expiry| Record::new(id.clone(), Payload::new(Framing::Value, value)).with_expiry(expiry)))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.access.refuse_to_write()?;
        let mut set = cmd("SET");
        set.arg(keys::key(&record.id)).arg(record.payload.bytes());
        if let Some(left) = self.milliseconds(record) {
            set.arg("PX").arg(left);
        }
        let twice = if mode == SaveMode::Create { Twice::Other } else { Twice::Same };
        if mode == SaveMode::Create {
            set.arg("NX");
        }
        match self.server.run(&set, twice)? {
            Value::Nil => Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already")),
            _ => Ok(()),
        }
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.access.refuse_to_write()?;
        let deleted = self.server.run(cmd("DEL").arg(keys::key(id)), Twice::Other)?;
        Ok(self.explained(number(&deleted))? > 0)
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        let there = self.server.run(cmd("EXISTS").arg(keys::key(id)), Twice::Same)?;
        Ok(self.explained(number(&there))? > 0)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        listing::records(&self.server, query)
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        if plan.mode != CleanupMode::Count {
            self.access.refuse_to_write()?;
        }
        cleanup::delete_old(&self.server, cutoff, plan, progress)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisStore({}, {})", self.store_type.name, self.server.place.location)
    }
}
