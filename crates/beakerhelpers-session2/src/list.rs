//! What all listings have in common.

use std::iter;

use beakerhelpers_core::{Query, Record, Records, Result};

/// As many records as a query asks for; errors between them do not count. Nothing is read for more.
pub(crate) fn limited<'a>(query: Query, mut items: impl Iterator<Item = Result<Record>> + Send + 'a) -> Records<'a> {
    let mut left = query.limit.unwrap_or(u64::MAX);
    Box::new(iter::from_fn(move || {
        let item = if left == 0 { None } else { items.next() }?;
        left -= u64::from(item.is_ok());
        Some(item)
    }))
}
