//! JSON in, nodes out.

use beakerhelpers_core::value::{Draft, NodeId};

use super::cursor::Cursor;
use super::number::{self, Parsed};
use super::string::{self, Text};
use crate::ascii::Number;
use crate::fault::{Fault, Reason};

/// So many values are read between two looks at the memory.
const STRIDE: u32 = 128;

/// What JSON needs while it is read; it keeps its memory from one to the next.
#[derive(Default)]
pub(super) struct Parser {
    /// What the open containers hold so far, keys too.
    stack: Vec<NodeId>,
    open: Vec<Open>,
    /// The string that is being made of one with escapes.
    text: Vec<u8>,
    /// How many bytes the draft and this may take.
    memory: usize,
    steps: u32,
}

/// A container that is not complete.
#[derive(Clone, Copy, Debug)]
struct Open {
    is_dict: bool,
    /// Where in the stack its items begin.
    start: u32,
}

impl Parser {
    /// Reads JSON as Python's `json.loads` does, however deep it is nested. `memory` is how many bytes the draft and
    /// this may take.
    ///
    /// # Errors
    ///
    /// Where `json.loads` would refuse it too, or where it would take too much memory.
    pub(super) fn parse(&mut self, draft: &mut Draft, json: &[u8], memory: usize) -> Result<NodeId, Fault> {
        let valid = std::str::from_utf8(json).map_or_else(|error| error.valid_up_to(), str::len);
        if valid < json.len() {
            return Err(Fault { at: valid, reason: Reason::NotUtf8 });
        }
        self.stack.clear();
        self.open.clear();
        self.memory = memory;
        let mut cursor = Cursor::new(json);
        cursor.skip_space();
        let value = loop {
            if let Some(value) = self.value(draft, &mut cursor)? {
                break value;
            }
        };
        cursor.skip_space();
        if cursor.peek().is_none() { Ok(value) } else { Err(cursor.fault(Reason::MoreFollows)) }
    }

    /// Tests the memory now and then, for what is taken until the next time.
    #[inline]
    fn step(&mut self, draft: &Draft, cursor: &Cursor<'_>) -> Result<(), Fault> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STRIDE) && self.memory_soon(draft) > self.memory {
            return Err(cursor.fault(Reason::TooMuchMemory));
        }
        Ok(())
    }

    /// The memory that is taken at most while all of this moves into buffers of twice the size: for a moment there are both.
    #[cold]
    fn memory_soon(&self, draft: &Draft) -> usize {
        let more = STRIDE as usize;
        let items = self.stack.len().saturating_add(more);
        let (stack, open) = (&self.stack, &self.open);
        let is_full = stack.capacity().saturating_sub(stack.len()) < more.saturating_mul(2)
            || open.capacity().saturating_sub(open.len()) < more;
        let own = self.allocated().saturating_mul(if is_full { 3 } else { 1 });
        // A key and a value.
        draft.allocated_with(more.saturating_mul(2), items).saturating_add(own)
    }

    pub(super) fn allocated(&self) -> usize {
        let stack = self.stack.capacity().saturating_mul(size_of::<NodeId>());
        let open = self.open.capacity().saturating_mul(size_of::<Open>());
        stack.saturating_add(open).saturating_add(self.text.capacity())
    }

    /// Reads an atom or the beginning of a container, and what follows it up to the next such; the value where nothing
    /// can follow.
    #[inline]
    fn value(&mut self, draft: &mut Draft, cursor: &mut Cursor<'_>) -> Result<Option<NodeId>, Fault> {
        self.step(draft, cursor)?;
        let start = cursor.at();
        let mut complete = match cursor.peek() {
            Some(b'"') => {
                let text = cursor.string()?;
                self.text(draft, text, start)?
            }
            Some(open @ (b'[' | b'{')) => {
                cursor.bump();
                cursor.skip_space();
                let is_dict = open == b'{';
                let is_empty = cursor.take(if is_dict { b'}' } else { b']' });
                if !is_empty {
                    let start = u32::try_from(self.stack.len()).map_err(|_| cursor.fault(Reason::TooMuchMemory))?;
                    self.open.push(Open { is_dict, start });
                    if is_dict {
                        self.key(draft, cursor)?;
                    }
                    return Ok(None);
                }
                if is_dict { draft.dict(&[]) } else { draft.list(&[]) }
            }
            Some(b'n') => word(cursor, "null", NodeId::NONE)?,
            Some(b't') => word(cursor, "true", NodeId::TRUE)?,
            Some(b'f') => word(cursor, "false", NodeId::FALSE)?,
            _ => number(draft, cursor)?,
        };
        loop {
            let Some(Open { is_dict, start }) = self.open.last().copied() else { return Ok(Some(complete)) };
            self.stack.push(complete);
            cursor.skip_space();
            match cursor.peek() {
                Some(b',') => {
                    cursor.bump();
                    cursor.skip_space();
                    if is_dict {
                        self.key(draft, cursor)?;
                    }
                    return Ok(None);
                }
                Some(b']') if !is_dict => complete = draft.list(self.above(start)),
                Some(b'}') if is_dict => complete = draft.dict(self.above(start)),
                _ if is_dict => return Err(cursor.missing("`,` or `}`")),
                _ => return Err(cursor.missing("`,` or `]`")),
            }
            cursor.bump();
            self.stack.truncate(start as usize);
            self.open.pop();
            self.step(draft, cursor)?;
        }
    }

    fn above(&self, start: u32) -> &[NodeId] {
        self.stack.get(start as usize..).unwrap_or_default()
    }

    /// Reads a key and its colon.
    #[inline]
    fn key(&mut self, draft: &mut Draft, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let start = cursor.at();
        let key = cursor.key()?;
        let key = self.text(draft, key, start)?;
        self.stack.push(key);
        Ok(())
    }

    /// Adds a string whose first quote was at `start`.
    #[inline]
    fn text(&mut self, draft: &mut Draft, text: Text<'_>, start: usize) -> Result<NodeId, Fault> {
        let escaped = match text {
            Text::Plain(text) => return Ok(draft.chars(text)),
            Text::Escaped(escaped) => escaped,
        };
        self.text.clear();
        let surrogates = string::unescape(escaped, &mut self.text)
            .map_err(|fault| Fault { at: start.saturating_add(1).saturating_add(fault.at), ..fault })?;
        Ok(if surrogates { draft.surrogates(&self.text) } else { draft.chars(&self.text) })
    }
}

