//! Do the store's local times mean what we think?
//!
//! Beaker writes two times for each access: the column, in the naive local time of the application's host, and
//! `_accessed_time` inside of the session, in seconds since the epoch (`beaker/session.py` and `beaker/ext/database.py`,
//! 1.14.1). The column is written when the request ends, the other when it begins, so they are seconds apart, unless
//! the column was read in the wrong zone: then they are apart by the difference of the zones.

use beakerhelpers_codec::{Decoder, Found, Settings};
use beakerhelpers_core::{Error, ErrorKind, Query, Record, Result, Session, SessionStore, Zone, offset_name};

/// What to do where the sessions show that another time zone wrote them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockCheck {
    /// Delete nothing.
    #[default]
    Refuse,
    /// Do not look.
    Skip,
}

/// So many of the newest sessions are asked.
const ASKED: u64 = 20;
/// Offsets of zones are multiples of this.
const QUARTER: i64 = 15 * 60 * 1_000_000;
/// A request takes less than this; what is further from a multiple of a quarter of an hour is no evidence of a zone.
const REQUEST: i64 = 2 * 60 * 1_000_000;

impl ClockCheck {
    pub(crate) fn run(self, store: &dyn SessionStore, zone: Zone, settings: &Settings) -> Result<()> {
        let capabilities = store.info().capabilities;
        // A store whose times are not local ones, or that cannot show any session, leaves nothing to check.
        if self == Self::Skip || !capabilities.access_times || !capabilities.iter {
            return Ok(());
        }
        let mut decoder = Decoder::with_settings(settings.clone());
        let mut session = Session::default();
        let mut quarters = Vec::new();
        for record in store.iter(Query::newest(ASKED)) {
            match record {
                Ok(record) => quarters.extend(quarters_apart(&record, zone, &mut decoder, &mut session)),
                Err(error) if error.kind() == ErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
        quarters.sort_unstable();
        let Some(&middle) = quarters.get(quarters.len() / 2) else { return Ok(()) };
        let agree = quarters.iter().filter(|quarter| **quarter == middle).count();
        if middle == 0 || agree * 2 <= quarters.len() {
            return Ok(());
        }
        Err(refusal(middle, agree, quarters.len()))
    }
}

/// By how many quarters of an hour the column is ahead of the time inside; `None` where that cannot be told.
///
/// Both are compared as the clock on the wall showed them: when it is put back, an hour comes twice, and the column does
/// not say which of the two it means.
fn quarters_apart(record: &Record, zone: Zone, decoder: &mut Decoder, session: &mut Session) -> Option<i64> {
    let Ok(Found::Session) = decoder.decode_into(&record.payload, session) else { return None };
    let wall = |at| zone.naive_at(at).as_micros();
    let apart = wall(record.accessed?).checked_sub(wall(session.accessed_time()?))?;
    // No two zones are further apart.
    let farthest = 26 * 4 * QUARTER;
    if !(-farthest..=farthest).contains(&apart) {
        return None;
    }
    let quarters = (apart + QUARTER / 2).div_euclid(QUARTER);
    ((apart - quarters * QUARTER).abs() <= REQUEST).then_some(quarters)
}

fn refusal(quarters: i64, agree: usize, asked: usize) -> Error {
    let difference = i32::try_from(quarters * 15 * 60).unwrap_or(0);
    let ahead = if difference > 0 { "ahead of" } else { "behind" };
    let apart = offset_name(difference.abs()).replace("UTC+", "");
    Error::config("the access times in the store are of another time zone: nothing was deleted")
        .with_context("seen", format!("{agree} of the {asked} newest sessions are {apart} h {ahead} their own clock"))
        .with_hint(
            "give the zone of the host that runs the application with `--time-zone`, or skip this check with \
             `--skip-clock-check`",
        )
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{Framing, MemoryStore, NaiveTime, Payload, SaveMode, SessionId, Timestamp};

    use super::*;

    /// A store whose sessions have this in the column, on the wall of a zone, and this inside.
    fn store(zone: Zone, column: &str, inside: f64) -> MemoryStore {
        let store = MemoryStore::new();
        let accessed = zone.instant_of(NaiveTime::parse(column.as_bytes()).unwrap());
        let pickle = [b"\x80\x02}X\x0e\x00\x00\x00_accessed_timeG".as_slice(), &inside.to_be_bytes(), b"s."].concat();
        for id in ["a", "b", "c"] {
            let payload = Payload::new(Framing::Value, pickle.clone());
            let record = Record::new(SessionId::new(id), payload).with_times(Some(accessed), Some(accessed));
            store.save(&record, SaveMode::Create).unwrap();
        }
        store
    }

    fn epoch(text: &str) -> f64 {
        let at = Timestamp::from_micros(NaiveTime::parse(text.as_bytes()).unwrap().as_micros());
        let secs = i32::try_from(at.as_micros() / 1_000_000).unwrap();
        f64::from(secs)
    }

    #[test]
    fn the_hour_that_comes_twice_is_of_the_zone_both_times() {
        let zone = Zone::parse("Europe/Vilnius").unwrap();
        for inside in ["2026-10-25 00:20:00", "2026-10-25 01:20:00"] {
            let store = store(zone, "2026-10-25 03:20:00", epoch(inside));
            ClockCheck::Refuse.run(&store, zone, &Settings::new()).unwrap();
        }
    }

    #[test]
    fn another_zone_is_refused_and_named_by_its_distance() {
        let store = store(Zone::UTC, "2026-11-20 12:00:01", epoch("2026-11-20 10:00:00"));
        let error = ClockCheck::Refuse.run(&store, Zone::UTC, &Settings::new()).unwrap_err();
        assert!(format!("{error:?}").contains("02:00 h ahead of"), "{error:?}");
        ClockCheck::Skip.run(&store, Zone::UTC, &Settings::new()).unwrap();
    }

    #[test]
    fn times_that_nobody_can_have_meant_are_no_evidence() {
        let store = store(Zone::UTC, "9999-01-01 10:00:00", -8.97e12);
        ClockCheck::Refuse.run(&store, Zone::UTC, &Settings::new()).unwrap();
    }
}
