//! The keys that a server lists.
//!
//! They are taken as fast as they come and kept aside, in memory or in a file without a name: while a server lists, it
//! lists for nobody else, and removes nothing that has expired.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use beakerhelpers_core::{Expiry, Timestamp};
use tempfile::SpooledTempFile;

use crate::key::{Key, is_session};

/// So many bytes of keys stay in memory.
const IN_MEMORY: usize = 1 << 20;
/// The sessions that are read at once may be so long together, going by what the server said.
const AT_ONCE: u64 = 4 << 20;

/// So many sessions are told apart, in some 60 MB of memory. Of more, a server is asked once.
const TOLD_APART: usize = 3_670_016;
/// A server is asked so often at most.
const ROUNDS: u32 = 5;

/// Takes the lines of listings.
///
/// memcached leaves out what somebody reads at the moment, and for up to a second what was read for the second time (seen
/// with 1.6.18); and it goes through several lists while it moves items from one to another: what moves is missing, or
/// there twice. So it is asked again until nothing new comes.
pub(crate) struct Spool {
    kept: io::BufWriter<SpooledTempFile>,
    hasher: RandomState,
    seen: HashSet<u64>,
    round: u32,
    new: u64,
}

impl Default for Spool {
    fn default() -> Self {
        let kept = io::BufWriter::new(SpooledTempFile::new(IN_MEMORY));
        Self { kept, hasher: RandomState::new(), seen: HashSet::new(), round: 0, new: 0 }
    }
}

impl Spool {
    /// Whether the server need not be asked again.
    pub(crate) fn is_done(&mut self) -> bool {
        self.round += 1;
        std::mem::take(&mut self.new) == 0 || self.round == ROUNDS || self.seen.len() >= TOLD_APART
    }