/// Goes past this word, which must be there.
fn word(cursor: &mut Cursor<'_>, word: &str, id: NodeId) -> Result<NodeId, Fault> {
    if !cursor.rest().starts_with(word.as_bytes()) {
        return Err(cursor.missing("a value"));
    }
    cursor.skip(word.len());
    Ok(id)
}

fn number(draft: &mut Draft, cursor: &mut Cursor<'_>) -> Result<NodeId, Fault> {
    let (number, len) = number::parse(cursor.rest()).map_err(|reason| cursor.fault(reason))?;
    cursor.skip(len);
    Ok(match number {
        Parsed::Int(Number::Small(value)) => draft.int(value),
        Parsed::Int(Number::Big(bytes)) => draft.big_int(&bytes),
        Parsed::Float(value) => draft.float(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &[u8]) -> Result<NodeId, Fault> {
        Parser::default().parse(&mut Draft::new(), json, usize::MAX)
    }

    #[test]
    fn every_fault_is_found_where_it_is() {
        for (json, at, reason) in [
            (&b""[..], 0, Reason::EndsEarly),
            (b" [1, ", 5, Reason::EndsEarly),
            (b"[1", 2, Reason::EndsEarly),
            (b"{", 1, Reason::EndsEarly),
            (b"{\"a\"", 4, Reason::EndsEarly),
            (b"{\"a\":1", 6, Reason::EndsEarly),
            (b"[\"a", 3, Reason::EndsEarly),
            (b"[1 2]", 3, Reason::Missing("`,` or `]`")),
            (b"[1}", 2, Reason::Missing("`,` or `]`")),
            (b"{\"a\":1]", 6, Reason::Missing("`,` or `}`")),
            (b"[1,]", 3, Reason::Missing("a value")),
            (b"{\"a\":1,}", 7, Reason::Missing("a key in double quotes")),
            (b"{1:2}", 1, Reason::Missing("a key in double quotes")),
            (b"{'a':2}", 1, Reason::Missing("a key in double quotes")),
            (b"{\"a\" 1}", 5, Reason::Missing("`:`")),
            (b"{\"a\":}", 5, Reason::Missing("a value")),
            (b"nil", 0, Reason::Missing("a value")),
            (b"]", 0, Reason::Missing("a value")),
            (b"\xef\xbb\xbf{}", 0, Reason::Missing("a value")),
            (b"{} {}", 3, Reason::MoreFollows),
            (b"01", 1, Reason::MoreFollows),
            (b"[null]\0", 6, Reason::MoreFollows),
            (b"[\"a\xff\"]", 3, Reason::NotUtf8),
            (b"[\"\xed\xa0\x80\"]", 2, Reason::NotUtf8),
            (b"[\"a\\x\"]", 3, Reason::BadString),
            (b"[\"a\nb\"]", 3, Reason::BadString),
            (&[&b"[1, "[..], &[b'7'; 5000], b"]"].concat(), 4, Reason::BadNumber),
        ] {
            assert_eq!(parse(json), Err(Fault { at, reason }), "{}", json.escape_ascii());
        }
    }

    #[test]
    fn memory_is_bounded_and_used_again() {
        let (mut parser, mut draft) = (Parser::default(), Draft::new());
        for json in [
            b"[".repeat(300_000),
            [b"[".repeat(300_000), b"]".repeat(300_000)].concat(),
            [&b"["[..], &b"0,".repeat(300_000), b"0]"].concat(),
            [&b"["[..], &b"{},".repeat(300_000), b"0]"].concat(),
            [&b"{"[..], &b"\"\":0,".repeat(300_000), b"\"\":0}"].concat(),
        ] {
            draft.reset(usize::MAX);
            let fault = parser.parse(&mut draft, &json, 1_000_000).expect_err("it is too much");
            assert!(matches!(fault.reason, Reason::TooMuchMemory | Reason::EndsEarly), "{fault:?}");
            assert!(draft.allocated() + parser.allocated() <= 1_000_000, "{}", draft.allocated());
            draft.reset(usize::MAX);
            parser.parse(&mut draft, &json, usize::MAX).ok();
            (parser, draft) = (Parser::default(), Draft::new());
        }
    }
}
