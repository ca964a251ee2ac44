#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod decoder;
mod pickle;
pub mod text;

pub use decoder::{Decoded, Decoder, Found};
