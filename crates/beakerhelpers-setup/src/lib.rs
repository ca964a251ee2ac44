#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
mod command;
mod count;
#[cfg(feature = "command")]
mod report;

pub use count::count_sessions;
