//! Sessions by id.

use beakerhelpers_core::{
    Access, CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Expiry, Progress, Query, Record, Records,
    Result, SaveMode, SessionId, SessionStore, StoreConfig, StoreInfo,
};

use crate::address::{Address, place};
use crate::key::Key;
use crate::records::Listing;
use crate::server::Server;
use crate::value::{TextFlag, flags, payload};
use crate::{CAPABILITIES, MEMCACHED, cleanup};

/// Times up to this many seconds mean "from now" to memcached.
const LONGEST_RELATIVE: i64 = 60 * 60 * 24 * 30;

/// The servers of a site.
#[derive(Debug)]
pub(crate) struct Memcached {
    servers: Vec<Server>,
    spread: Spread,
    /// How the site's client library marks text, where the configuration tells which one it is.
    text: Option<TextFlag>,
    access: Access,
}

/// How sessions are spread over several servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Each is on one of them, as python-memcached chooses it by a checksum of the key.
    Hashed,
    /// Each is on all of them: `bmemcached.Client` is a `ReplicatingClient` (python-binary-memcached 0.33).
    Copied,
    /// Each is on one of them, chosen as libmemcached is told to by its options.
    Unknown,
}

impl Memcached {
    pub(crate) fn new(servers: Vec<Address>, spread: Spread, text: Option<TextFlag>, config: &StoreConfig) -> Self {
        let servers = servers.into_iter().map(|address| Server::new(address, config)).collect();
        Self { servers, spread, text, access: config.access() }
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Whether each session is on each of several servers.
    pub(crate) fn is_copied(&self) -> bool {
        self.spread == Spread::Copied
    }

    /// The servers that may have a key, the one that the application asks before the others. Those have it where a server
    /// was away when it was saved, or where a library of another kind saved it.
    fn search(&self, key: &Key) -> impl Iterator<Item = &Server> {
        let first = if self.spread == Spread::Hashed { place(key, self.servers.len()) } else { 0 };
        let (before, from) = self.servers.split_at(first);
        from.iter().chain(before)
    }

    /// The servers that the application's library would save a key on.
    fn targets(&self, key: &Key) -> Result<Vec<&Server>> {
        match self.spread {
            Spread::Copied => Ok(self.servers.iter().collect()),
            Spread::Unknown if self.servers.len() > 1 => Err(Error::unsupported(
                "which of several servers pylibmc looks for a session on is not known: it was not saved",
            )),
            _ => Ok(self.search(key).take(1).collect()),
        }
    }

    /// The flags for the payload: those that the library that has saved this session, or that will read it, would set.
    fn flags(&self, server: &Server, key: &Key, record: &Record) -> Result<u32> {
        let text = if let Some(text) = self.text {
            text
        } else {
            let there = server.get_one(key)?;
            there.and_then(|item| TextFlag::of(item.flags)).unwrap_or(TextFlag::Sixteen)
        };
        Ok(flags(&record.payload, text))
    }
}

impl SessionStore for Memcached {
    fn info(&self) -> StoreInfo {
        let servers: Vec<_> = self.servers.iter().map(|server| server.address().to_string()).collect();
        StoreInfo::new(MEMCACHED.name, format!("memcached {}", servers.join(", ")), CAPABILITIES)
            .with_framing(beakerhelpers_core::Framing::Text)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let Some(key) = Key::of(id.as_str()) else { return Ok(None) };
        for server in self.search(&key) {
            if let Some(item) = server.get_one(&key)? {
                return Ok(Some(Record::new(id.clone(), payload(item)?)));
            }
        }
        Ok(None)
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.access.refuse_to_write()?;
        let Some(key) = Key::of(record.id.as_str()) else {
            return Err(Error::unsupported(
                "memcached has no room for a session of such an id, or not for its characters",
            )
            .with_hint("Beaker itself cannot save it there either"));
        };
        let targets = self.targets(&key)?;
        let Some((first, copies)) = targets.split_first() else { return Ok(()) };
        let (bytes, expires) = (record.payload.bytes(), expires(record.expiry));
        let flags = self.flags(first, &key, record)?;
        if mode == SaveMode::Create {
            let taken = || Error::new(ErrorKind::AlreadyExists, "a session with this id exists already");
            for copy in copies {
                if copy.get_one(&key)?.is_some() {
                    return Err(taken());
                }
            }
            if !first.add(&key, flags, expires, bytes)? {
                return Err(taken());
            }
        } else {
            first.set(&key, flags, expires, bytes)?;
        }
        copies.iter().try_for_each(|copy| copy.set(&key, flags, expires, bytes))
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.access.refuse_to_write()?;
        let Some(key) = Key::of(id.as_str()) else { return Ok(false) };
        let mut deleted = false;
        for server in self.search(&key) {
            deleted |= server.delete(&key)?;
        }
        Ok(deleted)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        Box::new(Listing::new(self).take(limit))
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        if plan.mode != CleanupMode::Count {
            self.access.refuse_to_write()?;
        }
        cleanup::delete_old(self, cutoff, plan, progress)
    }
}

/// A time as memcached takes it: 0 for never, as Beaker saves sessions whether they have a timeout or not
/// (`beaker/session.py`, `Session.save`, 1.14.1, gives none).
fn expires(expiry: Expiry) -> i32 {
    let Expiry::At(at) = expiry else { return 0 };
    // Rounded up, in the range that is absolute; memcached 1.6 takes 32 bits.
    let secs = at.as_micros().saturating_add(999_999).div_euclid(1_000_000);
    i32::try_from(secs.max(LONGEST_RELATIVE + 1)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::Timestamp;

    use super::*;

    #[test]
    fn times_are_absolute_and_fit() {
        let at = |micros| expires(Expiry::At(Timestamp::from_micros(micros)));
        assert_eq!((expires(Expiry::Usual), expires(Expiry::Never)), (0, 0));
        assert_eq!(at(1_795_286_583_000_000), 1_795_286_583);
        assert_eq!(at(1_795_286_583_000_001), 1_795_286_584);
        assert_eq!((at(5), at(-5)), (2_592_001, 2_592_001));
        assert_eq!(at(i64::MAX), i32::MAX);
    }
}
