//! Reading all sessions.

use std::iter;

use beakerhelpers_core::{Query, Records, Result};

use crate::{Place, Sessions, Walk};

/// Reads the sessions of a place that a query asks for, in the order in which the system has them: the whole of a store's
/// [`iter`](beakerhelpers_core::SessionStore::iter). Between two of them nothing is locked, and one is in memory.
pub fn list<'s>(place: &Place, sessions: impl Sessions + 's, query: Query) -> Records<'s> {
    let start = || -> Result<Walk> { Walk::new(&place.open()?, sessions.form()) };
    let walk = match start() {
        Ok(walk) => walk,
        Err(error) => return Box::new(iter::once(Err(error))),
    };
    let mut records = walk.filter_map(move |spot| spot.and_then(|spot| sessions.read_active(&spot, query)).transpose());
    let mut left = query.limit.unwrap_or(u64::MAX);
    Box::new(iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let item = records.next()?;
        left -= u64::from(item.is_ok());
        Some(item)
    }))
}
