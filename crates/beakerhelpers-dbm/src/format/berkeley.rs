//! `dbm.ndbm` where it is Berkeley DB's, as on Debian: a hash, version 9, one file (`db_page.h` and `hash.h` of Berkeley
//! DB 5.3). Python 2's `bsddb` writes the same.
//!
//! A file is a row of pages. The first tells of all, then there are buckets of keys with their values, each bucket a chain
//! of pages, and chains of pages for values that are too long for a bucket.

mod page;
mod writer;

use std::io::{Read, Seek, SeekFrom};

use beakerhelpers_core::Result;

use super::content::{Content, KEY, LARGEST, broken_off, damaged, too_large, unreadable};
use page::{Item, Kind, Page, long, long_swapped};
pub(super) use writer::image;

pub(super) const NAME: &str = "Berkeley DB";
const MAGIC: u32 = 0x0006_1561;
/// Where the magic number is.
const MAGIC_AT: usize = 12;
const VERSION: u32 = 9;
/// What the first page needs.
const META: usize = 0xe0;
const SPARES_AT: usize = 0x60;
/// No more bytes of pages are read: the longest session, and what each page has besides.
const MOST: u64 = LARGEST + LARGEST / 8;
/// Which function hashes the keys is found out by the hash of this.
const CHARKEY: &[u8] = b"%$sniglet^&\0";

/// Whether a file begins like this, in either byte order.
pub(super) fn is_magic(beginning: &[u8]) -> bool {
    [long(beginning, MAGIC_AT), long_swapped(beginning, MAGIC_AT)].contains(&Some(MAGIC))
}

/// Reads the session of a database.
pub(super) fn read(file: impl Read + Seek) -> Result<Content> {
    Hash::open(file)?.content()
}

/// A database that is being read.
struct Hash<R> {
    file: R,
    page: usize,
    /// How many pages the file has room for.
    pages: u64,
    /// How many may yet be read: chains can have no end, and a file can have holes of any size.
    left: u64,
    meta: Vec<u8>,
}

impl<R: Read + Seek> Hash<R> {
    fn open(mut file: R) -> Result<Self> {
        let len = file.seek(SeekFrom::End(0)).map_err(|error| broken_off(NAME, &error))?;
        let mut meta = vec![0; META];
        file.rewind().and_then(|()| file.read_exact(&mut meta)).map_err(|error| broken_off(NAME, &error))?;
        let number = |at| long(&meta, at).unwrap_or_default();
        let byte = |at: usize| meta.get(at).copied().unwrap_or_default();
        if long_swapped(&meta, MAGIC_AT) == Some(MAGIC) {
            return Err(unreadable(NAME, "it was written on a machine of another byte order"));
        }
        if number(MAGIC_AT) != MAGIC || byte(25) != Kind::HASH_META {
            return Err(damaged(NAME, "it is no hash"));
        }
        let version = number(16);
        if version != VERSION {
            return Err(unreadable(NAME, &format!("it is a hash of version {version}, not of version {VERSION}")));
        }
        if byte(24) != 0 || byte(26) != 0 {
            return Err(unreadable(NAME, "it is encrypted, has checksums, or is divided"));
        }
        let page = number(20);
        if !page.is_power_of_two() || !(512..=1 << 16).contains(&page) {
            return Err(damaged(NAME, "the size of its pages is none"));
        }
        if number(0x5c) != hash(CHARKEY) {
            return Err(unreadable(NAME, "its keys are hashed in another way"));
        }
        let pages = len.checked_div(u64::from(page)).unwrap_or_default();
        let left = pages.min(MOST.checked_div(u64::from(page)).unwrap_or_default());
        let page = usize::try_from(page).map_err(|_| damaged(NAME, "the size of its pages is none"))?;
        Ok(Self { file, page, pages, left, meta })
    }

    fn content(&mut self) -> Result<Content> {
        let mut next = self.bucket(hash(KEY)).ok_or_else(|| damaged(NAME, "a bucket is nowhere"))?;
        loop {
            let page = self.page(next)?;
            if let Some(item) = page.find(KEY)? {
                return self.value(item).map(Content::Session);
            }
            next = page.next();
            if next == 0 {
                break;
            }
        }
        // A database is made for one pair that is not there yet.
        Ok(Content::without_session(long(&self.meta, 0x58).is_some_and(|pairs| pairs <= 1)))
    }

    /// The first page of the bucket that a hash belongs to.
    fn bucket(&self, hash: u32) -> Option<u32> {
        let number = |at| long(&self.meta, at);
        let (last, high, low) = (number(0x48)?, number(0x4c)?, number(0x50)?);
        let bucket = Some(hash & high).filter(|bucket| *bucket <= last).unwrap_or(hash & low);
        let doubling = u32::BITS.checked_sub(bucket.leading_zeros())?;
        let spare = usize::try_from(doubling).ok()?.checked_mul(4)?.checked_add(SPARES_AT)?;
        bucket.checked_add(number(spare)?)
    }

    fn page(&mut self, number: u32) -> Result<Page> {
        if number == 0 || u64::from(number) >= self.pages {
            return Err(damaged(NAME, "a page is beyond its end"));
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| damaged(NAME, "a chain of its pages has no end"))?;
        let mut bytes = vec![0; self.page];
        let at = u64::from(number).saturating_mul(self.page as u64);
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|error| broken_off(NAME, &error))?;
        Page::new(bytes).ok_or_else(|| damaged(NAME, "a page is none"))
    }

    fn value(&mut self, item: Item) -> Result<Vec<u8>> {
        let (first, size) = match item {
            Item::Here(value) => return Ok(value),
            Item::Elsewhere { page, size } => (page, size),
            Item::Other => return Err(unreadable(NAME, "its value is not a single one")),
        };
        if u64::from(size) > LARGEST {
            return Err(too_large(size.into()));
        }
        let (mut next, mut value) = (first, Vec::new());
        while next != 0 && value.len() as u64 <= u64::from(size) {
            let page = self.page(next)?;
            // A page without any of it would be the way to a chain that has no end.
            let part = page.part().filter(|part| !part.is_empty());
            value.extend_from_slice(part.ok_or_else(|| damaged(NAME, "a part of its value is none"))?);
            next = page.next();
        }
        if value.len() as u64 == u64::from(size) { Ok(value) } else { Err(damaged(NAME, "its value is cut off")) }
    }
}

/// FNV-1 without an offset: `__ham_func5`.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, byte| hash.wrapping_mul(16_777_619) ^ u32::from(*byte))
}

#[cfg(test)]
mod tests;
