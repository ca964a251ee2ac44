//! Going through all pairs: bucket by bucket, each bucket once.

use std::io::{Read, Seek};
use std::vec;

use beakerhelpers_core::Result;

use super::{Element, FREE, Gdbm, NAME, hashes};
use crate::Pair;
use crate::error::{LARGEST, damaged, too_large, unreadable};

/// Keys that are longer are of nobody; the value behind them is not looked for.
const LONGEST_KEY: u64 = 1 << 20;
/// A directory that is larger leads to more sessions than anybody has, or is a hole in the file.
const MOST_ENTRIES: u64 = 1 << 22;

/// How far a walk is.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// The entry of the directory that comes next.
    entry: u64,
    /// The entries that lead to the bucket whose elements these are.
    range: (u64, u64),
    elements: vec::IntoIter<Element>,
    /// So many bytes were read. A file can lead to the same bytes again and again, Python's do not.
    read: u64,
}

impl Walk {
    /// The next pair. An error is one of a pair or of a bucket, and there may be more behind it.
    pub(crate) fn next<R: Read + Seek>(&mut self, database: &mut Gdbm<R>) -> Option<Result<Pair>> {
        loop {
            if let Some(element) = self.elements.next() {
                return Some(self.pair(database, element));
            }
            if self.entry >= database.layout.entries() {
                return None;
            }
            if database.layout.entries() > MOST_ENTRIES {
                self.entry = u64::MAX;
                return Some(Err(unreadable(NAME, "its directory is larger than any that Python made")));
            }
            if let Err(error) = self.bucket(database) {
                return Some(Err(error));
            }
        }
    }

    /// Counts what is read, and ends the walk where it is more than there is.
    fn count<R>(&mut self, database: &Gdbm<R>, bytes: u64) -> Result<()> {
        self.read = self.read.saturating_add(bytes);
        if self.read <= database.most {
            return Ok(());
        }
        (self.entry, self.elements) = (u64::MAX, Vec::new().into_iter());
        Err(damaged(NAME, "parts of it are referred to again and again"))
    }

    /// Goes to the bucket that the next entry leads to, and behind all entries that lead there.
    fn bucket<R: Read + Seek>(&mut self, database: &mut Gdbm<R>) -> Result<()> {
        let first = self.entry;
        // Where the directory cannot be read there is no next one.
        self.entry = u64::MAX;
        let at = database.bucket_at(database.layout.place(first))?;
        let mut end = first.saturating_add(1);
        while end < database.layout.entries() && database.bucket_at(database.layout.place(end))? == at {
            end = end.saturating_add(1);
        }
        (self.entry, self.range) = (end, (first, end));
        let bucket = database.bucket(at)?;
        self.count(database, bucket.len() as u64)?;
        let layout = &database.layout;
        if layout.share(&bucket) != end.checked_sub(first) {
            return Err(damaged(NAME, "a bucket has another number of bits than its directory"));
        }
        let elements: Vec<_> = layout.elements(&bucket, 0).filter(|element| element.hash != FREE).collect();
        let is_right = layout.count(&bucket).map(|count| count as usize) == Some(elements.len());
        self.elements = elements.into_iter();
        if is_right { Ok(()) } else { Err(damaged(NAME, "a bucket has another number of keys than it says")) }
    }

    /// A key and its value in one go: beside a site that writes, they belong together.
    fn pair<R: Read + Seek>(&mut self, database: &mut Gdbm<R>, element: Element) -> Result<Pair> {
        let (key_size, size) = (u64::from(element.key_size), u64::from(element.data_size));
        let is_its = database.layout.entry(element.hash).is_some_and(|n| (self.range.0..self.range.1).contains(&n));
        if !is_its || key_size > LONGEST_KEY {
            return Err(damaged(NAME, "a key is where it does not belong"));
        }
        let both = key_size.saturating_add(size);
        let (mut key, value) = if size > LARGEST || element.at.saturating_add(both) > database.len {
            let error = if size > LARGEST { too_large(size) } else { damaged(NAME, "a value is beyond its end") };
            (database.part(element.at, key_size)?, Err(error))
        } else {
            self.count(database, both)?;
            let mut key = database.part(element.at, both)?;
            let value = key.split_off(usize::try_from(key_size).unwrap_or(usize::MAX).min(key.len()));
            (key, Ok(value))
        };
        if !hashes(&key).contains(&element.hash) {
            return Err(damaged(NAME, "a key is another than the one that was put there"));
        }
        key.shrink_to_fit();
        Ok(Pair { key, value })
    }
}
