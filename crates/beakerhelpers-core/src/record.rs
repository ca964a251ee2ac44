//! What a store holds of one session.

use std::fmt;
use std::time::Duration;

use crate::{Session, SessionId, Timestamp};

/// One session as a store holds it, its contents not decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The key.
    pub id: SessionId,
    /// When it was first saved; `None` where the store does not know or holds no valid time.
    pub created: Option<Timestamp>,
    /// When it was last saved; `None` where the store does not know or holds no valid time.
    pub accessed: Option<Timestamp>,
    /// When the store drops it by itself, where it can.
    pub expiry: Expiry,
    /// The contents.
    pub payload: Payload,
}

/// When a store drops a record by itself. Only stores with
/// [`Capabilities::expiry`](crate::Capabilities::expiry) do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// Saving: when Beaker would have it dropped. Reading: nobody asked.
    #[default]
    Usual,
    /// Never.
    Never,
    /// At this instant.
    At(Timestamp),
}

impl Expiry {
    /// So much longer than the site's timeout Beaker lets a store keep a session that was just saved
    /// (`beaker/session.py`, `Session.__init__`, 1.14.1; before 1.10 it was for ever).
    pub const AFTER_TIMEOUT: Duration = Duration::from_secs(120);
}

impl Record {
    /// A record without times.
    #[must_use]
    pub const fn new(id: SessionId, payload: Payload) -> Self {
        Self { id, created: None, accessed: None, expiry: Expiry::Usual, payload }
    }

    /// Takes the times that its session tells, where the store keeps none.
    #[must_use]
    pub fn with_times_of(mut self, session: &Session) -> Self {
        self.created = self.created.or_else(|| session.creation_time());
        self.accessed = self.accessed.or_else(|| session.accessed_time());
        self
    }

    /// Sets when the store drops it by itself.
    #[must_use]
    pub const fn with_expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// Sets both times.
    #[must_use]
    pub const fn with_times(mut self, created: Option<Timestamp>, accessed: Option<Timestamp>) -> Self {
        self.created = created;
        self.accessed = accessed;
        self
    }
}

/// How a store wraps the session value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// The pickle of a namespace, `{'session': value}`: database and file stores
    /// (`beaker/ext/database.py` and `beaker/container.py`, 1.14.1).
    Namespace,
    /// The pickle of the value alone: dbm, Redis and their like.
    Value,
    /// The value itself where it is text, and a pickle of it otherwise: memcached, whose client libraries pickle what is
    /// no text (`beaker/ext/memcached.py`, 1.14.1).
    Text,
    /// The pickle of an object whose attributes are the session: session2 (`session2/store/DirectorySessionStore.py`,
    /// 0.6).
    Object,
}

/// Undecoded bytes and how they wrap the session.
///
/// Payloads are equal where their bytes and their framing are, wherever they are kept.
#[derive(Clone)]
pub struct Payload {
    framing: Framing,
    bytes: Vec<u8>,
    /// The store keeps so many bytes at most.
    room: u64,
}

impl Payload {
    /// Takes the bytes as they are stored.
    #[must_use]
    pub const fn new(framing: Framing, bytes: Vec<u8>) -> Self {
        Self { framing, bytes, room: u64::MAX }
    }

    /// Says that the store keeps so many bytes at most, and may have cut off what was longer.
    #[must_use]
    pub const fn with_room(mut self, bytes: u64) -> Self {
        self.room = bytes;
        self
    }

    /// How many bytes the store keeps at most; `u64::MAX` where that is not known.
    pub const fn room(&self) -> u64 {
        self.room
    }

    /// Whether there is no room for another byte, so that it may have been longer once.
    pub fn is_full(&self) -> bool {
        self.bytes.len() as u64 >= self.room
    }

    /// How the bytes wrap the session.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// The bytes as they are stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        (self.framing, &self.bytes) == (other.framing, &other.bytes)
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Contents are private, and may be megabytes.
        write!(f, "Payload({:?}, {} bytes)", self.framing, self.bytes.len())
    }
}
