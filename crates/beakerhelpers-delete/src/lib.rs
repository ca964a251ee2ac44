#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
mod command;
mod delete;
mod selection;
#[cfg(test)]
mod tests;

pub use delete::{Condemned, delete_sessions};
pub use selection::Selection;
