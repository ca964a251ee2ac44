//! Going through all pairs: bucket by bucket, each bucket page by page.

use std::io::{Read, Seek};

use beakerhelpers_core::Result;

use super::page::Page;
use super::{Hash, LAST_AT, NAME, hash};
use crate::Pair;
use crate::error::damaged;

/// How far a walk is.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The bucket that comes next. One more than the last can be more than a page number.
    next_bucket: u64,
    /// The page that comes next in the bucket before that; 0 where there is none.
    next_page: u32,
    /// The page that is being read, how many items are on it, and the key that comes next.
    page: Option<(Page, usize, usize)>,
    /// So many pages may yet be read: each is referred to once, in what Berkeley DB writes.
    left: u64,
}

impl Walk {
    pub(crate) fn new<R>(database: &Hash<R>) -> Self {
        Self { next_bucket: 0, next_page: 0, page: None, left: database.most }
    }

    /// The next pair. An error is one of a pair or of a bucket, and there may be more behind it.
    pub(crate) fn next<R: Read + Seek>(&mut self, database: &mut Hash<R>) -> Option<Result<Pair>> {
        database.left = self.left;
        let next = self.find_next(database).transpose();
        self.left = database.left;
        if self.left == 0 && matches!(next, Some(Err(_))) {
            // There would be as many errors as the file says that there are buckets.
            (self.next_bucket, self.next_page, self.page) = (u64::MAX, 0, None);
        }
        next
    }

    fn find_next<R: Read + Seek>(&mut self, database: &mut Hash<R>) -> Result<Option<Pair>> {
        let last = u64::from(database.number(LAST_AT));
        if last >= database.pages {
            let is_told = std::mem::replace(&mut self.next_bucket, u64::MAX) == u64::MAX;
            return if is_told { Ok(None) } else { Err(damaged(NAME, "it has more buckets than pages")) };
        }
        loop {
            if let Some((page, entries, at)) = &mut self.page
                && *at < *entries
            {
                let items = page.item(*at).and_then(|key| Ok((key, page.item(at.saturating_add(1))?)));
                *at = at.saturating_add(2);
                let (key, value) = items?;
                let key = database.bytes(key)?;
                if u64::from(database.bucket(hash(&key))?).checked_add(1) != Some(self.next_bucket) {
                    return Err(damaged(NAME, "a key is where it does not belong"));
                }
                return Ok(Some(Pair { key, value: database.bytes(value) }));
            }
            self.page = None;
            let number = if self.next_page != 0 {
                std::mem::take(&mut self.next_page)
            } else if self.next_bucket <= last {
                let bucket = u32::try_from(self.next_bucket).unwrap_or(u32::MAX);
                self.next_bucket = self.next_bucket.saturating_add(1);
                database.first_page(bucket)?
            } else {
                return Ok(None);
            };
            let page = database.page(number)?;
            let entries = page.entries()?;
            self.next_page = page.next();
            self.page = Some((page, entries, 0));
        }
    }
}
