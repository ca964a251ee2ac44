//! One page.

use beakerhelpers_core::Result;

use super::NAME;
use crate::error::damaged;

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

/// In which order the bytes of numbers stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn short(self, bytes: &[u8], at: usize) -> Option<u16> {
        let number = chunk(bytes, at)?;
        Some(if self == Self::Big { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) })
    }

    pub(super) fn long(self, bytes: &[u8], at: usize) -> Option<u32> {
        let number = chunk(bytes, at)?;
        Some(if self == Self::Big { u32::from_be_bytes(number) } else { u32::from_le_bytes(number) })
    }

    pub(super) fn of_short(self, number: u16) -> [u8; 2] {
        if self == Self::Big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    pub(super) fn of_long(self, number: u32) -> [u8; 4] {
        if self == Self::Big { number.to_be_bytes() } else { number.to_le_bytes() }
    }
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A page that has a header.
#[derive(Debug)]
pub(super) struct Page {
    bytes: Vec<u8>,
    order: Order,
}

/// A key or a value of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// In the bucket.
    Here(Vec<u8>),
    /// In a chain of pages.
    Elsewhere { page: u32, size: u32 },
    /// One of several, or of a kind that Python's modules do not make.
    Other,
}

impl Page {
    pub(super) fn new(bytes: Vec<u8>, order: Order) -> Option<Self> {
        (bytes.len() >= HEADER).then_some(Self { bytes, order })
    }

    fn kind(&self) -> u8 {
        self.bytes.get(KIND_AT).copied().unwrap_or_default()
    }

    /// The page after it in its chain; 0 where there is none.
    pub(super) fn next(&self) -> u32 {
        // What was never written to is a bucket without pairs.
        if self.kind() == Kind::NONE { 0 } else { self.order.long(&self.bytes, NEXT_AT).unwrap_or_default() }
    }

    /// How many keys and values a bucket has, which take turns.
    pub(super) fn entries(&self) -> Result<usize> {
        let entries = match self.kind() {
            Kind::NONE => Some(0),
            Kind::HASH | Kind::UNSORTED => self.order.short(&self.bytes, ENTRIES_AT).map(usize::from),
            _ => None,
        };
        entries.filter(|entries| entries % 2 == 0).ok_or_else(|| damaged(NAME, "a bucket is none"))
    }

    /// A key or a value of a bucket.
    pub(super) fn item(&self, n: usize) -> Result<Item> {
        let item = self.bytes_of(n).ok_or_else(|| damaged(NAME, "a bucket is none"))?;
        Ok(match item {
            [HERE, value @ ..] => Item::Here(value.to_vec()),
            [ELSEWHERE, ..] => match (self.order.long(item, 4), self.order.long(item, 8)) {
                (Some(page), Some(size)) => Item::Elsewhere { page, size },
                _ => Item::Other,
            },
            _ => Item::Other,
        })
    }

    /// An item reaches to where the one before it begins.
    pub(super) fn bytes_of(&self, n: usize) -> Option<&[u8]> {
        let begin = |n: usize| self.order.short(&self.bytes, n.checked_mul(2)?.checked_add(HEADER)?).map(usize::from);
        let end = match n.checked_sub(1) {
            Some(before) => begin(before)?,
            None => self.bytes.len(),
        };
        self.bytes.get(begin(n)?..end)
    }

    /// The part of a long value that is in it. `None` where it is not of that kind.
    pub(super) fn part(&self) -> Option<&[u8]> {
        let len = usize::from(self.order.short(&self.bytes, OFFSET_AT)?);
        self.bytes.get(HEADER..HEADER.checked_add(len)?).filter(|_| self.kind() == Kind::OVERFLOW)
    }
}
