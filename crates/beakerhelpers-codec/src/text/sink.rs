//! Text that must not become too long.

use std::fmt::{self, Write as _};

/// The text has reached its limit.
#[derive(Debug)]
pub(super) struct TooLong;

pub(super) type Put<T = ()> = Result<T, TooLong>;

/// A string that takes text up to a limit.
pub(super) struct Sink<'o> {
    out: &'o mut String,
    left: usize,
}

impl<'o> Sink<'o> {
    pub(super) const fn new(out: &'o mut String, most: usize) -> Self {
        Self { out, left: most }
    }

    /// How many bytes may still come.
    pub(super) const fn left(&self) -> usize {
        self.left
    }

    #[inline]
    pub(super) fn put(&mut self, text: &str) -> Put {
        self.left = self.left.checked_sub(text.len()).ok_or(TooLong)?;
        self.out.push_str(text);
        Ok(())
    }

    #[inline]
    pub(super) fn put_char(&mut self, char: char) -> Put {
        self.left = self.left.checked_sub(char.len_utf8()).ok_or(TooLong)?;
        self.out.push(char);
        Ok(())
    }

    pub(super) fn format(&mut self, text: fmt::Arguments<'_>) -> Put {
        self.write_fmt(text).map_err(|_| TooLong)
    }

    /// Lets something append what is short, whatever the limit.
    pub(super) fn short(&mut self, write: impl FnOnce(&mut String)) -> Put {
        let before = self.out.len();
        write(self.out);
        self.left = self.left.checked_sub(self.out.len().saturating_sub(before)).ok_or(TooLong)?;
        Ok(())
    }
}

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text).map_err(|_| fmt::Error)
    }
}
