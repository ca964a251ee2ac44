//! Iterators over the values in a container.

use std::fmt;
use std::iter::FusedIterator;
use std::slice::ChunksExact;

use super::{Arena, NodeId, Value};

/// The items of a list, tuple or set, in stored order.
#[derive(Clone, Copy)]
pub struct Items<'a> {
    arena: &'a Arena,
    first: &'a [NodeId],
    then: &'a [NodeId],
}

impl<'a> Items<'a> {
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
        let (id, rest) = match self.first.split_first() {
            Some((id, rest)) => (id, rest),
            None => {
                self.first = std::mem::take(&mut self.then);
                self.first.split_first()?
            }
        };
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
    flat: ChunksExact<'a, NodeId>,
}

impl<'a> Pairs<'a> {
    #[inline]
    pub(super) fn new(arena: &'a Arena, nested: &'a [NodeId], flat: &'a [NodeId]) -> Self {
        Self { arena, nested, flat: flat.chunks_exact(2) }
    }

    pub(crate) fn none(arena: &'a Arena) -> Self {
        Self::new(arena, &[], &[])
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.nested.len() + self.flat.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Value<'a>, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let arena = self.arena;
        let pair = match self.nested.split_first() {
            Some((pair, rest)) => {
                self.nested = rest;
                arena.sequence(*pair)
            }
            None => self.flat.next()?,
        };
        // What is not a pair, which Python would refuse to load, shows as None.
        let at = |index| Value::new(arena, pair.get(index).copied().unwrap_or(NodeId::NONE));
        Some((at(0), at(1)))
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
