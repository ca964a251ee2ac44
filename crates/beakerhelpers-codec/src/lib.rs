#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod classes;
mod clock;
mod condition;
mod decoder;
mod encoder;
mod pickle;
pub mod text;

pub use classes::{Class, classes};
pub use clock::OtherZone;
pub use condition::Condition;
pub use decoder::{Decoded, Decoder, Found};
pub use encoder::Encoder;
