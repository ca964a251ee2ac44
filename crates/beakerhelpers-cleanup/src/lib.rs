#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
mod ages;
mod archive;
mod cleanup;
mod clock;
#[cfg(feature = "command")]
mod command;
#[cfg(feature = "command")]
mod follow;
#[cfg(feature = "command")]
mod gate;
#[cfg(feature = "command")]
mod lag;
#[cfg(feature = "command")]
mod locks;
#[cfg(feature = "command")]
mod options;
mod restore;
#[cfg(feature = "command")]
mod restore_command;
#[cfg(feature = "command")]
mod summary;
#[cfg(all(test, feature = "command"))]
mod tests;
#[cfg(feature = "command")]
mod why;

pub use archive::{ArchiveEnd, ArchiveReader, ArchiveWriter, archive_name};
pub use cleanup::{Cleanup, cleanup_sessions};
pub use clock::ClockCheck;
pub use restore::{RestoreMode, Restored, restore_sessions};
