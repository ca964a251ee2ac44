//! The pickle machine: opcodes in, nodes out. Nothing is imported, nothing is called.

mod budget;
#[cfg(test)]
mod cpython;
mod cursor;
pub(crate) mod literal;
mod memo;
pub(crate) mod skim;
pub(crate) mod splice;
#[cfg(test)]
mod tests;
pub(crate) mod writer;

use beakerhelpers_core::value::{Draft, Form, NodeId};

use self::cursor::Cursor;
use self::memo::Memo;
use crate::ascii::{self, Number};
use crate::fault::{Fault, Reason};

/// What a pickle needs while it is read; it keeps its memory from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    stack: Vec<NodeId>,
    /// The fences below the present one.
    marks: Vec<u32>,
    /// What is below belongs to a mark that is still open, and cannot be taken.
    fence: usize,
    memo: Memo,
    care: Care,
    /// What PROTO said last.
    protocol: u8,
    /// Where the last pickle ended.
    end: usize,
}

/// How text is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Care {
    /// All of it at once, in the end: fast.
    #[default]
    Later,
    /// Each string when it is read: finds the one that is wrong, and keeps lone surrogates.
    Now,
}

type Step<T> = Result<T, Reason>;

impl Machine {
    /// Reads a pickle up to its STOP and returns its value. What follows is ignored, as by CPython.
    ///
    /// # Errors
    ///
    /// Where CPython would refuse it too, or where it would take too much memory.
    pub(crate) fn run(&mut self, draft: &mut Draft, source: &[u8], care: Care) -> Result<NodeId, Fault> {
        let is_fresh = self.allocated().saturating_add(draft.allocated()) < budget::FRESH;
        let read = self.attempt(draft, source, care);
        if is_fresh || !matches!(read, Err(Fault { reason: Reason::TooMuchMemory, .. })) {
            return read;
        }
        // What larger pickles left behind must not count against a small one.
        *self = Self::default();
        *draft = Draft::new();
        self.attempt(draft, source, care)
    }

    fn attempt(&mut self, draft: &mut Draft, source: &[u8], care: Care) -> Result<NodeId, Fault> {
        let most = budget::of(source.len());
        self.stack.clear();
        self.marks.clear();
        self.fence = 0;
        self.memo.clear(source.len());
        self.care = care;
        self.protocol = 0;
        // What Python writes holds every byte once and turns it into bytes and those into a bytearray at most.
        draft.limit_conversions(source.len().saturating_mul(2));
        let mut cursor = Cursor::new(source);
        loop {
            if budget::soon(draft, &self.stack).saturating_add(self.allocated()) > most {
                return Err(Fault { at: cursor.position(), reason: Reason::TooMuchMemory });
            }
            for _ in 0..budget::STRIDE {
                let at = cursor.position();
                match self.step(draft, &mut cursor) {
                    Ok(None) => {}
                    Ok(Some(value)) => {
                        self.end = cursor.position();
                        return Ok(value);
                    }
                    Err(reason) => return Err(Fault { at, reason }),
                }
            }
        }
    }

    /// How many bytes the pickle had that was read last, up to its STOP.
    pub(crate) const fn end(&self) -> usize {
        self.end
    }

    /// Whether the pickle that was read last made its value and nothing else.
    pub(crate) const fn is_done(&self) -> bool {
        self.stack.is_empty() && self.marks.is_empty()
    }

    /// The value that was put into the memo last under a number.
    pub(crate) fn kept(&self, number: u32) -> Option<NodeId> {
        self.memo.get(wide(number)).ok()
    }

    fn allocated(&self) -> usize {
        let small = self.stack.capacity().saturating_add(self.marks.capacity()).saturating_mul(4);
        small.saturating_add(self.memo.allocated())
    }

