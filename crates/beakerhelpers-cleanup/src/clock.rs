//! Do the store's local times mean what we think?
//!
//! Beaker writes two times for each access: the column, in the naive local time of the application's host, and
//! `_accessed_time` inside of the session, in seconds since the epoch (`beaker/session.py` and `beaker/ext/database.py`,
//! 1.14.1). The column is written when the request ends, the other when it begins, so they are seconds apart, unless
//! the column was read in the wrong zone: then they are apart by the difference of the zones.

use beakerhelpers_codec::{Decoder, Found};
use beakerhelpers_core::{Error, ErrorKind, Query, Record, Result, Session, SessionStore, offset_name};

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
    pub(crate) fn run(self, store: &dyn SessionStore) -> Result<()> {
        let capabilities = store.info().capabilities;
        // A store whose times are not local ones, or that cannot show any session, leaves nothing to check.
        if self == Self::Skip || !capabilities.access_times || !capabilities.iter {
            return Ok(());
        }
        let mut decoder = Decoder::new();
        let mut session = Session::default();
        let mut quarters = Vec::new();
        for record in store.iter(Query::newest(ASKED)) {
            match record {
                Ok(record) => quarters.extend(quarters_apart(&record, &mut decoder, &mut session)),
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
fn quarters_apart(record: &Record, decoder: &mut Decoder, session: &mut Session) -> Option<i64> {
    let Ok(Found::Session) = decoder.decode_into(&record.payload, session) else { return None };
    let apart = record.accessed?.as_micros().checked_sub(session.accessed_time()?.as_micros())?;
    let quarters = (apart + QUARTER / 2).div_euclid(QUARTER);
    let farthest = 26 * 4;
    ((apart - quarters * QUARTER).abs() <= REQUEST && quarters.abs() <= farthest).then_some(quarters)
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
