#![doc = include_str!("../README.md")]
// A plugin that stands in Cargo.toml but is named nowhere would not be linked, and nobody would be told: this stops rustc.
#![cfg_attr(not(test), deny(unused_crate_dependencies))]

mod completions;
mod dispatch;
mod help;
mod man;
mod plugins;
mod process;

// The plugins of the standard build.
#[cfg(feature = "cleanup")]
use beakerhelpers_cleanup as _;
#[cfg(feature = "database")]
use beakerhelpers_database as _;
#[cfg(feature = "delete")]
use beakerhelpers_delete as _;
#[cfg(feature = "session2")]
use beakerhelpers_session2 as _;
#[cfg(feature = "sessions")]
use beakerhelpers_sessions as _;
#[cfg(feature = "setup")]
use beakerhelpers_setup as _;

pub use dispatch::dispatch;
pub use process::main;
