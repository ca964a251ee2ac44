//! What setting up anew would destroy.

use std::time::Duration;

use beakerhelpers_core::{CleanupMode, Cutoff, DeletePlan, Query, Rest, Result, SessionStore, Silent, Timestamp};

/// The first moment of the year 9000: any later than every session, in any zone a year of four digits.
const FAR_OFF: Timestamp = Timestamp::from_secs(221_845_392_000);

/// Counts the sessions in a store, and changes nothing. Where the store can judge ages no contents are read.
///
/// # Errors
///
/// `Unsupported` where the store can neither judge ages nor list; otherwise what the store says.
pub fn count_sessions(store: &dyn SessionStore) -> Result<u64> {
    if store.info().capabilities.delete_old {
        let mut plan = DeletePlan::default().with_rest(Rest::For(Duration::ZERO));
        plan.mode = CleanupMode::Count;
        let counted = store.delete_old(Cutoff::ago(FAR_OFF, Duration::ZERO), &plan, &mut Silent)?;
        return Ok(counted.deleted + counted.kept);
    }
    let mut count = 0;
    for record in store.iter(Query::ALL) {
        match record {
            // One that cannot be read is lost as well.
            Err(error) if error.kind() != beakerhelpers_core::ErrorKind::Corrupt => return Err(error),
            _ => count += 1,
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{
        Capabilities, ErrorKind, Framing, MemoryStore, Payload, Record, Records, SaveMode, SessionId, StoreInfo,
    };

    use super::*;

    fn store() -> MemoryStore {
        let store = MemoryStore::new();
        for (id, accessed) in [("a", Some(0)), ("b", Some(1_768_478_400)), ("c", None)] {
            let record = Record::new(SessionId::new(id), Payload::new(Framing::Value, vec![0x80]));
            let record = record.with_times(None, accessed.map(Timestamp::from_secs));
            store.save(&record, SaveMode::Create).unwrap();
        }
        store
    }

    /// A store that can list if it may, and do no more.
    #[derive(Debug)]
    struct Lists(MemoryStore, bool);

    impl SessionStore for Lists {
        fn info(&self) -> StoreInfo {
            StoreInfo::new("lists", "memory".to_owned(), Capabilities::NONE.with_iter(self.1))
        }
        fn load(&self, id: &SessionId) -> Result<Option<Record>> {
            self.0.load(id)
        }
        fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
            self.0.save(record, mode)
        }
        fn delete(&self, id: &SessionId) -> Result<bool> {
            self.0.delete(id)
        }
        fn iter(&self, query: Query) -> Records<'_> {
            if self.1 {
                self.0.iter(query)
            } else {
                Box::new(std::iter::once(Err(beakerhelpers_core::Error::unsupported("no"))))
            }
        }
    }

    #[test]
    fn every_session_counts_once_and_stays() {
        let store = store();
        assert_eq!(count_sessions(&store).unwrap(), 3);
        assert_eq!(store.iter(Query::ALL).count(), 3);
        assert_eq!(count_sessions(&Lists(store, true)).unwrap(), 3);
        let error = count_sessions(&Lists(MemoryStore::new(), false)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
