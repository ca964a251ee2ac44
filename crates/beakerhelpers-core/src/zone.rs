//! Local times, which is what Beaker's columns hold.

use std::fmt;

use chrono::{DateTime, Datelike, Local, NaiveDate, Offset, TimeZone, Timelike};

use crate::{Cutoff, Error, Result, Timestamp, escape_controls};

/// A time zone: this host's, a named one, or a fixed offset.
///
/// Beaker stamps `accessed` and `created` with `datetime.now()`, the naive local time of the host that runs the
/// application (`beaker/ext/database.py`, 1.14.1). To compare such a time with an instant one has to know the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Local,
    Named(chrono_tz::Tz),
    Fixed(chrono::FixedOffset),
}

impl Default for Zone {
    fn default() -> Self {
        Self::LOCAL
    }
}

impl Zone {
    /// The zone of this host: the variable `TZ`, else the system's setting.
    pub const LOCAL: Self = Self(Kind::Local);
    /// Coordinated universal time.
    pub const UTC: Self = Self(Kind::Named(chrono_tz::UTC));

    /// Reads `local`, a name of the IANA database (`Europe/Vilnius`, `UTC`) or an offset (`+02:00`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        if text.eq_ignore_ascii_case("local") {
            return Ok(Self::LOCAL);
        }
        let offset = text.strip_prefix("UTC").filter(|rest| !rest.is_empty()).unwrap_or(text);
        if let Ok(offset) = offset.parse() {
            return Ok(Self(Kind::Fixed(offset)));
        }
        let named = chrono_tz::Tz::from_str_insensitive(text);
        named.map(|zone| Self(Kind::Named(zone))).map_err(|_| {
            Error::config(format!(
                "unknown time zone `{}`: give `local`, a name such as `Europe/Vilnius` or `UTC`, or an offset such as `+02:00`",
                escape_controls(text)
            ))
        })
    }

    /// The offset from UTC in seconds that the zone has at this instant, east positive.
    pub fn offset_at(self, at: Timestamp) -> i32 {
        // Chrono counts years in a narrower range than the timestamp; no zone has rules out there.
        let secs = at.as_micros().div_euclid(1_000_000).clamp(-60_000_000_000, 250_000_000_000);
        let utc = DateTime::from_timestamp(secs, 0).expect("it is clamped to the years 69 to 9892").naive_utc();
        let offset = match self.0 {
            Kind::Local => Local.offset_from_utc_datetime(&utc).fix(),
            Kind::Named(zone) => zone.offset_from_utc_datetime(&utc).fix(),
            Kind::Fixed(offset) => offset,
        };
        offset.local_minus_utc()
    }

    /// What a clock on the wall shows at this instant.
    pub fn naive_at(self, at: Timestamp) -> NaiveTime {
        NaiveTime(at.as_micros().saturating_add(i64::from(self.offset_at(at)) * 1_000_000))
    }

    /// The instant at which a clock on the wall shows this. Where it does so twice (an hour each autumn) the later one,
    /// so that nothing looks older than it is; where it never does (an hour each spring) as if the clock had not been
    /// put forward yet.
    pub fn instant_of(self, naive: NaiveTime) -> Timestamp {
        const DAY: i64 = 86_400_000_000;
        let at = |offset: i32| Timestamp::from_micros(naive.0.saturating_sub(i64::from(offset) * 1_000_000));
        // The offsets of a day before and after are the only candidates around a change.
        let before = self.offset_at(Timestamp::from_micros(naive.0.saturating_sub(DAY)));
        let after = self.offset_at(Timestamp::from_micros(naive.0.saturating_add(DAY)));
        let (early, late) = (at(before.max(after)), at(before.min(after)));
        if self.naive_at(late) == naive {
            late
        } else if self.naive_at(early) == naive {
            early
        } else {
            at(before)
        }
    }

    /// The naive time to compare a column with, so that `column < it` is never true for a session that is active.
    ///
    /// It is the *smallest* local time that any instant from the cutoff to now has. Plain conversion of the cutoff
    /// deletes live sessions when the clock is put back in autumn; subtracting the timeout from the local time does so
    /// when it is put forward in spring.
    pub fn naive_cutoff(self, cutoff: Cutoff) -> NaiveTime {
        const STEP: i64 = 15 * 60 * 1_000_000;
        // Local time runs backwards only where the offset shrinks. No change was ever larger than a day, so one that
        // comes more than a day after the cutoff cannot lead back before it.
        let start = cutoff.at().as_micros();
        let end = cutoff.now().as_micros().min(start.saturating_add(26 * 60 * 60 * 1_000_000)).max(start);
        let mut smallest = self.naive_at(cutoff.at());
        let mut from = start;
        while from < end {
            let to = from.saturating_add(STEP).min(end);
            let offset = self.offset_at(Timestamp::from_micros(to));
            if offset < self.offset_at(Timestamp::from_micros(from)) {
                let change = self.first_with_offset(offset, from, to);
                smallest = smallest.min(self.naive_at(change));
            }
            from = to;
        }
        smallest
    }

    /// The first instant after `before` and up to `after` at which the zone has this offset, to the microsecond.
    fn first_with_offset(self, offset: i32, mut before: i64, mut after: i64) -> Timestamp {
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if self.offset_at(Timestamp::from_micros(middle)) == offset {
                after = middle;
            } else {
                before = middle;
            }
        }
        Timestamp::from_micros(after)
    }

    /// The offset at this instant as text: `UTC+02:00`.
    pub fn offset_name(self, at: Timestamp) -> String {
        offset_name(self.offset_at(at))
    }

    /// Appends the instant as RFC 3339 with microseconds and the zone's offset: `2026-11-20T22:07:06.489316+02:00`.
    /// An instant outside of the years 1 to 9999 has no such form and appends nothing; the answer says which it was.
    pub fn push_rfc3339(self, at: Timestamp, out: &mut String) -> bool {
        let offset = self.offset_at(at);
        let naive = NaiveTime(at.as_micros().saturating_add(i64::from(offset) * 1_000_000));
        let Some(parts) = naive.parts() else { return false };
        parts.push(b'T', out);
        out.push('.');
        push_digits(out, parts.micros, 6);
        push_offset(out, offset);
        true
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Local => f.write_str("local time"),
            Kind::Named(zone) => f.write_str(zone.name()),
            Kind::Fixed(offset) => f.write_str(&offset_name(offset.local_minus_utc())),
        }
    }
}

