//! Reads a pickle from the front; nothing can be read past its end.

use crate::fault::Reason;

pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(source: &'a [u8]) -> Self {
        Self { rest: source, len: source.len() }
    }

    #[inline]
    pub(super) const fn position(&self) -> usize {
        self.len.saturating_sub(self.rest.len())
    }

    #[inline]
    pub(super) const fn byte(&mut self) -> Result<u8, Reason> {
        match self.rest.split_first() {
            Some((byte, rest)) => {
                self.rest = rest;
                Ok(*byte)
            }
            None => Err(Reason::EndsEarly),
        }
    }

    /// The operand of an opcode that has one byte, where that is the next.
    #[inline]
    pub(super) const fn operand1(&mut self, opcode: u8) -> Option<u8> {
        match self.rest {
            [first, operand, rest @ ..] if *first == opcode => {
                self.rest = rest;
                Some(*operand)
            }
            _ => None,
        }
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Reason::EndsEarly)?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Reason> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Reason::EndsEarly)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Bytes behind their length in one byte.
    #[inline]
    pub(super) fn bytes1(&mut self) -> Result<&'a [u8], Reason> {
        let len = self.byte()?;
        self.bytes(len.into())
    }

    /// Bytes behind their length in four bytes.
    #[inline]
    pub(super) fn bytes4(&mut self) -> Result<&'a [u8], Reason> {
        let len = self.u32()?;
        self.bytes(usize::try_from(len).map_err(|_| Reason::EndsEarly)?)
    }

    /// Bytes behind their length in four bytes with a sign.
    pub(super) fn bytes_signed4(&mut self) -> Result<&'a [u8], Reason> {
        let len = self.i32()?;
        self.bytes(usize::try_from(len).map_err(|_| Reason::BadLength)?)
    }

    /// Bytes behind their length in eight bytes.
    pub(super) fn bytes8(&mut self) -> Result<&'a [u8], Reason> {
        let len = u64::from_le_bytes(self.array()?);
        self.bytes(usize::try_from(len).map_err(|_| Reason::EndsEarly)?)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, Reason> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(super) fn i32(&mut self) -> Result<i32, Reason> {
        self.array().map(i32::from_le_bytes)
    }

    /// A line without its end, which must be there.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Reason> {
        let len = self.rest.iter().position(|byte| *byte == b'\n').ok_or(Reason::EndsEarly)?;
        let line = self.bytes(len)?;
        self.byte()?;
        Ok(line)
    }

    /// Tests that a frame ends within the pickle. Where it ends means nothing more.
    pub(super) fn frame(&mut self) -> Result<(), Reason> {
        let len = u64::from_le_bytes(self.array()?);
        if usize::try_from(len).is_ok_and(|len| len <= self.rest.len()) { Ok(()) } else { Err(Reason::EndsEarly) }
    }
}
