//! One page.

use beakerhelpers_core::Result;

use super::NAME;
use crate::format::content::damaged;

/// What begins each page.
pub(super) const HEADER: usize = 26;
/// Where a page has its parts: its number, the one before it, the one after it, how many entries, where they begin, its
/// kind.
pub(super) const NUMBER_AT: usize = 8;
pub(super) const BEFORE_AT: usize = 12;
pub(super) const NEXT_AT: usize = 16;
pub(super) const ENTRIES_AT: usize = 20;
pub(super) const OFFSET_AT: usize = 22;
pub(super) const KIND_AT: usize = 25;
/// The kinds of items.
pub(super) const HERE: u8 = 1;
pub(super) const ELSEWHERE: u8 = 3;
/// The length of an item that is elsewhere.
pub(super) const REFERENCE: usize = 12;

/// The kinds of pages.
pub(super) struct Kind;

impl Kind {
    pub(super) const NONE: u8 = 0;
    pub(super) const UNSORTED: u8 = 2;
    pub(super) const OVERFLOW: u8 = 7;
    pub(super) const HASH_META: u8 = 8;
    pub(super) const HASH: u8 = 13;
}

/// A page that has a header.
pub(super) struct Page(Vec<u8>);

/// The value of a pair.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// In the bucket.
    Here(Vec<u8>),
    /// In a chain of pages.
    Elsewhere { page: u32, size: u32 },
    /// One of several, or of a kind that Python's modules do not make.
    Other,
}

impl Page {
    pub(super) fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= HEADER).then_some(Self(bytes))
    }

    fn kind(&self) -> u8 {
        self.0.get(KIND_AT).copied().unwrap_or_default()
    }

    /// The page after it in its chain; 0 where there is none.
    pub(super) fn next(&self) -> u32 {
        // What was never written to is a bucket without pairs.
        if self.kind() == Kind::NONE { 0 } else { long(&self.0, NEXT_AT).unwrap_or_default() }
    }

    /// Looks for a key in a bucket.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<Item>> {
        let none = || damaged(NAME, "a bucket is none");
        let entries = match self.kind() {
            Kind::NONE => 0,
            Kind::HASH | Kind::UNSORTED => short(&self.0, ENTRIES_AT).map(usize::from).ok_or_else(none)?,
            _ => return Err(none()),
        };
        // Keys and values take turns.
        for at in (0..entries).step_by(2) {
            if self.item(at).ok_or_else(none)?.strip_prefix(&[HERE]) == Some(key) {
                let value = at.checked_add(1).filter(|value| *value < entries).and_then(|value| self.item(value));
                return value.map(|value| Some(Item::new(value))).ok_or_else(none);
            }
        }
        Ok(None)
    }

    /// An item reaches to where the one before it begins.
    fn item(&self, n: usize) -> Option<&[u8]> {
        let begin = |n: usize| short(&self.0, n.checked_mul(2)?.checked_add(HEADER)?).map(usize::from);
        let end = match n.checked_sub(1) {
            Some(before) => begin(before)?,
            None => self.0.len(),
        };
        self.0.get(begin(n)?..end)
    }

    /// The part of a long value that is in it. `None` where it is not of that kind.
    pub(super) fn part(&self) -> Option<&[u8]> {
        let len = usize::from(short(&self.0, OFFSET_AT)?);
        self.0.get(HEADER..HEADER.checked_add(len)?).filter(|_| self.kind() == Kind::OVERFLOW)
    }
}

impl Item {
    fn new(item: &[u8]) -> Self {
        match item {
            [HERE, value @ ..] => Self::Here(value.to_vec()),
            [ELSEWHERE, ..] => match (long(item, 4), long(item, 8)) {
                (Some(page), Some(size)) => Self::Elsewhere { page, size },
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(super) fn short(bytes: &[u8], at: usize) -> Option<u16> {
    chunk(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn long(bytes: &[u8], at: usize) -> Option<u32> {
    chunk(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn long_swapped(bytes: &[u8], at: usize) -> Option<u32> {
    chunk(bytes, at).map(u32::from_be_bytes)
}
