//! Numbers and strings that are written as text: those of pickle's protocol 0, and those of JSON.

use crate::fault::Reason;

/// CPython's `sys.int_info.default_max_str_digits`: it reads and writes no int that is longer.
pub(super) const MAX_DIGITS: usize = 4300;

/// A number as INT and LONG write it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Number {
    Small(i64),
    /// Two's complement, little endian.
    Big(Vec<u8>),
}

/// Reads a decimal number. As in CPython, more than 4,300 digits are refused: the time grows with their square.
pub(super) fn number(text: &[u8]) -> Result<Number, Reason> {
    let text = std::str::from_utf8(text.trim_ascii()).map_err(|_| Reason::BadNumber)?;
    if let Ok(number) = text.parse() {
        return Ok(Number::Small(number));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::BadNumber);
    }
    let mut limbs: Vec<u32> = Vec::new();
    for chunk in digits.as_bytes().chunks(9) {
        let (mut carry, mut scale) = (0_u64, 1_u64);
        for digit in chunk {
            carry = carry.wrapping_mul(10).wrapping_add(u64::from(digit & 15));
            scale = scale.wrapping_mul(10);
        }
        for limb in &mut limbs {
            let value = u64::from(*limb).wrapping_mul(scale).wrapping_add(carry);
            #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
            let low = value as u32;
            (*limb, carry) = (low, value >> 32);
        }
        if let Ok(carry @ 1..) = u32::try_from(carry) {
            limbs.push(carry);
        }
    }
    // One limb for the sign, then minus x is not x plus one.
    limbs.push(0);
    if negative {
        let mut carry = true;
        for limb in &mut limbs {
            (*limb, carry) = (!*limb).overflowing_add(carry.into());
        }
    }
    Ok(Number::Big(limbs.into_iter().flat_map(u32::to_le_bytes).collect()))
}

/// Reads a float.
pub(super) fn float(text: &[u8]) -> Result<f64, Reason> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Reason::BadNumber)
}

/// Reads the number of a value in the memo.
pub(super) fn index(text: &[u8]) -> Result<usize, Reason> {
    let text = std::str::from_utf8(text.trim_ascii()).map_err(|_| Reason::BadNumber)?;
    text.parse().map_err(|_| Reason::BadNumber)
}

/// Reads a string as Python 2's `repr` writes it, quotes and all.
pub(super) fn string(text: &[u8]) -> Result<Vec<u8>, Reason> {
    let [open @ (b'\'' | b'"'), inner @ .., close] = text else { return Err(Reason::BadString) };
    if open != close {
        return Err(Reason::BadString);
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let (escape, after) = rest.split_first().ok_or(Reason::BadString)?;
        rest = after;
        let byte = match escape {
            b'\n' => continue,
            b'\\' | b'\'' | b'"' => *escape,
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            b'x' => {
                let (digits, after) = rest.split_at_checked(2).ok_or(Reason::BadString)?;
                rest = after;
                u8::try_from(hex(digits)?).map_err(|_| Reason::BadString)?
            }
            b'0'..=b'7' => {
                let mut value = escape & 7;
                for _ in 0..2 {
                    let Some((digit @ b'0'..=b'7', after)) = rest.split_first() else { break };
                    // As in CPython, what does not fit is cut off.
                    value = value.wrapping_shl(3) | digit & 7;
                    rest = after;
                }
                value
            }
            other => {
                bytes.push(b'\\');
                *other
            }
        };
        bytes.push(byte);
    }
    Ok(bytes)
}

