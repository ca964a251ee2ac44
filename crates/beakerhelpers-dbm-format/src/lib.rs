#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests may panic"))]

mod berkeley;
mod bound;
mod dumb;
mod error;
mod format;
mod gdbm;
mod one;
mod packed;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use dumb::{DumbIndex, Entry, pairs as dumb_pairs, value as dumb_value};
pub use error::LARGEST;
pub use format::{Files, Format, Found, Suffix};
pub use one::Content;
pub use packed::{Packed, Pair, Pairs};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqlitePairs, SqliteTable};
