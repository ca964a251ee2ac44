#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod ascii;
mod condition;
mod decoder;
mod fault;
mod json;
mod pickle;
pub mod text;

pub use condition::Condition;
pub use decoder::{Decoded, Decoder, Found};
