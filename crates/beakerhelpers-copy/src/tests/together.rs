//! New sessions are saved several at once.

use std::sync::Mutex;

use beakerhelpers_core::{Error, ErrorKind};

use super::*;

/// What was asked of a store: how many sessions, and how many bytes.
#[derive(Debug, Default)]
struct Watched {
    memory: MemoryStore,
    saved: Mutex<Vec<(usize, usize)>>,
    /// It is gone when it is asked to save this one.
    gone_at: Option<&'static str>,
}

impl SessionStore for Watched {
    fn info(&self) -> StoreInfo {
        self.memory.info()
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        self.memory.load(id)
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        if self.gone_at == Some(record.id.as_str()) {
            return Err(Error::new(ErrorKind::Unavailable, "gone"));
        }
        self.memory.save(record, mode)
    }

    fn save_all(&self, records: &[Record], mode: SaveMode) -> Vec<Result<()>> {
        if !records.is_empty() {
            let bytes = records.iter().map(|record| record.payload.bytes().len()).sum();
            self.saved.lock().unwrap().push((records.len(), bytes));
        }
        beakerhelpers_core::save_each(self, records, mode)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.memory.delete(id)
    }
}

fn filled(sessions: usize, value: &str) -> MemoryStore {
    let old = MemoryStore::new();
    (0..sessions).for_each(|n| put(&old, &format!("{n:04}"), &session(value, 1)));
    old
}

#[test]
fn no_more_are_saved_at_once_than_a_database_has_time_for() {
    for (sessions, value) in [(1_000, "joe"), (40, &*"x".repeat(100_000)), (3, &*"x".repeat(2_000_000))] {
        let (old, new) = (filled(sessions, value), Watched::default());
        assert_eq!(copy(&Place::new(&old), &Place::new(&new)).new, sessions as u64);
        let saved = new.saved.into_inner().unwrap();
        assert_eq!(saved[0].0, 1, "the first tells whether any can be saved");
        assert_eq!(saved.iter().map(|(sessions, _)| sessions).sum::<usize>(), sessions);
        assert!(saved.iter().all(|(sessions, bytes)| *sessions <= 64 && *bytes <= (1 << 20) + value.len() + 500));
        assert!(value.len() > 3 || saved.iter().any(|(sessions, _)| *sessions > 1), "{saved:?}");
    }
}

#[test]
fn what_was_saved_before_a_place_was_gone_is_counted() {
    let (old, new) = (filled(300, "joe"), Watched { gone_at: Some("0150"), ..Watched::default() });
    let mut copied = Copied::default();
    let result = Copy::new().run_into(&Place::new(&old), &Place::new(&new), NOW, &mut (), &mut copied);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!((copied.new, copied.failed), (150, 0));
    assert!(there(&new, "0149").is_some() && there(&new, "0151").is_none());
}

#[test]
fn a_limit_counts_those_that_wait() {
    let (old, new) = (filled(300, "joe"), Watched::default());
    let copied = Copy::new().with_limit(100).run(&Place::new(&old), &Place::new(&new), NOW, &mut ()).unwrap();
    assert_eq!((copied.new, copied.seen), (100, 100));
}
