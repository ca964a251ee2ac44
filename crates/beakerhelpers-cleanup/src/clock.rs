//! What a cleanup does where the store's local times mean something else than we think.

use beakerhelpers_codec::{OtherZone, SeenZone, Settings};
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
    /// Looks. Returns why nothing could be seen, where no session can be read.
    pub(crate) fn run(self, store: &dyn SessionStore, zone: Zone, settings: &Settings) -> Result<Option<Error>> {
        if self == Self::Skip {
            return Ok(None);
        }
        match SeenZone::of(store, zone, settings)? {
            SeenZone::Other(seen) => Err(refusal(seen)),
            SeenZone::Unreadable(error) => Ok(Some(error)),
            _ => Ok(None),
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
