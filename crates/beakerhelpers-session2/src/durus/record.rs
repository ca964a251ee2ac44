//! Records: an oid, the pickle of a class and that of a state, and the oids that the state refers to.
//!
//! ```text
//! oid (8) · length of the data (4) · data: class, state, the latter compressed or not · oids (8 each)
//! ```
//!
//! (`durus/serialize.py`, 4.3; numbers are big-endian.)

use std::io::{Read, Write};

use beakerhelpers_codec::ObjectDict;
use beakerhelpers_core::{Error, ErrorKind, Result};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::storage::{LARGEST, Oid};

/// The pickle of the class, as Durus writes it: the state's may refer to its memo.
const CLASS: &[u8] = b"\x80\x02cdurus.persistent_dict\nPersistentDict\nq\0.";

/// The dict in a record.
///
/// # Errors
///
/// `Corrupt` for what is no record; `NotSetUp` for an object of another class.
pub(super) fn dict(record: &[u8], oid: Oid) -> Result<ObjectDict> {
    let damaged = || Error::corrupt("a record of Durus is damaged");
    let (name, rest) = record.split_first_chunk().ok_or_else(damaged)?;
    let (len, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
    let data = rest.get(..u32::from_be_bytes(*len) as usize).filter(|_| *name == oid).ok_or_else(damaged)?;
    let (class, state) = data.split_at(class_end(data).ok_or_else(damaged)?);
    if class.get(2..CLASS.len() - 3) != CLASS.get(2..CLASS.len() - 3) {
        return Err(Error::new(ErrorKind::NotSetUp, "what is there is no `PersistentDict`, as session2 makes it"));
    }
    // As Durus tells them apart: no pickle begins so.
    if state.first() != Some(&b'x') {
        return ObjectDict::decode(class, state);
    }
    let mut plain = Vec::new();
    ZlibDecoder::new(state).take(LARGEST).read_to_end(&mut plain).map_err(|_| damaged())?;
    ObjectDict::decode(class, &plain)
}

/// Where the pickle of a class ends: PROTO, GLOBAL, a place in the memo, STOP.
fn class_end(data: &[u8]) -> Option<usize> {
    let names = data.strip_prefix(b"\x80\x02c")?;
    let line = |from: usize| names.get(from..)?.iter().position(|byte| *byte == b'\n').map(|at| from + at + 1);
    let end = 3 + line(line(0)?)?;
    let stop = match data.get(end)? {
        b'q' => end + 2,
        b'r' => end + 5,
        _ => end,
    };
    (data.get(stop) == Some(&b'.')).then_some(stop + 1)
}

/// The record of a dict.
///
/// # Errors
///
/// `Unsupported` for what cannot be written, or is too large.
pub(super) fn of_dict(oid: Oid, dict: &ObjectDict) -> Result<Vec<u8>> {
    let state = dict.encode()?;
    if state.len() as u64 >= LARGEST {
        return Err(Error::unsupported("all sessions together are more than are read again"));
    }
    let mut data = ZlibEncoder::new(CLASS.to_vec(), Compression::default());
    let data = data.write_all(&state).and_then(|()| data.finish()).expect("memory takes all");
    let len =
        u32::try_from(data.len()).map_err(|_| Error::unsupported("all sessions together are too large for Durus"))?;
    let references = dict.references().iter().filter(|reference| **reference != oid).flatten();
    Ok([&oid[..], &len.to_be_bytes(), &data].concat().into_iter().chain(references.copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut dict = ObjectDict::new();
        dict.set("sessions", &ObjectDict::reference_to([9; 8])).expect("it is an object");
        let record = of_dict([1; 8], &dict).expect("it is written");
        assert!(record.ends_with(&[9; 8]));
        assert_eq!(super::dict(&record, [1; 8]).expect("it is read").reference("sessions"), Some([9; 8]));
        assert!(super::dict(&record, [2; 8]).is_err(), "it is another's");
        for len in 0..record.len() - 8 {
            assert!(super::dict(&record[..len], [1; 8]).is_err(), "{len}");
        }
    }

    #[test]
    fn other_classes_are_told() {
        let data = b"\x80\x02cshop\nCart\nq\0.\x80\x02}.";
        let record = [&[0; 8][..], &u32::to_be_bytes(21), data].concat();
        assert_eq!(record.len(), 8 + 4 + data.len());
        let error = super::dict(
            &[&[0; 8][..], &u32::try_from(data.len()).expect("short").to_be_bytes(), data].concat(),
            [0; 8],
        );
        assert_eq!(error.map_err(|error| error.kind()).err(), Some(ErrorKind::NotSetUp));
    }
}
