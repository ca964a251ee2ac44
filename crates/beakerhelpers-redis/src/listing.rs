//! Listing.

use std::sync::Arc;
use std::time::Duration;
use std::vec;

use beakerhelpers_core::{Error, ErrorKind, Expiry, Framing, Payload, Query, Record, Records, Result, Timestamp};

use crate::keys;
use crate::server::Server;
use crate::walk::{Entry, Part, Purpose, Walk};

/// Iterates over all records. The order is the server's.
pub(crate) fn records(server: &Arc<Server>, query: Query) -> Records<'_> {
    let limit = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    Box::new(Reading::new(server, query).take(limit))
}

/// Reads pages when their sessions are asked for.
struct Reading {
    server: Arc<Server>,
    with_expiry: bool,
    state: State,
    page: vec::IntoIter<Entry>,
    /// When the server was asked for the page.
    at: Timestamp,
}

enum State {
    Before,
    Walking(Box<Walk>),
    Over,
}

impl Reading {
    fn new(server: &Arc<Server>, query: Query) -> Self {
        let (page, at) = (Vec::new().into_iter(), Timestamp::from_secs(0));
        Self { server: Arc::clone(server), with_expiry: query.expiry, state: State::Before, page, at }
    }

    fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        if matches!(self.state, State::Before) {
            self.state =
                State::Walking(Box::new(Walk::start(&self.server, Purpose::List { expiry: self.with_expiry })?));
        }
        let State::Walking(walk) = &mut self.state else { return Ok(None) };
        let page = walk.page(usize::MAX)?;
        Ok(page.map(|page| {
            self.at = page.asked;
            page.entries
        }))
    }

    /// `None`: it is gone.
    fn record(&self, entry: Entry) -> Result<Option<Record>> {
        let id = keys::id(&entry.key)?;
        let value = match (entry.value, &self.state) {
            (Part::Whole(bytes), _) => Some(bytes),
            (Part::Unknown | Part::Long, State::Walking(walk)) => walk.value(&entry.key)?,
            (Part::Unknown | Part::Long, _) => None,
            (Part::WrongType, _) => return Err(wrong_type()),
        };
        let Some(expiry) = entry.left.map_or(Some(Expiry::Usual), |left| expiry(left, self.at)) else {
            return Ok(None);
        };
        Ok(value.map(|bytes| Record::new(id, Payload::new(Framing::Value, bytes)).with_expiry(expiry)))
    }
}

impl Iterator for Reading {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                match self.record(entry).transpose() {
                    Some(Err(error)) if error.kind() != ErrorKind::Corrupt => {
                        (self.state, self.page) = (State::Over, Vec::new().into_iter());
                        return Some(Err(error));
                    }
                    Some(item) => return Some(item),
                    None => continue,
                }
            }
            match self.next_page() {
                Ok(Some(page)) => self.page = page.into_iter(),
                Ok(None) => return None,
                Err(error) => {
                    self.state = State::Over;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The error of a key that holds something else.
pub(crate) fn wrong_type() -> Error {
    Error::corrupt("a key of a session holds no string but something else of Redis")
}

/// What `PTTL` says; `None`: the key is gone.
pub(crate) fn expiry(left: i64, at: Timestamp) -> Option<Expiry> {
    match left {
        -1 => Some(Expiry::Never),
        _ => u64::try_from(left).ok().map(|left| Expiry::At(at.later_by(Duration::from_millis(left)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_an_instant() {
        let at = Timestamp::from_secs(1000);
        assert_eq!(expiry(1500, at), Some(Expiry::At(Timestamp::from_micros(1_001_500_000))));
        assert_eq!((expiry(-1, at), expiry(-2, at)), (Some(Expiry::Never), None));
        assert!(expiry(i64::MAX, at).is_some());
    }
}
