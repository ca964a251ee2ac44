#![doc = include_str!("../README.md")]
// A plugin that stands in Cargo.toml but is named nowhere would not be linked, and nobody would be told: this stops rustc.
#![cfg_attr(not(test), deny(unused_crate_dependencies))]

mod completions;
mod dispatch;
mod help;
mod man;
mod output;
mod plugins;
mod process;

// The plugins of the standard build.
#[cfg(feature = "cleanup")]
use beakerhelpers_cleanup as _;
#[cfg(feature = "cookie")]
use beakerhelpers_cookie as _;
#[cfg(feature = "copy")]
use beakerhelpers_copy as _;
#[cfg(feature = "database")]
use beakerhelpers_database as _;
#[cfg(feature = "dbm")]
use beakerhelpers_dbm as _;
#[cfg(feature = "delete")]
use beakerhelpers_delete as _;
#[cfg(feature = "file")]
use beakerhelpers_file as _;
#[cfg(feature = "memcached")]
use beakerhelpers_memcached as _;
#[cfg(feature = "memory")]
use beakerhelpers_memory as _;
#[cfg(feature = "redis")]
use beakerhelpers_redis as _;
#[cfg(feature = "session2")]
use beakerhelpers_session2 as _;
#[cfg(feature = "sessions")]
use beakerhelpers_sessions as _;
#[cfg(feature = "setup")]
use beakerhelpers_setup as _;

pub use dispatch::dispatch;
pub use process::main;
