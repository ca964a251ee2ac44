//! Listing sessions.

use std::collections::VecDeque;

use beakerhelpers_core::{Error, Record, Result, SessionId};

use crate::key::Key;
use crate::listing::{Entry, Keys};
use crate::store::Memcached;
use crate::value::{Item, payload};

/// So many sessions are read at once.
const AT_ONCE: usize = 200;

/// A session that was listed, and what is there now.
pub(crate) struct Found {
    pub(crate) entry: Entry,
    pub(crate) item: Result<Option<Item>>,
}

/// Reads what a server has under the keys that it listed; `get` asks it.
///
/// # Errors
///
/// Those of the server; a key that it cannot be asked for is an error of its item.
pub(crate) fn read(entries: Vec<Entry>, get: impl FnOnce(&[&Key]) -> Result<Vec<Option<Item>>>) -> Result<Vec<Found>> {
    let keys: Vec<&Key> = entries.iter().filter_map(|entry| entry.session.as_ref().map(|(key, _)| key)).collect();
    let mut items = get(&keys)?.into_iter();
    let found = entries.into_iter().map(|entry| {
        let item = match &entry.session {
            Some(_) => Ok(items.next().flatten()),
            None => Err(Error::corrupt(
                "the key of a session has bytes that are no text, or that memcached's text protocol cannot send",
            )),
        };
        Found { entry, item }
    });
    Ok(found.collect())
}

impl Found {
    /// What the item is compared by.
    pub(crate) fn cas(&self) -> Option<u64> {
        self.item.as_ref().ok()?.as_ref().map(|item| item.cas)
    }

    /// The record, if it is still there.
    pub(crate) fn record(self) -> Option<Result<Record>> {
        let item = match self.item.transpose()? {
            Ok(item) => item,
            Err(error) => return Some(Err(error)),
        };
        let (_, id) = self.entry.session?;
        Some(payload(item).map(|payload| Record::new(SessionId::new(id), payload).with_expiry(self.entry.expiry)))
    }
}

/// Iterates over the sessions of all servers.
pub(crate) struct Listing<'m> {
    store: &'m Memcached,
    /// The server that is next.
    server: usize,
    keys: Option<Keys>,
    /// Not decompressed before its turn comes.
    read: VecDeque<Found>,
    failed: bool,
}

impl<'m> Listing<'m> {
    pub(crate) fn new(store: &'m Memcached) -> Self {
        Self { store, server: 0, keys: None, read: VecDeque::new(), failed: false }
    }

    /// Reads some more; tells `false` at the end.
    fn read_more(&mut self) -> Result<bool> {
        let Some(server) = self.store.servers().get(self.server) else { return Ok(false) };
        let keys = match &mut self.keys {
            Some(keys) => keys,
            None => self.keys.insert(server.keys()?),
        };
        let entries = keys.some(AT_ONCE)?;
        if entries.is_empty() {
            self.keys = None;
            self.server += 1;
            return Ok(true);
        }
        let mut found = read(entries, |keys| server.get(keys))?;
        if self.store.is_copied() {
            self.leave_out_copies(&mut found)?;
        }
        self.read.extend(found);
        Ok(true)
    }

    /// Leaves out what a server before this one has, too.
    fn leave_out_copies(&self, found: &mut Vec<Found>) -> Result<()> {
        for server in &self.store.servers()[..self.server] {
            let keys: Vec<&Key> =
                found.iter().filter_map(|found| found.entry.session.as_ref().map(|(key, _)| key)).collect();
            let mut there = server.get(&keys)?.into_iter();
            found.retain(|found| found.entry.session.is_none() || !matches!(there.next(), Some(Some(_))));
        }
        Ok(())
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(found) = self.read.pop_front() {
                if let Some(record) = found.record() {
                    return Some(record);
                }
            }
            if self.failed {
                return None;
            }
            match self.read_more() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
