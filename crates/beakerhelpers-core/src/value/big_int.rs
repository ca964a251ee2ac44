//! Integers of any size.

use std::fmt;

/// A Python `int` that is too large for an `i64`.
///
/// `Display` prints it in decimal up to 4,300 digits, where CPython 3.11 and later refuse (`sys.set_int_max_str_digits`)
/// because the time grows with the square of the length, and as `0x…` beyond.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BigInt<'a>(&'a [u8]);

/// CPython's `sys.int_info.default_max_str_digits`.
pub(super) const MAX_DIGITS: usize = 4300;

impl<'a> BigInt<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Two's complement, little endian, without bytes that say nothing.
    pub const fn le_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.0.last().is_some_and(|byte| *byte >= 0x80)
    }

    /// The same as a `u128`, where it is one.
    pub fn to_u128(self) -> Option<u128> {
        let (low, high) = self.0.split_at_checked(16).unwrap_or((self.0, &[]));
        if self.is_negative() || high.iter().any(|byte| *byte != 0) {
            return None;
        }
        let mut bytes = [0; 16];
        bytes.get_mut(..low.len())?.copy_from_slice(low);
        Some(u128::from_le_bytes(bytes))
    }

    /// The same as an `i128`, where it is one.
    pub fn to_i128(self) -> Option<i128> {
        let mut bytes = [if self.is_negative() { 0xff } else { 0 }; 16];
        bytes.get_mut(..self.0.len())?.copy_from_slice(self.0);
        Some(i128::from_le_bytes(bytes))
    }

    /// The absolute value in limbs of 32 bits, the least one first.
    fn magnitude(self) -> Vec<u32> {
        let flip = if self.is_negative() { 0xff } else { 0 };
        let mut carry = self.is_negative();
        let limb = |chunk: &[u8]| {
            let mut bytes = [flip; 4];
            bytes.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            let (limb, overflow) =
                (u32::from_le_bytes(bytes) ^ u32::from_le_bytes([flip; 4])).overflowing_add(carry.into());
            carry = overflow;
            limb
        };
        let mut limbs: Vec<u32> = self.0.chunks(4).map(limb).collect();
        if carry {
            limbs.push(1);
        }
        limbs
    }
}

impl fmt::Display for BigInt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut limbs = self.magnitude();
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        if self.is_negative() {
            f.write_str("-")?;
        }
        // 10^4300 has 14,285 bits; one digit more or less at the edge makes no difference to anyone.
        if limbs.len() > MAX_DIGITS * 10 / 3 / 32 {
            f.write_str("0x")?;
            let mut rest = limbs.iter().rev();
            write!(f, "{:x}", rest.next().copied().unwrap_or(0))?;
            return rest.try_for_each(|limb| write!(f, "{limb:08x}"));
        }
        let mut parts = Vec::new();
        while !limbs.is_empty() {
            let mut remainder = 0;
            for limb in limbs.iter_mut().rev() {
                let value = remainder << 32 | u64::from(*limb);
                #[expect(clippy::cast_possible_truncation, reason = "a remainder is below 10^9, so the quotient fits")]
                let quotient = (value / 1_000_000_000) as u32;
                (*limb, remainder) = (quotient, value % 1_000_000_000);
            }
            parts.push(remainder);
            while limbs.last() == Some(&0) {
                limbs.pop();
            }
        }
        write!(f, "{}", parts.pop().unwrap_or(0))?;
        parts.iter().rev().try_for_each(|part| write!(f, "{part:09}"))
    }
}

impl fmt::Debug for BigInt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BigInt({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        let big = |bytes: &[u8]| BigInt::new(bytes).to_string();
        assert_eq!(big(&[0, 0, 0, 0, 0, 0, 0, 0, 64]), "1180591620717411303424");
        assert_eq!(big(&[0, 0, 0, 0, 0, 0, 0, 0, 0xc0]), "-1180591620717411303424");
        assert_eq!(big(&[0, 0, 0, 0, 0, 0, 0, 0x80]), "-9223372036854775808");
        assert_eq!(big(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), "18446744073709551615");
        assert_eq!(big(&[1, 0, 0, 0, 0, 0, 0, 0, 0xff]), "-18446744073709551615");
        assert_eq!(BigInt::new(&[0xff; 16]).to_u128(), None);
        let mut most = [0xff; 17];
        most[16] = 0;
        assert_eq!((BigInt::new(&most).to_u128(), BigInt::new(&most).to_i128()), (Some(u128::MAX), None));
        let most = i128::MIN.to_le_bytes();
        assert_eq!((BigInt::new(&most).to_u128(), BigInt::new(&most).to_i128()), (None, Some(i128::MIN)));
        assert_eq!(BigInt::new(&[0, 0, 0, 0, 0, 0, 0, 0, 0xc0]).to_i128(), Some(-(1 << 70)));
    }

    #[test]
    fn what_python_refuses_to_print_is_hexadecimal() {
        let text = BigInt::new(&[0x12; 2000]).to_string();
        assert!(text.starts_with("0x121212") && text.len() == 2 + 4000);
        let decimal = BigInt::new(&[0x7f; 1700]).to_string();
        assert!(decimal.bytes().all(|byte| byte.is_ascii_digit()) && decimal.len() < MAX_DIGITS);
    }
}
