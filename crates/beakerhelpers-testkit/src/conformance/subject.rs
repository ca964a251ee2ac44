//! A fresh store under test, and the records that are put into it.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use beakerhelpers_core::{
    Capabilities, Cutoff, DeletePlan, Deleted, ErrorKind, Framing, Payload, Progress, Query, Record, Rest, Result,
    SaveMode, SessionId, SessionStore, Silent, TimeReader, Timestamp,
};

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

/// Reads the access time from what [`session_pickle`], [`object_pickle`] and [`object_text`] make.
#[derive(Debug)]
struct Inside;

impl TimeReader for Inside {
    fn accessed(&self, payload: &Payload) -> Result<Option<Timestamp>> {
        let text = str::from_utf8(payload.bytes()).ok().and_then(|text| text.split_once("'_access_time'\nF"));
        if let Some((_, rest)) = text {
            let secs = rest.lines().next().and_then(|secs| secs.parse().ok());
            return Ok(secs.and_then(Timestamp::from_epoch_float));
        }
        let floats = |key: &[u8]| {
            let mut windows = payload.bytes().windows(key.len() + 8);
            windows.find_map(|window| window.strip_prefix(key).map(<[u8]>::to_owned))
        };
        let found = floats(b"_accessed_timeG").or_else(|| floats(b"_access_timeG"));
        let secs = found.map(|float| f64::from_be_bytes(float[..].try_into().expect("the window is so long")));
        Ok(secs.and_then(Timestamp::from_epoch_float))
    }
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
        Some(Subject {
            store: Box::new(self()),
            other: None,
            framing,
            keeps_created: OnceLock::new(),
            keeps_text: OnceLock::new(),
            _guard: Box::new(()),
        })
    }
}

impl<F: Fn() -> (G, S), G: Send + Sync + 'static, S: SessionStore> Open<Guarded> for F {
    fn open(&self, framing: Framing) -> Option<Subject> {
        let (guard, store) = self();
        Some(Subject {
            store: Box::new(store),
            other: None,
            framing,
            keeps_created: OnceLock::new(),
            keeps_text: OnceLock::new(),
            _guard: Box::new(guard),
        })
    }
}

impl<F: Fn() -> (G, S, T), G: Send + Sync + 'static, S: SessionStore, T: SessionStore> Open<TwoHandles> for F {
    fn open(&self, framing: Framing) -> Option<Subject> {
        let (guard, store, other) = self();
        Some(Subject {
            store: Box::new(store),
            other: Some(Box::new(other)),
            framing,
            keeps_created: OnceLock::new(),
            keeps_text: OnceLock::new(),
            _guard: Box::new(guard),
        })
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
        Some(Subject {
            store: Box::new(store),
            other: Some(Box::new(other)),
            framing,
            keeps_created: OnceLock::new(),
            keeps_text: OnceLock::new(),
            _guard: Box::new(guard),
        })
    }
}

/// A fresh store under test.
#[derive(Debug)]
pub struct Subject {
    store: Box<dyn SessionStore>,
    other: Option<Box<dyn SessionStore>>,
    framing: Framing,
    keeps_created: OnceLock<bool>,
    keeps_text: OnceLock<bool>,
    // Last, so that it outlives the stores.
    _guard: Box<dyn Any + Send + Sync>,
}

