#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
mod command;
mod copy;
mod form;
mod judge;
mod outcome;
mod place;
#[cfg(feature = "command")]
mod report;
mod run;
#[cfg(feature = "command")]
mod summary;
#[cfg(test)]
mod tests;

pub use copy::{Copy, CopyMode};
pub use outcome::{Copied, Difference, Ended, Observer};
pub use place::Place;
