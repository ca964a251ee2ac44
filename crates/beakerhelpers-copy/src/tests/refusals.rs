//! Places that refuse one session, or all.

use beakerhelpers_core::{Error, ErrorKind};

use super::*;
use crate::CopyMode;

/// What a store refuses to save, read and delete.
#[derive(Debug)]
struct Refusing {
    memory: MemoryStore,
    saves: fn(&str) -> bool,
    loads: bool,
}

fn refuse<T>(allowed: bool, done: impl FnOnce() -> Result<T>) -> Result<T> {
    if allowed { done() } else { Err(Error::unsupported("not here")) }
}

impl SessionStore for Refusing {
    fn info(&self) -> StoreInfo {
        self.memory.info()
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        refuse(self.loads, || self.memory.load(id))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        refuse((self.saves)(record.id.as_str()), || self.memory.save(record, mode))
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        refuse((self.saves)(id.as_str()), || self.memory.delete(id))
    }
}

fn refusing(saves: fn(&str) -> bool, loads: bool) -> Refusing {
    Refusing { memory: MemoryStore::new(), saves, loads }
}

fn run(old: &MemoryStore, new: &Refusing, mode: CopyMode) -> (Result<()>, Copied) {
    let mut copied = Copied::default();
    let copy = Copy::new().with_mode(mode);
    (copy.run_into(&Place::new(old), &Place::new(new), NOW, &mut (), &mut copied), copied)
}

#[test]
fn a_place_that_takes_nothing_ends_the_run() {
    let old = MemoryStore::new();
    (0..9).for_each(|n| put(&old, &n.to_string(), &session("joe", 1)));
    let replica = refusing(|_| false, true);
    let (result, copied) = run(&old, &replica, CopyMode::Copy);
    assert_eq!(result.unwrap_err().to_string(), "not here");
    assert_eq!((copied.seen, copied.new, copied.failed), (1, 0, 0));
    // Who only looks is told nothing wrong.
    assert_eq!(run(&old, &replica, CopyMode::Count).1.new, 9);
    // Neither does it delete.
    put(&replica.memory, "0", &session("joe", 100));
    log_out(&old, "0", Some(NOW));
    assert_eq!(run(&old, &replica, CopyMode::Copy).0.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_place_that_answers_nothing_ends_any_run_before_it_begins() {
    let old = MemoryStore::new();
    put(&old, "joe", &session("joe", 1));
    for mode in [CopyMode::Copy, CopyMode::Count, CopyMode::Verify] {
        let (result, copied) = run(&old, &refusing(|_| true, false), mode);
        assert_eq!((result.unwrap_err().kind(), copied.seen), (ErrorKind::Unsupported, 0));
    }
}

#[test]
fn a_place_that_refuses_some_gets_the_others_and_nothing_else() {
    let old = MemoryStore::new();
    for id in ["a long", "b long", "c"] {
        put(&old, id, &session("joe", 1));
    }
    let picky = refusing(|id| !id.contains("long"), true);
    let (result, copied) = run(&old, &picky, CopyMode::Copy);
    assert!(result.is_ok());
    assert_eq!((copied.seen, copied.new, copied.failed), (3, 1, 2));
    let ids: Vec<_> = picky.memory.iter(Query::ALL).map(|record| record.unwrap().id).collect();
    assert_eq!(ids, [SessionId::new("c")]);
}

/// A store that was there a moment ago.
#[derive(Debug)]
struct Away;

fn away<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unavailable, "the server is gone"))
}

impl SessionStore for Away {
    fn info(&self) -> StoreInfo {
        StoreInfo::new("away", "nowhere".to_owned(), Capabilities::NONE.with_iter(true))
    }

    fn load(&self, _: &SessionId) -> Result<Option<Record>> {
        away()
    }

    fn save(&self, _: &Record, _: SaveMode) -> Result<()> {
        away()
    }

    fn delete(&self, _: &SessionId) -> Result<bool> {
        away()
    }

    fn has(&self, _: &SessionId) -> Result<bool> {
        Ok(false)
    }

    fn iter(&self, _: Query) -> Records<'_> {
        Box::new(std::iter::once(away()))
    }
}

#[test]
fn an_error_says_which_store_it_is_of() {
    let memory = MemoryStore::new();
    put(&memory, "joe", &session("joe", 60));
    for (from, to, side) in [(&Away as &dyn SessionStore, &memory as &dyn SessionStore, "FROM"), (&memory, &Away, "TO")]
    {
        let error = Copy::new().run(&Place::new(from), &Place::new(to), NOW, &mut ()).unwrap_err();
        assert_eq!((error.kind(), error.context().collect()), (ErrorKind::Unavailable, vec![("of", side)]));
    }
}
