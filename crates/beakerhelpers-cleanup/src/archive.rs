//! What a cleanup deleted, in a file: JSON Lines in gzip.
//!
//! The first line says what it is, the last one that the cleanup has ended; each other line is a session. Each batch is one
//! gzip member, so that a cleanup that is killed loses no batch but the last, which was not deleted. `zcat` reads it.

mod line;
mod lines;
mod name;
mod read;
mod write;

pub use name::archive_name;
pub use read::{ArchiveEnd, ArchiveReader};
pub use write::ArchiveWriter;

/// Longer lines are neither written nor read: some 70 MiB of contents.
const LONGEST: usize = 96 << 20;
