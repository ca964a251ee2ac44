//! Exact fractions.

use std::fmt;

use super::{BigInt, Kind, Value};

/// A `fractions.Fraction`, in lowest terms and with a denominator above 0.
///
/// It displays as Python's `str` prints it, `1/3` or `7`.
#[derive(Clone, Copy)]
pub struct Fraction<'a> {
    numerator: Integer<'a>,
    denominator: Integer<'a>,
}

/// An `int` of any size.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Integer<'a> {
    /// One that fits.
    Small(i64),
    /// A larger one.
    Big(BigInt<'a>),
    /// A larger one in decimal digits, with a sign where it is negative: Python 2 wrote fractions so.
    Digits(&'a str),
}

impl<'a> Fraction<'a> {
    /// What is above the line.
    pub const fn numerator(&self) -> Integer<'a> {
        self.numerator
    }

    /// What is below the line, 1 for a whole number.
    pub const fn denominator(&self) -> Integer<'a> {
        self.denominator
    }

    /// `Fraction(1, 3)`, as Python 3 writes it; `None` where Python would not print these two numbers.
    pub(super) fn of_numbers(numerator: Value<'a>, denominator: Value<'a>) -> Option<Self> {
        let integer = |value: Value<'a>| match value.kind_of_number()? {
            Kind::Int(int) => Some(Integer::Small(int)),
            Kind::BigInt(int) => Some(Integer::Big(int)),
            _ => None,
        };
        Self { numerator: integer(numerator)?, denominator: integer(denominator)? }.if_normal()
    }

    /// `Fraction('1/3')`, as Python 2 and 3 before 3.11 write it.
    pub(super) fn of_text(text: &'a str) -> Option<Self> {
        let (numerator, denominator) = match text.split_once('/') {
            Some((_, "1")) => return None,
            Some((numerator, denominator)) => (numerator, Integer::of_digits(denominator)?),
            None => (text, Integer::Small(1)),
        };
        Self { numerator: Integer::of_digits(numerator)?, denominator }.if_normal()
    }

    /// Only small ones are tested for a common divisor: for the others that takes too long.
    fn if_normal(self) -> Option<Self> {
        let normal = match (self.numerator, self.denominator) {
            (Integer::Small(a), Integer::Small(b)) => b > 0 && common_divisor(a.unsigned_abs(), b.unsigned_abs()) == 1,
            (_, denominator) => !denominator.is_negative() && !matches!(denominator, Integer::Small(0)),
        };
        normal.then_some(self)
    }
}

impl<'a> Integer<'a> {
    /// Decimal digits as Python prints them. CPython reads no more than 4,300.
    fn of_digits(text: &'a str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = (1..=4300).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plain || (digits.starts_with('0') && text != "0") {
            return None;
        }
        Some(text.parse().map_or(Self::Digits(text), Self::Small))
    }

    fn is_negative(&self) -> bool {
        match self {
            Self::Small(int) => *int < 0,
            Self::Big(int) => int.is_negative(),
            Self::Digits(text) => text.starts_with('-'),
        }
    }
}

const fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl fmt::Display for Fraction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            Integer::Small(1) => self.numerator.fmt(f),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

impl fmt::Display for Integer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small(int) => int.fmt(f),
            Self::Big(int) => int.fmt(f),
            Self::Digits(text) => f.write_str(text),
        }
    }
}

/// Shows nothing of its contents.
impl fmt::Debug for Fraction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fraction")
    }
}

/// Shows nothing of its contents.
impl fmt::Debug for Integer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Integer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_python_prints_is_a_fraction() {
        for text in ["1/3", "-1/3", "0", "-7", "170141183460469231731687303715884105727/2", "1/9223372036854775808"] {
            assert_eq!(Fraction::of_text(text).unwrap().to_string(), text);
        }
        let long = "9".repeat(4301);
        for text in ["", "/", "1/", "2/4", "1/0", "1/1", "1/-3", "01/3", "1/03", "-0", "1.5", "1/3/5", " 1", &long] {
            assert!(Fraction::of_text(text).is_none(), "{text}");
        }
    }
}
