//! Why a cleanup ended.

use beakerhelpers_core::{Deleted, Ended, Result};

use crate::gate::Stop;

/// Why a cleanup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Completed,
    MaxTime,
    Limit,
    StopFile,
    Interrupted,
    AnotherCleanup,
    Failed,
}

impl Why {
    /// What the store says, unless it was told to stop.
    pub(crate) fn of(result: &Result<Deleted>, stop: Option<&Stop>) -> Self {
        let Ok(deleted) = result else { return Self::Failed };
        match (stop, deleted.ended) {
            (Some(Stop::Error(_)), _) => Self::Failed,
            (Some(Stop::File), _) => Self::StopFile,
            (Some(Stop::MaxTime), _) | (None, Ended::MaxTime) => Self::MaxTime,
            (None, Ended::Completed) => Self::Completed,
            (None, Ended::Limit) => Self::Limit,
            (None, Ended::AnotherCleanup) => Self::AnotherCleanup,
            _ => Self::Interrupted,
        }
    }

    /// For scripts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::MaxTime => "max-time",
            Self::Limit => "limit",
            Self::StopFile => "stop-file",
            Self::Interrupted => "interrupted",
            Self::AnotherCleanup => "another-cleanup",
            Self::Failed => "failed",
        }
    }

    /// For people, as the end of a sentence.
    pub(crate) const fn clause(self) -> &'static str {
        match self {
            Self::Completed => "",
            Self::MaxTime => "; ended by `--max-time`, there may be more",
            Self::Limit => "; ended by `--limit`, there may be more",
            Self::StopFile => "; ended by `--stop-file`, there may be more",
            Self::Interrupted => "; interrupted",
            Self::AnotherCleanup => "; another cleanup is at work on them and goes on",
            Self::Failed => "; ended by an error",
        }
    }
}
