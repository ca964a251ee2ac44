//! What comes of a run, and who hears of it.

use std::ops::ControlFlow;

use beakerhelpers_core::{Error, SessionId};

#[cfg(doc)]
use crate::{Copy, CopyMode};

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Records that were looked at.
    pub seen: u64,
    /// Sessions that TO did not have, and has now, or would have.
    pub new: u64,
    /// Sessions that TO had an older state of, and has the present one of now, or would have.
    pub changed: u64,
    /// Sessions that TO had already as they are.
    pub unchanged: u64,
    /// Sessions that TO has a newer state of, or another one of unknown age: they were left as they are.
    pub newer: u64,
    /// Sessions that TO has an older state of, or whose visitors had logged out, and that were left as they are. Only
    /// [`Copy::with_new_only`] leaves any.
    pub left: u64,
    /// Sessions whose visitors had logged out after TO got them: they were deleted from TO, or would be.
    pub logged_out: u64,
    /// Sessions that are over, and were left behind. Where FROM keeps access times, it passes over most of these by itself,
    /// uncounted; not with [`CopyMode::Verify`].
    pub over: u64,
    /// What is left of sessions whose visitors have logged out, where TO has nothing of them that is not over.
    pub gone: u64,
    /// What is no session, such as a Beaker cache.
    pub no_sessions: u64,
    /// Sessions that could not be read, or that TO cannot hold.
    pub failed: u64,
    /// Of those that are unchanged, those that TO tells another time of. Only [`CopyMode::Verify`] counts them.
    pub wrong_times: u64,
    /// Why the run ended.
    pub ended: Ended,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Everything was looked at.
    #[default]
    Completed,
    /// [`Copy::with_limit`]
    Limit,
    /// [`Copy::with_max_time`]
    MaxTime,
    /// The [`Observer`] said so.
    Stopped,
}

impl Copied {
    /// How many differences there are between the places that make a difference for visitors.
    pub const fn differences(&self) -> u64 {
        self.new + self.changed + self.logged_out + self.wrong_times
    }
}

/// In what a session differs that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// TO does not have it.
    Missing,
    /// TO has an older state of it.
    Older,
    /// TO tells another time of its creation or last use.
    Times,
    /// TO has it, though its visitor has logged out.
    LoggedOut,
}

/// Hears of each session while it happens.
pub trait Observer {
    /// Between two sessions, and while the run rests. `Break` ends it.
    fn next(&mut self, so_far: &Copied) -> ControlFlow<()> {
        let _ = so_far;
        ControlFlow::Continue(())
    }

    /// This one could not be read, or cannot be in TO.
    fn failed(&mut self, error: &Error, id: Option<&SessionId>) {
        let _ = (error, id);
    }

    /// This one was compared and differs.
    fn differs(&mut self, difference: Difference, id: &SessionId) {
        let _ = (difference, id);
    }
}

/// Nobody needs to hear.
impl Observer for () {}
