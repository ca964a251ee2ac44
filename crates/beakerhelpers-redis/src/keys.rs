//! What sessions are called in Redis (`beaker/ext/redisnm.py`, `_format_key`, 1.14.1).

use beakerhelpers_core::{Error, Result, SessionId};

/// Beaker's caches begin with it, too.
const PREFIX: &str = "beaker_cache:";
const SUFFIX: &str = ":session";
/// The keys of all sessions. Nothing in it comes from outside, so nothing is to be escaped.
pub(crate) const PATTERN: &str = "beaker_cache:*:session";
/// Beaker lets a key have so many characters.
const LONGEST: usize = 1024;
/// What Beaker writes instead of the word where the key would be longer: its SHA-1.
const DIGEST_OF_SESSION: &str = "fcbdc4c271c889825d8338d2d8f10b6e5e95c171";

/// The key of a session.
pub(crate) fn key(id: &SessionId) -> String {
    let id = id.as_str();
    let room = LONGEST.saturating_sub(PREFIX.len() + 1 + id.chars().count());
    if SUFFIX.len() - 1 > room { format!("{PREFIX}{id}:{DIGEST_OF_SESSION}") } else { format!("{PREFIX}{id}{SUFFIX}") }
}

/// The id of the session of a key that has the [`PATTERN`].
pub(crate) fn id(key: &[u8]) -> Result<SessionId> {
    let id = key.strip_prefix(PREFIX.as_bytes()).and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    let id = id.ok_or_else(|| Error::corrupt("the server lists a key that is none of a session"))?;
    let id = str::from_utf8(id).map_err(|_| Error::corrupt("a key of a session is no UTF-8 text"))?;
    Ok(SessionId::new(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_from_their_keys() {
        for text in ["79b4837b1d4148dcb98329c795314f78", "", "a:b:session", "*?[x]\\", "Ąžuolas-日本語", ":session"]
        {
            let key = key(&SessionId::new(text));
            assert_eq!(id(key.as_bytes()).expect("it is one").as_str(), text);
        }
    }

    #[test]
    fn other_keys_are_none() {
        for key in
            [&b"beaker_cache:session"[..], b"beaker_cache:a:other", b"x:a:session", b"", b"beaker_cache:\xff:session"]
        {
            assert!(id(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn very_long_ids_are_called_as_beaker_calls_them() {
        assert!(key(&SessionId::new("x".repeat(1003))).ends_with("x:session"));
        assert!(key(&SessionId::new("ü".repeat(1004))).ends_with(&format!("ü:{DIGEST_OF_SESSION}")));
    }
}
