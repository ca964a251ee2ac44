//! What a cleanup does where the store's local times mean something else than we think.

use beakerhelpers_codec::{OtherZone, Settings};
use beakerhelpers_core::{Error, Result, SessionStore, Zone};

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

impl ClockCheck {
    pub(crate) fn run(self, store: &dyn SessionStore, zone: Zone, settings: &Settings) -> Result<()> {
        match self {
            Self::Skip => Ok(()),
            Self::Refuse => OtherZone::find(store, zone, settings)?.map_or(Ok(()), |seen| Err(refusal(seen))),
        }
    }
}

fn refusal(seen: OtherZone) -> Error {
    Error::config("the access times in the store are of another time zone: nothing was deleted")
        .with_context("seen", seen.to_string())
        .with_hint(
            "give the zone of the host that runs the application with `--time-zone`, or skip this check with \
             `--skip-clock-check`",
        )
}
