//! Keys that were given already.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// So many of the latest keys are known at least, and twice as many at most: 1 MB, which stays in the processor's cache.
const WINDOW: usize = 1 << 15;

/// Finds the keys that `SCAN` gives twice.
///
/// It does so where its hash table becomes smaller meanwhile: it then begins the bucket that it is in anew, which
/// covers several of the buckets that it came from. These are the latest keys, so that it is enough to know those: a
/// table would have to become smaller by the factor of the window, between two calls, to hide more.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Hashes by a function that nobody else knows.
    hasher: RandomState,
    latest: Hashes,
    earlier: Hashes,
}

type Hashes = HashSet<u64, BuildHasherDefault<Hashed>>;

/// What is a hash already needs no other.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Seen {
    /// Notes a key, and tells whether it is a new one.
    pub(crate) fn is_new(&mut self, key: &[u8]) -> bool {
        let hash = self.hasher.hash_one(key);
        if self.earlier.contains(&hash) || !self.latest.insert(hash) {
            return false;
        }
        if self.latest.len() >= WINDOW {
            std::mem::swap(&mut self.earlier, &mut self.latest);
            self.latest.clear();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_known_and_memory_is_bounded() {
        let mut seen = Seen::default();
        let key = |n: usize| n.to_string().into_bytes();
        for n in 0..WINDOW * 3 {
            assert!(seen.is_new(&key(n)));
            assert!(!seen.is_new(&key(n)));
            assert!(!seen.is_new(&key(n.saturating_sub(WINDOW - 1))));
        }
        assert!(seen.latest.len() + seen.earlier.len() <= 2 * WINDOW);
        assert!(seen.is_new(&key(0)), "what is long ago is forgotten");
    }
}
