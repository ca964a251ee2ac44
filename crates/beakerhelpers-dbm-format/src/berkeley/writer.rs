//! Writing a whole database: so many buckets as its pairs need, in a row, then what they have no room for.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use beakerhelpers_core::{Error, ErrorKind, Result};

use super::leaf::{Leaf, Sheet};
use super::page::{BEFORE_AT, ELSEWHERE, ENTRIES_AT, HEADER, HERE, Kind, NEXT_AT, OFFSET_AT, Order, REFERENCE};
use super::{
    CHARKEY, CHARKEY_AT, FILL_AT, HIGH_AT, LAST_AT, LOW_AT, MAGIC, MAGIC_AT, PAIRS_AT, SORTED, SPARES_AT, Shape, hash,
};
use crate::error::failed;

/// As `dbm_open` asks for (`src/dbm/dbm.c`, Berkeley DB 5.3): pages of 4096 bytes, 40 pairs in a bucket.
const NDBM: Shape = Shape { order: Order::Little, version: SORTED, page: 4096, fill: 40 };
/// The first page of the first bucket.
const FIRST: u32 = 1;

/// What the pairs of a database need.
#[derive(Debug)]
pub(crate) struct Size {
    shape: Shape,
    pairs: u64,
    bytes: u64,
}

impl Size {
    pub(crate) const fn new(shape: Shape) -> Self {
        Self { shape, pairs: 0, bytes: 0 }
    }

    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        let on_page = |item: &[u8]| if self.shape.is_long(item) { REFERENCE } else { item.len().saturating_add(1) };
        // With both places in the index of the page.
        let bytes = on_page(key).saturating_add(on_page(value)).saturating_add(4);
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.pairs = self.pairs.saturating_add(1);
    }

    /// So many that most of them are one page, a power of two.
    fn buckets(&self) -> Option<u32> {
        let page = u64::try_from(self.shape.page).ok()?;
        let by_bytes = self.bytes.checked_div(page.checked_mul(3)?.checked_div(4)?)?;
        // Where nobody said how many pairs belong into a bucket, pages alone count.
        let by_pairs = self.pairs.checked_div(self.shape.fill.into()).unwrap_or_default();
        u32::try_from(by_bytes.max(by_pairs).max(2).checked_next_power_of_two()?).ok()
    }
}

impl Shape {
    /// Longer items go to pages of their own (`ISBIG` in `hash.h`).
    const fn is_long(&self, item: &[u8]) -> bool {
        item.len() > self.page / 4
    }
}

/// A database that is being written.
pub(crate) struct Writer<F> {
    file: F,
    shape: Shape,
    /// The last page of each bucket.
    tails: Vec<u32>,
    /// The page that comes next in the file.
    free: u32,
    pairs: u32,
    /// The page that was written to last, which may not be in the file as it is now.
    leaf: Option<Leaf>,
}

impl<F: Read + Write + Seek> Writer<F> {
    /// Begins a database in a file that is empty, with room for pairs of this size.
    pub(crate) fn new(file: F, shape: Shape, size: &Size) -> Result<Self> {
        let buckets = size.buckets().ok_or_else(too_many)?;
        let free = buckets.checked_add(FIRST).ok_or_else(too_many)?;
        let mut writer = Self { file, shape, tails: (FIRST..free).collect(), free, pairs: 0, leaf: None };
        writer.write(0, &vec![0; shape.page])?;
        for number in FIRST..free {
            writer.write(number, &Leaf::new(number, 0).to_bytes(shape))?;
        }
        Ok(writer)
    }

