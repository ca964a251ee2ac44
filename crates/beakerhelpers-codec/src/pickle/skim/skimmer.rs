//! Follows the depth of the stack, opcode by opcode.

use super::super::cursor::Cursor;
use super::super::{ascii, wide};
use super::{BUILT, CALL, COMPOSED, GLOBAL, Halt, KEPT, Pair, Put, Skim, Slot};
use crate::fault::Reason;

type Step<T> = Result<T, Halt>;

/// Positions must leave room for marks, and numbers for a bit.
const LIMIT: usize = 1 << 30;

pub(super) struct Skimmer<'s, 'p> {
    skim: &'p mut Skim,
    source: &'s [u8],
    cursor: Cursor<'s>,

    slots: Vec<Slot>,
    /// The fences below the present one, and where MARK stands.
    marks: Vec<(usize, u32)>,
    /// What is below belongs to an open mark, or is the dict.
    fence: usize,
    has_dict: bool,
    /// Where the dict is in the stack whose pairs are looked for: the outer one, or the one that is its value.
    base: usize,
    /// How many values there are in the memo.
    count: u32,
    at: usize,
}

impl<'s, 'p> Skimmer<'s, 'p> {
    pub(super) fn run(
        skim: &'p mut Skim,
        source: &'s [u8],
        start: usize,
        end: usize,
        stops: bool,
        count: u32,
    ) -> Result<(), Halt> {
        if source.len() >= LIMIT {
            return Err(Halt::Irregular);
        }
        let (slots, marks) = (std::mem::take(&mut skim.slots), std::mem::take(&mut skim.marks));
        let mut skimmer = Self {
            skim,
            source,
            cursor: Cursor::new(source.get(start..end).unwrap_or_default()),

            slots,
            marks,
            fence: 0,
            has_dict: false,
            base: 0,
            count,
            at: start,
        };
        let len = end.saturating_sub(start);
        loop {
            skimmer.at = start.saturating_add(skimmer.cursor.position());
            let finished = !stops && skimmer.cursor.position() == len;
            let finished = finished
                || skimmer.step().map_err(|halt| match halt {
                    Halt::Damaged(_, reason) => Halt::Damaged(skimmer.at, reason),
                    Halt::Irregular => halt,
                })?;
            if finished {
                break;
            }
        }
        skimmer.skim.end = skimmer.at;
        // Nothing but the dict may be there.
        let is_dict = skimmer.has_dict && skimmer.marks.is_empty() && skimmer.slots.len() == 1;
        let Self { skim, slots, marks, .. } = skimmer;
        (skim.slots, skim.marks) = (slots, marks);
        if is_dict { Ok(()) } else { Err(Halt::Irregular) }
    }

