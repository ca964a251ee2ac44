//! The numbers of JSON.

use crate::ascii::{self, Number};
use crate::fault::Reason;

/// What a number is.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed {
    Int(Number),
    Float(f64),
}

/// Numbers that have no digits, in Python's JSON.
const NAMES: [(&[u8], f64); 3] = [(b"NaN", f64::NAN), (b"Infinity", f64::INFINITY), (b"-Infinity", f64::NEG_INFINITY)];

/// Reads the number that bytes begin with, and tells how long it is. As in Python, what has a fraction or an exponent is
/// a float, anything else an int, of 4,300 digits at most.
#[inline]
pub(super) fn parse(json: &[u8]) -> Result<(Parsed, usize), Reason> {
    let sign = usize::from(json.first() == Some(&b'-'));
    let whole = digits(json, sign);
    let mut end = sign.saturating_add(whole);
    if whole == 0 {
        return named(json);
    }
    if json.get(sign) == Some(&b'0') {
        // Nothing but a fraction or an exponent belongs to a number after its first zero.
        end = sign.saturating_add(1);
    }
    let int = end;
    if json.get(end) == Some(&b'.') {
        let first = end.saturating_add(1);
        end = match digits(json, first) {
            0 => end,
            fraction => first.saturating_add(fraction),
        };
    }
    if let Some(b'e' | b'E') = json.get(end) {
        let mut first = end.saturating_add(1);
        if let Some(b'+' | b'-') = json.get(first) {
            first = first.saturating_add(1);
        }
        end = match digits(json, first) {
            0 => end,
            exponent => first.saturating_add(exponent),
        };
    }
    let text = json.get(..end).unwrap_or_default();
    let parsed = if end == int { Parsed::Int(ascii::number(text)?) } else { Parsed::Float(ascii::float(text)?) };
    Ok((parsed, end))
}

/// How many digits there are from here on.
fn digits(json: &[u8], start: usize) -> usize {
    let rest = json.get(start..).unwrap_or_default();
    rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

#[cold]
fn named(json: &[u8]) -> Result<(Parsed, usize), Reason> {
    let found = NAMES.iter().find(|(name, _)| json.starts_with(name));
    match found {
        Some((name, value)) => Ok((Parsed::Float(*value), name.len())),
        None if json.is_empty() => Err(Reason::EndsEarly),
        None => Err(Reason::Missing("a value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_and_floats() {
        for (json, value, len) in
            [("0", 0, 1), ("-0", 0, 2), ("-12,", -12, 3), ("9007199254740993]", 9_007_199_254_740_993, 16)]
        {
            assert_eq!(parse(json.as_bytes()), Ok((Parsed::Int(Number::Small(value)), len)), "{json}");
        }
        for (json, value, len) in [
            ("1E5", 1e5, 3),
            ("-0.0 ", -0.0, 4),
            ("1e400", f64::INFINITY, 5),
            ("0.1e-2x", 0.001, 6),
            ("1.5e+3", 1500.0, 6),
            ("Infinity", f64::INFINITY, 8),
            ("-Infinity", f64::NEG_INFINITY, 9),
        ] {
            let (parsed, read) = parse(json.as_bytes()).unwrap();
            let Parsed::Float(float) = parsed else { panic!("{json}") };
            assert_eq!((float.to_bits(), read), (f64::to_bits(value), len), "{json}");
        }
        assert!(matches!(parse(b"NaN"), Ok((Parsed::Float(value), 3)) if value.is_nan()));
        assert!(matches!(parse(b"18446744073709551616"), Ok((Parsed::Int(Number::Big(_)), 20))));
    }

    #[test]
    fn a_number_ends_where_it_ends_in_python() {
        for (json, len) in
            [("01", 1), ("-00", 2), ("1.", 1), ("1.e5", 1), ("1e", 1), ("1e+", 1), ("1.5e-", 3), ("1-", 1)]
        {
            assert_eq!(parse(json.as_bytes()).map(|(_, len)| len), Ok(len), "{json}");
        }
        for json in ["-", "+1", ".5", "x", "-NaN", "--1", "nan", "\u{661}"] {
            assert_eq!(parse(json.as_bytes()), Err(Reason::Missing("a value")), "{json}");
        }
        assert_eq!(parse(&[b'9'; 4301]), Err(Reason::BadNumber));
        assert_eq!(parse(b""), Err(Reason::EndsEarly));
    }
}
