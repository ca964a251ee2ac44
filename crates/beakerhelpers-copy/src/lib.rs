#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
mod command;
mod copy;
mod form;
mod judge;
mod place;
#[cfg(feature = "command")]
mod report;
#[cfg(feature = "command")]
mod summary;
#[cfg(test)]
mod tests;

pub use copy::{Copied, Copy, CopyMode, Difference, Ended, Observer};
pub use place::Place;