/// An offset in seconds as text: `UTC+02:00`, and `UTC` for none.
#[must_use]
pub fn offset_name(offset: i32) -> String {
    let mut name = String::from("UTC");
    if offset != 0 {
        push_offset(&mut name, offset);
    }
    name
}

fn push_offset(out: &mut String, offset: i32) {
    out.push(if offset < 0 { '-' } else { '+' });
    let minutes = offset.unsigned_abs() / 60;
    push_digits(out, minutes / 60, 2);
    out.push(':');
    push_digits(out, minutes % 60, 2);
}

fn push_digits(out: &mut String, number: u32, width: usize) {
    let mut digits = [0; 6];
    set_digits(&mut digits[..width], number);
    out.push_str(ascii(&digits[..width]));
}

fn set_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("one digit");
        number /= 10;
    }
}

fn ascii(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).expect("digits are ASCII")
}

/// A local time without a zone, to the microsecond, as Beaker's columns hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NaiveTime(i64);

impl NaiveTime {
    /// Reads the text that SQLAlchemy keeps in SQLite, `YYYY-MM-DD HH:MM:SS.ffffff`, where the fraction may be shorter
    /// or missing. `None` for all else, a date that is not in the calendar among it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits = |from: usize, to: usize| {
            text.get(from..to)?
                .iter()
                .try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
        };
        let mark = |at: usize, byte: u8| (*text.get(at)? == byte).then_some(());
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
        for (at, byte) in [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')] {
            mark(at, byte)?;
        }
        let micros = match text.len() {
            19 => 0,
            length @ 21..=26 => {
                mark(19, b'.')?;
                digits(20, length)? * 10_u32.pow(u32::try_from(26 - length).ok()?)
            }
            _ => return None,
        };
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year > 0)?, month, day)?;
        let time = date.and_hms_micro_opt(hour, minute, second, micros)?;
        (second < 60).then(|| Self(time.and_utc().timestamp_micros()))
    }

    /// Microseconds since 1970-01-01 00:00:00 on the same wall clock.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// From microseconds since 1970-01-01 00:00:00 on the same wall clock.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Appends `2026-11-20 22:07:06`, parts of a second cut off, as the original prints times. A time outside of the
    /// years 1 to 9999 has no such form and appends nothing; the answer says which it was.
    pub fn push_seconds(self, out: &mut String) -> bool {
        let Some(parts) = self.parts() else { return false };
        parts.push(b' ', out);
        true
    }

    fn parts(self) -> Option<Parts> {
        let time = DateTime::from_timestamp_micros(self.0)?;
        let year = u32::try_from(time.year()).ok().filter(|year| (1..=9999).contains(year))?;
        let (hour, minute, second, micros) =
            (time.hour(), time.minute(), time.second(), time.timestamp_subsec_micros());
        Some(Parts { year, month: time.month(), day: time.day(), hour, minute, second, micros })
    }
}

struct Parts {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
}

impl Parts {
    /// Appends date and time to the second.
    fn push(&self, separator: u8, out: &mut String) {
        let mut text = *b"0000-00-00 00:00:00";
        text[10] = separator;
        let numbers = [self.month, self.day, self.hour, self.minute, self.second];
        set_digits(&mut text[..4], self.year);
        for (place, number) in text[5..].chunks_mut(3).zip(numbers) {
            set_digits(&mut place[..2], number);
        }
        out.push_str(ascii(&text));
    }
}

