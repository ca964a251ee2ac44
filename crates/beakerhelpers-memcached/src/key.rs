//! From session ids to the keys of memcached, and back.

use sha1::{Digest, Sha1};

/// What each key of a session ends with: Beaker puts `_` between namespace and key, and the key is `session`
/// (`beaker/ext/memcached.py`, `_format_key`, 1.14.1).
const SUFFIX: &str = "_session";
/// What Beaker on Python 3 puts in the place of a space: the two characters that `'\302\267'` is there. On Python 2 it
/// was one, U+00B7 in UTF-8.
const SPACE: &str = "\u{c2}\u{b7}";
/// Longer keys are digested, counted in characters.
const LONGEST: usize = 250;

/// A key as it is sent: 1 to 250 bytes, none of them a space or a control character.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// The key that Beaker on Python 3 gives the session of this id; `None` where memcached has no room for such a key,
    /// or a client would refuse its characters, so that there can be no such session.
    pub(crate) fn of(id: &str) -> Option<Self> {
        let key = format!("{id}{SUFFIX}").replace(' ', SPACE);
        if key.chars().count() > LONGEST {
            let digest = Sha1::digest(key.as_bytes());
            return Some(Self(digest.iter().flat_map(|byte| hex(*byte)).collect()));
        }
        Self::new(key.into_bytes())
    }

    /// A key that a server lists, its percent escapes decoded. `None` where the text protocol cannot send it back.
    pub(crate) fn listed(encoded: &[u8]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(encoded.len());
        let mut rest = encoded;
        while let [first, tail @ ..] = rest {
            rest = tail;
            match (first, tail) {
                (b'%', [high, low, tail @ ..]) => {
                    bytes.push(digit(*high)? << 4 | digit(*low)?);
                    rest = tail;
                }
                (b'%', _) => return None,
                _ => bytes.push(*first),
            }
        }
        Self::new(bytes)
    }

    fn new(bytes: Vec<u8>) -> Option<Self> {
        let sendable = |byte: &u8| *byte > b' ' && *byte != 0x7f;
        ((1..=LONGEST).contains(&bytes.len()) && bytes.iter().all(sendable)).then_some(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id of the session; `None` where the key is no text, or none of a session. What Beaker puts in the place of a
    /// space becomes one again: either id has the same key.
    pub(crate) fn id(&self) -> Option<String> {
        let text = std::str::from_utf8(&self.0).ok()?;
        Some(text.strip_suffix(SUFFIX)?.replace(SPACE, " "))
    }
}

/// Whether a key as a server lists it is that of a session. The suffix has no character that is escaped.
pub(crate) fn is_session(encoded: &[u8]) -> bool {
    encoded.ends_with(SUFFIX.as_bytes())
}

fn hex(byte: u8) -> [u8; 2] {
    let digits = b"0123456789abcdef";
    [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(id: &str) -> Option<String> {
        Key::of(id).map(|key| String::from_utf8(key.0).unwrap())
    }

    #[test]
    fn keys_are_beakers() {
        assert_eq!(key("79b4837b").as_deref(), Some("79b4837b_session"));
        assert_eq!(key("").as_deref(), Some("_session"));
        assert_eq!(key("a b").as_deref(), Some("a\u{c2}\u{b7}b_session"));
        // 250 characters, and one more; made with Python's hashlib.
        assert_eq!(key(&"x".repeat(242)).unwrap().len(), 250);
        assert_eq!(key(&"x".repeat(243)).as_deref(), Some("f2a1adb09feeab32e9655299219b23af78d9aed2"));
        assert_eq!(key(&format!("{}ą", "x".repeat(242))).as_deref(), Some("34949d62e1fd7d5dfc3dfa0627a3353e778a8c4c"));
    }

    #[test]
    fn what_no_key_can_be_is_none() {
        for id in ["a\nb", "a\rb", "a\tb", "a\0b", "a\u{7f}b"] {
            assert_eq!(key(id), None);
        }
        // 250 characters and below are not digested, yet memcached counts bytes.
        assert_eq!(key(&"ą".repeat(200)), None);
    }

    #[test]
    fn listed_keys_are_decoded() {
        let listed = |encoded: &str| Key::listed(encoded.as_bytes()).and_then(|key| key.id());
        assert_eq!(listed("a%C3%82%C2%B7b%25c_session").as_deref(), Some("a b%c"));
        assert_eq!(listed("%zz_session"), None);
        assert_eq!(listed("a%0A_session"), None);
        assert_eq!(listed("a%"), None);
        assert_eq!(listed("%ff_session"), None);
        assert_eq!(listed("a_lock"), None);
        assert!(is_session(b"a_session") && !is_session(b"a_sessions"));
    }

    proptest! {
        #[test]
        fn an_id_comes_back_from_its_key(id in "\\PC{0,40}") {
            prop_assume!(!id.contains(SPACE));
            let key = Key::of(&id).expect("it is short");
            let listed: Vec<u8> = key.bytes().iter().flat_map(|byte| [&b"%"[..], &hex(*byte)].concat()).collect();
            prop_assert_eq!(Key::listed(&listed).and_then(|key| key.id()), Some(id));
        }

        #[test]
        fn no_listed_key_panics(encoded in any::<Vec<u8>>()) {
            let _ = Key::listed(&encoded).and_then(|key| key.id());
        }
    }
}
