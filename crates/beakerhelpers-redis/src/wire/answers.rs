//! What a server answers, in RESP2, the protocol that every Redis speaks
//! (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use std::io::{self, BufRead, BufReader, Read};

use redis::{RedisResult, Value, parse_redis_value};

use crate::pipeline::unexpected;

/// So much is read from the socket at once.
const AHEAD: usize = 1 << 18;
/// A line is a number, or what the server says in words.
const LONGEST_LINE: u64 = 1 << 16;
/// Redis has no larger string (`proto-max-bulk-len`), and no answer to what is asked here has more than one of these.
const LARGEST: u64 = 512 << 20;
/// So much memory each part of an answer takes beside its string.
const PART: u64 = 64;
/// So much of a string is believed before it came.
const BELIEVED: u64 = 1 << 16;
/// More items than any answer has to what is asked here.
const MOST_ITEMS: u64 = 1 << 20;
/// An answer to `SCAN` has a list in a list.
const DEEPEST: usize = 4;

/// Reads one answer after another.
pub(super) struct Answers<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    /// So much memory an answer may take, and what is left of that for the rest of one.
    most: u64,
    left: u64,
}

impl<R: Read> Answers<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(AHEAD, reader), line: Vec::new(), most: LARGEST + (1 << 20), left: 0 }
    }

    /// To write to.
    pub(super) fn get_mut(&mut self) -> &mut R {
        self.reader.get_mut()
    }

    /// The next answer. After an error the connection must not be used any more.
    pub(super) fn next(&mut self) -> RedisResult<Value> {
        self.left = self.most;
        self.nested(DEEPEST)
    }

    /// As [`next`](Self::next), but a string of more bytes is passed over: `None`.
    pub(super) fn next_up_to(&mut self, most: usize) -> RedisResult<Option<Value>> {
        self.left = self.most;
        self.read_line()?;
        if self.line.first() == Some(&b'$')
            && let Some(length) = self.length(u64::MAX)?
            && length > most as u64
        {
            let passed = io::copy(&mut self.reader.by_ref().take(length), &mut io::sink())?;
            self.end_string(passed == length)?;
            return Ok(None);
        }
        self.parse(DEEPEST).map(Some)
    }

    fn nested(&mut self, deeper: usize) -> RedisResult<Value> {
        self.read_line()?;
        self.parse(deeper)
    }

    /// What the line that was read begins.
    fn parse(&mut self, deeper: usize) -> RedisResult<Value> {
        self.spend(PART + self.line.len() as u64)?;
        match self.line.first() {
            Some(b'$') => self.length(LARGEST)?.map_or(Ok(Value::Nil), |length| self.string(length)),
            Some(b'*') => {
                let Some(deeper) = deeper.checked_sub(1) else { return Err(unexpected()) };
                let Some(items) = self.length(MOST_ITEMS)? else { return Ok(Value::Nil) };
                let mut array = Vec::new();
                for _ in 0..items {
                    array.push(self.nested(deeper)?);
                }
                Ok(Value::Array(array))
            }
            Some(b':') => number(&self.line).map(Value::Int).ok_or_else(unexpected),
            // The client knows all errors by their words.
            Some(b'+' | b'-') => parse_redis_value(&self.line),
            _ => Err(unexpected()),
        }
    }

    fn read_line(&mut self) -> RedisResult<()> {
        self.line.clear();
        self.reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        match self.line.as_slice() {
            [.., b'\r', b'\n'] => Ok(()),
            line if line.len() as u64 == LONGEST_LINE || line.ends_with(b"\n") => Err(unexpected()),
            _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    /// The number in the line; `None`: there is nothing.
    fn length(&self, most: u64) -> RedisResult<Option<u64>> {
        match number(&self.line) {
            Some(-1) => Ok(None),
            number => {
                let length = number.and_then(|number| u64::try_from(number).ok()).filter(|length| *length <= most);
                length.map(Some).ok_or_else(unexpected)
            }
        }
    }

    fn spend(&mut self, bytes: u64) -> RedisResult<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(unexpected)?;
        Ok(())
    }

    fn string(&mut self, length: u64) -> RedisResult<Value> {
        self.spend(length)?;
        if length <= BELIEVED {
            let length = usize::try_from(length).map_err(|_| unexpected())?;
            let mut bytes = vec![0; length + 2];
            self.reader.read_exact(&mut bytes)?;
            if !bytes.ends_with(b"\r\n") {
                return Err(unexpected());
            }
            bytes.truncate(length);
            return Ok(Value::BulkString(bytes));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(BELIEVED).unwrap_or_default());
        let read = self.reader.by_ref().take(length).read_to_end(&mut bytes)?;
        self.end_string(read as u64 == length).map(|()| Value::BulkString(bytes))
    }

    fn end_string(&mut self, is_whole: bool) -> RedisResult<()> {
        if !is_whole {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let mut end = [0; 2];
        self.reader.read_exact(&mut end)?;
        if end == *b"\r\n" { Ok(()) } else { Err(unexpected()) }
    }
}

/// The number in a line, after what says that it is one.
fn number(line: &[u8]) -> Option<i64> {
    str::from_utf8(line.get(1..line.len().checked_sub(2)?)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
