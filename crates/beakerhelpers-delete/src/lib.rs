#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
mod command;
mod delete;
mod selection;

pub use delete::{Condemned, delete_sessions};
pub use selection::Selection;