    /// Follows one opcode; `true` where it is STOP.
    #[expect(clippy::too_many_lines, reason = "one arm for each opcode, as in the machine")]
    #[inline]
    fn step(&mut self) -> Step<bool> {
        match self.cursor.byte()? {
            b'N' | 0x88 | 0x89 | b']' | b')' | 0x8f => self.push(0),
            b'}' => {
                self.push(0);
                if self.slots.len() <= 3 && self.marks.is_empty() {
                    self.new_dict();
                }
            }
            b'K' => self.skip::<1>()?,
            b'M' => self.skip::<2>()?,
            b'J' => self.skip::<4>()?,
            b'G' => self.skip::<8>()?,
            b'I' | b'L' | b'F' | b'S' | b'V' => {
                self.cursor.line()?;
                self.push(0);
            }
            0x8a | b'U' | b'C' | 0x8c => {
                self.cursor.bytes1()?;
                self.push(0);
            }
            0x8b | b'T' => {
                self.cursor.bytes_signed4()?;
                self.push(0);
            }
            b'B' | b'X' => {
                self.cursor.bytes4()?;
                self.push(0);
            }
            0x8d | 0x8e | 0x96 => {
                self.cursor.bytes8()?;
                self.push(0);
            }
            b'c' => {
                self.cursor.line()?;
                self.cursor.line()?;
                self.push(0);
            }

            b'a' => {
                self.pop()?;
                self.fill(false)?;
            }
            b'e' | 0x90 => {
                self.pop_mark()?;
                self.fill(false)?;
            }
            b's' => {
                self.leave_inner();
                let value = self.pop()?;
                let key = self.pop()?;
                if self.fill(true)? {
                    let pair = Pair { key, value, end: small(self.at), single: true };
                    self.all_pairs().push(pair);
                }
            }
            b'u' => {
                let from = self.mark()?;
                if self.is_dict_at(from) {
                    self.pairs(from)?;
                }
                self.pop_mark()?;
                self.fill(true)?;
            }
            b'l' | b't' | 0x91 => {
                let start = self.pop_mark()?;
                self.push_at(start, COMPOSED);
            }
            b'd' => {
                let from = self.mark()?;
                let is_first = from == 0 && self.marks.len() == 1 && !self.has_dict;
                if is_first {
                    self.pairs(from)?;
                }
                let start = self.pop_mark()?;
                self.push_at(start, COMPOSED);
                if is_first {
                    self.found();
                }
            }
            0x85 => self.gather(1, COMPOSED)?,
            0x86 => self.gather(2, COMPOSED)?,
            0x87 => self.gather(3, COMPOSED)?,

            b'0' => {
                if self.slots.len() == self.fence && !self.marks.is_empty() {
                    self.pop_mark()?;
                } else {
                    let slot = self.pop()?;
                    // A result that nobody keeps: the call was made for what it does.
                    self.note(slot.made & (CALL | KEPT) == CALL);
                }
            }
            b'1' => {
                let from = self.mark()?;
                let dropped = self.slots.get(from..).unwrap_or_default();
                self.note(dropped.iter().any(|slot| slot.made & (CALL | KEPT) == CALL));
                self.pop_mark()?;
            }
            b'(' => {
                self.marks.push((self.fence, small(self.at)));
                self.fence = self.slots.len();
            }

            b'g' => {
                let number = ascii::index(self.cursor.line()?)?;
                self.get(u32::try_from(number).map_err(|_| Halt::Irregular)?);
            }
            b'h' => {
                let number = self.cursor.byte()?;
                self.get(number.into());
            }
            b'j' => {
                let number = self.cursor.u32()?;
                self.get(number);
            }
            b'p' => {
                let number = ascii::index(self.cursor.line()?)?;
                self.put(u32::try_from(number).map_err(|_| Halt::Irregular)?, false)?;
            }
            b'q' => {
                let number = self.cursor.byte()?;
                self.put(number.into(), false)?;
            }
            b'r' => {
                let number = self.cursor.u32()?;
                self.put(number, false)?;
            }
            0x94 => self.put(self.count, true)?,

            0x82 => self.call::<1>()?,
            0x83 => self.call::<2>()?,
            0x84 => self.call::<4>()?,
            0x93 => self.gather(2, COMPOSED | GLOBAL)?,
            b'R' | 0x81 => {
                self.gather(2, COMPOSED | CALL)?;
            }
            0x92 => {
                self.gather(3, COMPOSED | CALL)?;
            }
            b'Q' => {
                self.gather(1, COMPOSED | CALL)?;
            }
            b'P' => {
                self.cursor.line()?;
                self.push(COMPOSED | CALL);
            }
            b'i' => {
                self.cursor.line()?;
                self.cursor.line()?;
                let start = self.pop_mark()?;
                self.push_at(start, COMPOSED | CALL);
            }
            b'o' => {
                let start = self.pop_mark()?;
                self.push_at(start, COMPOSED | CALL);
            }
            b'b' => {
                self.pop()?;
                self.fill(false)?;
                if let Some(top) = self.slots.last_mut() {
                    top.made |= BUILT;
                }
            }

            0x80 => {
                let protocol = self.cursor.byte()?;
                if self.at != 0 || protocol > 5 {
                    return Err(Halt::Irregular);
                }
                self.skim.protocol = protocol;
            }
            0x95 => {
                self.cursor.frame()?;
                self.skim.frames.push(small(self.at));
            }
            b'.' => return Ok(true),
            // DUP is what no pickler writes.
            b'2' => return Err(Halt::Irregular),
            0x97 | 0x98 => return Err(Reason::OutOfBand.into()),
            opcode => return Err(Reason::UnknownOpcode(opcode).into()),
        }
        Ok(false)
    }

