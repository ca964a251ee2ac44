//! The strings of JSON.

use crate::ascii;
use crate::fault::{Fault, Reason};

/// A string without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// Without escapes.
    Plain(&'a [u8]),
    /// With escapes, none of which is malformed for all that is known.
    Escaped(&'a [u8]),
}

/// Reads the string whose first quote is before `at`, and tells where it is followed by what.
///
/// As in Python's `json.loads`, a control character must be an escape.
#[inline]
pub(super) fn scan(json: &[u8], at: usize) -> Result<(Text<'_>, usize), Fault> {
    let mut end = at;
    let mut escaped = false;
    loop {
        match json.get(end) {
            Some(b'"') => break,
            Some(b'\\') => {
                escaped = true;
                // What is escaped may be a quote. What it may be is not looked at here.
                end = end.saturating_add(2);
            }
            Some(0..0x20) => return Err(Fault { at: end, reason: Reason::BadString }),
            Some(_) => end = end.saturating_add(1),
            None => return Err(Fault { at: json.len(), reason: Reason::EndsEarly }),
        }
    }
    let text = json.get(at..end).unwrap_or_default();
    Ok((if escaped { Text::Escaped(text) } else { Text::Plain(text) }, end.saturating_add(1)))
}

/// Appends what a string with escapes means: UTF-8, in which lone surrogates are encoded as if they were characters.
/// Returns whether there are any. An error has its place in `text`.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) -> Result<bool, Fault> {
    let mut surrogates = false;
    let mut at = 0_usize;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.iter().position(|byte| *byte == b'\\').unwrap_or(rest.len());
        let (plain, escape) = rest.split_at_checked(plain).unwrap_or_default();
        out.extend_from_slice(plain);
        at = at.saturating_add(plain.len());
        let malformed = Fault { at, reason: Reason::BadString };
        let len = match escape {
            [] => break,
            [_, byte @ (b'"' | b'\\' | b'/'), ..] => simple(out, *byte),
            [_, b'b', ..] => simple(out, 8),
            [_, b'f', ..] => simple(out, 12),
            [_, b'n', ..] => simple(out, b'\n'),
            [_, b'r', ..] => simple(out, b'\r'),
            [_, b't', ..] => simple(out, b'\t'),
            _ => {
                let high = unit(escape).ok_or(malformed)?;
                let low = escape.get(6..).and_then(unit).filter(|low| (0xdc00..0xe000).contains(low));
                if let (0xd800..0xdc00, Some(low)) = (high, low) {
                    ascii::push(out, 0x1_0000_u32.saturating_add((high & 0x3ff) << 10 | low & 0x3ff));
                    12
                } else {
                    surrogates |= (0xd800..0xe000).contains(&high);
                    ascii::push(out, high);
                    6
                }
            }
        };
        at = at.saturating_add(len);
    }
    Ok(surrogates)
}

fn simple(out: &mut Vec<u8>, byte: u8) -> usize {
    out.push(byte);
    2
}

/// The code of `\uXXXX`.
fn unit(escape: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = escape else { return None };
    ascii::hex(digits.get(..4)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<(Vec<u8>, bool), Fault> {
        match scan(json.as_bytes(), 1)?.0 {
            Text::Plain(text) => Ok((text.to_vec(), false)),
            Text::Escaped(text) => {
                let mut out = Vec::new();
                let surrogates = unescape(text, &mut out)?;
                Ok((out, surrogates))
            }
        }
    }

    #[test]
    fn escapes_mean_what_they_mean_in_python() {
        for (json, text) in [
            (r#""""#, ""),
            (r#""ą / x""#, "ą / x"),
            (r#""\"\\\/\b\f\n\r\tx""#, "\"\\/\u{8}\u{c}\n\r\tx"),
            (r#""\u0041\u00e9\u20AC""#, "Aé€"),
            (r#""a\ud83d\ude00b""#, "a😀b"),
            ("\"\u{7f}\"", "\u{7f}"),
        ] {
            assert_eq!(read(json), Ok((text.as_bytes().to_vec(), false)), "{json}");
        }
    }

    #[test]
    fn lone_surrogates_are_kept() {
        for (json, bytes) in [
            (r#""\ud83d""#, &b"\xed\xa0\xbd"[..]),
            (r#""\ude00\ud83dx""#, b"\xed\xb8\x80\xed\xa0\xbdx"),
            (r#""\ud83d\ud83d\ude00""#, b"\xed\xa0\xbd\xf0\x9f\x98\x80"),
            (r#""\ud83d\n""#, b"\xed\xa0\xbd\n"),
        ] {
            assert_eq!(read(json), Ok((bytes.to_vec(), true)), "{json}");
        }
    }

    #[test]
    fn what_python_refuses_is_refused() {
        let bad = |at| Err(Fault { at, reason: Reason::BadString });
        assert_eq!(read("\"a\tb\""), bad(2));
        for (json, at) in [(r#""ab\x41""#, 2), (r#""\u12""#, 0), (r#""\u12g4""#, 0), (r#""\n\U00000041""#, 2)] {
            assert_eq!(read(json), bad(at), "{json}");
        }
        for json in [r#"""#, r#""abc"#, r#""abc\"#, r#""abc\""#] {
            assert_eq!(read(json), Err(Fault { at: json.len(), reason: Reason::EndsEarly }), "{json}");
        }
    }
}
