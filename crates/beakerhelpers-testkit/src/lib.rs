#![doc = include_str!("../README.md")]

#[cfg(feature = "suite")]
mod beaker;
#[cfg(feature = "suite")]
#[doc(hidden)]
pub mod conformance;
#[cfg(feature = "suite")]
mod corpus;
#[cfg(feature = "suite")]
mod python;
mod releases;
#[cfg(feature = "suite")]
mod scratch;
pub mod servers;
#[cfg(feature = "suite")]
mod sites;
mod skip;
#[cfg(feature = "suite")]
mod visitors;

#[cfg(feature = "suite")]
pub use beaker::{LiveReport, LiveSite, Loaded, Request, Site, database_ini, file_ini, sqlite_ini};
#[cfg(feature = "suite")]
pub use corpus::{RecordedCopy, RecordedSession, RecordedState, RecordedStore, RecordedValue, corpus, recorded_store};
#[cfg(feature = "suite")]
pub use python::Python;
pub use releases::{CURRENT_RELEASE, OLDER_RELEASES, RELEASES};
#[cfg(feature = "suite")]
pub use scratch::scratch;
pub use servers::Server;
#[cfg(feature = "suite")]
pub use sites::{Raised, Repr, Sites, Step};
pub use skip::skip;
#[cfg(feature = "suite")]
pub use visitors::{Visitors, Visits};

/// For the macros of this crate only.
#[cfg(feature = "suite")]
#[doc(hidden)]
pub mod __private {
    pub use beakerhelpers_core::Framing;
}
