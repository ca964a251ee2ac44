//! A store that must be set up, with and without faults in that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use beakerhelpers_core::{
    Capabilities, Error, ErrorKind, Finding, Framing, IndexOutcome, MemoryStore, Record, Result, SaveMode, SessionId,
    SessionStore, SetupMode, SetupOutcome, Severity, StoreInfo,
};
use beakerhelpers_testkit::conformance::{Subject, admin, bare, run};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fault {
    #[default]
    None,
    CheckFails,
    CheckSetsUp,
    FindsNothing,
    FindsTheWorstLast,
    IndexesTwice,
    LoadsFromNothing,
    SaysRecreated,
    SetupForgets,
}

/// `MemoryStore`, once it is set up, and whether it has an index.
#[derive(Debug, Default)]
struct Bare(Mutex<(Option<MemoryStore>, bool)>, Fault);

impl Bare {
    fn with<T>(&self, work: impl FnOnce(&MemoryStore, &mut bool) -> Result<T>) -> Result<T> {
        match &mut *self.0.lock().expect("nobody panics") {
            (Some(store), index) => work(store, index),
            (None, _) => Err(Error::new(ErrorKind::NotSetUp, "there is nothing")),
        }
    }
}

impl SessionStore for Bare {
    fn info(&self) -> StoreInfo {
        let capabilities = Capabilities::NONE.with_setup(true).with_index(true).with_access_times(true);
        StoreInfo::new("bare", "memory".to_owned(), capabilities)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        if self.1 == Fault::LoadsFromNothing {
            return self.with(|store, _| store.load(id)).or(Ok(None));
        }
        self.with(|store, _| store.load(id))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.with(|store, _| store.save(record, mode))
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.with(|store, _| store.delete(id))
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        let (store, _) = &mut *self.0.lock().expect("nobody panics");
        Ok(match store {
            Some(_) if mode == SetupMode::IfMissing && self.1 != Fault::SetupForgets => SetupOutcome::Existing,
            None if self.1 != Fault::SaysRecreated || mode == SetupMode::IfMissing => {
                *store = Some(MemoryStore::new());
                SetupOutcome::Created
            }
            _ => {
                *store = Some(MemoryStore::new());
                SetupOutcome::Recreated
            }
        })
    }

    fn check(&self) -> Result<Vec<Finding>> {
        match (self.with(|_, _| Ok(Vec::new())), self.1) {
            (_, Fault::FindsNothing) => Ok(Vec::new()),
            (Err(_), fault) if fault != Fault::CheckFails => {
                if fault == Fault::CheckSetsUp {
                    self.setup(SetupMode::IfMissing)?;
                }
                let mut found = vec![
                    Finding::new(Severity::Missing, "there is nothing").with_hint("set it up"),
                    Finding::new(Severity::Odd, "it is a test"),
                ];
                if fault == Fault::FindsTheWorstLast {
                    found.reverse();
                }
                Ok(found)
            }
            (found, _) => found,
        }
    }

    fn add_index(&self) -> Result<IndexOutcome> {
        let twice = self.1 == Fault::IndexesTwice;
        self.with(|_, index| {
            let there = std::mem::replace(index, true) && !twice;
            Ok(if there { IndexOutcome::Existing } else { IndexOutcome::Created })
        })
    }
}

mod before {
    fn open() -> super::Bare {
        super::Bare::default()
    }
    beakerhelpers_testkit::bare_conformance!(open);
}

type Behaviour = fn(&Subject);

fn finds(fault: Fault, set_up: bool, behaviour: Behaviour) -> bool {
    let open = || {
        let store = Bare(Mutex::default(), fault);
        if set_up {
            store.setup(SetupMode::IfMissing).expect("it is in memory");
        }
        store
    };
    catch_unwind(AssertUnwindSafe(|| run(&open, Framing::Namespace, behaviour))).is_err()
}

#[test]
fn the_suite_finds_every_fault_of_setting_up() {
    let table: [(Fault, bool, Behaviour); 9] = [
        (Fault::CheckFails, false, bare::a_check_finds_what_is_missing),
        (Fault::CheckSetsUp, false, bare::a_check_finds_what_is_missing),
        (Fault::FindsNothing, false, bare::a_check_finds_what_is_missing),
        (Fault::FindsTheWorstLast, false, bare::a_check_finds_what_is_missing),
        (Fault::LoadsFromNothing, false, bare::what_needs_a_setup_says_so),
        (Fault::SaysRecreated, false, bare::recreating_nothing_creates),
        (Fault::SetupForgets, false, bare::setup_creates_once),
        (Fault::SetupForgets, true, admin::setup_leaves_sessions_alone),
        (Fault::IndexesTwice, true, admin::an_index_is_added_once),
    ];
    for (fault, set_up, behaviour) in table {
        assert!(!finds(Fault::None, set_up, behaviour), "what finds {fault:?} fails without a fault");
        assert!(finds(fault, set_up, behaviour), "{fault:?} is not found");
    }
}
