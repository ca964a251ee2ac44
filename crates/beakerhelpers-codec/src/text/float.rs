//! Floats as Python's `repr` writes them.

use std::fmt::Write as _;

/// Appends the shortest text that reads back as the same float: `0.1`, `1e+16`, `1e-05`, `-0.0`, `inf`, `nan`.
pub(crate) fn push(out: &mut String, value: f64) {
    if value.is_finite() {
        finite(out, value, ".0");
    } else {
        out.push_str(if value.is_nan() {
            "nan"
        } else if value < 0.0 {
            "-inf"
        } else {
            "inf"
        });
    }
}

/// Appends a complex number: `(1+2j)`, `2j`, `(-0+0j)`.
pub(super) fn push_complex(out: &mut String, real: f64, imaginary: f64) {
    let part = |out: &mut String, value: f64| if value.is_finite() { finite(out, value, "") } else { push(out, value) };
    if real == 0.0 && real.is_sign_positive() {
        part(out, imaginary);
        out.push('j');
        return;
    }
    out.push('(');
    part(out, real);
    if imaginary.is_sign_positive() || imaginary.is_nan() {
        out.push('+');
    }
    part(out, imaginary);
    out.push_str("j)");
}

/// `whole` follows where there is no fraction.
fn finite(out: &mut String, value: f64, whole: &str) {
    // Rust writes the same shortest digits, `-1.5e-7`, and only lays them out in another way.
    let mut scientific = Stack { bytes: [0; 32], len: 0 };
    let written = write!(scientific, "{value:e}");
    debug_assert!(written.is_ok(), "17 digits, a sign, a point and an exponent fit");
    let text = scientific.as_str();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |mantissa| ("-", mantissa));
    let (first, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    out.push_str(sign);
    match exponent {
        -4..0 => {
            out.push_str("0.");
            (1..exponent.unsigned_abs()).for_each(|_| out.push('0'));
            out.push_str(first);
            out.push_str(fraction);
        }
        0..16 => {
            out.push_str(first);
            let places = usize::try_from(exponent).unwrap_or(0);
            match fraction.split_at_checked(places) {
                Some((before, "")) => {
                    out.push_str(before);
                    out.push_str(whole);
                }
                Some((before, after)) => {
                    out.push_str(before);
                    out.push('.');
                    out.push_str(after);
                }
                None => {
                    out.push_str(fraction);
                    (fraction.len()..places).for_each(|_| out.push('0'));
                    out.push_str(whole);
                }
            }
        }
        _ => {
            out.push_str(mantissa);
            let sign = if exponent < 0 { '-' } else { '+' };
            let written = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
            debug_assert!(written.is_ok(), "a String takes everything");
        }
    }
}

/// A little text that needs no heap.
struct Stack {
    bytes: [u8; 32],
    len: usize,
}

impl Stack {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("0e0")
    }
}

impl std::fmt::Write for Stack {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len.saturating_add(text.len());
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_python_prints_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (1_795_205_226.489_316_5, "1795205226.4893165"),
            (123_456.0, "123456.0"),
            (1e15, "1000000000000000.0"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (0.0001, "0.0001"),
            (0.000_123, "0.000123"),
            (0.000_01, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            let mut out = String::new();
            push(&mut out, value);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn complex_numbers_as_python_prints_them() {
        for (real, imaginary, text) in [
            (1.0, 2.0, "(1+2j)"),
            (0.0, 2.5, "2.5j"),
            (0.0, -0.0, "-0j"),
            (-0.0, 1.0, "(-0+1j)"),
            (1e16, -1.5, "(1e+16-1.5j)"),
            (f64::NAN, f64::NEG_INFINITY, "(nan-infj)"),
            (f64::INFINITY, f64::NAN, "(inf+nanj)"),
            (0.0, f64::NAN, "nanj"),
        ] {
            let mut out = String::new();
            push_complex(&mut out, real, imaginary);
            assert_eq!(out, text);
        }
    }
}
