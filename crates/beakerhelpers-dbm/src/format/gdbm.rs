//! `dbm.gnu`: GNU dbm, one file (`gdbmdefs.h`, libgdbm 1.23).
//!
//! A header tells of a directory, which leads from a hash to a bucket, which leads to a key with its value. Files are of 32
//! or 64 bits, of either byte order, and aligned as the machine that wrote them does it.

mod layout;

use std::io::{self, Read, Seek, SeekFrom};

use beakerhelpers_core::{Error, Result};
use gdbm_native::{BlockSize, Endian, OpenOptions};

use super::content::{Content, KEY, LARGEST, broken_off, damaged, failed, too_large};
use layout::{Element, FREE, Layout};

pub(super) const NAME: &str = "dbm.gnu";
/// Larger buckets are of no file that Python made: they are as large as a block of the file system.
const LARGEST_BUCKET: u64 = 16 << 20;
/// As large are the blocks of the file systems that most sites have.
const BLOCK: u32 = 4096;

pub(super) use layout::is_magic;

/// Reads the session of a database.
// The crate that writes would read as well, but gives memory to every value that claims the key.
pub(super) fn read(mut file: impl Read + Seek) -> Result<Content> {
    let mut header = [0; layout::HEADER];
    let len = fill(&mut file, 0, &mut header).map_err(|error| broken_off(NAME, &error))?;
    let Some(layout) = header.get(..len).and_then(Layout::new) else {
        return Err(damaged(NAME, "its header does not agree with itself"));
    };
    let hash = hash(KEY);
    let place = layout.place(hash).ok_or_else(|| damaged(NAME, "its directory is none"))?;
    let at = layout.offset(&part(&mut file, place, layout.offset_len())?);
    let size = layout.bucket_len().filter(|size| *size <= LARGEST_BUCKET);
    let (Some(at), Some(size)) = (at, size) else { return Err(damaged(NAME, "a bucket is none")) };
    let bucket = part(&mut file, at, size)?;
    for element in layout.elements(&bucket, hash).take_while(|element| element.hash != FREE) {
        if element.hash == hash && element.key_size as usize == KEY.len() {
            let key = part(&mut file, element.at, KEY.len() as u64)?;
            if key == KEY {
                return value(&mut file, element);
            }
        }
    }
    let ends = [layout.place(0), layout.place(u32::MAX >> 1)];
    let mut is_empty = layout.count(&bucket) == Some(0);
    for end in ends.into_iter().flatten() {
        is_empty &= layout.offset(&part(&mut file, end, layout.offset_len())?) == Some(at);
    }
    Ok(Content::without_session(is_empty))
}

fn value(file: &mut (impl Read + Seek), element: Element) -> Result<Content> {
    let size = u64::from(element.data_size);
    if size > LARGEST {
        return Err(too_large(size));
    }
    let at = element.at.checked_add(KEY.len() as u64).ok_or_else(|| damaged(NAME, "its value is nowhere"))?;
    part(file, at, size).map(Content::Session)
}

/// Reads so many bytes; memory is taken for those that are there.
fn part(file: &mut (impl Read + Seek), at: u64, size: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.take(size).read_to_end(&mut bytes));
    match read {
        // Beyond what a file can be long.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(damaged(NAME, "a part of it is nowhere")),
        Err(error) => Err(broken_off(NAME, &error)),
        Ok(read) if read as u64 == size => Ok(bytes),
        Ok(_) => Err(damaged(NAME, "a part of it is beyond its end")),
    }
}

/// Reads as many bytes as there are.
fn fill(file: &mut (impl Read + Seek), at: u64, bytes: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    let mut read = Vec::new();
    let len = file.take(bytes.len() as u64).read_to_end(&mut read)?;
    bytes.iter_mut().zip(read).for_each(|(byte, read)| *byte = read);
    Ok(len)
}

/// `_gdbm_hash` of a key of plain ASCII: of others it depends on the machine.
fn hash(key: &[u8]) -> u32 {
    let len = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let add = |hash: u32, (byte, shift): (&u8, u32)| hash.wrapping_add(u32::from(*byte) << shift) & (u32::MAX >> 1);
    let shifts = (0_u32..).map(|n| n.wrapping_mul(5) % 24);
    let sum = key.iter().zip(shifts).fold(len.wrapping_mul(0x238f_13af), add);
    sum.wrapping_mul(1_103_515_243).wrapping_add(12345) & (u32::MAX >> 1)
}

/// The bytes of a database that holds a value, and nothing else. Python's libgdbm makes the same header.
pub(super) fn image(value: Option<&[u8]>) -> Result<Vec<u8>> {
    let endian = if cfg!(target_endian = "big") { Endian::Big } else { Endian::Little };
    let cannot = |error: io::Error| failed("prepare", &error);
    // The crate writes to files by name alone.
    let mut file = tempfile::NamedTempFile::new().map_err(cannot)?;
    // `whichdb` does not know the form with a counter of synchronisations.
    let mut options = OpenOptions::new();
    options.create(true).lock(false).numsync(false).endian(endian).block_size(BlockSize::Exactly(BLOCK));
    let written = options.open(file.path()).and_then(|mut database| {
        if let Some(value) = value {
            database.insert(KEY, value)?;
        }
        database.close()
    });
    written.map_err(|error| match error {
        gdbm_native::Error::Io(error) => cannot(error),
        error => Error::unsupported(format!("a session cannot be written to a {NAME} database: {error}")),
    })?;
    let mut image = Vec::new();
    file.read_to_end(&mut image).map_err(cannot)?;
    Ok(image)
}

#[cfg(test)]
mod tests;
