#![doc = include_str!("../README.md")]

mod beaker;
#[doc(hidden)]
pub mod conformance;
mod corpus;
mod python;

pub use beaker::{LiveReport, LiveSite, Loaded, Request, Site, sqlite_ini};
pub use corpus::{RecordedCopy, RecordedSession, RecordedState, RecordedStore, RecordedValue, corpus, recorded_store};
pub use python::{OLDER_RELEASES, Python};

/// For the macros of this crate only.
#[doc(hidden)]
pub mod __private {
    pub use beakerhelpers_core::Framing;
}
