//! A store that other processes use at the same time, with and without faults in that.

mod files;

use std::panic::{AssertUnwindSafe, catch_unwind};

use beakerhelpers_core::{Framing, SessionStore};
use beakerhelpers_testkit::conformance::{Place, others, run_in_place};
use tempfile::TempDir;

use self::files::{Fault, Files};

fn place_with(fault: Fault) -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = format!("{fault:?} {}", directory.path().display());
    (directory, place)
}

fn open(place: &str) -> Box<dyn SessionStore> {
    let (fault, path) = place.split_once(' ').expect("fault and path");
    let fault = Fault::ALL.into_iter().find(|one| format!("{one:?}") == fault).expect("a fault");
    Box::new(Files::new(path.into(), fault))
}

mod without_fault {
    fn place() -> (tempfile::TempDir, String) {
        super::place_with(super::Fault::None)
    }

    fn store() -> (tempfile::TempDir, Box<dyn beakerhelpers_core::SessionStore>) {
        let (directory, place) = place();
        (directory, super::open(&place))
    }

    mod others {
        beakerhelpers_testkit::process_conformance!(super::place, super::super::open);
    }

    mod alone {
        beakerhelpers_testkit::conformance!(super::store);
    }
}

type Behaviour = fn(&Place);

fn finds(fault: Fault, behaviour: Behaviour) -> bool {
    let player = concat!(module_path!(), "::without_fault::others::plays_its_role");
    let place = || place_with(fault);
    let run = || run_in_place(player, &place, &open, Framing::Namespace, behaviour);
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn the_suite_finds_every_fault_between_processes() {
    let table: [(Fault, Behaviour); 8] = [
        (Fault::CleansWithoutLooking, others::what_another_touches_after_it_was_found_survives),
        (Fault::CountsWhatOthersDeleted, others::cleanups_at_once_delete_each_session_once),
        (Fault::CreatesWithoutLock, others::one_of_many_processes_creates),
        (Fault::KeepsForItself, others::a_cleanup_leaves_what_others_touch),
        (Fault::KeepsForItself, others::readers_see_whole_records_while_others_save),
        (Fault::LocksForGood, others::a_killed_process_leaves_whole_records_and_no_lock),
        (Fault::SaysDeletedTwice, others::one_of_many_processes_deletes),
        (Fault::WritesInPlace, others::readers_see_whole_records_while_others_save),
    ];
    for (fault, behaviour) in table {
        assert!(finds(fault, behaviour), "{fault:?} is not found");
    }
}

/// Else tests would pass that try nothing.
#[test]
#[should_panic(expected = "this place promises nothing that could be tried")]
fn a_store_for_one_process_is_no_place_for_many() {
    let asked: Behaviour = |_| {};
    let place = || Some(((), String::new()));
    let memory = |_: &str| -> Box<dyn SessionStore> { Box::new(beakerhelpers_core::MemoryStore::new()) };
    run_in_place("it::nobody", &place, &memory, Framing::Namespace, asked);
}
