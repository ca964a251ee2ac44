//! `MemoryStore`, and a store that can do no more than it must.

use beakerhelpers_core::{Capabilities, MemoryStore, Record, Result, SaveMode, SessionId, SessionStore, StoreInfo};

fn open() -> MemoryStore {
    MemoryStore::new()
}

beakerhelpers_testkit::conformance!(open);

/// The minimum of a store: every flag is off, and times are not kept.
#[derive(Debug, Default)]
struct Minimal(MemoryStore);

impl SessionStore for Minimal {
    fn info(&self) -> StoreInfo {
        StoreInfo::new("minimal", "nowhere".to_owned(), Capabilities::NONE)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        Ok(self.0.load(id)?.map(|record| record.with_times(None, None)))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.0.save(record, mode)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.0.delete(id)
    }
}

mod minimal {
    use std::sync::Arc;

    use beakerhelpers_core::Framing;

    use super::Minimal;

    fn open() -> (&'static str, Arc<Minimal>, Arc<Minimal>) {
        let store = Arc::new(Minimal::default());
        ("a guard", Arc::clone(&store), store)
    }

    beakerhelpers_testkit::conformance!(open, Framing::Value);
}
