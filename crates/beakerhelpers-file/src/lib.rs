#![doc = include_str!("../README.md")]
// Beaker itself has no locks elsewhere.
#![cfg(unix)]

mod reader;
mod store;

use beakerhelpers_core::{
    Capabilities, OptionSpec, Result, SessionStore, StoreConfig, StoreType, package, register_store,
};

pub use store::FileStore;

/// The store type `file`.
pub static FILE: StoreType =
    StoreType::new("file", "sessions in files", open, package!()).with_options(OPTIONS).with_capabilities(CAPABILITIES);
register_store!(FILE);

pub(crate) const CAPABILITIES: Capabilities =
    Capabilities::ALL.with_index(false).with_vacuum(false).with_local_times(false).with_expiry(false);

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("data_dir", "folder in which Beaker keeps `container_file` and `container_file_lock`"),
    OptionSpec::new("file_dir", "folder of the sessions themselves; `<data_dir>/container_file` otherwise"),
    OptionSpec::new("lock_dir", "folder of the lock files; `<data_dir>/container_file_lock` otherwise"),
];

fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    FileStore::new(config).map(|store| Box::new(store) as _)
}
