//! The contract of stores, on what the type opens.

use beakerhelpers_core::{Registry, SessionStore, StoreConfig};
use beakerhelpers_memory::MEMORY;

fn open() -> Box<dyn SessionStore> {
    let registry = Registry::linked().expect("no twins");
    registry.open(&StoreConfig::new("beaker.session").with("type", "memory")).expect("it is linked")
}

beakerhelpers_testkit::conformance!(open);

#[test]
fn the_type_says_what_its_stores_can_do() {
    assert_eq!(open().info().capabilities, MEMORY.capabilities);
    assert_eq!(open().info().store_type, MEMORY.name);
}
