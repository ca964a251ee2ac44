#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod ascii;
mod cipher;
mod class;
mod classes;
mod clock;
mod condition;
pub mod cookie;
mod decoder;
mod encoder;
mod fault;
mod json;
mod objects;
mod pickle;
mod probe;
mod settings;
pub mod text;
mod times;
mod typed;

pub use cipher::Cipher;
pub use classes::{Class, classes};
pub use clock::{OtherZone, SeenZone};
pub use condition::{Condition, Sought};
pub use decoder::{Decoded, Decoder, Found};
pub use encoder::{Encoder, reframe};
pub use objects::ObjectDict;
pub use probe::refuses_all;
pub use settings::Settings;
pub use times::AccessedTime;
pub use typed::Typed;
