//! Do the store's local times mean what we think?
//!
//! Beaker writes two times for each access: the column, in the naive local time of the application's host, and
//! `_accessed_time` inside of the session, in seconds since the epoch (`beaker/session.py` and `beaker/ext/database.py`,
//! 1.14.1). The column is written when the request ends, the other when it begins, so they are seconds apart, unless
//! the column was read in the wrong zone: then they are apart by the difference of the zones.

use std::fmt;

use beakerhelpers_core::{Error, ErrorKind, Query, Result, Session, SessionStore, Timestamp, Zone, offset_name};

use crate::{Decoder, Found, Settings};

/// So many of the newest sessions are asked.
const ASKED: u64 = 20;
/// Offsets of zones are multiples of this.
const QUARTER: i64 = 15 * 60 * 1_000_000;
/// A request takes less than this; what is further from a multiple of a quarter of an hour is no evidence of a zone.
const REQUEST: i64 = 2 * 60 * 1_000_000;

/// That another zone than the one which was named wrote the access times of a store. It displays as what was seen:
/// `3 of the 3 newest sessions are 02:00 h ahead of their own clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherZone {
    quarters: i64,
    agree: usize,
    asked: usize,
}

/// What the newest sessions of a store tell of the zone that it was opened with.
#[derive(Debug)]
#[non_exhaustive]
pub enum SeenZone {
    /// It is the right one, or they do not agree, or there is nothing to tell by.
    Fitting,
    /// Another one wrote the access times.
    Other(OtherZone),
    /// Nothing, since none of them can be read: why the first one cannot.
    Unreadable(Error),
}

impl SeenZone {
    /// Asks the newest sessions of a store that was opened with this zone, and whose form the settings tell.
    ///
    /// # Errors
    ///
    /// What the store says. A session that cannot be read is passed over.
    pub fn of(store: &dyn SessionStore, zone: Zone, settings: &Settings) -> Result<Self> {
        let capabilities = store.info().capabilities;
        // A store whose times are not local ones, or that cannot show any session, leaves nothing to check.
        if !capabilities.local_times || !capabilities.iter {
            return Ok(Self::Fitting);
        }
        let mut decoder = Decoder::with_settings(settings.clone());
        let mut session = Session::default();
        let mut quarters = Vec::new();
        let (mut any_read, mut unreadable) = (false, None);
        for record in store.iter(Query::newest(ASKED)) {
            let record = match record {
                Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
                record => record,
            };
            let found =
                record.and_then(|record| Ok((decoder.decode_into(&record.payload, &mut session)?, record.accessed)));
            match found {
                Ok((Found::Session, accessed)) => {
                    any_read = true;
                    quarters.extend(accessed.and_then(|accessed| quarters_apart(accessed, zone, &session)));
                }
                Ok(_) => {}
                Err(error) => unreadable = unreadable.or(Some(error)),
            }
        }
        if let (false, Some(error)) = (any_read, unreadable) {
            return Ok(Self::Unreadable(error));
        }
        quarters.sort_unstable();
        let asked = quarters.len();
        let Some(&middle) = asked.checked_div(2).and_then(|half| quarters.get(half)) else { return Ok(Self::Fitting) };
        let agree = quarters.iter().filter(|quarter| **quarter == middle).count();
        let is_other = middle != 0 && agree.saturating_mul(2) > asked;
        Ok(if is_other { Self::Other(OtherZone { quarters: middle, agree, asked }) } else { Self::Fitting })
    }
}

impl fmt::Display for OtherZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quarters, agree, asked } = self;
        let difference = i32::try_from(quarters.saturating_mul(15 * 60)).unwrap_or(0);
        let ahead = if difference > 0 { "ahead of" } else { "behind" };
        let apart = offset_name(difference.saturating_abs()).replace("UTC+", "");
        write!(f, "{agree} of the {asked} newest sessions are {apart} h {ahead} their own clock")
    }
}

