//! Records that are saved together.

use crate::Record;

/// For as long as so many take, a database may keep others waiting.
const RECORDS: usize = 64;
const BYTES: usize = 1 << 20;

/// Records for [`SessionStore::save_all`](super::SessionStore::save_all), no more than nobody notices: 64, or a mebibyte of
/// payload and one record.
#[derive(Debug, Default)]
pub struct SaveBatch {
    records: Vec<Record>,
    bytes: usize,
}

impl SaveBatch {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, and tells whether that is enough.
    #[must_use]
    pub fn push(&mut self, record: Record) -> bool {
        self.bytes = self.bytes.saturating_add(record.payload.bytes().len());
        self.records.push(record);
        self.records.len() >= RECORDS || self.bytes >= BYTES
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes them all out.
    #[must_use]
    pub fn take(&mut self) -> Vec<Record> {
        self.bytes = 0;
        std::mem::take(&mut self.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Framing, Payload, SessionId};

    fn record(bytes: usize) -> Record {
        Record::new(SessionId::new("joe"), Payload::new(Framing::Value, vec![0; bytes]))
    }

    #[test]
    fn many_records_are_enough_and_so_are_large_ones() {
        let mut batch = SaveBatch::new();
        for round in 0..2 {
            assert!((1..RECORDS).all(|n| !batch.push(record(1)) && batch.len() == n), "{round}");
            assert!(batch.push(record(1)));
            assert_eq!(batch.take().len(), RECORDS);
        }
        assert!(batch.is_empty() && !batch.push(record(BYTES - 1)) && batch.push(record(1)));
    }
}
