//! Directories for what tests write.

use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// Where there is less room, other tests may need it.
const ROOM: u64 = 1 << 30;

/// A temporary directory, in memory where the system has such a place with room in it: whatever is synced to a disk a
/// thousand times there takes no time.
///
/// # Panics
///
/// Where none can be made.
#[must_use]
pub fn scratch() -> TempDir {
    let has_room = rustix::fs::statvfs(MEMORY).is_ok_and(|place| place.f_bavail.saturating_mul(place.f_frsize) >= ROOM);
    let made = if has_room { tempfile::tempdir_in(MEMORY) } else { tempfile::tempdir() };
    made.expect("a temporary directory can be made")
}
