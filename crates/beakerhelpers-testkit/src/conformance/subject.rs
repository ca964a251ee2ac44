//! A fresh store under test, and the records that are put into it.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use beakerhelpers_core::{
    Capabilities, Cutoff, DeletePlan, Deleted, ErrorKind, Framing, Payload, Progress, Query, Record, Rest, SaveMode,
    SessionId, SessionStore, Silent, Timestamp,
};

use super::payload::{Form, Inside};

/// When every test takes place: 2026-01-15T12:00:00Z, far from any zone's clock change.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_768_478_400);
/// The timeout of every test.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// The cutoff of every test.
pub(super) fn cutoff() -> Cutoff {
    Cutoff::ago(NOW, TIMEOUT)
}

/// An access time so many seconds before the cutoff: old from 1 on, active at 0 and below.
pub(super) fn before_cutoff(secs: i64) -> Timestamp {
    Timestamp::from_micros(cutoff().at().as_micros() - secs * 1_000_000)
}

/// A plan that never rests, so that no test waits.
pub(super) fn plan() -> DeletePlan {
    DeletePlan::default().with_rest(Rest::For(Duration::ZERO)).with_times(Arc::new(Inside))
}

/// A function that opens a fresh, empty store.
///
/// `Form` only tells the implementations apart.
pub trait Open<Form> {
    /// Opens it. `None`: what it needs is missing, which was told, and the test is skipped.
    fn open(&self, framing: Framing) -> Option<Subject>;
}

/// `fn() -> store`.
#[derive(Debug)]
pub enum Plain {}
/// `fn() -> (guard, store)`.
#[derive(Debug)]
pub enum Guarded {}
/// `fn() -> (guard, store, other)`.
#[derive(Debug)]
pub enum TwoHandles {}
/// `fn() -> Option<(guard, store, other)>`.
#[derive(Debug)]
pub enum OnServer {}

impl<F: Fn() -> S, S: SessionStore> Open<Plain> for F {
    fn open(&self, framing: Framing) -> Option<Subject> {
        Some(Subject::new(framing, self(), ()))
    }
}

impl<F: Fn() -> (G, S), G: Send + Sync + 'static, S: SessionStore> Open<Guarded> for F {
    fn open(&self, framing: Framing) -> Option<Subject> {
        let (guard, store) = self();
        Some(Subject::new(framing, store, guard))
    }
}

impl<F: Fn() -> (G, S, T), G: Send + Sync + 'static, S: SessionStore, T: SessionStore> Open<TwoHandles> for F {
    fn open(&self, framing: Framing) -> Option<Subject> {
        let (guard, store, other) = self();
        Some(Subject { other: Some(Box::new(other)), ..Subject::new(framing, store, guard) })
    }
}

impl<F, G, S, T> Open<OnServer> for F
where
    F: Fn() -> Option<(G, S, T)>,
    G: Send + Sync + 'static,
    S: SessionStore,
    T: SessionStore,
{
    fn open(&self, framing: Framing) -> Option<Subject> {
        let (guard, store, other) = self()?;
        Some(Subject { other: Some(Box::new(other)), ..Subject::new(framing, store, guard) })
    }
}

/// A fresh store under test.
#[derive(Debug)]
pub struct Subject {
    store: Box<dyn SessionStore>,
    other: Option<Box<dyn SessionStore>>,
    framing: Framing,
    form: OnceLock<Form>,
    keeps_created: OnceLock<bool>,
    // Last, so that it outlives the stores.
    _guard: Box<dyn Any + Send + Sync>,
}

impl Subject {
    fn new(framing: Framing, store: impl SessionStore, guard: impl Any + Send + Sync) -> Self {
        let (store, guard) = (Box::new(store), Box::new(guard));
        Self { store, other: None, framing, form: OnceLock::new(), keeps_created: OnceLock::new(), _guard: guard }
    }

    /// Puts the store into another wrapper.
    #[must_use]
    pub fn wrapped(self, wrap: fn(Box<dyn SessionStore>) -> Box<dyn SessionStore>) -> Self {
        Self { store: wrap(self.store), ..self }
    }

    /// The store.
    pub fn store(&self) -> &dyn SessionStore {
        // Through the box that `wrap` made, not around it.
        &*self.store
    }

