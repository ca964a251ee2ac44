//! Random operations on a store and on `MemoryStore`, which must agree.

use beakerhelpers_core::{
    CleanupMode, DeletePlan, ErrorKind, MemoryStore, Query, Record, SaveMode, SessionId, SessionStore, SetupMode,
    Silent,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Subject;
use super::subject::{before_cutoff, cutoff, plan};

#[derive(Clone, Debug)]
enum Operation {
    /// The access time in seconds before the cutoff, if there is one.
    Save(u8, Option<i64>, SaveMode),
    Load(u8),
    Delete(u8),
    List {
        active: bool,
    },
    Clean(CleanupMode, Option<usize>),
    Setup,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let id = 0..6u8;
    let mode = prop_oneof![3 => Just(SaveMode::Upsert), 1 => Just(SaveMode::Create)];
    let age = prop_oneof![8 => (-3..4i64).prop_map(Some), 1 => Just(None)];
    let cleanup = prop_oneof![3 => Just(CleanupMode::Delete), 1 => Just(CleanupMode::Count)];
    let size = prop::option::of(1..4usize);
    let operation = prop_oneof![
        8 => (id.clone(), age, mode).prop_map(|(id, age, mode)| Operation::Save(id, age, mode)),
        2 => id.clone().prop_map(Operation::Load),
        2 => id.prop_map(Operation::Delete),
        2 => any::<bool>().prop_map(|active| Operation::List { active }),
        2 => (cleanup, size).prop_map(|(mode, size)| Operation::Clean(mode, size)),
        1 => Just(Operation::Setup),
    ];
    prop::collection::vec(operation, 1..60)
}

/// Each run takes a few dozen operations in one store, which is emptied first.
pub fn random_operations_agree_with_memory(s: &Subject) {
    // A failure is printed with the operations that led to it, as few as possible: no file is needed to repeat it.
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let timeless = s.save_if_supported(&s.timeless("session-0"));
    let run = |operations: Vec<Operation>| {
        for id in 0..6 {
            s.store().delete(&session_id(id)).expect("the store deletes");
        }
        let model = MemoryStore::new();
        for operation in &operations {
            prop_assert_eq!(
                apply(s, s.store(), operation),
                expected(s, &model, operation, timeless),
                "{:?}",
                operation
            );
        }
        for id in 0..6 {
            let operation = Operation::Load(id);
            prop_assert_eq!(apply(s, s.store(), &operation), apply(s, &model, &operation), "at the end");
        }
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(&operations(), run) {
        panic!("{failure}");
    }
}

fn session_id(n: u8) -> SessionId {
    SessionId::new(format!("session-{n}"))
}

/// What the model says, except that a store may refuse a record without times.
fn expected(s: &Subject, model: &MemoryStore, operation: &Operation, timeless: bool) -> Vec<String> {
    match operation {
        Operation::Save(_, None, _) if !timeless => vec![format!("{:?}", ErrorKind::Unsupported)],
        _ => apply(s, model, operation),
    }
}

/// What a store answers, as lines that can be compared.
fn apply(s: &Subject, store: &dyn SessionStore, operation: &Operation) -> Vec<String> {
    match *operation {
        Operation::Save(id, age, mode) => {
            let id = session_id(id);
            let record = match age {
                Some(secs) => s.record(id.as_str(), before_cutoff(secs)),
                None => s.timeless(id.as_str()),
            };
            vec![store.save(&record, mode).map_or_else(|error| format!("{:?}", error.kind()), |()| "saved".to_owned())]
        }
        Operation::Load(id) => {
            let id = session_id(id);
            let loaded = store.load(&id).expect("the store loads");
            let has = store.has(&id).expect("the store answers");
            vec![format!("{has}"), loaded.map_or_else(String::new, |record| line(s, &record))]
        }
        Operation::Delete(id) => vec![format!("{}", store.delete(&session_id(id)).expect("the store deletes"))],
        Operation::List { active } if s.can().iter => {
            let query = if active && s.can().access_times { Query::ALL.active_since(cutoff()) } else { Query::ALL };
            let mut lines: Vec<String> =
                store.iter(query).map(|item| line(s, &item.expect("the store lists"))).collect();
            lines.sort();
            lines
        }
        Operation::Clean(mode, batch_size) if s.can().delete_old => {
            let plan: DeletePlan = {
                let mut plan = plan();
                (plan.mode, plan.batch_size) = (mode, batch_size);
                plan
            };
            vec![format!("{:?}", store.delete_old(cutoff(), &plan, &mut Silent).expect("the store cleans"))]
        }
        Operation::Setup if s.can().setup => {
            store.setup(SetupMode::IfMissing).expect("the store is set up");
            Vec::new()
        }
        Operation::List { .. } | Operation::Clean(..) | Operation::Setup => Vec::new(),
    }
}

fn line(s: &Subject, record: &Record) -> String {
    let created = record.created.filter(|_| s.keeps_created());
    let times = (created, record.accessed.filter(|_| s.can().access_times));
    format!("{} {times:?} {:?}", record.id.as_str(), record.payload.bytes())
}
