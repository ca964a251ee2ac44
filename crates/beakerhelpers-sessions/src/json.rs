//! Values as JSON.
//!
//! What JSON has keeps its type: null, booleans, numbers, strings, arrays (lists and tuples) and objects (dicts). NaN, the
//! infinities and everything else are strings, as `str` prints them in Python.

use std::borrow::Cow;
use std::fmt::Write;

use beakerhelpers_codec::text::Text;
use beakerhelpers_core::value::{Items, Pairs};
use beakerhelpers_core::{Error, Kind, Result, Value, escape_controls};

/// Containers nested deeper are printed as a string: many readers of JSON give up at some hundred levels, and a value
/// that contains itself has no end.
const DEEPEST: usize = 32;
/// A value whose JSON is longer than this cannot be listed. Shared references can make gigabytes of a few bytes.
const LONGEST: usize = 16 << 20;

/// Appends a string.
pub(crate) fn push_str(text: &str, out: &mut String) -> Result<()> {
    // Most texts need no escaping at all. Looking at every byte is faster than stopping at the first one found.
    let special = |byte: u8| !(b' '..0x7f).contains(&byte) || byte == b'"' || byte == b'\\';
    if !text.bytes().fold(false, |found, byte| found | special(byte)) {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return Ok(());
    }
    let quoted = serde_json::to_string(text).map_err(|_| Error::corrupt("a text cannot be written as JSON"))?;
    push_harmless(&quoted, out);
    Ok(())
}

/// Appends JSON with what acts on a terminal spelled out, which means the same.
fn push_harmless(quoted: &str, out: &mut String) {
    for char in quoted.chars() {
        if acts(char) {
            write!(out, "\\u{:04x}", u32::from(char)).expect("a String takes everything");
        } else {
            out.push(char);
        }
    }
}

/// Whether a terminal takes this for a command. `escape_controls` knows what that is.
fn acts(char: char) -> bool {
    !char.is_ascii_graphic() && matches!(escape_controls(char.encode_utf8(&mut [0; 4])), Cow::Owned(_))
}

/// A container that is half printed.
enum Open<'v> {
    Array(Items<'v>),
    Object(Pairs<'v>),
}

/// Appends a value.
pub(crate) fn push_value(value: Value<'_>, out: &mut String) -> Result<()> {
    let end = out.len().saturating_add(LONGEST);
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            open.extend(push_scalar(value, open.len(), out)?);
        }
        if !open.is_empty() && out.len() > end {
            return Err(Error::corrupt(format!("a value is longer than {LONGEST} bytes as JSON")));
        }
        let Some(container) = open.last_mut() else { return Ok(()) };
        // The opening bracket is the only one that can stand right before the first item: strings end with a quote.
        let first = out.ends_with(['[', '{']);
        match container {
            Open::Array(items) => match items.next() {
                Some(item) => {
                    out.push_str(if first { "" } else { "," });
                    next = Some(item);
                }
                None => close(&mut open, "]", out),
            },
            Open::Object(pairs) => match pairs.next() {
                Some((key, item)) => {
                    out.push_str(if first { "" } else { "," });
                    push_text(key, out)?;
                    out.push(':');
                    next = Some(item);
                }
                None => close(&mut open, "}", out),
            },
        }
    }
}

fn close(open: &mut Vec<Open<'_>>, bracket: &str, out: &mut String) {
    open.pop();
    out.push_str(bracket);
}

/// Appends a value without parts, or opens a container.
fn push_scalar<'v>(value: Value<'v>, depth: usize, out: &mut String) -> Result<Option<Open<'v>>> {
    match value.kind() {
        Kind::None => out.push_str("null"),
        Kind::Bool(true) => out.push_str("true"),
        Kind::Bool(false) => out.push_str("false"),
        Kind::Int(int) => out.push_str(itoa::Buffer::new().format(int)),
        Kind::Float(float) if float.is_finite() => Text::new().append_str(value, out)?,
        Kind::Str(text) => push_str(text, out)?,
        Kind::SurrogateStr(bytes) => push_surrogates(bytes, out),
        Kind::BigInt(_) => {
            let mut digits = String::new();
            Text::new().append_str(value, &mut digits)?;
            // Beyond some thousand digits it is printed as a hexadecimal number, which JSON lacks.
            if digits.contains('x') { push_str(&digits, out)? } else { out.push_str(&digits) }
        }
        Kind::List(items) | Kind::Tuple(items) if depth < DEEPEST => {
            out.push('[');
            return Ok(Some(Open::Array(items)));
        }
        Kind::Dict(pairs) | Kind::OrderedDict(pairs) | Kind::DefaultDict { pairs, .. } | Kind::Counter(pairs)
            if depth < DEEPEST =>
        {
            out.push('{');
            return Ok(Some(Open::Object(pairs)));
        }
        _ => push_text(value, out)?,
    }
    Ok(None)
}

/// Appends what `str` prints, as a string.
fn push_text(value: Value<'_>, out: &mut String) -> Result<()> {
    match value.kind() {
        Kind::Str(text) => push_str(text, out),
        Kind::SurrogateStr(bytes) => {
            push_surrogates(bytes, out);
            Ok(())
        }
        _ => {
            let mut text = String::new();
            Text::new().append_str(value, &mut text)?;
            push_str(&text, out)
        }
    }
}

/// Appends a string with lone surrogates, which JSON can spell: `\ud800`.
fn push_surrogates(mut bytes: &[u8], out: &mut String) {
    out.push('"');
    while let Some(chunk) = bytes.utf8_chunks().next() {
        let valid = chunk.valid();
        let quoted = serde_json::to_string(valid).unwrap_or_default();
        push_harmless(quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default(), out);
        bytes = &bytes[valid.len()..];
        // A surrogate, encoded as if it were a character: `ed a0 80` to `ed bf bf`.
        if let Some((&[0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf], rest)) = bytes.split_first_chunk() {
            let code = 0xd000 | u32::from(high & 0x3f) << 6 | u32::from(low & 0x3f);
            write!(out, "\\u{code:04x}").expect("a String takes everything");
            bytes = rest;
        } else {
            bytes = bytes.get(1..).unwrap_or_default();
        }
    }
    out.push('"');
}
