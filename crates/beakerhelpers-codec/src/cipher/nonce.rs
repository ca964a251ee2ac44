//! The nonce at the beginning of an encrypted session.

use super::Sealing;

/// How many random bytes a nonce stands for.
///
/// Beaker puts them before the session as base64 text, and cuts that to what `get_nonce_size` says, which is all of it
/// (`beaker/crypto/__init__.py`, 1.8 to 1.14.1). Before, it was 8 characters: those of 6 bytes since 1.6.4, the first of
/// more in 1.6.2 and 1.6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NonceSize(u16);

/// Where the nonce of a text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NonceEnd {
    /// Here: there is padding in the middle of the text.
    Shown(NonceSize),
    /// There is no padding in the middle: the nonce is a multiple of 3 bytes, if there is one.
    Hidden,
}

/// The longest nonce that is found without being told where no padding shows it: 768 bits.
const LONGEST_HIDDEN: usize = 128;

impl Default for NonceSize {
    /// 128 bits, as in Beaker since 1.8.
    fn default() -> Self {
        Self(16)
    }
}

impl NonceSize {
    /// What so many characters of base64, padding among them, stand for. `None` where they are too many.
    pub(crate) fn of_chars(chars: usize, padding: usize) -> Option<Self> {
        let bytes = (chars / 4).checked_mul(3)?.checked_sub(padding)?;
        u16::try_from(bytes).ok().map(Self)
    }

    /// Reads a number of bits: decimal digits, a multiple of 8.
    pub(crate) fn parse(bits: &str) -> Option<Self> {
        if !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let bits: u32 = bits.parse().ok()?;
        let bytes = bits.is_multiple_of(8).then_some(bits / 8)?;
        u16::try_from(bytes).ok().map(Self)
    }

    pub(crate) fn bits(self) -> u32 {
        u32::from(self.0).saturating_mul(8)
    }

    pub(crate) fn bytes(self) -> usize {
        self.0.into()
    }

    pub(crate) fn chars(self) -> usize {
        self.bytes().div_ceil(3).saturating_mul(4)
    }

    /// Whether its text ends with padding.
    pub(crate) const fn is_padded(self) -> bool {
        !self.0.is_multiple_of(3)
    }
}

impl NonceEnd {
    /// Looks for the end of the nonce. `None` where the text is not one base64 text, or two in a row.
    pub(crate) fn find(text: &[u8]) -> Option<Self> {
        if text.is_empty() || !text.len().is_multiple_of(4) {
            return None;
        }
        let (nonce, padding, rest) = split_padding(text)?;
        if rest.is_empty() {
            return Some(Self::Hidden);
        }
        let chars = nonce.checked_add(padding).filter(|chars| chars.is_multiple_of(4))?;
        let (_, _, after) = split_padding(rest)?;
        after.is_empty().then_some(Self::Shown(NonceSize::of_chars(chars, padding)?))
    }

    /// The sizes that come into question, the most likely ones first: the one that the configuration says and no other,
    /// if it says any; the one before; 48 bits, which was Beaker's before 1.8.
    pub(crate) fn sizes(self, said: Option<NonceSize>, before: Option<Sealing>) -> impl Iterator<Item = NonceSize> {
        let shown = match self {
            Self::Shown(size) => Some(size),
            Self::Hidden => None,
        };
        let fits = move |size: &NonceSize| {
            said.is_none_or(|said| said == *size) && shown.map_or(!size.is_padded(), |shown| shown == *size)
        };
        let one = said.or(shown);
        let before = before.map(|before| before.nonce).filter(move |_| one.is_none());
        let hidden = std::iter::once(2).chain((0..=LONGEST_HIDDEN / 4).filter(|quads| *quads != 2));
        let hidden = hidden.filter_map(|quads: usize| NonceSize::of_chars(quads.saturating_mul(4), 0));
        let hidden = hidden.take_while(move |_| one.is_none()).filter(move |size| before != Some(*size));
        one.into_iter().chain(before).chain(hidden).filter(fits)
    }
}

/// Splits a text into base64 characters, padding of at most two, and the rest. `None` where something else comes first.
fn split_padding(text: &[u8]) -> Option<(usize, usize, &[u8])> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let chars = text.iter().take_while(|byte| is_base64(byte)).count();
    let rest = text.get(chars..)?;
    let padding = rest.iter().take(2).take_while(|byte| **byte == b'=').count();
    let after = rest.get(padding..)?;
    (padding > 0 || after.is_empty()).then_some((chars, padding, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cipher;

    fn size(bits: u32) -> NonceSize {
        NonceSize::parse(&bits.to_string()).unwrap()
    }

    #[test]
    fn the_text_is_as_long_as_beaker_makes_it() {
        // ((4 * bytes // 3) + 3) & ~3, by Python.
        for (bits, chars) in
            [(0, 0), (8, 4), (16, 4), (24, 4), (32, 8), (40, 8), (48, 8), (56, 12), (64, 12), (128, 24)]
        {
            assert_eq!((size(bits).chars(), size(bits).bits()), (chars, bits));
        }
        assert_eq!((size(192).chars(), size(256).chars(), size(524_280).chars()), (32, 44, 87_380));
    }

    #[test]
    fn padding_shows_where_the_nonce_ends() {
        let find = |text: &str| NonceEnd::find(text.as_bytes());
        assert_eq!(find("AAAAAAAAAAAAAAAAAAAAAA==BBBB"), Some(NonceEnd::Shown(size(128))));
        assert_eq!(find("AAAAAAAAAAAAAAAAAAAAAA==BBB="), Some(NonceEnd::Shown(size(128))));
        assert_eq!(find("AA==BB=="), Some(NonceEnd::Shown(size(8))));
        assert_eq!(find("AAA=BBBB"), Some(NonceEnd::Shown(size(16))));
        for hidden in ["AAAAAAAABBBB", "AAAA", "AAAAAA==", "AAA="] {
            assert_eq!(find(hidden), Some(NonceEnd::Hidden), "{hidden}");
        }
        for none in ["", "AAA", "AAAAA==BBBBB", "A===", "====", "AA==BB==CC==", "AA==B=BB", "AAA\n", "é==="] {
            assert_eq!(find(none), None, "{none}");
        }
    }

    #[test]
    fn sizes_come_in_order_and_once() {
        let before = |bits| Some(Sealing { cipher: Cipher::AesCtr, nonce: size(bits) });
        let bits = |end: NonceEnd, said: Option<u32>, before| -> Vec<u32> {
            end.sizes(said.map(size), before).map(NonceSize::bits).collect()
        };
        let all = bits(NonceEnd::Hidden, None, None);
        assert!(all.starts_with(&[48, 0, 24, 72, 96]) && all.ends_with(&[768]) && all.len() == 33, "{all:?}");
        let after = bits(NonceEnd::Hidden, None, before(96));
        assert!(after.starts_with(&[96, 48, 0, 24, 72, 120]) && after.len() == 33, "{after:?}");
        // One of 128 bits would show itself.
        assert_eq!(bits(NonceEnd::Hidden, None, before(128)).len(), 33);
        assert_eq!(bits(NonceEnd::Hidden, Some(960), before(96)), [960]);
        assert_eq!(bits(NonceEnd::Hidden, Some(128), None), [0; 0]);
        assert_eq!(bits(NonceEnd::Shown(size(128)), None, before(48)), [128]);
        assert_eq!(bits(NonceEnd::Shown(size(128)), Some(128), None), [128]);
        assert_eq!(bits(NonceEnd::Shown(size(128)), Some(48), None), [0; 0]);
    }
}