    /// The handle that others use at the same time.
    pub fn other(&self) -> &dyn SessionStore {
        self.other.as_deref().unwrap_or(&*self.store)
    }

    /// What the store can do.
    pub fn can(&self) -> Capabilities {
        self.store.info().capabilities
    }

    /// How its sessions look.
    fn form(&self) -> Form {
        *self.form.get_or_init(|| Form::of(self.store(), self.framing))
    }

    /// Whether the store keeps when a record was first saved. Not every store that keeps the other time does.
    pub fn keeps_created(&self) -> bool {
        *self.keeps_created.get_or_init(|| {
            let probe = self.save("keeps-created", NOW);
            let stored = self.load("keeps-created").expect("it was just saved");
            self.store().delete(&probe.id).expect("the store deletes");
            stored.created.is_some()
        })
    }

    /// A record whose payload is a real session of these times.
    pub fn record(&self, id: &str, accessed: Timestamp) -> Record {
        self.form().record(id, accessed, b"")
    }

    /// The same with a long note in it.
    pub fn long_record(&self, id: &str, accessed: Timestamp, note: &[u8]) -> Record {
        self.form().record(id, accessed, note)
    }

    /// A record of any bytes, which no store may look into.
    pub fn opaque(&self, id: &str, bytes: Vec<u8>) -> Record {
        let mut record = self.record(id, NOW);
        record.payload = Payload::new(self.framing, bytes);
        record
    }

    /// A record without times, in the payload either.
    pub fn timeless(&self, id: &str) -> Record {
        Record::new(SessionId::new(id), self.form().payload(None, b""))
    }

    /// Saves a record of this access time.
    pub fn save(&self, id: &str, accessed: Timestamp) -> Record {
        let record = self.record(id, accessed);
        self.store().save(&record, SaveMode::Upsert).expect("a fresh store takes a record");
        record
    }

    /// Saves a record unless the store says that it cannot hold such a one, and tells whether it did.
    pub fn save_if_supported(&self, record: &Record) -> bool {
        match self.store().save(record, SaveMode::Upsert) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                assert!(!self.has(record.id.as_str()), "a refused record must not be there");
                false
            }
            Err(error) => panic!("only `Unsupported` may refuse a record: {error:?}"),
        }
    }

    /// Tells whether there is a record.
    pub fn has(&self, id: &str) -> bool {
        self.store().has(&SessionId::new(id)).expect("the store answers")
    }

    /// Loads a record.
    pub fn load(&self, id: &str) -> Option<Record> {
        self.store().load(&SessionId::new(id)).expect("the store answers")
    }

    /// The ids that a query gives, in its order.
    pub fn ids(&self, query: Query) -> Vec<String> {
        let ids = self.store().iter(query).map(|item| item.expect("the store lists").id.as_str().to_owned());
        ids.collect()
    }

    /// Deletes what is old.
    pub fn clean(&self, plan: &DeletePlan) -> Deleted {
        self.clean_with(plan, &mut Silent)
    }

    /// Deletes what is old, followed by someone.
    pub fn clean_with(&self, plan: &DeletePlan, progress: &mut dyn Progress) -> Deleted {
        self.store().delete_old(cutoff(), plan, progress).expect("the store cleans")
    }

    /// Checks that a stored record is what was saved, as far as the store keeps it.
    #[track_caller]
    pub fn assert_stored(&self, expected: &Record) {
        let stored = self.load(expected.id.as_str()).expect("the record is there");
        assert!(stored.id == expected.id, "the id differs");
        assert!(stored.payload == expected.payload, "the payload differs");
        if self.can().access_times {
            assert_eq!(stored.accessed, expected.accessed);
            // Not every store that keeps the one keeps the other.
            assert!(stored.created.is_none() || stored.created == expected.created, "{:?}", stored.created);
        }
    }

    /// Checks the payload only, where an earlier save decided `created`.
    #[track_caller]
    pub fn assert_stored_payload(&self, expected: &Record) {
        let stored = self.load(expected.id.as_str()).expect("the record is there");
        assert!(stored.payload == expected.payload, "the payload differs");
    }
}
