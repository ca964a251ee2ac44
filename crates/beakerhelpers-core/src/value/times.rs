//! Python's dates, times and durations.

use super::Value;

/// A `datetime.date`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a date has these parts")]
pub struct Date {
    /// 1 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31; the days of the month.
    pub day: u8,
}

/// The clock of a `datetime.time` or `datetime.datetime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a clock has these parts")]
pub struct Clock {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
}

/// A `datetime.time`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Time<'a> {
    /// The time of day.
    pub clock: Clock,
    /// Python's `fold`: the second of two equal local times.
    pub fold: bool,
    /// Its `tzinfo`, which may be of any class.
    pub zone: Option<Value<'a>>,
}

/// A `datetime.datetime`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DateTime<'a> {
    /// The date.
    pub date: Date,
    /// The time of day.
    pub clock: Clock,
    /// Python's `fold`: the second of two equal local times.
    pub fold: bool,
    /// Its `tzinfo`, which may be of any class.
    pub zone: Option<Value<'a>>,
}

/// A `datetime.timedelta`, in Python's normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a timedelta has these parts")]
pub struct TimeDelta {
    /// -999,999,999 to 999,999,999.
    pub days: i32,
    /// 0 to 86,399.
    pub seconds: u32,
    /// 0 to 999,999.
    pub microseconds: u32,
}

/// A `datetime.timezone`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TimeZone<'a> {
    /// East of Greenwich.
    pub offset: TimeDelta,
    /// Its name, where it was given one.
    pub name: Option<&'a str>,
}

impl Date {
    /// Reads the four bytes that `datetime.date` pickles itself as.
    pub(super) fn from_state(state: [u8; 4]) -> Option<Self> {
        let [high, low, month, day] = state;
        let year = u16::from_be_bytes([high, low]);
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        ((1..=9999).contains(&year) && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }
}

impl Clock {
    /// Reads the six bytes that `datetime.time` pickles itself as.
    pub(super) fn from_state(state: [u8; 6]) -> Option<Self> {
        let [hour, minute, second, a, b, c] = state;
        let microsecond = u32::from_be_bytes([0, a, b, c]);
        (hour < 24 && minute < 60 && second < 60 && microsecond < 1_000_000).then_some(Self {
            hour,
            minute,
            second,
            microsecond,
        })
    }
}

impl TimeDelta {
    /// Normalizes as `datetime.timedelta(days, seconds, microseconds)` does; `None` out of its range.
    pub fn new(days: i64, seconds: i64, microseconds: i64) -> Option<Self> {
        let micros = (i128::from(days) * 86_400 + i128::from(seconds)) * 1_000_000 + i128::from(microseconds);
        let seconds = micros.div_euclid(1_000_000);
        let days = i32::try_from(seconds.div_euclid(86_400)).ok()?;
        let small = |number: i128| u32::try_from(number).ok();
        (days.abs() <= 999_999_999).then_some(Self {
            days,
            seconds: small(seconds.rem_euclid(86_400))?,
            microseconds: small(micros.rem_euclid(1_000_000))?,
        })
    }

    /// All of it in microseconds.
    pub fn as_micros(self) -> i128 {
        (i128::from(self.days) * 86_400 + i128::from(self.seconds)) * 1_000_000 + i128::from(self.microseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_dates() {
        assert_eq!(Date::from_state([7, 0xda, 1, 31]), Some(Date { year: 2010, month: 1, day: 31 }));
        for state in [[7, 0xda, 2, 29], [0, 0, 1, 1], [7, 0xda, 13, 1], [7, 0xda, 0, 1], [0x27, 0x10, 1, 1]] {
            assert_eq!(Date::from_state(state), None, "{state:?}");
        }
        assert!(Date::from_state([7, 0xd0, 2, 29]).is_some() && Date::from_state([7, 0x6c, 2, 29]).is_none());
    }

    #[test]
    fn a_timedelta_is_normalized() {
        assert_eq!(TimeDelta::new(0, 0, -1), Some(TimeDelta { days: -1, seconds: 86_399, microseconds: 999_999 }));
        assert_eq!(TimeDelta::new(1, 86_400, 0), Some(TimeDelta { days: 2, seconds: 0, microseconds: 0 }));
        assert_eq!(TimeDelta::new(i64::MAX, 0, 0), None);
        assert_eq!(TimeDelta::new(0, 0, -1).unwrap().as_micros(), -1);
    }
}