    #[inline]
    fn push(&mut self, made: u8) {
        self.push_at(small(self.at), made);
    }

    #[inline]
    fn push_at(&mut self, start: u32, made: u8) {
        self.slots.push(Slot { start, made });
    }

    #[inline]
    fn skip<const N: usize>(&mut self) -> Step<()> {
        self.cursor.array::<N>()?;
        self.push(0);
        Ok(())
    }

    fn call<const N: usize>(&mut self) -> Step<()> {
        self.cursor.array::<N>()?;
        self.push(COMPOSED | CALL);
        Ok(())
    }

    #[inline]
    fn pop(&mut self) -> Step<Slot> {
        if self.slots.len() <= self.fence {
            return Err(self.empty());
        }
        self.slots.pop().ok_or(Halt::Irregular)
    }

    /// The dict may not be taken away.
    #[cold]
    fn empty(&self) -> Halt {
        if self.has_dict { Halt::Irregular } else { Reason::StackEmpty.into() }
    }

    /// Where the last mark is in the stack.
    #[inline]
    fn mark(&self) -> Step<usize> {
        if self.marks.is_empty() { Err(Reason::NoMark.into()) } else { Ok(self.fence) }
    }

    /// Removes the last mark and all above it, and tells where it stands.
    #[inline]
    fn pop_mark(&mut self) -> Step<u32> {
        let (fence, start) = self.marks.pop().ok_or(Reason::NoMark)?;
        self.slots.truncate(self.fence);
        self.fence = fence;
        Ok(start)
    }

    #[inline]
    fn gather(&mut self, count: usize, made: u8) -> Step<()> {
        let from =
            self.slots.len().checked_sub(count).filter(|from| *from >= self.fence).ok_or_else(|| self.empty())?;
        let start = self.slots.get(from).ok_or(Halt::Irregular)?.start;
        self.slots.truncate(from);
        self.push_at(start, made);
        Ok(())
    }

    /// The dict is made.
    fn found(&mut self) {
        self.has_dict = true;
        self.fence = 1;
    }

    /// A dict is made and not in a mark: the dict, or what may become its first value.
    fn new_dict(&mut self) {
        match self.slots.as_slice() {
            [_] => self.found(),
            [_, _, inner] if self.skim.seeks_inner && self.base == 0 && self.skim.pairs.is_empty() => {
                self.skim.inner = Some(inner.start);
                (self.base, self.fence) = (2, 3);
            }
            _ => {}
        }
    }

    /// The next opcode sets an item: of the outer dict, where the inner one is all that was pushed.
    #[inline]
    fn leave_inner(&mut self) {
        if self.base == 2 && self.slots.len() == 3 && self.marks.is_empty() {
            (self.base, self.fence) = (0, 1);
            // There may be another value, but it is not looked into.
            self.skim.seeks_inner = false;
        }
    }

    /// Where the pairs go.
    fn all_pairs(&mut self) -> &mut Vec<Pair> {
        if self.base == 0 { &mut self.skim.pairs } else { &mut self.skim.inner_pairs }
    }

    /// Whether what is below this place is the dict, and no mark between.
    fn is_dict_at(&self, place: usize) -> bool {
        self.has_dict && place == self.base.saturating_add(1) && self.marks.len() == 1
    }

