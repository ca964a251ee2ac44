//! A page that is being written.

use super::page::{BEFORE_AT, ENTRIES_AT, HEADER, HERE, KIND_AT, Kind, NEXT_AT, NUMBER_AT, OFFSET_AT, Page};
use super::{SORTED, Shape};

/// The bytes of a page, put in one after another.
pub(super) struct Sheet {
    shape: Shape,
    pub(super) bytes: Vec<u8>,
}

impl Sheet {
    pub(super) fn new(shape: Shape, number: u32, kind: u8) -> Self {
        let mut sheet = Self { shape, bytes: vec![0; shape.page] };
        // What Berkeley DB writes where it keeps no log.
        sheet.long(4, 1);
        sheet.long(NUMBER_AT, number);
        sheet.put(KIND_AT, &[kind]);
        sheet
    }

    pub(super) fn short(&mut self, at: usize, number: usize) {
        // A page of 64 KiB that is empty has its end at 0.
        let number = u16::try_from(number).unwrap_or_default();
        self.put(at, &self.shape.order.of_short(number));
    }

    pub(super) fn long(&mut self, at: usize, number: u32) {
        self.put(at, &self.shape.order.of_long(number));
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        let room = self.bytes.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
        room.expect("a page has room for what is put on it").copy_from_slice(bytes);
    }
}

/// A page of a bucket, with its pairs as they are put on it: each key and each value begins with its kind.
pub(super) struct Leaf {
    pub(super) number: u32,
    pub(super) before: u32,
    pub(super) next: u32,
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Leaf {
    pub(super) const fn new(number: u32, before: u32) -> Self {
        Self { number, before, next: 0, pairs: Vec::new() }
    }

    /// Reads back what was written. `None` where it is something else.
    pub(super) fn read(bytes: Vec<u8>, shape: Shape) -> Option<Self> {
        let long = |at| shape.order.long(&bytes, at);
        let (number, before, next) = (long(NUMBER_AT)?, long(BEFORE_AT)?, long(NEXT_AT)?);
        let page = Page::new(bytes, shape.order)?;
        let item = |n| page.bytes_of(n).map(<[u8]>::to_vec);
        let pairs = (0..page.entries().ok()?).step_by(2).map(|n| Some((item(n)?, item(n.checked_add(1)?)?)));
        Some(Self { number, before, next, pairs: pairs.collect::<Option<_>>()? })
    }

    /// Whether there is room for another pair.
    pub(super) fn fits(&self, key: &[u8], value: &[u8], shape: Shape) -> bool {
        let size = |key: &[u8], value: &[u8]| key.len().saturating_add(value.len()).saturating_add(4);
        let used = self.pairs.iter().map(|(key, value)| size(key, value)).fold(HEADER, usize::saturating_add);
        used.saturating_add(size(key, value)) <= shape.page
    }

    pub(super) fn add(&mut self, key: Vec<u8>, value: Vec<u8>) {
        let at = self.pairs.partition_point(|(before, _)| *before < key);
        self.pairs.insert(at, (key, value));
    }

    pub(super) fn to_bytes(&self, shape: Shape) -> Vec<u8> {
        // Long keys are not in the order of what stands here for them. Berkeley DB sorts such a page when it changes it.
        let is_sorted = shape.version >= SORTED && self.pairs.iter().all(|(key, _)| key.first() == Some(&HERE));
        let mut sheet = Sheet::new(shape, self.number, if is_sorted { Kind::HASH } else { Kind::UNSORTED });
        sheet.long(BEFORE_AT, self.before);
        sheet.long(NEXT_AT, self.next);
        // Items are put in from the end.
        let (mut free, mut index) = (shape.page, HEADER);
        for item in self.pairs.iter().flat_map(|(key, value)| [key, value]) {
            free = free.saturating_sub(item.len());
            sheet.put(free, item);
            sheet.short(index, free);
            index = index.saturating_add(2);
        }
        sheet.short(ENTRIES_AT, self.pairs.len().saturating_mul(2));
        sheet.short(OFFSET_AT, free);
        sheet.bytes
    }
}
