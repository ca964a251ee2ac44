//! Text that is safe to show.

use std::borrow::Cow;
use std::fmt::Write;

/// Spells out the characters that would make a terminal do something else than show them: control characters, escapes,
/// line and paragraph separators, and bidirectional controls. The spelling is Python's, `\n`, `\x1b`, `\u202e`. All else
/// stays, the joiners of emoji and of Indic and Arabic scripts among it.
#[must_use]
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    if is_printable_ascii(text) || !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push_escaped(text, &mut out);
    Cow::Owned(out)
}

/// Whether a text is nothing but printable ASCII, as nearly every text is.
#[must_use]
pub fn is_printable_ascii(text: &str) -> bool {
    // Looking at every byte, many at once, is faster than stopping at the first one that is not.
    text.bytes().fold(true, |all, byte| all & (0x20..0x7f).contains(&byte))
}

/// Appends a text as [`escape_controls`] spells it.
pub fn push_escaped(text: &str, out: &mut String) {
    let mut shown = 0;
    for (at, char) in text.char_indices().filter(|(_, char)| is_control(*char)) {
        out.push_str(&text[shown..at]);
        shown = at + char.len_utf8();
        let code = u32::from(char);
        let written = match char {
            '\t' => out.write_str("\\t"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            _ if code < 0x100 => write!(out, "\\x{code:02x}"),
            _ => write!(out, "\\u{code:04x}"),
        };
        written.expect("a String takes everything");
    }
    out.push_str(&text[shown..]);
}

pub(crate) fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_spelled_as_python_does() {
        let text = "a\t\r\n\u{1b}[31m\u{7f}\u{85}\u{9b}\u{2028}\u{202e}\u{2066}\u{61c}z";
        assert_eq!(escape_controls(text), r"a\t\r\n\x1b[31m\x7f\x85\x9b\u2028\u202e\u2066\u061cz");
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["", "plain", "žąsis", "日本", "👩\u{200d}👩\u{200d}👧", "न\u{200d}म", r"C:\dir"] {
            assert!(matches!(escape_controls(text), Cow::Borrowed(shown) if shown == text));
        }
    }
}
