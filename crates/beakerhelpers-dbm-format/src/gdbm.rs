//! `dbm.gnu`: GNU dbm, one file (`gdbmdefs.h`, libgdbm 1.23).
//!
//! A header tells of a directory, which leads from a hash to a bucket, which leads to a key with its value. Files are of 32
//! or 64 bits, of either byte order, and aligned as the machine that wrote them does it.

mod layout;
mod walk;
mod writer;

use std::io::{self, Read, Seek, SeekFrom};

use beakerhelpers_core::Result;

use crate::error::{LARGEST, broken_off, damaged, too_large};
pub(crate) use layout::Layout;
use layout::{Element, FREE};

pub(crate) use layout::is_magic;
pub(crate) use walk::Walk;
pub(crate) use writer::{Writer, image};

pub(crate) const NAME: &str = "dbm.gnu";
/// Larger buckets are of no file that Python made: they are as large as a block of the file system.
const LARGEST_BUCKET: u64 = 16 << 20;

/// A database that is open for reading.
// The crate that writes would read as well, but gives memory to every value that claims the key.
#[derive(Debug)]
pub(crate) struct Gdbm<R> {
    file: R,
    layout: Layout,
    len: u64,
    /// So many bytes a walk may read.
    most: u64,
}

impl<R: Read + Seek> Gdbm<R> {
    pub(crate) fn open(mut file: R) -> Result<Self> {
        let len = file.seek(SeekFrom::End(0)).map_err(|error| broken_off(NAME, &error))?;
        let mut header = Vec::new();
        let read = file.rewind().and_then(|()| (&mut file).take(layout::HEADER).read_to_end(&mut header));
        read.map_err(|error| broken_off(NAME, &error))?;
        match Layout::new(&header) {
            Some(layout) => Ok(Self { file, layout, len, most: len }),
            None => Err(damaged(NAME, "its header does not agree with itself")),
        }
    }

    /// Lets a walk read so many bytes.
    pub(crate) fn bounded(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// How it is laid out.
    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether it has a key.
    pub(crate) fn has(&mut self, key: &[u8]) -> Result<bool> {
        Ok(self.element(key)?.is_some())
    }

    /// The value of a key.
    pub(crate) fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(element) = self.element(key)? else { return Ok(None) };
        let size = u64::from(element.data_size);
        if size > LARGEST {
            return Err(too_large(size));
        }
        let at = element.at.checked_add(key.len() as u64).ok_or_else(|| damaged(NAME, "its value is nowhere"))?;
        self.part(at, size).map(Some)
    }

    fn element(&mut self, key: &[u8]) -> Result<Option<Element>> {
        let [hash, other] = hashes(key);
        match self.element_by(key, hash)? {
            None if other != hash => self.element_by(key, other),
            found => Ok(found),
        }
    }

    fn element_by(&mut self, key: &[u8], hash: u32) -> Result<Option<Element>> {
        let entry = self.layout.entry(hash).and_then(|entry| self.layout.place(entry));
        let at = self.bucket_at(entry)?;
        let bucket = self.bucket(at)?;
        let same = |element: &Element| element.hash == hash && element.key_size as usize == key.len();
        let candidates = self.layout.elements(&bucket, hash).take_while(|element| element.hash != FREE).filter(same);
        for element in candidates.collect::<Vec<_>>() {
            if self.part(element.at, key.len() as u64)? == key {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// Where the bucket is that an entry of the directory leads to.
    fn bucket_at(&mut self, place: Option<u64>) -> Result<u64> {
        let none = || damaged(NAME, "its directory is none");
        let entry = self.part(place.ok_or_else(none)?, self.layout.offset_len())?;
        self.layout.offset(&entry).ok_or_else(none)
    }

    fn bucket(&mut self, at: u64) -> Result<Vec<u8>> {
        let size = self.layout.bucket_len().filter(|size| *size <= LARGEST_BUCKET);
        self.part(at, size.ok_or_else(|| damaged(NAME, "a bucket is none"))?)
    }

    /// Reads so many bytes; memory is taken for those that are there.
    fn part(&mut self, at: u64, size: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = &mut self.file;
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.take(size).read_to_end(&mut bytes));
        match read {
            // Beyond what a file can be long.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(damaged(NAME, "a part of it is nowhere")),
            Err(error) => Err(broken_off(NAME, &error)),
            Ok(read) if read as u64 == size => Ok(bytes),
            Ok(_) => Err(damaged(NAME, "a part of it is beyond its end")),
        }
    }
}

/// `_gdbm_hash` of a key (`hash.c`), which adds up `char`s: signed ones as on x86, unsigned ones as on ARM. For plain ASCII
/// both are the same.
fn hashes(key: &[u8]) -> [u32; 2] {
    let signed = |byte: &u8| i32::from(i8::from_ne_bytes([*byte])).cast_unsigned();
    [hash(key, signed), hash(key, |byte| u32::from(*byte))]
}

fn hash(key: &[u8], number: impl Fn(&u8) -> u32) -> u32 {
    let len = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let add = |hash: u32, (byte, shift): (&u8, u32)| hash.wrapping_add(number(byte) << shift) & (u32::MAX >> 1);
    let shifts = (0_u32..).map(|n| n.wrapping_mul(5) % 24);
    let sum = key.iter().zip(shifts).fold(len.wrapping_mul(0x238f_13af), add);
    sum.wrapping_mul(1_103_515_243).wrapping_add(12345) & (u32::MAX >> 1)
}

#[cfg(test)]
mod tests;
