//! The grammar of `--timeout`.

use std::time::Duration;

use crate::{Error, Result, escape_controls};

/// Reads a timeout as BeakerHelpers 0.1 does: a whole number and one of `s`, `m`, `h`, `d`, such as `3s`, `14m`, `36h`
/// or `2d`. White space around the number is allowed, as there.
///
/// `0` alone has a meaning of its own for each command and is not read here.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) with the original's sentence for anything else: no unit, another
/// unit, a fraction, a negative number, or one too large to count in seconds.
pub fn parse_timeout(text: &str) -> Result<Duration> {
    parse(text).ok_or_else(|| {
        Error::config("Timeout must be seconds, minutes, hours or days. E.g. 20s, 1m, 4h, 1d")
            .with_context("got", format!("`{}`", escape_controls(text)))
    })
}

fn parse(text: &str) -> Option<Duration> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number = text[..text.len() - 1].trim();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let secs = number.parse::<u64>().ok()?.checked_mul(unit)?;
    // More than the age of any computer: a slip of the keyboard that would make every session look young.
    (secs <= 100_000 * 24 * 60 * 60).then(|| Duration::from_secs(secs))
}

/// Prints a duration as `--timeout` reads it, in the largest unit that loses nothing: `2d`, `90s`.
/// Parts of a second are left out.
#[must_use]
pub fn format_timeout(duration: Duration) -> String {
    let secs = duration.as_secs();
    [(86_400, 'd'), (3_600, 'h'), (60, 'm')]
        .into_iter()
        .find(|(unit, _)| secs >= *unit && secs.is_multiple_of(*unit))
        .map_or_else(|| format!("{secs}s"), |(unit, letter)| format!("{}{letter}", secs / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_original() {
        for (text, secs) in [("3s", 3), ("14m", 840), ("36h", 129_600), ("2d", 172_800), ("5 m", 300), ("0s", 0)] {
            assert_eq!(parse_timeout(text).unwrap(), Duration::from_secs(secs), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", "0", "10", "m", " m", "1.5h", "-5m", "+5m", "xm", "1M", "1w", "1e3s", "99999999999999999999d", "٣s"]
        {
            let error = parse_timeout(text).unwrap_err();
            assert_eq!(error.to_string(), "Timeout must be seconds, minutes, hours or days. E.g. 20s, 1m, 4h, 1d");
        }
    }

    #[test]
    fn what_was_given_is_shown_without_its_escapes() {
        let report = parse_timeout("it's \u{1b}[2J").unwrap_err().report().to_string();
        assert!(report.ends_with(r"got: `it's \x1b[2J`"), "{report}");
    }

    #[test]
    fn formatting_reads_back() {
        for text in ["2d", "36h", "90s", "14m", "0s"] {
            assert_eq!(format_timeout(parse_timeout(text).unwrap()), text);
        }
    }
}
