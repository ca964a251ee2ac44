//! `dbm.ndbm` where it is Berkeley DB's, as on Debian: a hash, version 8 or 9, one file (`db_page.h` and `hash.h` of
//! Berkeley DB 5.3; version 8 is that of Berkeley DB 4.0 to 4.5). Python 2's `bsddb` writes the same.
//!
//! A file is a row of pages. The first tells of all, then there are buckets of keys with their values, each bucket a chain
//! of pages, and chains of pages for keys and values that are too long for a bucket.

mod leaf;
mod page;
mod walk;
mod writer;

use std::io::{Read, Seek, SeekFrom};

use beakerhelpers_core::Result;

use crate::error::{LARGEST, broken_off, damaged, too_large, unreadable};
use page::{HEADER, Item, Kind, Order, Page};
pub(crate) use walk::Walk;
pub(crate) use writer::{Size, Writer, image};

pub(crate) const NAME: &str = "Berkeley DB";
const MAGIC: u32 = 0x0006_1561;
/// Where the magic number is.
const MAGIC_AT: usize = 12;
/// From 9 on the keys of a page are in order.
const SORTED: u32 = 9;
const VERSIONS: [u32; 2] = [8, SORTED];
/// What the first page needs.
const META: usize = 0xe0;
/// Where it has what: the last bucket, the masks that lead from a hash to its bucket, how full buckets get, how many pairs
/// there are, the hash of [`CHARKEY`], and what leads from a bucket to its page.
const LAST_AT: usize = 0x48;
const HIGH_AT: usize = 0x4c;
const LOW_AT: usize = 0x50;
const FILL_AT: usize = 0x54;
const PAIRS_AT: usize = 0x58;
const CHARKEY_AT: usize = 0x5c;
const SPARES_AT: usize = 0x60;
/// No more bytes of pages are read for one key: the longest session, and what each page has besides.
const MOST: u64 = LARGEST + LARGEST / 8;
/// Which function hashes the keys is found out by the hash of this.
const CHARKEY: &[u8] = b"%$sniglet^&\0";

/// Whether a file begins like this, in either byte order.
pub(crate) fn is_magic(beginning: &[u8]) -> bool {
    order(beginning).is_some()
}

fn order(beginning: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big].into_iter().find(|order| order.long(beginning, MAGIC_AT) == Some(MAGIC))
}

/// How a database is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    order: Order,
    version: u32,
    page: usize,
    fill: u32,
}

/// A database that is open for reading.
#[derive(Debug)]
pub(crate) struct Hash<R> {
    file: R,
    shape: Shape,
    /// How many pages the file has room for.
    pages: u64,
    /// How many a walk may read.
    most: u64,
    /// How many may yet be read: chains can have no end, and a file can have holes of any size.
    left: u64,
    meta: Vec<u8>,
}

impl<R: Read + Seek> Hash<R> {
    pub(crate) fn open(mut file: R) -> Result<Self> {
        let len = file.seek(SeekFrom::End(0)).map_err(|error| broken_off(NAME, &error))?;
        let mut meta = vec![0; META];
        file.rewind().and_then(|()| file.read_exact(&mut meta)).map_err(|error| broken_off(NAME, &error))?;
        let order = order(&meta).ok_or_else(|| damaged(NAME, "it is no hash"))?;
        let number = |at| order.long(&meta, at).unwrap_or_default();
        let byte = |at: usize| meta.get(at).copied().unwrap_or_default();
        if byte(25) != Kind::HASH_META {
            return Err(damaged(NAME, "it is no hash"));
        }
        let version = number(16);
        if !VERSIONS.contains(&version) {
            return Err(unreadable(NAME, &format!("it is a hash of version {version}, not of version 8 or {SORTED}")));
        }
        if byte(24) != 0 || byte(26) != 0 {
            return Err(unreadable(NAME, "it is encrypted, has checksums, or is divided"));
        }
        if number(48) != 0 {
            return Err(unreadable(NAME, "it may have several values for a key, or several databases"));
        }
        let page = number(20);
        if !page.is_power_of_two() || !(512..=1 << 16).contains(&page) {
            return Err(damaged(NAME, "the size of its pages is none"));
        }
        if number(CHARKEY_AT) != hash(CHARKEY) {
            return Err(unreadable(NAME, "its keys are hashed in another way"));
        }
        let pages = len.checked_div(u64::from(page)).unwrap_or_default();
        let page = usize::try_from(page).map_err(|_| damaged(NAME, "the size of its pages is none"))?;
        let shape = Shape { order, version, page, fill: number(FILL_AT) };
        Ok(Self { file, shape, pages, most: pages, left: 0, meta })
    }

