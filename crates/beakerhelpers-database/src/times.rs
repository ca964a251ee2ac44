//! Between the naive times of a table and instants, fast enough for a million rows.

use beakerhelpers_core::{NaiveTime, Timestamp, Zone};

/// Six hours: no zone changes its offset twice within one.
const BUCKET: i64 = 6 * 60 * 60 * 1_000_000;
/// Enough for the sessions of four months to be looked up once each.
const BUCKETS: usize = 512;

/// Reads the times of a table, remembering the offset of each quarter of a day: to ask a zone's rules for each of a
/// million times would take longer than to read these from the database.
#[derive(Debug)]
pub(crate) struct Clock {
    zone: Zone,
    known: Vec<Option<Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    number: i64,
    /// Local time less UTC in microseconds; `None` where it changes within the bucket.
    offset: Option<i64>,
}

impl Clock {
    pub(crate) fn new(zone: Zone) -> Self {
        Self { zone, known: vec![None; BUCKETS] }
    }

    /// The instant of a column's text, `None` where it is no time.
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<Timestamp> {
        NaiveTime::parse(text).map(|naive| self.instant_of(naive))
    }

    /// As [`Zone::instant_of`].
    pub(crate) fn instant_of(&mut self, naive: NaiveTime) -> Timestamp {
        let number = naive.as_micros().div_euclid(BUCKET);
        let slot = usize::try_from(number.rem_euclid(512)).expect("below the number of slots");
        let bucket = match self.known[slot] {
            Some(bucket) if bucket.number == number => bucket,
            _ => {
                let bucket = self.look_up(number);
                *self.known[slot].insert(bucket)
            }
        };
        match bucket.offset {
            Some(offset) => Timestamp::from_micros(naive.as_micros().saturating_sub(offset)),
            None => self.zone.instant_of(naive),
        }
    }

    fn look_up(&self, number: i64) -> Bucket {
        let offset_at =
            |micros: i64| micros.saturating_sub(self.zone.instant_of(NaiveTime::from_micros(micros)).as_micros());
        let start = number.saturating_mul(BUCKET);
        let (first, last) = (offset_at(start), offset_at(start.saturating_add(BUCKET)));
        Bucket { number, offset: (first == last).then_some(first) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_zone_around_every_change_of_a_year() {
        for name in ["Europe/Vilnius", "America/New_York", "Australia/Lord_Howe", "UTC", "+05:30"] {
            let zone = Zone::parse(name).unwrap();
            let mut clock = Clock::new(zone);
            let start = NaiveTime::parse(b"2025-12-30 00:00:00").unwrap().as_micros();
            // Steps that meet every minute of an hour in turn, and come back to known buckets.
            for step in 0..60_000 {
                let naive = NaiveTime::from_micros(start + step * 11 * 60 * 1_000_000 + step);
                assert_eq!(clock.instant_of(naive), zone.instant_of(naive), "{name} {naive}");
            }
        }
    }

    #[test]
    fn times_that_share_a_slot_do_not_share_an_offset() {
        let zone = Zone::parse("Europe/Vilnius").unwrap();
        let mut clock = Clock::new(zone);
        let summer = NaiveTime::parse(b"2026-07-01 12:00:00").unwrap();
        let winter = NaiveTime::from_micros(summer.as_micros() + BUCKET * 512);
        for naive in [summer, winter, summer] {
            assert_eq!(clock.instant_of(naive), zone.instant_of(naive));
        }
    }
}