/// By how many quarters of an hour the column is ahead of the time inside; `None` where that cannot be told.
///
/// Both are compared as the clock on the wall showed them: when it is put back, an hour comes twice, and the column does
/// not say which of the two it means.
fn quarters_apart(accessed: Timestamp, zone: Zone, session: &Session) -> Option<i64> {
    let wall = |at| zone.naive_at(at).as_micros();
    let apart = wall(accessed).checked_sub(wall(session.accessed_time()?))?;
    // No two zones are further apart.
    let farthest = 26 * 4 * QUARTER;
    if apart.unsigned_abs() > farthest.unsigned_abs() {
        return None;
    }
    let quarters = apart.saturating_add(QUARTER / 2).div_euclid(QUARTER);
    let off = apart.saturating_sub(quarters.saturating_mul(QUARTER));
    (off.saturating_abs() <= REQUEST).then_some(quarters)
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{
        Framing, MemoryStore, NaiveTime, Payload, Record, Records, SaveMode, SessionId, StoreInfo,
    };

    use super::*;

    /// Keeps local times, as a database does.
    #[derive(Debug)]
    struct Table(MemoryStore);

    impl SessionStore for Table {
        fn info(&self) -> StoreInfo {
            let info = self.0.info();
            StoreInfo::new(info.store_type, info.location, info.capabilities.with_local_times(true))
        }

        fn load(&self, id: &SessionId) -> Result<Option<Record>> {
            self.0.load(id)
        }

        fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
            self.0.save(record, mode)
        }

        fn delete(&self, id: &SessionId) -> Result<bool> {
            self.0.delete(id)
        }

        fn iter(&self, query: Query) -> Records<'_> {
            self.0.iter(query)
        }
    }

    /// A store whose sessions have this in the column, on the wall of a zone, and this inside.
    fn store(zone: Zone, column: &str, inside: f64) -> Table {
        let store = MemoryStore::new();
        let accessed = zone.instant_of(NaiveTime::parse(column.as_bytes()).unwrap());
        let pickle = [b"\x80\x02}X\x0e\x00\x00\x00_accessed_timeG".as_slice(), &inside.to_be_bytes(), b"s."].concat();
        for id in ["a", "b", "c"] {
            let payload = Payload::new(Framing::Value, pickle.clone());
            let record = Record::new(SessionId::new(id), payload).with_times(Some(accessed), Some(accessed));
            store.save(&record, SaveMode::Create).unwrap();
        }
        Table(store)
    }

    fn seen(store: &dyn SessionStore, zone: Zone) -> SeenZone {
        SeenZone::of(store, zone, &Settings::new()).unwrap()
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
            assert!(matches!(seen(&store, zone), SeenZone::Fitting));
        }
    }

    #[test]
    fn another_zone_is_named_by_its_distance() {
        let store = store(Zone::UTC, "2026-11-20 12:00:01", epoch("2026-11-20 10:00:00"));
        let SeenZone::Other(found) = seen(&store, Zone::UTC) else { panic!("it is another") };
        assert_eq!(found.to_string(), "3 of the 3 newest sessions are 02:00 h ahead of their own clock");
    }

    #[test]
    fn times_that_nobody_can_have_meant_are_no_evidence() {
        let store = store(Zone::UTC, "9999-01-01 10:00:00", -8.97e12);
        assert!(matches!(seen(&store, Zone::UTC), SeenZone::Fitting));
    }

    #[test]
    fn what_cannot_be_read_tells_nothing_and_why() {
        let (column, inside) = ("2026-11-20 12:00:01", epoch("2026-11-20 10:00:00"));
        let add = |store: &Table, id: &str, payload: &[u8]| {
            let record = Record::new(SessionId::new(id), Payload::new(Framing::Namespace, payload.to_vec()));
            store.save(&record, SaveMode::Create).unwrap();
        };
        let alone = Table(MemoryStore::new());
        assert!(matches!(seen(&alone, Zone::UTC), SeenZone::Fitting));
        // Neither an empty session nor a cache is one that cannot be read.
        add(&alone, "empty", b"\x80\x02}.");
        add(&alone, "cache", b"\x80\x02}Vkey\n(F1.5\nNVtext\nts.");
        assert!(matches!(seen(&alone, Zone::UTC), SeenZone::Fitting));
        add(&alone, "damaged", b"\x80\x02}(");
        let SeenZone::Unreadable(error) = seen(&alone, Zone::UTC) else { panic!("none can be read") };
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        // One that can is enough.
        let store = store(Zone::UTC, column, inside);
        add(&store, "damaged", b"\x80\x02}(");
        assert!(matches!(seen(&store, Zone::UTC), SeenZone::Other(_)));
    }
}