/// Reads text in Python's `raw-unicode-escape`, into UTF-8 that may encode lone surrogates. Two that make a pair are
/// one character: narrow builds of Python 2 wrote them.
pub(super) fn unicode(text: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut utf8 = Vec::with_capacity(text.len());
    let mut high = None;
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let mut code = u32::from(*byte);
        rest = after;
        if *byte == b'\\' {
            let len = match rest.first() {
                Some(b'u') => 4,
                Some(b'U') => 8,
                // A backslash that escapes nothing takes the next one with it.
                Some(b'\\') => {
                    push(&mut utf8, code);
                    rest = rest.get(1..).unwrap_or_default();
                    0
                }
                _ => 0,
            };
            if len > 0 {
                let (digits, after) =
                    rest.get(1..).and_then(|rest| rest.split_at_checked(len)).ok_or(Reason::BadString)?;
                code = hex(digits)?;
                rest = after;
            }
        }
        if code > 0x10_ffff {
            return Err(Reason::BadString);
        }
        if let (Some(high), 0xdc00..=0xdfff) = (high, code) {
            utf8.truncate(utf8.len().saturating_sub(3));
            code = 0x1_0000_u32.wrapping_add((high & 0x3ff) << 10 | code & 0x3ff);
        }
        high = Some(code).filter(|code| (0xd800..0xdc00).contains(code));
        push(&mut utf8, code);
    }
    Ok(utf8)
}

pub(super) fn push(utf8: &mut Vec<u8>, code: u32) {
    if let Some(char) = char::from_u32(code) {
        utf8.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let bits = code.to_le_bytes();
        let (low, high) = (bits.first().copied().unwrap_or(0), bits.get(1).copied().unwrap_or(0));
        utf8.extend_from_slice(&[0xed, 0x80 | high << 2 & 0x3c | low >> 6, 0x80 | low & 0x3f]);
    }
}

pub(super) fn hex(digits: &[u8]) -> Result<u32, Reason> {
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Reason::BadString)?;
        Ok(value << 4 | digit)
    })
}

/// Whether bytes are UTF-8 but for lone surrogates, as Python's `surrogatepass` reads them.
pub(super) fn is_utf8_with_surrogates(mut bytes: &[u8]) -> bool {
    while let Err(error) = std::str::from_utf8(bytes) {
        match bytes.get(error.valid_up_to()..) {
            Some([0xed, 0xa0..=0xbf, 0x80..=0xbf, rest @ ..]) => bytes = rest,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(b" -12 "), Ok(Number::Small(-12)));
        assert_eq!(number(b"007"), Ok(Number::Small(7)));
        assert_eq!(
            number(b"1180591620717411303424"),
            Ok(Number::Big(vec![0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0]))
        );
        assert_eq!(number(b"-9223372036854775809").map(|number| matches!(number, Number::Big(_))), Ok(true));
        for text in [&b""[..], b"-", b"x", b"1_0", b"0x1f", b"--1", b"\xff", &[b'9'; 4301]] {
            assert_eq!(number(text), Err(Reason::BadNumber));
        }
    }

    #[test]
    fn strings() {
        assert_eq!(string(br"'a\'\x41\101\n\q\\'").unwrap(), b"a'AA\n\\q\\");
        for text in [&b"a"[..], b"'", b"'a\"", b"'\\'", br"'\x4'", b""] {
            assert_eq!(string(text), Err(Reason::BadString));
        }
    }

    #[test]
    fn unicode_escapes() {
        let text = |text: &[u8]| String::from_utf8(unicode(text).unwrap()).unwrap();
        assert_eq!(text(br"\u0105\U0001f600 \\u0041 \x"), "ą😀 \\\\u0041 \\x");
        assert_eq!(text(b"caf\xe9"), "café");
        assert_eq!(text(br"\ud83d\ude00"), "😀");
        assert_eq!(unicode(br"\ude00\ud83d").unwrap(), [0xed, 0xb8, 0x80, 0xed, 0xa0, 0xbd]);
        assert!(is_utf8_with_surrogates(&unicode(br"a\ude00\ud83d").unwrap()));
        assert!(!is_utf8_with_surrogates(b"\xed\xa0"));
        assert_eq!(unicode(br"\u12"), Err(Reason::BadString));
        assert_eq!(unicode(br"\U00110000"), Err(Reason::BadString));
    }
}
