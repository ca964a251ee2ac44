//! How long a walk through a file may go on.

use std::fs::File;

/// What is read of a file that has next to nothing in it.
const LEAST: u64 = 256 << 20;
/// A file system that compresses takes so much less for a file, at most.
const COMPRESSED: u64 = 64;

/// How many bytes of a file a walk may read: each once, but a file may have holes of any size, and lead into them from
/// everywhere.
pub(crate) fn readable(file: &File) -> u64 {
    let Ok(facts) = file.metadata() else { return LEAST };
    #[cfg(unix)]
    let taken = std::os::unix::fs::MetadataExt::blocks(&facts).saturating_mul(512);
    #[cfg(not(unix))]
    let taken = facts.len();
    facts.len().min(taken.saturating_mul(COMPRESSED).saturating_add(LEAST))
}
