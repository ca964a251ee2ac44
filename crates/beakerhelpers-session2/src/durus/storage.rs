//! What a storage of Durus does, be it a file or a server.

use beakerhelpers_core::Result;

/// The name of an object: eight bytes, big-endian.
pub(super) type Oid = [u8; 8];

/// The object that all others are reached from.
pub(super) const ROOT: Oid = [0; 8];

/// What is larger is not read.
pub(super) const LARGEST: u64 = 1 << 28;

/// Objects as records, in a transaction of its own.
pub(super) trait Storage {
    /// The record of an object.
    fn load(&mut self, oid: Oid) -> Result<Loaded>;

    /// The name of an object that there is not yet.
    fn new_oid(&mut self) -> Result<Oid>;

    /// Stores records, all or none, unless something that was loaded has changed since.
    fn commit(&mut self, records: &[(Oid, Vec<u8>)]) -> Result<Commit>;
}

#[derive(Debug)]
pub(super) enum Loaded {
    Record(Vec<u8>),
    Missing,
    /// It has changed since the storage was opened.
    Conflict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    Done,
    Conflict,
}