/// The full form, `2026-11-20 22:07:06.489316`, as SQLAlchemy writes it to SQLite (always six digits).
impl fmt::Display for NaiveTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(26);
        if !self.push_seconds(&mut text) {
            return f.write_str(if self.0 < 0 { "0001-01-01 00:00:00.000000" } else { "9999-12-31 23:59:59.999999" });
        }
        text.push('.');
        push_digits(&mut text, u32::try_from(self.0.rem_euclid(1_000_000)).expect("below a million"), 6);
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn vilnius() -> Zone {
        Zone::parse("Europe/Vilnius").unwrap()
    }

    fn utc(text: &str) -> Timestamp {
        Timestamp::from_micros(NaiveTime::parse(text.as_bytes()).unwrap().as_micros())
    }

    fn cutoff(now: &str, timeout_minutes: u64) -> Cutoff {
        Cutoff::ago(utc(now), Duration::from_secs(timeout_minutes * 60))
    }

    #[test]
    fn names_and_offsets_are_read() {
        for (text, shown) in [("UTC", "UTC"), ("europe/vilnius", "Europe/Vilnius"), ("+02:00", "UTC+02:00")] {
            assert_eq!(Zone::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(Zone::parse("UTC-05:30").unwrap().to_string(), "UTC-05:30");
        assert!(Zone::parse("Mars/Olympus").is_err());
        assert!(Zone::parse("").is_err());
    }

    #[test]
    fn a_session_is_not_deleted_early_when_the_clock_is_put_back() {
        // 2026-10-25 01:00 UTC: 04:00 summer time becomes 03:00 winter time.
        let now = "2026-10-25 01:20:00";
        // Touched 01:05 UTC, 15 minutes ago, and stamped 03:05. The cutoff 00:50 UTC reads 03:50 on the wall.
        let stamped = vilnius().naive_at(utc("2026-10-25 01:05:00"));
        let cutoff = cutoff(now, 30);
        assert!(stamped < vilnius().naive_at(cutoff.at()), "plain conversion would delete it");
        assert!(stamped >= vilnius().naive_cutoff(cutoff));
        assert_eq!(vilnius().naive_cutoff(cutoff).to_string(), "2026-10-25 03:00:00.000000");
    }

    #[test]
    fn a_session_is_not_deleted_early_when_the_clock_is_put_forward() {
        // 2026-03-29 01:00 UTC: 03:00 winter time becomes 04:00 summer time.
        let now = "2026-03-29 01:10:00";
        // Touched 00:50 UTC, 20 minutes ago, and stamped 02:50; now reads 04:10.
        let stamped = vilnius().naive_at(utc("2026-03-29 00:50:00"));
        let naive_subtraction = vilnius().naive_at(utc(now)).as_micros() - 30 * 60 * 1_000_000;
        assert!(stamped.as_micros() < naive_subtraction, "plain subtraction would delete it");
        assert!(stamped >= vilnius().naive_cutoff(cutoff(now, 30)));
        assert_eq!(vilnius().naive_cutoff(cutoff(now, 30)).to_string(), "2026-03-29 02:40:00.000000");
    }

    #[test]
    fn a_change_that_is_still_to_come_moves_nothing() {
        let cutoff = cutoff("2026-10-25 00:59:00", 10);
        assert_eq!(vilnius().naive_cutoff(cutoff), vilnius().naive_at(cutoff.at()));
    }

    #[test]
    fn instants_of_ambiguous_and_missing_times() {
        let at = |text: &str| vilnius().instant_of(NaiveTime::parse(text.as_bytes()).unwrap());
        assert_eq!(at("2026-10-25 03:30:00"), utc("2026-10-25 01:30:00"));
        assert_eq!(at("2026-03-29 03:30:00"), utc("2026-03-29 01:30:00"));
        assert_eq!(at("2026-07-01 12:00:00.5"), utc("2026-07-01 09:00:00.500000"));
        assert_eq!(at("2026-12-01 12:00:00"), utc("2026-12-01 10:00:00"));
    }

    #[test]
    fn only_real_dates_in_sqlalchemys_form_are_read() {
        for text in ["2026-11-20 22:07:06.489316", "2026-11-20 22:07:06", "0001-01-01 00:00:00.1"] {
            assert!(NaiveTime::parse(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            "",
            "20",
            "1795205226",
            "2026-13-20 22:07:06",
            "2026-02-30 22:07:06",
            "2026-11-20T22:07:06",
            "2026-11-20",
            "0000-01-01 00:00:00",
            "2026-11-20 24:07:06",
            "2026-11-20 22:07:60",
            "2026-11-20 22:07:06.",
            "2026-11-20 22:07:06.1234567",
            "2026-11-20 22:07:06,5",
            "2026-11-20 22:07:06+0",
            "２026-11-20 22:07:06",
        ] {
            assert!(NaiveTime::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn printing_reads_back_and_ends_where_the_calendar_does() {
        let text = "2026-11-20 22:07:06.489316";
        assert_eq!(NaiveTime::parse(text.as_bytes()).unwrap().to_string(), text);
        assert_eq!(NaiveTime::from_micros(i64::MIN).to_string(), "0001-01-01 00:00:00.000000");
        let mut out = String::new();
        assert!(vilnius().push_rfc3339(utc(text), &mut out));
        assert_eq!(out, "2026-11-21T00:07:06.489316+02:00");
        assert!(!Zone::UTC.push_rfc3339(Timestamp::from_micros(i64::MAX), &mut out));
    }
}
