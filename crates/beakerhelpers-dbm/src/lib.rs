#![doc = include_str!("../README.md")]
// Beaker itself has no locks elsewhere.
#![cfg(unix)]

mod content;
mod database;
mod reader;
mod store;

use beakerhelpers_core::{
    Capabilities, OptionSpec, Result, SessionStore, StoreConfig, StoreType, package, register_store,
};

pub use store::DbmStore;

/// The store type `dbm`.
pub static DBM: StoreType = StoreType::new("dbm", "sessions in dbm databases, one for each", open, package!())
    .with_options(OPTIONS)
    .with_capabilities(CAPABILITIES);
register_store!(DBM);

pub(crate) const CAPABILITIES: Capabilities =
    Capabilities::ALL.with_index(false).with_vacuum(false).with_local_times(false).with_expiry(false);

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("data_dir", "folder in which Beaker keeps `container_dbm` and `container_dbm_lock`"),
    OptionSpec::new("dbm_dir", "folder of the databases themselves; `<data_dir>/container_dbm` otherwise"),
    OptionSpec::new("lock_dir", "folder of the lock files; `<data_dir>/container_dbm_lock` otherwise"),
    OptionSpec::new(
        store::FORMAT_OPTION,
        "how new databases are written: `dumb`, `gnu`, `ndbm` or `sqlite3`; as the first that is found otherwise",
    ),
];

fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    DbmStore::new(config).map(|store| Box::new(store) as _)
}
