#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod ascii;
mod class;
mod condition;
mod decoder;
mod encoder;
mod fault;
mod json;
mod pickle;
pub mod text;
mod typed;

pub use condition::Condition;
pub use decoder::{Decoded, Decoder, Found};
pub use encoder::Encoder;
pub use typed::Typed;
