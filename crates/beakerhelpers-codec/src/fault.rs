//! What is wrong with a pickle or with JSON, without a word of what is in it.

use std::fmt;

/// Where and why reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The offset of the opcode that could not be carried out, or of the value that could not be read.
    pub(crate) at: usize,
    pub(crate) reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    EndsEarly,
    UnknownOpcode(u8),
    Protocol(u8),
    StackEmpty,
    NoMark,
    NotInMemo,
    NotUtf8,
    BadNumber,
    BadString,
    BadLength,
    OddItems,
    OutOfBand,
    NotCallable,
    ArgumentsNoTuple,
    NoContainer,
    NoState,
    BadExtension,
    TooMuchMemory,
    /// What JSON must have there and has not.
    Missing(&'static str),
    MoreFollows,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndsEarly => "it ends early",
            Self::UnknownOpcode(opcode) => return write!(f, "there is no opcode 0x{opcode:02x}"),
            Self::Protocol(number) => return write!(f, "there is no protocol {number}"),
            Self::StackEmpty => "a value is taken that is not there",
            Self::NoMark => "a mark is missing",
            Self::NotInMemo => "a value is referred to that was not kept",
            Self::NotUtf8 => "text is not UTF-8",
            Self::BadNumber => "a number is malformed",
            Self::BadString => "a string is malformed",
            Self::BadLength => "a length is negative",
            Self::OddItems => "a key has no value",
            Self::OutOfBand => "its buffers are kept elsewhere",
            Self::NotCallable => "something is called that is no function or class",
            Self::ArgumentsNoTuple => "the arguments of a call are no tuple",
            Self::NoContainer => "an item is added to something that holds none",
            Self::NoState => "a state is given to something that has none",
            Self::BadExtension => "an extension code is not positive",
            Self::TooMuchMemory => "it would take too much memory",
            Self::Missing(what) => return write!(f, "{what} is missing"),
            Self::MoreFollows => "more follows after its end",
        })
    }
}