    /// Carries out one opcode; the value where it is STOP.
    #[expect(clippy::too_many_lines, reason = "one arm for each opcode, in the order of CPython's pickletools")]
    #[inline]
    fn step(&mut self, draft: &mut Draft, cursor: &mut Cursor<'_>) -> Step<Option<NodeId>> {
        let id = match cursor.byte()? {
            // Numbers.
            b'I' => match cursor.line()? {
                b"00" => NodeId::FALSE,
                b"01" => NodeId::TRUE,
                line => number(draft, line)?,
            },
            b'J' => draft.int(cursor.i32()?.into()),
            b'K' => draft.int(cursor.byte()?.into()),
            b'M' => draft.int(u16::from_le_bytes(cursor.array()?).into()),
            b'L' => {
                let line = cursor.line()?;
                number(draft, line.strip_suffix(b"L").unwrap_or(line))?
            }
            0x8a => draft.big_int(cursor.bytes1()?),
            0x8b => draft.big_int(cursor.bytes_signed4()?),
            b'F' => draft.float(ascii::float(cursor.line()?)?),
            b'G' => draft.float(f64::from_be_bytes(cursor.array()?)),

            // Text and bytes.
            b'S' => draft.python2_str(&ascii::string(cursor.line()?)?),
            b'T' => draft.python2_str(cursor.bytes_signed4()?),
            b'U' => draft.python2_str(cursor.bytes1()?),
            b'B' => draft.bytes(cursor.bytes4()?),
            b'C' => draft.bytes(cursor.bytes1()?),
            0x8e => draft.bytes(cursor.bytes8()?),
            0x96 => draft.byte_array(cursor.bytes8()?),
            0x97 | 0x98 => return Err(Reason::OutOfBand),
            b'V' => {
                let line = cursor.line()?;
                if line.is_ascii() && !line.contains(&b'\\') {
                    draft.chars(line)
                } else {
                    self.text(draft, &ascii::unicode(line)?)?
                }
            }
            0x8c => self.text(draft, cursor.bytes1()?)?,
            b'X' => self.text(draft, cursor.bytes4()?)?,
            0x8d => self.text(draft, cursor.bytes8()?)?,

            // Constants.
            b'N' => NodeId::NONE,
            0x88 => NodeId::TRUE,
            0x89 => NodeId::FALSE,

            // Lists.
            b']' => draft.list(&[]),
            b'a' => {
                let item = self.pop()?;
                return container(draft.append(self.top()?, &[item]));
            }
            b'e' => return self.fill(Draft::append, draft),
            b'l' => self.gather(Draft::list, draft)?,

            // Tuples.
            b')' => NodeId::EMPTY_TUPLE,
            b't' => self.gather(Draft::tuple, draft)?,
            0x85 => self.tuple::<1>(draft)?,
            0x86 => self.tuple::<2>(draft)?,
            0x87 => self.tuple::<3>(draft)?,

            // Dicts.
            b'}' => draft.dict(&[]),
            b'd' => {
                if !self.above().len().is_multiple_of(2) {
                    return Err(Reason::OddItems);
                }
                self.gather(Draft::dict, draft)?
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return container(draft.set_items(self.top()?, &[key, value]));
            }
            b'u' => {
                if !self.above().len().is_multiple_of(2) {
                    return Err(Reason::OddItems);
                }
                return self.fill(Draft::set_items, draft);
            }

            // Sets.
            0x8f => draft.set(&[]),
            0x90 => return self.fill(Draft::add, draft),
            0x91 => self.gather(Draft::frozen_set, draft)?,

            // The stack.
            b'0' => {
                if self.above().is_empty() {
                    // CPython too lets POP take a mark.
                    self.pop_mark()?;
                } else {
                    self.pop()?;
                }
                return Ok(None);
            }
            b'2' => self.top()?,
            b'(' => {
                self.marks.push(u32::try_from(self.fence).map_err(|_| Reason::TooMuchMemory)?);
                self.fence = self.stack.len();
                return Ok(None);
            }
            b'1' => {
                let start = self.pop_mark()?;
                self.stack.truncate(start);
                return Ok(None);
            }

            // The memo.
            b'g' => self.memo.get(ascii::index(cursor.line()?)?)?,
            b'h' => self.memo.get(cursor.byte()?.into())?,
            b'j' => self.memo.get(wide(cursor.u32()?))?,
            b'p' => {
                let number = ascii::index(cursor.line()?)?;
                return self.put(number);
            }
            b'q' => {
                let number = cursor.byte()?;
                return self.put(number.into());
            }
            b'r' => {
                let number = cursor.u32()?;
                return self.put(wide(number));
            }
            0x94 => {
                let top = self.top()?;
                self.memo.append(top);
                return Ok(None);
            }

            // Classes and what is made of them.
            0x82 => extension(draft, cursor.byte()?.into())?,
            0x83 => extension(draft, u16::from_le_bytes(cursor.array()?).into())?,
            0x84 => extension(draft, cursor.i32()?.into())?,
            b'c' => self.global(draft, cursor)?,
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                self.reference(draft, module, name)
            }
            b'R' => self.call(draft, Form::Call, false)?,
            0x81 => self.call(draft, Form::New, false)?,
            0x92 => self.call(draft, Form::New, true)?,
            b'b' => {
                let state = self.pop()?;
                return if draft.set_state(self.top()?, state) { Ok(None) } else { Err(Reason::NoState) };
            }
            b'i' => {
                let class = self.global(draft, cursor)?;
                let args = self.gather(Draft::tuple, draft)?;
                draft.object(Form::Instance, class, args, None)
            }
            b'o' => {
                let start = self.pop_mark()?;
                let (class, args) = self.stack.get(start..).and_then(<[_]>::split_first).ok_or(Reason::StackEmpty)?;
                if !draft.may_be_called(*class) {
                    return Err(Reason::NotCallable);
                }
                let args = draft.tuple(args);
                let object = draft.object(Form::Instance, *class, args, None);
                self.stack.truncate(start);
                object
            }
            b'P' => {
                let id = self.text(draft, cursor.line()?)?;
                persistent(draft, id)
            }
            b'Q' => {
                let id = self.pop()?;
                persistent(draft, id)
            }

            // The pickle itself.
            0x80 => {
                self.protocol = cursor.byte()?;
                return if self.protocol <= 5 { Ok(None) } else { Err(Reason::Protocol(self.protocol)) };
            }
            b'.' => return self.pop().map(Some),
            0x95 => return cursor.frame().map(|()| None),
            opcode => return Err(Reason::UnknownOpcode(opcode)),
        };
        self.stack.push(id);
        Ok(None)
    }

    /// What was pushed since the last mark.
    #[inline]
    fn above(&self) -> &[NodeId] {
        self.stack.get(self.fence..).unwrap_or_default()
    }

    #[inline]
    fn pop(&mut self) -> Step<NodeId> {
        if self.stack.len() <= self.fence {
            return Err(Reason::StackEmpty);
        }
        self.stack.pop().ok_or(Reason::StackEmpty)
    }

    #[inline]
    fn top(&self) -> Step<NodeId> {
        self.above().last().copied().ok_or(Reason::StackEmpty)
    }

    /// Removes the last mark and returns where the stack stood then.
    #[inline]
    fn pop_mark(&mut self) -> Step<usize> {
        let before = self.marks.pop().ok_or(Reason::NoMark)?;
        Ok(std::mem::replace(&mut self.fence, wide(before)))
    }

    /// Makes a container of what was pushed since the last mark.
    #[inline]
    fn gather(&mut self, make: impl FnOnce(&mut Draft, &[NodeId]) -> NodeId, draft: &mut Draft) -> Step<NodeId> {
        let start = self.pop_mark()?;
        let items = self.stack.get(start..).unwrap_or_default();
        let id = make(draft, items);
        self.stack.truncate(start);
        Ok(id)
    }

    /// Adds what was pushed since the last mark to what is below it.
    #[inline]
    fn fill(
        &mut self,
        add: impl FnOnce(&mut Draft, NodeId, &[NodeId]) -> bool,
        draft: &mut Draft,
    ) -> Step<Option<NodeId>> {
        let start = self.pop_mark()?;
        let (below, items) = self.stack.split_at_checked(start).ok_or(Reason::StackEmpty)?;
        let target = below.get(self.fence..).and_then(<[_]>::last).ok_or(Reason::StackEmpty)?;
        let added = add(draft, *target, items);
        self.stack.truncate(start);
        container(added)
    }

    #[inline]
    fn tuple<const N: usize>(&mut self, draft: &mut Draft) -> Step<NodeId> {
        let items = *self.above().last_chunk::<N>().ok_or(Reason::StackEmpty)?;
        self.stack.truncate(self.stack.len().saturating_sub(N));
        Ok(draft.tuple(&items))
    }

    #[inline]
    fn put(&mut self, number: usize) -> Step<Option<NodeId>> {
        let top = self.top()?;
        self.memo.put(number, top);
        Ok(None)
    }

    #[inline]
    fn text(&self, draft: &mut Draft, utf8: &[u8]) -> Step<NodeId> {
        if self.care == Care::Now && std::str::from_utf8(utf8).is_err() {
            return if ascii::is_utf8_with_surrogates(utf8) {
                Ok(draft.surrogates(utf8))
            } else {
                Err(Reason::NotUtf8)
            };
        }
        Ok(draft.chars(utf8))
    }

    fn global(&self, draft: &mut Draft, cursor: &mut Cursor<'_>) -> Step<NodeId> {
        let module = self.text(draft, cursor.line()?)?;
        let name = self.text(draft, cursor.line()?)?;
        Ok(self.reference(draft, module, name))
    }

    /// Python 3 translates names up to protocol 2.
    fn reference(&self, draft: &mut Draft, module: NodeId, name: NodeId) -> NodeId {
        if self.protocol < 3 { draft.python2_global(module, name) } else { draft.global(module, name) }
    }

    fn call(&mut self, draft: &mut Draft, form: Form, has_keywords: bool) -> Step<NodeId> {
        let keywords = if has_keywords { Some(self.pop()?) } else { None };
        let (args, callable) = (self.pop()?, self.pop()?);
        if !draft.may_be_called(callable) {
            return Err(Reason::NotCallable);
        }
        // An object may be a tuple of a class of its own.
        if draft.tuple_items(args).is_none() && !draft.is_object(args) {
            return Err(Reason::ArgumentsNoTuple);
        }
        if keywords.is_some_and(|keywords| draft.dict_items(keywords).is_none() && !draft.is_object(keywords)) {
            return Err(Reason::KeywordsNoDict);
        }
        Ok(draft.object(form, callable, args, keywords))
    }
}

const fn container(added: bool) -> Step<Option<NodeId>> {
    if added { Ok(None) } else { Err(Reason::NoContainer) }
}

const fn wide(number: u32) -> usize {
    number as usize
}

fn number(draft: &mut Draft, text: &[u8]) -> Step<NodeId> {
    Ok(match ascii::number(text)? {
        Number::Small(value) => draft.int(value),
        Number::Big(bytes) => draft.big_int(&bytes),
    })
}

fn extension(draft: &mut Draft, code: i64) -> Step<NodeId> {
    if code <= 0 {
        return Err(Reason::BadExtension);
    }
    let code = draft.int(code);
    let args = draft.tuple(&[code]);
    Ok(draft.object(Form::Extension, NodeId::ABSENT, args, None))
}

fn persistent(draft: &mut Draft, id: NodeId) -> NodeId {
    let args = draft.tuple(&[id]);
    draft.object(Form::Persistent, NodeId::ABSENT, args, None)
}
