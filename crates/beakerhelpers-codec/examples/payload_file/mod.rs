//! A file of payloads in the framing of database and file stores, each behind its length in four bytes, little endian.

use std::error::Error;
use std::fs;

use beakerhelpers_core::{Framing, Payload};

/// Reads all of them.
pub(crate) fn read(path: &str) -> Result<Vec<Payload>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let mut rest = bytes.as_slice();
    let mut payloads = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk() {
        let len = usize::try_from(u32::from_le_bytes(*len))?;
        let (payload, after) = after.split_at_checked(len).ok_or("the last payload is cut off")?;
        payloads.push(Payload::new(Framing::Namespace, payload.to_vec()));
        rest = after;
    }
    if payloads.is_empty() { Err("there are no payloads".into()) } else { Ok(payloads) }
}