    /// The keys and values from here on are the dict's.
    fn pairs(&mut self, from: usize) -> Step<()> {
        let slots = self.slots.get(from..).unwrap_or_default();
        if !slots.len().is_multiple_of(2) {
            return Err(Reason::OddItems.into());
        }
        let at = small(self.at);
        let pairs = if self.base == 0 { &mut self.skim.pairs } else { &mut self.skim.inner_pairs };
        let ends = slots.iter().skip(2).step_by(2).map(|slot| slot.start).chain([at]);
        pairs.extend(slots.chunks_exact(2).zip(ends).filter_map(|(pair, end)| match *pair {
            [key, value] => Some(Pair { key, value, end, single: false }),
            _ => None,
        }));
        Ok(())
    }

    /// Something was added to the top of the stack; says whether that is the dict.
    #[inline]
    fn fill(&mut self, as_dict: bool) -> Step<bool> {
        if self.has_dict && self.slots.len() == self.base.saturating_add(1) && self.marks.is_empty() {
            return if as_dict { Ok(true) } else { Err(Halt::Irregular) };
        }
        if self.slots.len() <= self.fence {
            return Err(self.empty());
        }
        let Some(top) = self.slots.last() else { return Err(Halt::Irregular) };
        // A state comes last, and once.
        let (is_built, is_simple, start) = (top.made & BUILT != 0, top.is_simple(), top.start);
        self.note(is_built);
        if is_simple && let Some(b'g' | b'h' | b'j') = self.source.get(wide(start)) {
            self.fill_shared(start)?;
        }
        Ok(false)
    }

    #[inline]
    fn note(&mut self, is_strange: bool) {
        if is_strange {
            self.skim.strange.push(small(self.at));
        }
    }

    /// Python fills what is in the memo only where it is part of itself, and so near where it was made.
    fn fill_shared(&self, get: u32) -> Step<()> {
        let number = self.skim.gets.binary_search_by_key(&get, |(at, _)| *at);
        let number = number.ok().and_then(|index| self.skim.gets.get(index)).map(|(_, number)| *number);
        let put = number.and_then(|number| self.skim.put(number)).ok_or(Halt::Irregular)?;
        if put.at >= self.pair_start() { Ok(()) } else { Err(Halt::Irregular) }
    }

    /// Where the key begins whose value is being made.
    fn pair_start(&self) -> u32 {
        let first = if self.has_dict { self.base.saturating_add(1) } else { 0 };
        let fence = |mark: usize| self.marks.get(mark.saturating_add(1)).map_or(self.fence, |(fence, _)| *fence);
        let mut key = first;
        if !self.marks.is_empty() && fence(0) == first {
            // Keys and values by turns, up to where the next mark stands.
            let end = if self.marks.len() > 1 { fence(1) } else { self.slots.len() };
            key = first.saturating_add(end.saturating_sub(first).saturating_sub(1) & !1);
        }
        self.slots.get(key).map_or(0, |slot| slot.start)
    }

    fn get(&mut self, number: u32) {
        self.skim.gets.push((small(self.at), number));
        self.push(0);
    }

    #[inline]
    fn put(&mut self, number: u32, implicit: bool) -> Step<()> {
        let floor = if self.marks.is_empty() { 0 } else { self.fence };
        let slot = self.slots.get_mut(floor..).and_then(<[_]>::last_mut).ok_or(Reason::StackEmpty)?;
        slot.made |= KEPT;
        let put = Put { at: small(self.at), number, slot: *slot, implicit };
        if number < self.skim.next_number() || wide(number) >= LIMIT {
            return Err(Halt::Irregular);
        }
        self.skim.puts.push(put);
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

fn small(position: usize) -> u32 {
    // Below `LIMIT`, which is tested at the beginning.
    u32::try_from(position).unwrap_or(u32::MAX)
}
