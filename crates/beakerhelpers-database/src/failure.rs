//! What went wrong, and whether to try again.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use beakerhelpers_core::Error;

/// How long to go on without a server that was there a moment ago: enough for it to be restarted.
pub(crate) const RESTART: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);

/// An error, and what to make of it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) trouble: Trouble,
    pub(crate) error: Error,
}

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It will not.
    Final,
    /// The row is there already.
    Duplicate,
    /// Others were in the way: a deadlock, a serialization failure, a lock that could not be had in time. The
    /// transaction is undone.
    InTheWay,
    /// The server is gone: nothing listens, it shuts down or starts, the connection broke. What came of a transaction is
    /// not known.
    Gone,
}

impl Failure {
    pub(crate) const fn new(trouble: Trouble, error: Error) -> Self {
        Self { trouble, error }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { trouble: Trouble::Final, error }
    }
}

/// How long to wait before the next attempt, and whether there is to be one.
#[derive(Debug)]
pub(crate) struct Backoff {
    started: Instant,
    attempts: u32,
    /// For others to get out of the way.
    patience: Duration,
    /// For a server that is gone.
    absence: Duration,
}

impl Backoff {
    pub(crate) fn start(patience: Duration, absence: Duration) -> Self {
        Self { started: Instant::now(), attempts: 0, patience, absence }
    }

    /// How long to wait, or the error where trying again is of no use, or was for long enough.
    pub(crate) fn after(&mut self, failure: Failure) -> Result<Duration, Error> {
        let limit = match failure.trouble {
            Trouble::Final | Trouble::Duplicate => return Err(failure.error),
            Trouble::InTheWay => self.patience,
            Trouble::Gone => self.absence,
        };
        if self.started.elapsed() >= limit {
            return Err(failure.error);
        }
        let step = SHORTEST.saturating_mul(1 << self.attempts.min(16)).min(LONGEST);
        self.attempts += 1;
        // Two that were in each other's way must not meet again: between half a step and a whole one.
        let chance = RandomState::new().hash_one(self.attempts) % 1000;
        Ok(step / 2 + (step / 2).mul_f64(f64::from(u16::try_from(chance).unwrap_or(0)) / 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_limit_and_end() {
        let failure = || Failure { trouble: Trouble::Gone, error: Error::config("x") };
        let mut backoff = Backoff::start(Duration::ZERO, Duration::from_secs(3600));
        let waits: Vec<_> = (0..12).map(|_| backoff.after(failure()).expect("it goes on")).collect();
        assert!(waits[0] <= SHORTEST && waits[11] >= LONGEST / 2 && waits[11] <= LONGEST, "{waits:?}");
        assert!(Backoff::start(Duration::MAX, Duration::ZERO).after(failure()).is_err());
        assert!(Backoff::start(Duration::MAX, Duration::MAX).after(Error::config("x").into()).is_err());
    }
}