    /// Keeps what is needed of a line such as `key=…_session exp=-1 la=… cas=… fetch=no cls=1 size=77`, if it is of a
    /// session.
    pub(crate) fn take(&mut self, line: &[u8]) -> io::Result<()> {
        let field = |name: &[u8]| line.split(|byte| *byte == b' ').find_map(|field| field.strip_prefix(name));
        let Some(key) = field(b"key=").filter(|key| is_session(key)) else { return Ok(()) };
        if self.seen.len() < TOLD_APART && !self.seen.insert(self.hasher.hash_one(key)) {
            return Ok(());
        }
        self.new += 1;
        for field in [field(b"exp=").unwrap_or(b"-"), b" ", field(b"size=").unwrap_or(b"-"), b" ", key, b"\n"] {
            self.kept.write_all(field)?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> io::Result<Keys> {
        let mut file = self.kept.into_inner()?;
        file.rewind()?;
        Ok(Keys { lines: BufReader::new(file), put_back: Vec::new() })
    }
}

/// What a server listed of one session.
pub(crate) struct Entry {
    /// `None` where it has characters that no id has, or that cannot be sent back.
    pub(crate) session: Option<(Key, String)>,
    pub(crate) expiry: Expiry,
    size: u64,
}

/// The sessions that a server listed.
pub(crate) struct Keys {
    lines: BufReader<SpooledTempFile>,
    /// The last comes first.
    put_back: Vec<Entry>,
}

impl Keys {
    /// The next sessions, `most` or fewer: none at the end, and at least one before it.
    pub(crate) fn some(&mut self, most: usize) -> io::Result<Vec<Entry>> {
        let (mut entries, mut size) = (Vec::new(), 0_u64);
        while entries.len() < most {
            let Some(entry) = self.next()? else { break };
            size = size.saturating_add(entry.size);
            if size > AT_ONCE && !entries.is_empty() {
                self.put_back.push(entry);
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Gives back what was not looked at.
    pub(crate) fn put_back(&mut self, entries: impl DoubleEndedIterator<Item = Entry>) {
        self.put_back.extend(entries.rev());
    }

    fn next(&mut self) -> io::Result<Option<Entry>> {
        if let Some(entry) = self.put_back.pop() {
            return Ok(Some(entry));
        }
        let mut line = Vec::new();
        // Each was read as a line before, and is as short.
        self.lines.by_ref().take(1 << 16).read_until(b'\n', &mut line)?;
        line.pop_if(|last| *last == b'\n');
        let mut fields = line.splitn(3, |byte| *byte == b' ');
        let (Some(expires), Some(size), Some(key)) = (fields.next(), fields.next(), fields.next()) else {
            return Ok(None);
        };
        let number = |field: &[u8]| std::str::from_utf8(field).ok()?.parse::<i64>().ok();
        let session = Key::listed(key).and_then(|key| key.id().map(|id| (key, id)));
        let expiry = match number(expires) {
            Some(-1) => Expiry::Never,
            Some(at) if at > 0 => Expiry::At(Timestamp::from_secs(at)),
            _ => Expiry::Usual,
        };
        Ok(Some(Entry { session, expiry, size: number(size).and_then(|size| u64::try_from(size).ok()).unwrap_or(0) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(lines: &[&str]) -> Keys {
        let mut spool = Spool::default();
        for line in lines {
            spool.take(line.as_bytes()).unwrap();
        }
        spool.finish().unwrap()
    }

    fn ids(entries: &[Entry]) -> Vec<Option<&str>> {
        entries.iter().map(|entry| entry.session.as_ref().map(|(_, id)| id.as_str())).collect()
    }

    #[test]
    fn sessions_are_told_from_the_rest() {
        let mut keys = listed(&[
            "key=a_session exp=-1 la=1795286583 cas=1 fetch=no cls=1 size=77",
            "key=a_lock exp=-1 size=77",
            "key=b%0A_session exp=1795286583 size=77",
            "key=c_session",
            "exp=3",
            "",
        ]);
        let entries = keys.some(10).unwrap();
        assert_eq!(ids(&entries), [Some("a"), None, Some("c")]);
        let expiry: Vec<_> = entries.iter().map(|entry| entry.expiry).collect();
        assert_eq!(expiry, [Expiry::Never, Expiry::At(Timestamp::from_secs(1_795_286_583)), Expiry::Usual]);
        assert!(keys.some(10).unwrap().is_empty());
    }

    #[test]
    fn a_server_is_asked_until_nothing_new_comes() {
        let mut spool = Spool::default();
        for (lines, done) in [(&["a", "b"][..], false), (&["c", "b"], false), (&["a", "c", "b", "a"], true)] {
            for id in lines {
                spool.take(format!("key={id}_session exp=-1 size=9").as_bytes()).unwrap();
            }
            assert_eq!(spool.is_done(), done);
        }
        assert_eq!(ids(&spool.finish().unwrap().some(10).unwrap()), [Some("a"), Some("b"), Some("c")]);
        assert!(Spool::default().is_done());
    }

    #[test]
    fn what_is_read_at_once_is_bounded_by_number_and_size() {
        let large = format!("size={}", 3 << 20);
        let line = |id: usize, rest: &str| format!("key={id}_session exp=-1 {rest}");
        let lines = [line(0, "size=1"), line(1, &large), line(2, &large), line(3, "size=1"), line(4, "size=99999999")];
        let mut keys = listed(&lines.each_ref().map(String::as_str));
        assert_eq!(ids(&keys.some(10).unwrap()), [Some("0"), Some("1")]);
        let entries = keys.some(10).unwrap();
        assert_eq!(ids(&entries), [Some("2"), Some("3")]);
        keys.put_back(entries.into_iter());
        assert_eq!(ids(&keys.some(1).unwrap()), [Some("2")]);
        assert_eq!(ids(&keys.some(10).unwrap()), [Some("3")]);
        assert_eq!(ids(&keys.some(10).unwrap()), [Some("4")]);
        assert!(keys.some(10).unwrap().is_empty());
    }

    #[test]
    fn more_than_memory_holds_is_listed_too() {
        let mut spool = Spool::default();
        for n in 0..30_000 {
            spool.take(format!("key={n:032}_session exp=-1 size=77").as_bytes()).unwrap();
        }
        let mut keys = spool.finish().unwrap();
        let mut count = 0;
        loop {
            let some = keys.some(1000).unwrap().len();
            if some == 0 {
                break;
            }
            count += some;
        }
        assert_eq!(count, 30_000);
    }
}
