//! Finds where the keys and values of a pickled dict begin and end, without making any of them.
//!
//! What a pickle leaves on the stack is made by bytes that stand side by side: each slot of the stack begins where the
//! opcode that pushed it, or its first part, begins, and ends where the next slot begins. So it is enough to follow the
//! depth of the stack.

mod skimmer;

use self::skimmer::Skimmer;
use super::wide;
use crate::fault::Reason;

/// A slot of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where it begins.
    pub(crate) start: u32,
    made: u8,
}

/// It is made of other slots.
const COMPOSED: u8 = 1;
/// `STACK_GLOBAL` made it.
const GLOBAL: u8 = 2;
/// A call made it, or an application's own means.
const CALL: u8 = 4;
/// It has its state.
const BUILT: u8 = 8;
/// It is in the memo.
const KEPT: u8 = 16;

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) key: Slot,
    pub(crate) value: Slot,
    /// Where the value ends.
    pub(crate) end: u32,
    /// Whether an opcode for it alone follows.
    pub(crate) single: bool,
}

/// A value that was put into the memo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Put {
    /// Where the opcode stands.
    pub(crate) at: u32,
    pub(crate) number: u32,
    pub(crate) slot: Slot,
    /// MEMOIZE, which says no number.
    pub(crate) implicit: bool,
}

/// A pickle, or a part of one, that makes one dict.
#[derive(Debug, Default)]
pub(crate) struct Skim {
    /// The keys and values of the dict, in the order in which they are set.
    pub(crate) pairs: Vec<Pair>,
    /// Of the dict that is its only value, where it holds nothing else: where it begins, and its keys and values.
    inner: Option<u32>,
    inner_pairs: Vec<Pair>,
    seeks_inner: bool,
    /// Where the dict is alone on the stack, and complete.
    pub(crate) end: usize,
    /// By position, and by number too.
    pub(crate) puts: Vec<Put>,
    /// Position and number of what is taken from the memo.
    pub(crate) gets: Vec<(u32, u32)>,
    /// Where FRAME stands.
    pub(crate) frames: Vec<u32>,
    /// As PROTO says; 0 where it is missing.
    pub(crate) protocol: u8,
    /// Where something is done that the values do not tell: a second state for an object, or a call whose result is
    /// dropped.
    pub(crate) strange: Vec<u32>,
    /// The first number in the memo that was free at the beginning.
    first_number: u32,
    slots: Vec<Slot>,
    marks: Vec<(usize, u32)>,
}

/// Why there is nothing to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The pickle is damaged at this byte.
    Damaged(usize, Reason),
    /// It is no pickle as Python writes one for a dict.
    Irregular,
}

impl From<Reason> for Halt {
    fn from(reason: Reason) -> Self {
        Self::Damaged(0, reason)
    }
}

impl Skim {
    /// Forgets what it found, and keeps the memory.
    fn clear(&mut self) {
        self.pairs.clear();
        self.inner = None;
        self.inner_pairs.clear();
        self.puts.clear();
        self.gets.clear();
        self.frames.clear();
        self.strange.clear();
        self.slots.clear();
        self.marks.clear();
        (self.end, self.protocol, self.first_number) = (0, 0, 0);
    }

    /// Looks through a pickle up to its STOP.
    ///
    /// # Errors
    ///
    /// Where it is damaged, or is not made as Python would make it.
    pub(crate) fn pickle(&mut self, source: &[u8]) -> Result<(), Halt> {
        self.clear();
        Skimmer::run(self, source, 0, source.len(), true, 0)
    }

    /// Looks through a pickle whose dict has most likely one value only, which is a dict as well: through both at once.
    ///
    /// # Errors
    ///
    /// As [`Skim::pickle`].
    pub(crate) fn nested(&mut self, source: &[u8]) -> Result<(), Halt> {
        self.clear();
        self.seeks_inner = true;
        let found = Skimmer::run(self, source, 0, source.len(), true, 0);
        self.seeks_inner = false;
        // Perhaps it is only the inner dict that is made in another way.
        if found.is_err() && self.inner.is_some() { self.pickle(source) } else { found }
    }

    /// The keys and values of the dict that is the value of a pair, where it was looked through with the whole.
    pub(crate) fn inner(&self, pair: &Pair) -> Option<&[Pair]> {
        self.inner.filter(|start| *start == pair.value.start).map(|_| &*self.inner_pairs)
    }

    /// Looks through the part of a pickle that makes a dict which is a value in the dict of the whole. Of what is in the
    /// memo it knows only what is put there in this part.
    ///
    /// # Errors
    ///
    /// As [`Skim::pickle`].
    pub(crate) fn part(&mut self, source: &[u8], whole: &Self, pair: &Pair) -> Result<(), Halt> {
        self.clear();
        let before = whole.puts.partition_point(|put| put.at < pair.value.start);
        self.first_number = before.checked_sub(1).and_then(|last| whole.puts.get(last)).map_or(0, following);
        let count = u32::try_from(before).unwrap_or(u32::MAX);
        Skimmer::run(self, source, wide(pair.value.start), wide(pair.end), false, count)
    }

    /// What was put into the memo under a number.
    pub(crate) fn put(&self, number: u32) -> Option<&Put> {
        let index = self.puts.binary_search_by_key(&number, |put| put.number).ok()?;
        self.puts.get(index)
    }

    /// The first number that is free.
    pub(crate) fn next_number(&self) -> u32 {
        self.puts.last().map_or(self.first_number, following)
    }
}

impl Slot {
    /// Whether the opcode where it begins is all that made it.
    pub(crate) const fn is_simple(self) -> bool {
        self.made & COMPOSED == 0
    }

    /// Whether `STACK_GLOBAL` made it.
    pub(crate) const fn is_stack_global(self) -> bool {
        self.made & GLOBAL != 0
    }
}

const fn following(put: &Put) -> u32 {
    put.number.saturating_add(1)
}
