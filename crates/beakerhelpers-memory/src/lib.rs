#![doc = include_str!("../README.md")]

use beakerhelpers_core::{
    Capabilities, MemoryStore, Result, SessionStore, StoreConfig, StoreType, package, register_store,
};

/// The store type `memory`.
///
/// Each store that is opened is empty and by itself: what Beaker keeps with this type is in the application's own process,
/// a namespace for each session (`beaker/container.py`, `MemoryNamespaceManager`, 1.14.1).
pub static MEMORY: StoreType = StoreType::new("memory", "sessions in the memory of this process", open, package!())
    .with_capabilities(
        Capabilities::ALL
            .with_multiprocess_safe(false)
            .with_index(false)
            .with_local_times(false)
            .with_expiry(false)
            .with_tidy(false),
    )
    .with_notice(
        "the store type `memory` keeps sessions in the application's own process, where no other program can see them: \
         this one begins without any",
    );
register_store!(MEMORY);

#[expect(clippy::unnecessary_wraps, reason = "it is an `OpenStore`")]
fn open(_: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    Ok(Box::new(MemoryStore::new()))
}