impl Subject {
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
        let created = Timestamp::from_micros(accessed.as_micros() - 1_000_000);
        Record::new(SessionId::new(id), self.payload(Some((created, accessed))))
            .with_times(Some(created), Some(accessed))
    }

    /// A record of any bytes, which no store may look into.
    pub fn opaque(&self, id: &str, bytes: Vec<u8>) -> Record {
        let mut record = self.record(id, NOW);
        record.payload = Payload::new(self.framing, bytes);
        record
    }

    /// A record without times, in the payload either.
    pub fn timeless(&self, id: &str) -> Record {
        Record::new(SessionId::new(id), self.payload(None))
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

    /// The same session with 30,000 bytes more, or as many bytes of anything.
    pub fn large(&self, payload: &Payload) -> Payload {
        if self.framing == Framing::Object {
            let accessed = Inside.accessed(payload).expect("it is an object").expect("it has times");
            let created = Timestamp::from_micros(accessed.as_micros() - 1_000_000);
            return self.object(Some((created, accessed)), &"much ".repeat(6_000));
        }
        let large = (0..30_000).map(|byte| u8::try_from(byte % 251).expect("small"));
        // Stores that keep no times still find the one in the session.
        Payload::new(self.framing, large.chain(payload.bytes().iter().copied()).collect())
    }

    /// An object, as text where the store keeps nothing else: so does session2's table in PostgreSQL.
    fn object(&self, times: Option<(Timestamp, Timestamp)>, much: &str) -> Payload {
        let is_text = *self.keeps_text.get_or_init(|| {
            let bytes = object_pickle(Some((NOW, NOW)), "");
            let probe = Record::new(SessionId::new("keeps-text"), Payload::new(self.framing, bytes));
            let probe = probe.with_times(Some(NOW), Some(NOW));
            let saved = self.store().save(&probe, SaveMode::Upsert);
            // It may not be set up yet.
            let _ = self.store().delete(&probe.id);
            saved.is_err_and(|error| error.kind() == ErrorKind::Unsupported)
        });
        let bytes = if is_text { object_text(times, much) } else { object_pickle(times, much) };
        Payload::new(self.framing, bytes)
    }

    fn payload(&self, times: Option<(Timestamp, Timestamp)>) -> Payload {
        let session = session_pickle(times);
        let bytes = match self.framing {
            Framing::Object => return self.object(times, ""),
            // {'session': …}, as Beaker up to 1.11 stores it.
            Framing::Namespace => [b"\x80\x02}U\x07session".as_slice(), &session, b"s."].concat(),
            _ => [b"\x80\x02".as_slice(), &session, b"."].concat(),
        };
        Payload::new(self.framing, bytes)
    }
}

/// An object of these times, and perhaps with much else, as a pickle of protocol 2, as the codec writes it.
fn object_pickle(times: Option<(Timestamp, Timestamp)>, much: &str) -> Vec<u8> {
    let mut out = b"\x80\x02(cshop\nSession\no}".to_vec();
    if let Some((created, accessed)) = times {
        out.push(b'(');
        for (key, time) in [("_creation_time", created), ("_access_time", accessed)] {
            short_str(key, &mut out);
            out.push(b'G');
            out.extend_from_slice(&seconds(time).to_be_bytes());
        }
        if !much.is_empty() {
            short_str("much", &mut out);
            out.push(b'X');
            out.extend_from_slice(&u32::try_from(much.len()).expect("less than gigabytes").to_le_bytes());
            out.extend_from_slice(much.as_bytes());
        }
        out.push(b'u');
    }
    out.extend_from_slice(b"b.");
    out
}

fn short_str(text: &str, out: &mut Vec<u8>) {
    out.push(b'U');
    out.push(u8::try_from(text.len()).expect("a short text"));
    out.extend_from_slice(text.as_bytes());
}

#[expect(clippy::cast_precision_loss, reason = "Python's sessions keep floats")]
fn seconds(time: Timestamp) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// A session dict of these times as a pickle, without the opcodes around it: stores that keep no times read them here.
fn session_pickle(times: Option<(Timestamp, Timestamp)>) -> Vec<u8> {
    let mut out = b"}".to_vec();
    if let Some((created, accessed)) = times {
        for (key, time) in [("_creation_time", created), ("_accessed_time", accessed)] {
            short_str(key, &mut out);
            out.push(b'G');
            out.extend_from_slice(&seconds(time).to_be_bytes());
            out.push(b's');
        }
    }
    out
}

/// The same with protocol 0, which is text.
fn object_text(times: Option<(Timestamp, Timestamp)>, much: &str) -> Vec<u8> {
    let pairs = times.map(|(created, accessed)| {
        let (created, accessed) = (seconds(created), seconds(accessed));
        format!("S'_creation_time'\nF{created:?}\nsS'_access_time'\nF{accessed:?}\nsS'much'\nS'{much}'\ns")
    });
    ["(ishop\nSession\n(d", &pairs.unwrap_or_default(), "b."].concat().into_bytes()
}
