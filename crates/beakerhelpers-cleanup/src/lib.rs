#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
mod ages;
mod cleanup;
mod clock;
#[cfg(feature = "command")]
mod command;
#[cfg(feature = "command")]
mod follow;
#[cfg(feature = "command")]
mod locks;
#[cfg(feature = "command")]
mod summary;

pub use cleanup::{Cleanup, cleanup_sessions};
pub use clock::ClockCheck;
