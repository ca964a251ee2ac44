//! Who holds a lock on a database, as far as the kernel tells everyone.

use std::fmt::Write as _;
use std::fs;

use beakerhelpers_core::escape_controls;

use super::files::{Files, Inode, inode};

/// SQLite's locks on the database's file: pending, reserved and the shared range (`PENDING_BYTE` in its `os.h`).
const MAIN: std::ops::RangeInclusive<u64> = 0x4000_0000..=0x4000_01ff;
/// Its locks on the `-shm` file that a writer, a checkpoint or a recovery holds (`WAL_WRITE_LOCK` and on, from offset
/// 120, in `wal.c` and `os_unix.c`); the bytes after these belong to readers, who never stop a writer.
const SHM: std::ops::RangeInclusive<u64> = 120..=122;
const WAL_READERS: std::ops::RangeInclusive<u64> = 123..=127;

/// Names the processes that hold a lock: "`python3` (process 812)", more than one separated by commas. `None` where
/// the kernel does not say, such as for a process on another host.
pub(crate) fn describe(files: &Files) -> Option<String> {
    let number = |path| fs::metadata(path).ok().as_ref().and_then(inode);
    let (main, shm) = (number(&files.main), number(&files.shm));
    // The list is handed out in pieces and may skip a lock while others come and go.
    let held = (0..5).find_map(|_| {
        let locks = fs::read_to_string("/proc/locks").ok()?;
        Some(holders(&locks, main, shm, std::process::id())).filter(|held| !held.is_empty())
    })?;
    let mut text = String::new();
    for pid in held {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = match fs::read_to_string(format!("/proc/{pid}/comm")) {
            Ok(name) => write!(text, "{separator}`{}` (process {pid})", escape_controls(name.trim_end())),
            Err(_) => write!(text, "{separator}process {pid}"),
        };
    }
    Some(text)
}

/// The processes that are in the way, each once: those that write, where there are any, else those that read.
fn holders(locks: &str, main: Option<Inode>, shm: Option<Inode>, us: u32) -> Vec<u32> {
    let (mut writers, mut readers) = (Vec::new(), Vec::new());
    for lock in locks.lines().filter_map(Lock::parse).filter(|lock| lock.pid != us) {
        let on = |file: Option<Inode>, range: &std::ops::RangeInclusive<u64>| {
            file == Some(lock.inode) && lock.start <= *range.end() && lock.end >= *range.start()
        };
        let list = match lock.writes {
            true if on(main, &MAIN) || on(shm, &SHM) => &mut writers,
            // In WAL mode every connection keeps its shared lock on the file, which says nothing.
            false if shm.is_none() && on(main, &MAIN) => &mut readers,
            false if on(shm, &WAL_READERS) => &mut readers,
            _ => continue,
        };
        if !list.contains(&lock.pid) {
            list.push(lock.pid);
        }
    }
    if writers.is_empty() { readers } else { writers }
}

struct Lock {
    writes: bool,
    pid: u32,
    inode: Inode,
    start: u64,
    end: u64,
}

impl Lock {
    /// Reads `1: POSIX  ADVISORY  WRITE 812 fe:00:1312 1073741825 1073741825`. A line with `->` is one who waits.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        if !matches!(fields.next()?, "POSIX" | "OFDLCK") {
            return None;
        }
        let writes = fields.nth(1)? == "WRITE";
        let pid = fields.next()?.parse().ok().filter(|pid| *pid > 0)?;
        let mut file = fields.next()?.split(':');
        let (major, minor) = (file.next()?, file.next()?);
        let inode = Inode {
            major: u64::from_str_radix(major, 16).ok()?,
            minor: u64::from_str_radix(minor, 16).ok()?,
            number: file.next()?.parse().ok()?,
        };
        let start = fields.next()?.parse().ok()?;
        let end = fields.next().map(|end| end.parse().unwrap_or(u64::MAX))?;
        Some(Self { writes, pid, inode, start, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: &str = "\
1: POSIX  ADVISORY  WRITE 812 fe:10:1312 1073741825 1073741825
1: -> POSIX  ADVISORY  WRITE 813 fe:10:1312 1073741825 1073741825
2: POSIX  ADVISORY  READ  814 fe:10:1312 1073741826 1073742335
3: FLOCK  ADVISORY  WRITE 815 fe:10:1312 0 EOF
4: POSIX  ADVISORY  WRITE 816 fe:11:1312 1073741825 1073741825
5: POSIX  ADVISORY  WRITE 812 fe:10:1312 1073741824 1073741824
6: POSIX  ADVISORY  WRITE 817 fe:10:1313 120 120
7: POSIX  ADVISORY  READ  818 fe:10:1313 124 124
8: POSIX  ADVISORY  READ  818 fe:10:1313 128 128
nonsense
";

    const fn file(number: u64) -> Inode {
        Inode { major: 0xfe, minor: 0x10, number }
    }

    #[test]
    fn writers_are_named_once_and_nobody_else_with_them() {
        assert_eq!(holders(LOCKS, Some(file(1312)), None, 1), [812]);
        assert_eq!(holders(LOCKS, Some(file(1312)), Some(file(1313)), 812), [817]);
    }

    #[test]
    fn readers_are_named_where_no_one_writes() {
        assert_eq!(holders(LOCKS, Some(file(1312)), None, 812), [814]);
        assert_eq!(holders(LOCKS, Some(file(99)), Some(file(1313)), 817), [818]);
        assert_eq!(holders(LOCKS, Some(file(99)), None, 1), [0_u32; 0]);
    }
}
