//! A decoded session.

mod change;

use std::fmt;

use self::change::Change;
use crate::Timestamp;
use crate::value::{Arena, Draft, Kind, NodeId, Pairs, Value};

/// The keys that Beaker itself keeps in a session (`beaker/session.py`, 1.14.1): the two times, the cookie's domain and
/// path, and, in a session that lives in its cookie, the id.
pub const RESERVED_KEYS: [&str; 5] = ["_accessed_time", "_creation_time", "_domain", "_path", "_id"];

/// What the application stored for one visitor: an ordered map whose keys may be any value.
///
/// A codec makes it of a [`Payload`](crate::Payload). Its keys can be [set](Session::set) and
/// [removed](Session::remove), and it knows its [changes](Session::changes), so that a codec can write these alone.
/// `Debug` shows how large it is and never what it holds.
#[derive(Clone)]
pub struct Session {
    arena: Arena,
    root: NodeId,
    changes: Vec<Change>,
}

/// A value without parts, for [`Session::from_pairs`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Scalar<'a> {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Str(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
}

impl Session {
    /// An empty session.
    #[must_use]
    pub const fn new() -> Self {
        let arena =
            Arena { nodes: Vec::new(), slots: Vec::new(), text: String::new(), bytes: Vec::new(), objects: Vec::new() };
        Self { arena, root: NodeId::NONE, changes: Vec::new() }
    }

    pub(crate) const fn from_arena(arena: Arena, root: NodeId) -> Self {
        Self { arena, root, changes: Vec::new() }
    }

    /// A session of simple values; [`Draft`] builds any other.
    ///
    /// # Examples
    ///
    /// ```
    /// use beakerhelpers_core::Session;
    ///
    /// let session = Session::from_pairs([("user_name", "joe".into()), ("_accessed_time", 1.5.into())]);
    /// assert_eq!(session.value("user_name").and_then(|name| name.as_str()), Some("joe"));
    /// ```
    #[must_use]
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Scalar<'a>)>) -> Self {
        let mut draft = Draft::new();
        let mut ids = Vec::new();
        for (key, value) in pairs {
            ids.push(draft.str(key));
            ids.push(match value {
                Scalar::None => NodeId::NONE,
                Scalar::Bool(false) => NodeId::FALSE,
                Scalar::Bool(true) => NodeId::TRUE,
                Scalar::Int(value) => draft.int(value),
                Scalar::Float(value) => draft.float(value),
                Scalar::Str(text) => draft.str(text),
                Scalar::Bytes(bytes) => draft.bytes(bytes),
            });
        }
        let root = draft.dict(&ids);
        draft.finish(root).unwrap_or_else(Draft::discard)
    }

    /// Every value that its pickle holds, in the order in which they were read: also what no key leads to.
    pub fn nodes(&self) -> impl Iterator<Item = Value<'_>> {
        self.arena.ids().map(|id| Value::new(&self.arena, id))
    }

    /// Throws the contents away and keeps the memory.
    pub fn into_draft(self) -> Draft {
        Draft::from_arena(self.arena)
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.arena.pairs(self.root).len() / 2
    }

    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys and values in stored order. Of equal keys the first place and the last value count.
    #[inline]
    pub fn iter(&self) -> Pairs<'_> {
        match Value::new(&self.arena, self.root).kind() {
            Kind::Dict(pairs) => pairs,
            _ => Pairs::none(&self.arena),
        }
    }

    /// The value of a key that is text.
    pub fn value(&self, key: &str) -> Option<Value<'_>> {
        self.iter().find_map(|(candidate, value)| (candidate.as_str() == Some(key)).then_some(value))
    }

    /// `_accessed_time`: when the visitor last used it; where there is none `_access_time`, which is session2's name for it
    /// (`session2/Session.py`, 0.6). `None` where it is missing or no time.
    pub fn accessed_time(&self) -> Option<Timestamp> {
        let key = if self.value("_accessed_time").is_some() { "_accessed_time" } else { "_access_time" };
        self.time(key)
    }

    /// `_creation_time`: when it began. `None` where it is missing or no time.
    pub fn creation_time(&self) -> Option<Timestamp> {
        self.time("_creation_time")
    }

    fn time(&self, key: &str) -> Option<Timestamp> {
        match self.value(key)?.kind() {
            Kind::Float(secs) => Timestamp::from_epoch_float(secs),
            // The same range as for floats.
            Kind::Int(secs) => (secs.unsigned_abs() < 9_200_000_000_000).then(|| Timestamp::from_secs(secs)),
            _ => None,
        }
    }

    /// Whether it is what Beaker since 1.11 leaves of a deleted session: `_domain` and `_path`, and nothing else.
    pub fn is_deleted(&self) -> bool {
        !self.is_empty() && self.has_only(&["_domain", "_path"])
    }

    /// Whether the application stored nothing in it: it has no keys but the [`RESERVED_KEYS`], if any.
    pub fn is_anonymous(&self) -> bool {
        self.has_only(&RESERVED_KEYS)
    }

    fn has_only(&self, keys: &[&str]) -> bool {
        self.iter().all(|(key, _)| key.as_str().is_some_and(|key| keys.contains(&key)))
    }

    /// The value that has this [`Value::id`]; `None`'s where there is none.
    pub fn by_id(&self, id: usize) -> Value<'_> {
        Value::new(&self.arena, NodeId(u32::try_from(id).unwrap_or(u32::MAX)))
    }

    /// The dict that holds keys and values: itself a value, which others may refer to.
    pub fn root(&self) -> Value<'_> {
        Value::new(&self.arena, self.root)
    }

    /// One more than the largest [`Value::id`].
    pub const fn node_count(&self) -> usize {
        self.arena.nodes.len()
    }

    /// How often containers refer to a value.
    pub const fn reference_count(&self) -> usize {
        self.arena.slots.len()
    }

    /// How many bytes its strings, its bytes and its large numbers have; what several share counts once.
    pub const fn content_len(&self) -> usize {
        self.arena.text.len() + self.arena.bytes.len()
    }

    /// How many bytes of memory this holds, in use or not.
    pub fn allocated(&self) -> usize {
        self.arena.allocated()
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> IntoIterator for &'a Session {
    type Item = (Value<'a>, Value<'a>);
    type IntoIter = Pairs<'a>;

    fn into_iter(self) -> Pairs<'a> {
        self.iter()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} keys)", self.len())
    }
}

