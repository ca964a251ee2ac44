//! Session ids, which are credentials.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key of a session in its store.
///
/// Whoever knows it *is* the visitor, so it has no `Display` and its `Debug` shows only the first characters;
/// a listing names a session by its [`Fingerprint`]. Beaker takes whatever a client's cookie says as an id, so any
/// text of any length is possible (`beaker/session.py`, `Session.__init__`, 1.14.1); Beaker's own are 32 hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// Takes any text.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id itself, to be handed to a store and never to a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names this session without giving it away.
    pub fn fingerprint(&self, key: &FingerprintKey) -> Fingerprint {
        let digest = key.0.clone().chain_update(self.0.as_bytes()).finalize().into_bytes();
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&digest[..6]);
        Fingerprint(bytes)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(4).collect();
        write!(f, "SessionId({shown:?}…)")
    }
}

/// What fingerprints are made with: the site's `secret`, or a fixed label where it has none.
#[derive(Clone)]
pub struct FingerprintKey(Hmac<Sha256>);

impl FingerprintKey {
    /// Takes the configured `<prefix>.secret`. Without one, fingerprints are the same everywhere, and someone who
    /// holds an id can tell that it is listed; nobody can go from a fingerprint to an id either way.
    #[must_use]
    pub fn new(secret: Option<&str>) -> Self {
        let key = secret.unwrap_or("beakerhelpers session fingerprint");
        Self(Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length"))
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

/// A name for a session that is safe to show: 12 hex digits of a keyed digest, the same in every run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 6]);

impl Fingerprint {
    /// Reads 12 hex digits of either case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 12 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let value = u64::from_str_radix(text, 16).ok()?.to_be_bytes();
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&value[2..]);
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_give_the_id_away() {
        let id = SessionId::new("79b4837b1d4148dcb98329c795314f78");
        assert_eq!(format!("{id:?}"), "SessionId(\"79b4\"…)");
    }

    #[test]
    fn a_fingerprint_depends_on_id_and_secret_and_reads_back() {
        let (a, b) = (SessionId::new("a"), SessionId::new("b"));
        let (plain, keyed) = (FingerprintKey::new(None), FingerprintKey::new(Some("s3cret")));
        let prints = [a.fingerprint(&plain), b.fingerprint(&plain), a.fingerprint(&keyed)];
        assert_eq!(prints[0], a.fingerprint(&FingerprintKey::new(None)));
        assert!(prints[0] != prints[1] && prints[0] != prints[2]);
        assert_eq!(Fingerprint::parse(&prints[2].to_string().to_uppercase()), Some(prints[2]));
        assert_eq!(Fingerprint::parse("+23456789abc"), None);
    }
}
