//! What a cleanup deleted, in a file: JSON Lines in gzip.
//!
//! The first line says what it is; each other line is a session. Each batch is one gzip member, so that a file that was
//! cut loses no batch but the last, which was not deleted. `zcat` reads it.

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