impl From<()> for Scalar<'_> {
    fn from((): ()) -> Self {
        Self::None
    }
}

impl From<bool> for Scalar<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Scalar<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Scalar<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<'a> From<&'a str> for Scalar<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a [u8]> for Scalar<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_floats_or_whole_seconds() {
        let session = Session::from_pairs([("_accessed_time", 1.5.into()), ("_creation_time", 7.into())]);
        assert_eq!(session.accessed_time(), Some(Timestamp::from_micros(1_500_000)));
        assert_eq!(session.creation_time(), Some(Timestamp::from_secs(7)));
        let session = Session::from_pairs([("_accessed_time", f64::NAN.into()), ("_creation_time", i64::MIN.into())]);
        assert_eq!((session.accessed_time(), session.creation_time()), (None, None));
        let session = Session::from_pairs([("_accessed_time", "1".into()), ("_access_time", 7.into())]);
        assert_eq!((session.accessed_time(), session.creation_time()), (None, None));
        let session = Session::from_pairs([("_access_time", 7.into())]);
        assert_eq!(session.accessed_time(), Some(Timestamp::from_secs(7)));
    }

    #[test]
    fn deleted_and_anonymous() {
        let with = |pairs: &[(&'static str, Scalar<'static>)]| {
            let session = Session::from_pairs(pairs.iter().copied());
            (session.is_deleted(), session.is_anonymous())
        };
        assert_eq!(with(&[]), (false, true));
        assert_eq!(with(&[("_domain", ().into()), ("_path", "/".into())]), (true, true));
        assert_eq!(with(&[("_domain", ().into()), ("_accessed_time", 1.0.into())]), (false, true));
        assert_eq!(with(&[("_domain", ().into()), ("user", "joe".into())]), (false, false));
    }

    #[test]
    fn debug_does_not_show_contents() {
        let session = Session::from_pairs([("user", "joe".into()), ("pin", 4711.into())]);
        let shown = format!("{session:?} {:?} {:?}", session.iter(), session.iter().collect::<Vec<_>>());
        assert!(!shown.contains("joe") && !shown.contains("user") && !shown.contains("4711"), "{shown}");
    }

    #[test]
    fn a_million_nested_lists_are_dropped() {
        let mut draft = Draft::new();
        let mut inner = draft.list(&[]);
        for _ in 0..1_000_000 {
            inner = draft.list(&[inner]);
        }
        let key = draft.str("deep");
        let root = draft.dict(&[key, inner]);
        drop(draft.finish(root).unwrap().clone());
    }

    #[test]
    fn cut_characters_are_not_text() {
        let mut draft = Draft::new();
        let (a, b) = (draft.chars(&[0xc3]), draft.chars(&[0xa9]));
        let root = draft.dict(&[a, b]);
        assert!(draft.finish(root).is_err());
    }
}
