//! Some keys, and how their values are asked for and read.

use redis::{RedisResult, Value};

use crate::failure::{Trouble, trouble};
use crate::pipeline::{Pipeline, bytes, is_elsewhere, is_wrong_type, number, unexpected};
use crate::wire::{Strings, Wire};

/// So many bytes of each value are read with the others of its page, which is nearly always the whole value.
const PART: usize = 16 << 10;
/// So many whole values are asked for in one command.
const TOGETHER: usize = 16;

/// Some keys.
pub(super) struct Page {
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) way: Way,
}

/// How the server is asked for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The beginning of each.
    Single,
    /// The same, and what `PTTL` says.
    WithExpiry,
    /// Many whole ones in one command.
    Together,
}

/// What was read of a page.
pub(super) struct Read {
    /// What was read of each key, and how long it has left.
    pub(super) values: Vec<(Part, Option<i64>)>,
    /// Whether one of them is longer than what is read at once.
    pub(super) long: bool,
    /// The server refuses to give many together.
    pub(super) refused: bool,
}

/// What was read of a value.
pub(crate) enum Part {
    /// All of it.
    Whole(Vec<u8>),
    /// It is empty, or not there any more, or longer than what is read at once.
    Unknown,
    /// It is no string.
    WrongType,
}

impl Page {
    /// Asks for the values.
    pub(super) fn send(&self, wire: &mut Wire) -> RedisResult<()> {
        let mut pipeline = Pipeline::default();
        if self.way == Way::Together {
            for keys in self.keys.chunks(TOGETHER) {
                let words: Vec<_> = [b"MGET".as_slice()].into_iter().chain(keys.iter().map(Vec::as_slice)).collect();
                pipeline.add_words(&words);
            }
            return pipeline.send(wire);
        }
        let mut last = itoa::Buffer::new();
        let last = last.format(PART - 1).as_bytes();
        for key in &self.keys {
            pipeline.add_words(&[b"GETRANGE", key, b"0", last]);
            if self.way == Way::WithExpiry {
                pipeline.add_words(&[b"PTTL", key]);
            }
        }
        pipeline.send(wire)
    }

    /// Reads the answers.
    pub(super) fn read(&self, wire: &mut Wire) -> RedisResult<Read> {
        let mut read = Read { values: Vec::with_capacity(self.keys.len()), long: false, refused: false };
        if self.way == Way::Together {
            for keys in self.keys.chunks(TOGETHER) {
                read_together(wire, keys.len(), &mut read)?;
            }
            return Ok(read);
        }
        for _ in &self.keys {
            let value = match bytes(wire.answer()?) {
                Ok(value) => {
                    read.long |= value.as_ref().is_some_and(|bytes| bytes.len() >= PART);
                    whole(value.filter(|bytes| bytes.len() < PART))
                }
                Err(error) if is_wrong_type(&error) => Part::WrongType,
                Err(error) if is_elsewhere(&error) => Part::Unknown,
                Err(error) => return Err(error),
            };
            let left = if self.way == Way::WithExpiry { left(&wire.answer()?)? } else { None };
            read.values.push((value, left));
        }
        Ok(read)
    }
}

/// Reads what one command gives of so many keys.
fn read_together(wire: &mut Wire, keys: usize, read: &mut Read) -> RedisResult<()> {
    match wire.strings(PART)? {
        Ok(Strings { values, passed }) if values.len() == keys => {
            read.long |= passed > 0;
            // Where there is none it may be of another type.
            read.values.extend(values.into_iter().map(|value| (whole(value), None)));
            Ok(())
        }
        Ok(_) => Err(unexpected()),
        // This user may not, or the server has the command under another name.
        Err(refusal) if trouble(&refusal) == Trouble::Final => {
            read.refused = true;
            read.values.extend((0..keys).map(|_| (Part::Unknown, None)));
            Ok(())
        }
        Err(refusal) => Err(refusal),
    }
}

fn whole(value: Option<Vec<u8>>) -> Part {
    value.filter(|bytes| !bytes.is_empty()).map_or(Part::Unknown, Part::Whole)
}

/// What `PTTL` says; of a key that is elsewhere it says nothing.
fn left(answer: &Value) -> RedisResult<Option<i64>> {
    match number(answer) {
        Ok(left) => Ok(Some(left)),
        Err(error) if is_elsewhere(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
