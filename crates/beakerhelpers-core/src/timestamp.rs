//! Instants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An instant: whole microseconds since 1970-01-01T00:00:00Z, before it negative.
///
/// Microseconds are what Beaker's columns hold (Python's `datetime`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// From the float that Beaker keeps in `_accessed_time` and `_creation_time`, rounded to the nearest microsecond.
    /// `None` for what is not a number or lies outside of ±292,000 years.
    pub fn from_epoch_float(secs: f64) -> Option<Self> {
        // Whole and fractional seconds apart: one product would lose the last digits of today's times.
        let (whole, fraction) = (secs.trunc(), secs.fract());
        if whole.is_nan() || whole.abs() > 9.2e12 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "both are checked to be in range")]
        let micros = whole as i64 * 1_000_000 + (fraction * 1e6).round_ties_even() as i64;
        Some(Self(micros))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This much earlier; the earliest instant there is where that lies before it.
    #[must_use]
    pub fn earlier_by(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(saturating_micros(duration)))
    }

    /// This much later; the latest instant there is where that lies after it.
    #[must_use]
    pub fn later_by(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(saturating_micros(duration)))
    }

    /// How long ago `earlier` was; zero where it is later than this.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn saturating_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(0).later_by(after),
            Err(before) => Self(0).earlier_by(before.duration()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_microseconds() {
        assert_eq!(Timestamp::from_epoch_float(1_795_205_226.489_316_5), Some(Timestamp(1_795_205_226_489_316)));
        assert_eq!(Timestamp::from_epoch_float(-0.5), Some(Timestamp(-500_000)));
        assert_eq!(Timestamp::from_epoch_float(f64::NAN), None);
        assert_eq!(Timestamp::from_epoch_float(1e300), None);
    }

    #[test]
    fn arithmetic_saturates() {
        let earliest = Timestamp::from_micros(i64::MIN);
        assert_eq!(Timestamp::from_secs(0).earlier_by(Duration::MAX).earlier_by(Duration::MAX), earliest);
        assert_eq!(earliest.since(Timestamp::from_secs(0)), Duration::ZERO);
    }
}
