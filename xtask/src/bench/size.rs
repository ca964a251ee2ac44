//! How many sessions.

use std::fmt;
use std::str::FromStr;

/// A number of sessions, written like `10k` or `1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(u64);

impl Size {
    /// The sizes of a full run.
    pub(crate) const ALL: [Self; 3] = [Self(10_000), Self(100_000), Self(1_000_000)];
    /// The size of a quick run.
    pub(crate) const QUICK: Self = Self(10_000);
    /// A site that nobody visits yet.
    pub(crate) const FEW: Self = Self(10);

    pub(crate) const fn sessions(self) -> u64 {
        self.0
    }

    /// How many of them are younger than the cutoff.
    pub(crate) const fn young(self) -> u64 {
        self.0 - self.0 * 9 / 10
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            sessions if sessions >= 1_000_000 && sessions % 1_000_000 == 0 => write!(f, "{}m", sessions / 1_000_000),
            sessions if sessions >= 1_000 && sessions % 1_000 == 0 => write!(f, "{}k", sessions / 1_000),
            sessions => write!(f, "{sessions}"),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, unit) = match text.strip_suffix(['k', 'm']) {
            Some(digits) if text.ends_with('k') => (digits, 1_000),
            Some(digits) => (digits, 1_000_000),
            None => (text, 1),
        };
        let sessions = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        // Ten at least: a tenth of them stays.
        sessions
            .filter(|sessions| *sessions >= 10)
            .map(Self)
            .ok_or_else(|| "give ten or more, such as `10k`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_shown() {
        for (text, sessions) in [("10", 10), ("1500", 1_500), ("10k", 10_000), ("100k", 100_000), ("2m", 2_000_000)] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.sessions(), size.to_string().as_str()), (sessions, text));
        }
        for text in ["", "k", "9", "-1", "1g", "1.5k", "99999999999999999999", "9999999999999999999m"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tenth_is_young() {
        assert_eq!(Size::ALL.map(Size::young), [1_000, 10_000, 100_000]);
        assert_eq!(Size(19).young(), 2);
    }
}
