//! The name of an archive, which may hold the date.

use beakerhelpers_core::{Error, NaiveTime, Result};

/// Puts date and time into a name: `%Y`, `%m`, `%d`, `%H`, `%M` and `%S` as in `strftime`, and `%%` for `%`.
///
/// # Errors
///
/// `Config` for any other `%`.
pub fn archive_name(pattern: &str, now: NaiveTime) -> Result<String> {
    let now = now.to_string();
    let mut name = String::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            name.push(char);
            continue;
        }
        // In `2026-11-20 22:07:06.489316`.
        let range = match chars.next() {
            Some('%') => {
                name.push('%');
                continue;
            }
            Some('Y') => 0..4,
            Some('m') => 5..7,
            Some('d') => 8..10,
            Some('H') => 11..13,
            Some('M') => 14..16,
            Some('S') => 17..19,
            _ => {
                return Err(Error::config("the name of the archive has a `%` that stands for nothing")
                    .with_hint("`%Y`, `%m`, `%d`, `%H`, `%M` and `%S` are date and time; write `%%` for `%`"));
            }
        };
        name.push_str(now.get(range).unwrap_or_default());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_goes_into_the_name() {
        let now = NaiveTime::parse(b"2026-11-20 22:07:06.5").unwrap();
        let name = |pattern| archive_name(pattern, now);
        assert_eq!(name("old-%Y-%m-%d.gz").unwrap(), "old-2026-11-20.gz");
        assert_eq!(name("ž/%H:%M:%S%%%Y").unwrap(), "ž/22:07:06%2026");
        assert_eq!(name("plain").unwrap(), "plain");
        for pattern in ["%", "a%q", "%ž"] {
            assert!(name(pattern).is_err(), "{pattern}");
        }
    }
}
