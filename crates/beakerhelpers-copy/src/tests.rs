//! Copying between stores in memory.

mod forms;
mod log_outs;
mod refusals;
mod runs;
mod times;
mod together;

use beakerhelpers_codec::{Encoder, Settings};
use beakerhelpers_core::{
    Capabilities, Framing, MemoryStore, Payload, Query, Record, Records, Result, SaveMode, Session, SessionId,
    SessionStore, StoreConfig, StoreInfo, Timestamp,
};

use crate::{Copied, Copy, Place};

const NOW: Timestamp = Timestamp::from_secs(1_795_205_226);

/// A store that says something else of itself than the memory it is in.
#[derive(Debug)]
struct Odd {
    memory: MemoryStore,
    info: StoreInfo,
}

impl Odd {
    fn new(framing: Framing, change: impl FnOnce(Capabilities) -> Capabilities) -> Self {
        let memory = MemoryStore::new();
        let info = memory.info();
        let info = StoreInfo::new("odd", format!("{framing:?}"), change(info.capabilities)).with_framing(framing);
        Self { memory, info }
    }
}

impl SessionStore for Odd {
    fn info(&self) -> StoreInfo {
        self.info.clone()
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        self.memory.load(id)
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.memory.save(record, mode)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.memory.delete(id)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        self.memory.iter(query)
    }
}

fn seconds_ago(secs: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() - secs * 1_000_000)
}

/// The session of somebody who was there last so many seconds ago.
fn session(name: &str, age: i64) -> Session {
    #[expect(clippy::cast_precision_loss, reason = "Beaker keeps floats")]
    let at = seconds_ago(age).as_micros() as f64 / 1e6;
    Session::from_pairs([("_accessed_time", at.into()), ("_creation_time", (at - 60.5).into()), ("name", name.into())])
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let config = StoreConfig::new("beaker.session");
    Settings::from_config(&pairs.iter().fold(config, |config, (key, value)| config.with(key, *value))).unwrap()
}

/// Puts a session into a store that keeps its times.
fn put(store: &dyn SessionStore, id: &str, session: &Session) {
    put_with(store, id, session, &Settings::new());
}

fn put_with(store: &dyn SessionStore, id: &str, session: &Session, settings: &Settings) {
    let payload = Encoder::with_settings(settings.clone()).encode(session, store.info().framing).unwrap();
    let record = Record::new(SessionId::new(id), payload).with_times_of(session);
    store.save(&record, SaveMode::Upsert).unwrap();
}

/// What Beaker since 1.11 leaves of a session when its visitor logs out.
fn log_out(store: &dyn SessionStore, id: &str, accessed: Option<Timestamp>) {
    let bytes = b"\x80\x02}U\x07session}(U\x07_domainNU\x05_pathU\x01/us.".to_vec();
    let record = Record::new(SessionId::new(id), Payload::new(Framing::Namespace, bytes));
    store.save(&record.with_times(accessed, accessed), SaveMode::Upsert).unwrap();
}

fn there(store: &dyn SessionStore, id: &str) -> Option<Record> {
    store.load(&SessionId::new(id)).unwrap()
}

fn copy(from: &Place<'_>, to: &Place<'_>) -> Copied {
    Copy::new().run(from, to, NOW, &mut ()).unwrap()
}

/// New, changed, unchanged, newer, logged out, no session, failed.
fn counts(copied: Copied) -> [u64; 7] {
    let Copied { new, changed, unchanged, newer, logged_out, no_sessions, failed, .. } = copied;
    [new, changed, unchanged, newer, logged_out, no_sessions, failed]
}
