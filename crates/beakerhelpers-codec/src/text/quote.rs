//! Quoted text and bytes, as Python's `repr` writes them.

use super::printable::is_printable;
use super::sink::{Put, Sink};

/// Appends text in quotes.
pub(super) fn text(out: &mut Sink<'_>, text: &str) -> Put {
    let quote = quote_for(text.as_bytes());
    out.put(quote.text)?;
    escape(out, text, quote.byte)?;
    out.put(quote.text)
}

/// Appends text with lone surrogates in quotes.
pub(super) fn surrogates(out: &mut Sink<'_>, bytes: &[u8]) -> Put {
    let quote = quote_for(bytes);
    out.put(quote.text)?;
    each_surrogate(bytes, &mut |part| match part {
        Part::Text(text) => escape(out, text, quote.byte),
        Part::Surrogate(code) => out.format(format_args!("\\u{code:04x}")),
    })?;
    out.put(quote.text)
}

/// Appends text with lone surrogates as it is, and those as escapes: there is no way to print them.
pub(super) fn plain_surrogates(out: &mut Sink<'_>, bytes: &[u8]) -> Put {
    each_surrogate(bytes, &mut |part| match part {
        Part::Text(text) => out.put(text),
        Part::Surrogate(code) => out.format(format_args!("\\u{code:04x}")),
    })
}

/// Appends `b'…'`.
pub(super) fn bytes(out: &mut Sink<'_>, bytes: &[u8]) -> Put {
    let quote = quote_for(bytes);
    let escaped = quote.byte;
    quoted_bytes(out, bytes, &quote, escaped)
}

/// Appends `bytearray(b'…')`, in which CPython escapes single quotes even between double ones
/// (`Objects/bytearrayobject.c`, `bytearray_repr`, 3.11).
pub(super) fn byte_array(out: &mut Sink<'_>, bytes: &[u8]) -> Put {
    out.put("bytearray(")?;
    quoted_bytes(out, bytes, &quote_for(bytes), b'\'')?;
    out.put(")")
}

fn quoted_bytes(out: &mut Sink<'_>, bytes: &[u8], quote: &Quote, escaped: u8) -> Put {
    out.put("b")?;
    out.put(quote.text)?;
    for byte in bytes {
        match byte {
            b'\t' => out.put("\\t")?,
            b'\n' => out.put("\\n")?,
            b'\r' => out.put("\\r")?,
            b'\\' => out.put("\\\\")?,
            byte if *byte == escaped => out.put("\\'")?,
            b' '..=b'~' => out.put_char(char::from(*byte))?,
            byte => out.format(format_args!("\\x{byte:02x}"))?,
        }
    }
    out.put(quote.text)
}

struct Quote {
    text: &'static str,
    byte: u8,
}

/// Single quotes, but double ones where that saves an escape.
fn quote_for(bytes: &[u8]) -> Quote {
    if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        Quote { text: "\"", byte: b'"' }
    } else {
        Quote { text: "'", byte: b'\'' }
    }
}

fn escape(out: &mut Sink<'_>, text: &str, quote: u8) -> Put {
    let mut plain = 0;
    for (at, char) in text.char_indices() {
        if is_printable(char) && char != '\\' && char != char::from(quote) {
            continue;
        }
        out.put(text.get(plain..at).unwrap_or(""))?;
        plain = at.saturating_add(char.len_utf8());
        match (char, u32::from(char)) {
            ('\t', _) => out.put("\\t")?,
            ('\n', _) => out.put("\\n")?,
            ('\r', _) => out.put("\\r")?,
            ('\\', _) => out.put("\\\\")?,
            ('\'', _) => out.put("\\'")?,
            (_, code @ ..=0xff) => out.format(format_args!("\\x{code:02x}"))?,
            (_, code @ ..=0xffff) => out.format(format_args!("\\u{code:04x}"))?,
            (_, code) => out.format(format_args!("\\U{code:08x}"))?,
        }
    }
    out.put(text.get(plain..).unwrap_or(""))
}

/// A part of text with lone surrogates.
pub(crate) enum Part<'a> {
    Text(&'a str),
    Surrogate(u16),
}

/// Calls a function with each part of text in which lone surrogates are encoded as if they were characters.
pub(crate) fn each_surrogate<E>(bytes: &[u8], f: &mut dyn FnMut(Part<'_>) -> Result<(), E>) -> Result<(), E> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => return f(Part::Text(text)),
            Err(error) => error.valid_up_to(),
        };
        let (text, ill) = rest.split_at_checked(valid).unwrap_or((rest, &[]));
        f(Part::Text(std::str::from_utf8(text).unwrap_or("")))?;
        let [_, high, low, after @ ..] = ill else { return Ok(()) };
        f(Part::Surrogate(0xd000 | u16::from(high & 0x3f) << 6 | u16::from(low & 0x3f)))?;
        rest = after;
    }
    Ok(())
}
