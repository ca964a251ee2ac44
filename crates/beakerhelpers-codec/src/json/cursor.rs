//! JSON from the front, in bytes; nothing can be read past its end.

use super::string::{self, Text};
use crate::fault::{Fault, Reason};

/// What may stand between the parts of JSON.
pub(super) const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

pub(super) struct Cursor<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(json: &'a [u8]) -> Self {
        Self { json, at: 0 }
    }

    #[inline]
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.json.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(super) const fn bump(&mut self) {
        self.skip(1);
    }

    #[inline]
    pub(super) const fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Goes past this byte, if it is there.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.bump();
        }
        there
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.bump();
        }
    }

    /// Reads a string, of which the first quote is there.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'a>, Fault> {
        let (text, end) = string::scan(self.json, self.at.saturating_add(1))?;
        self.at = end;
        Ok(text)
    }

    /// Reads a key and its colon, and goes to what follows.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Text<'a>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.missing("a key in double quotes"));
        }
        let key = self.string()?;
        self.skip_space();
        if !self.take(b':') {
            return Err(self.missing("`:`"));
        }
        self.skip_space();
        Ok(key)
    }

    /// This is missing, or all the rest.
    pub(super) fn missing(&self, what: &'static str) -> Fault {
        self.fault(if self.peek().is_some() { Reason::Missing(what) } else { Reason::EndsEarly })
    }

    pub(super) const fn fault(&self, reason: Reason) -> Fault {
        Fault { at: self.at, reason }
    }
}
