//! The strings of JSON.

use std::convert::Infallible;
use std::fmt::Write as _;

use crate::ascii;
use crate::fault::{Fault, Reason};
use crate::text::quote::{Part, each_surrogate};

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

/// Appends a string in quotes, as Python's `json.dumps` writes it: in ASCII.
pub(super) fn push_text(text: &str, out: &mut String) {
    out.push('"');
    push_escaped(text, out);
    out.push('"');
}

/// The same for text with lone surrogates, which are encoded in UTF-8 as if they were characters.
pub(super) fn push_surrogates(bytes: &[u8], out: &mut String) {
    out.push('"');
    each_surrogate(bytes, &mut |part| {
        match part {
            Part::Text(text) => push_escaped(text, out),
            Part::Surrogate(unit) => push_unit(unit, out),
        }
        Ok::<(), Infallible>(())
    })
    .unwrap_or_else(|never| match never {});
    out.push('"');
}

fn push_escaped(text: &str, out: &mut String) {
    // Looking at every byte, many at once, is faster than stopping at the first one that needs an escape.
    if text.bytes().fold(true, |all, byte| all & matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
        return out.push_str(text);
    }
    let mut plain = 0;
    for (at, char) in text.char_indices() {
        if matches!(char, ' '..='~') && !matches!(char, '"' | '\\') {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at.saturating_add(char.len_utf8());
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| push_unit(*unit, out)),
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

fn push_unit(unit: u16, out: &mut String) {
    let written = write!(out, "\\u{unit:04x}");
    debug_assert!(written.is_ok(), "a String takes everything");
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
    fn text_is_written_as_python_writes_it() {
        let mut out = String::new();
        push_text("a\"\\/\u{8}\u{c}\n\r\t\0\u{1b}~\u{7f}\u{80}é\u{2028}😀", &mut out);
        assert_eq!(out, r#""a\"\\/\b\f\n\r\t\u0000\u001b~\u007f\u0080\u00e9\u2028\ud83d\ude00""#);
        out.clear();
        push_surrogates(b"a\xed\xa0\xbd\n\xed\xb8\x80", &mut out);
        assert_eq!(out, r#""a\ud83d\n\ude00""#);
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
