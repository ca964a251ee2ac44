//! `dbm.dumb`: values in `.dat`, an index of text lines in `.dir`, the index before it in `.bak`
//! (`Lib/dbm/dumb.py`, CPython 3.13; `Lib/dumbdbm.py`, 2.7).

mod index;

use std::fs::File;
use std::io::{BufRead, Read, Seek, SeekFrom};

use beakerhelpers_core::Result;

use crate::bound::readable;
use crate::error::{LARGEST, damaged, failed, too_large};
use crate::{Content, Pair};
pub use index::{DumbIndex, Entry};

pub(super) const NAME: &str = "dbm.dumb";
/// Each value begins at a multiple of this.
const BLOCK: usize = 512;

/// What an index tells: where the value of a key is, or what the database holds instead.
pub(super) fn find(index: impl BufRead, key: &[u8]) -> Result<Result<Entry, Content>> {
    let index = index::read(index, key)?;
    Ok(index.entry.ok_or_else(|| Content::without_key(index.is_empty)))
}

/// Reads a value of a database of `dbm.dumb` out of its data, `.dat`.
///
/// # Errors
///
/// `Corrupt` where it is not whole or larger than [`LARGEST`]; what the system says.
pub fn value(mut data: impl Read + Seek, entry: Entry) -> Result<Vec<u8>> {
    if entry.size > LARGEST {
        return Err(too_large(entry.size));
    }
    let mut value = Vec::new();
    // No file is so long that this fails, but for the system's own reasons.
    let pos = SeekFrom::Start(entry.pos.min(i64::MAX.unsigned_abs()));
    let read = data.seek(pos).and_then(|_| data.take(entry.size).read_to_end(&mut value));
    read.map_err(|error| failed("read", &error))?;
    // Python hands out what there is, and fails at the pickle.
    if value.len() as u64 == entry.size { Ok(value) } else { Err(damaged(NAME, "its value is cut off")) }
}

/// All pairs of a database of `dbm.dumb`, each value read when it is its turn.
pub fn pairs(index: DumbIndex, data: File) -> impl Iterator<Item = Result<Pair>> + Send {
    // Room enough for a few that are damaged.
    let mut left = readable(&data).saturating_mul(4);
    index.into_entries().map(move |(key, entry)| {
        // Each has a place of its own, in what Python writes.
        let value = match left.checked_sub(if entry.size > LARGEST { 0 } else { entry.size }) {
            Some(rest) => {
                left = rest;
                value(&data, entry)
            }
            None => Err(damaged(NAME, "its values have the same places")),
        };
        Ok(Pair { key, value })
    })
}

/// The data and the index of a database that holds a value, and nothing else. The data have the old value where they had
/// it, so that they go with the old index as well: whatever breaks off between replacing the two, one value is whole.
/// Python's own writing leaves neither.
pub(super) fn images(pair: Option<(&[u8], &[u8])>, old: Option<(Entry, Vec<u8>)>) -> (Vec<u8>, Vec<u8>) {
    let Some((key, value)) = pair else { return (Vec::new(), Vec::new()) };
    let mut data = Vec::new();
    let old = old.and_then(|(entry, old)| Some((usize::try_from(entry.pos).ok()?, old)));
    // What is further on is not worth the room before it.
    let pos = match old.filter(|(at, _)| *at as u64 <= LARGEST) {
        Some((at, old)) if at < value.len() => {
            data.resize(at, 0);
            data.extend(old);
            data.resize(data.len().next_multiple_of(BLOCK), 0);
            let pos = data.len();
            data.extend(value);
            pos
        }
        Some((at, old)) => {
            data.extend(value);
            data.resize(at, 0);
            data.extend(old);
            0
        }
        None => {
            data.extend(value);
            0
        }
    };
    let entry = Entry { pos: pos as u64, size: value.len() as u64 };
    (data, index::line(key, entry))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const KEY: &[u8] = b"session";

    fn read(data: &[u8], index: &[u8]) -> (Entry, Vec<u8>) {
        let entry = find(index, KEY).expect("an index").expect("an entry");
        (entry, value(Cursor::new(data), entry).expect("a value"))
    }

    proptest! {
        #[test]
        fn new_data_go_with_both_indexes(sizes in proptest::collection::vec(0..5_000_usize, 1..6)) {
            let (mut old_index, mut old) = (Vec::new(), None);
            let largest = sizes.iter().max().copied().unwrap_or_default();
            for (n, size) in sizes.into_iter().enumerate() {
                let new = vec![n.to_le_bytes()[0]; size];
                let (data, index) = images(Some((KEY, &new)), old.clone());
                let (entry, found) = read(&data, &index);
                prop_assert_eq!(&found, &new);
                prop_assert_eq!(entry.pos % BLOCK as u64, 0);
                if let Some((_, old)) = &old {
                    prop_assert_eq!(&read(&data, &old_index).1, old);
                }
                prop_assert!(data.len() <= 3 * (largest + BLOCK));
                (old_index, old) = (index, Some((entry, found)));
            }
        }
    }

    #[test]
    fn a_place_that_no_file_has_is_damage() {
        let entry = Entry { pos: u64::MAX, size: 1 };
        assert!(value(Cursor::new(b"short"), entry).is_err());
        assert!(value(Cursor::new(b"short"), Entry { pos: 0, size: u64::MAX }).is_err());
        let (data, _) = images(Some((KEY, b"new")), Some((Entry { pos: 1 << 40, size: 3 }, b"old".to_vec())));
        assert_eq!(data, b"new");
    }
}