    /// Lets a walk read so many bytes.
    pub(crate) fn bounded(self, most: u64) -> Self {
        let most = most.checked_div(self.shape.page as u64).unwrap_or_default();
        Self { most, ..self }
    }

    /// How it is written.
    pub(crate) const fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether it has a key.
    pub(crate) fn has(&mut self, key: &[u8]) -> Result<bool> {
        Ok(self.find(key)?.is_some())
    }

    /// The value of a key.
    pub(crate) fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.find(key)?.map(|item| self.bytes(item)).transpose()
    }

    fn find(&mut self, key: &[u8]) -> Result<Option<Item>> {
        self.left = self.pages.min(MOST.checked_div(self.shape.page as u64).unwrap_or_default());
        let mut next = self.first_page(self.bucket(hash(key))?)?;
        while next != 0 {
            let page = self.page(next)?;
            for at in (0..page.entries()?).step_by(2) {
                let is_it = match page.item(at)? {
                    Item::Here(found) => found == key,
                    // To read other long keys is not worth it.
                    Item::Elsewhere { size, .. } if size as usize != key.len() => false,
                    item @ Item::Elsewhere { .. } => self.bytes(item)? == key,
                    Item::Other => false,
                };
                if is_it {
                    return page.item(at.saturating_add(1)).map(Some);
                }
            }
            next = page.next();
        }
        Ok(None)
    }

    fn number(&self, at: usize) -> u32 {
        self.shape.order.long(&self.meta, at).unwrap_or_default()
    }

    /// The bucket that a hash belongs to.
    fn bucket(&self, hash: u32) -> Result<u32> {
        let (last, high, low) = (self.number(LAST_AT), self.number(HIGH_AT), self.number(LOW_AT));
        let bucket = Some(hash & high).filter(|bucket| *bucket <= last).unwrap_or(hash & low);
        if bucket <= last { Ok(bucket) } else { Err(damaged(NAME, "a bucket is nowhere")) }
    }

    fn first_page(&self, bucket: u32) -> Result<u32> {
        let spare = || {
            let doubling = u32::BITS.checked_sub(bucket.leading_zeros())?;
            let spare = usize::try_from(doubling).ok()?.checked_mul(4)?.checked_add(SPARES_AT)?;
            bucket.checked_add(self.shape.order.long(&self.meta, spare)?).filter(|page| *page != 0)
        };
        spare().ok_or_else(|| damaged(NAME, "a bucket is nowhere"))
    }

    fn page(&mut self, number: u32) -> Result<Page> {
        if number == 0 || u64::from(number) >= self.pages {
            return Err(damaged(NAME, "a page is beyond its end"));
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| damaged(NAME, "a chain of its pages has no end"))?;
        let mut bytes = vec![0; self.shape.page];
        let at = u64::from(number).saturating_mul(self.shape.page as u64);
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|error| broken_off(NAME, &error))?;
        Page::new(bytes, self.shape.order).ok_or_else(|| damaged(NAME, "a page is none"))
    }

    /// Reads what an item is.
    fn bytes(&mut self, item: Item) -> Result<Vec<u8>> {
        let (first, size) = match item {
            Item::Here(value) => return Ok(value),
            Item::Elsewhere { page, size } => (page, u64::from(size)),
            Item::Other => return Err(unreadable(NAME, "its value is not a single one")),
        };
        if size > LARGEST {
            return Err(too_large(size));
        }
        // All pages of a chain but the last are full (`__db_poff` in `db_overflow.c`, 5.3).
        let room = (self.shape.page.saturating_sub(HEADER)) as u64;
        let mut most = size.checked_div(room).unwrap_or_default().saturating_add(1);
        let (mut next, mut value) = (first, Vec::new());
        while next != 0 && value.len() as u64 <= size {
            most = most.checked_sub(1).ok_or_else(|| damaged(NAME, "a chain of its pages has no end"))?;
            let page = self.page(next)?;
            // A page without any of it would be the way to a chain that has no end.
            let part = page.part().filter(|part| !part.is_empty());
            value.extend_from_slice(part.ok_or_else(|| damaged(NAME, "a part of its value is none"))?);
            next = page.next();
        }
        if value.len() as u64 == size { Ok(value) } else { Err(damaged(NAME, "its value is cut off")) }
    }
}

/// FNV-1 without an offset: `__ham_func5`.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, byte| hash.wrapping_mul(16_777_619) ^ u32::from(*byte))
}

#[cfg(test)]
mod tests;