    /// Adds a pair, whose key is not there yet.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let mask = self.tails.len().saturating_sub(1);
        let bucket = usize::try_from(hash(key)).unwrap_or_default() & mask;
        let (key, value) = (self.item(key)?, self.item(value)?);
        let tail = self.tails.get(bucket).copied().unwrap_or(FIRST);
        let mut leaf = self.leaf(tail)?;
        if !leaf.fits(&key, &value, self.shape) {
            let next = self.allocate()?;
            leaf.next = next;
            self.write(leaf.number, &leaf.to_bytes(self.shape))?;
            leaf = Leaf::new(next, leaf.number);
            if let Some(tail) = self.tails.get_mut(bucket) {
                *tail = next;
            }
        }
        leaf.add(key, value);
        self.leaf = Some(leaf);
        self.pairs = self.pairs.checked_add(1).ok_or_else(too_many)?;
        Ok(())
    }

    /// The page of that number, to be written to.
    fn leaf(&mut self, number: u32) -> Result<Leaf> {
        if let Some(leaf) = self.leaf.take() {
            if leaf.number == number {
                return Ok(leaf);
            }
            self.write(leaf.number, &leaf.to_bytes(self.shape))?;
        }
        let mut bytes = vec![0; self.shape.page];
        let read = self.seek(number).and_then(|()| self.file.read_exact(&mut bytes));
        read.map_err(|error| failed("write", &error))?;
        Leaf::read(bytes, self.shape).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "a dbm database was changed by somebody else while it was written")
        })
    }

    fn allocate(&mut self) -> Result<u32> {
        let number = self.free;
        self.free = number.checked_add(1).ok_or_else(too_many)?;
        Ok(number)
    }

    /// What stands on a page for a key or a value.
    fn item(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        if !self.shape.is_long(bytes) {
            return Ok([&[HERE], bytes].concat());
        }
        let size = u32::try_from(bytes.len()).map_err(|_| too_many())?;
        let (first, mut before) = (self.free, 0);
        let mut parts = bytes.chunks(self.shape.page.saturating_sub(HEADER)).peekable();
        while let Some(part) = parts.next() {
            let number = self.allocate()?;
            let mut sheet = Sheet::new(self.shape, number, Kind::OVERFLOW);
            sheet.long(BEFORE_AT, before);
            sheet.long(NEXT_AT, if parts.peek().is_some() { self.free } else { 0 });
            // So many refer to it.
            sheet.short(ENTRIES_AT, 1);
            sheet.short(OFFSET_AT, part.len());
            sheet.put(HEADER, part);
            self.write(number, &sheet.bytes)?;
            before = number;
        }
        let mut item = vec![ELSEWHERE, 0, 0, 0];
        item.extend(self.shape.order.of_long(first));
        item.extend(self.shape.order.of_long(size));
        debug_assert_eq!(item.len(), REFERENCE);
        Ok(item)
    }

    /// Writes what is not yet in the file, and gives that.
    pub(crate) fn finish(mut self) -> Result<F> {
        if let Some(leaf) = self.leaf.take() {
            self.write(leaf.number, &leaf.to_bytes(self.shape))?;
        }
        let meta = self.meta()?;
        self.write(0, &meta)?;
        self.file.flush().map_err(|error| failed("write", &error))?;
        Ok(self.file)
    }

    fn meta(&self) -> Result<Vec<u8>> {
        // Berkeley DB tells files apart by it.
        let mut uid = [0; 20];
        getrandom::fill(&mut uid)
            .map_err(|error| Error::new(ErrorKind::Other, "the system gives no random numbers").with_source(error))?;
        let mut sheet = Sheet::new(self.shape, 0, Kind::HASH_META);
        let buckets = u32::try_from(self.tails.len()).map_err(|_| too_many())?;
        let last = buckets.saturating_sub(1);
        let page = u32::try_from(self.shape.page).map_err(|_| too_many())?;
        let numbers = [
            (MAGIC_AT, MAGIC),
            (16, self.shape.version),
            (20, page),
            // The last page.
            (0x20, self.free.saturating_sub(1)),
            (LAST_AT, last),
            (HIGH_AT, last),
            (LOW_AT, last >> 1),
            (FILL_AT, self.shape.fill),
            (PAIRS_AT, self.pairs),
            (CHARKEY_AT, hash(CHARKEY)),
        ];
        for (at, number) in numbers {
            sheet.long(at, number);
        }
        sheet.put(0x34, &uid);
        // Before the buckets there is one page, and none between the doublings that they would have come to be by. Those
        // that are still to come have no place yet.
        for doubling in 0..=usize::try_from(buckets.trailing_zeros()).unwrap_or_default() {
            sheet.long(doubling.saturating_mul(4).saturating_add(SPARES_AT), FIRST);
        }
        Ok(sheet.bytes)
    }

    fn seek(&mut self, number: u32) -> std::io::Result<()> {
        let at = u64::from(number).saturating_mul(self.shape.page as u64);
        self.file.seek(SeekFrom::Start(at)).map(drop)
    }

    fn write(&mut self, number: u32, bytes: &[u8]) -> Result<()> {
        let written = self.seek(number).and_then(|()| self.file.write_all(bytes));
        written.map_err(|error| failed("write", &error))
    }
}

fn too_many() -> Error {
    Error::unsupported("there is too much for a Berkeley DB database")
}

/// The bytes of a database that holds a pair, and nothing else, written as another one, or as Debian's Python does it.
pub(crate) fn image(pair: Option<(&[u8], &[u8])>, like: Option<Shape>) -> Result<Vec<u8>> {
    let shape = like.unwrap_or(NDBM);
    let mut writer = Writer::new(Cursor::new(Vec::new()), shape, &Size::new(shape))?;
    if let Some((key, value)) = pair {
        writer.add(key, value)?;
    }
    writer.finish().map(Cursor::into_inner)
}
