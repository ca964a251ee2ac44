//! Iterators over the values in a container.

use std::fmt;
use std::iter::FusedIterator;

use super::{Arena, NodeId, Value};

/// The items of a list, tuple or set, in stored order.
#[derive(Clone)]
pub struct Items<'a> {
    arena: &'a Arena,
    first: &'a [NodeId],
    then: &'a [NodeId],
}

impl<'a> Items<'a> {
    /// The item at a place, counted from the next one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        let id = match index.checked_sub(self.first.len()) {
            None => self.first.get(index)?,
            Some(index) => self.then.get(index)?,
        };
        Some(Value::new(self.arena, *id))
    }

    pub(super) const fn new(arena: &'a Arena, first: &'a [NodeId], then: &'a [NodeId]) -> Self {
        Self { arena, first, then }
    }

    /// How many are left.
    pub const fn len(&self) -> usize {
        self.first.len() + self.then.len()
    }

    /// Whether none is left.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if self.first.is_empty() {
            self.first = std::mem::take(&mut self.then);
        }
        let (id, rest) = self.first.split_first()?;
        self.first = rest;
        Some(Value::new(self.arena, *id))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl ExactSizeIterator for Items<'_> {}
impl FusedIterator for Items<'_> {}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({})", self.len())
    }
}

/// The keys and values of a dict, in stored order.
#[derive(Clone)]
pub struct Pairs<'a> {
    arena: &'a Arena,
    /// Items that are pairs themselves, as Python 2 wrote an `OrderedDict`.
    nested: &'a [NodeId],
    /// Keys and values by turns.
    flat: &'a [NodeId],
}

impl<'a> Pairs<'a> {
    #[inline]
    pub(super) fn new(arena: &'a Arena, nested: &'a [NodeId], flat: &'a [NodeId]) -> Self {
        Self { arena, nested, flat }
    }

    /// The pair at a place, counted from the next one.
    pub fn get(&self, index: usize) -> Option<(Value<'a>, Value<'a>)> {
        match index.checked_sub(self.nested.len()) {
            None => Some(self.pair(self.arena.sequence(*self.nested.get(index)?))),
            Some(index) => Some(self.pair(self.flat.get(2 * index..)?.first_chunk::<2>()?)),
        }
    }

    /// What is not a pair, which Python would refuse to load, shows as `None`.
    fn pair(&self, ids: &[NodeId]) -> (Value<'a>, Value<'a>) {
        let at = |index| Value::new(self.arena, ids.get(index).copied().unwrap_or(NodeId::NONE));
        (at(0), at(1))
    }

    pub(crate) fn none(arena: &'a Arena) -> Self {
        Self::new(arena, &[], &[])
    }

    /// How many are left.
    pub const fn len(&self) -> usize {
        self.nested.len() + self.flat.len() / 2
    }

    /// Whether none is left.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Value<'a>, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some((pair, rest)) = self.nested.split_first() {
            self.nested = rest;
            return Some(self.pair(self.arena.sequence(*pair)));
        }
        let ([key, value], rest) = self.flat.split_first_chunk()?;
        self.flat = rest;
        Some((Value::new(self.arena, *key), Value::new(self.arena, *value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl ExactSizeIterator for Pairs<'_> {}
impl FusedIterator for Pairs<'_> {}

impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pairs({})", self.len())
    }
}
