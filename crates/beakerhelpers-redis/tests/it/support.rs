//! Stores that tests open.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use beakerhelpers_codec::{AccessedTime, Settings};
use beakerhelpers_core::{
    Cutoff, DeletePlan, ErrorKind, Framing, Payload, Query, Record, Registry, Result, SaveMode, SessionId,
    SessionStore, StoreConfig, Timestamp,
};
use beakerhelpers_redis as _;
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Cluster, Kind, User};

/// The configuration of a server's sessions.
pub(crate) fn config(url: &str) -> StoreConfig {
    StoreConfig::new("beaker.session").with("type", "ext:redis").with("url", url)
}

/// The configuration of the sessions of a cluster.
pub(crate) fn cluster_config(cluster: &Cluster, user: User) -> StoreConfig {
    let config = StoreConfig::new("beaker.session").with("type", "ext:rediscluster").with("urls", cluster.url(user));
    config.with("username", user.name).with("password", user.password)
}

/// A store as configurations give it.
pub(crate) type Opened = Box<dyn SessionStore>;

pub(crate) fn open(config: &StoreConfig) -> Opened {
    Registry::linked().expect("nothing is there twice").open(config).expect("it opens")
}

/// The server that all tests share, for as long as they run.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::shared(Kind::Redis)).as_ref()
}

/// The cluster of these tests, one test at a time: it has no databases.
pub(crate) struct Turn {
    pub(crate) cluster: &'static Cluster,
    back: SyncSender<()>,
}

impl Turn {
    pub(crate) fn take() -> Option<Self> {
        static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
        static TURN: OnceLock<(SyncSender<()>, Mutex<Receiver<()>>)> = OnceLock::new();
        let cluster = CLUSTER.get_or_init(Cluster::own).as_ref()?;
        let (back, turn) = TURN.get_or_init(|| {
            let (back, turn) = sync_channel(1);
            back.send(()).expect("there is room");
            (back, Mutex::new(turn))
        });
        turn.lock().unwrap_or_else(PoisonError::into_inner).recv().expect("it comes back");
        cluster.run("FLUSHALL\n");
        Some(Self { cluster, back: back.clone() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.back.send(()).expect("there is room");
    }
}

/// A session as Beaker 1.11 writes it, with nothing but its access time in it.
pub(crate) fn record(id: &str, accessed: Timestamp) -> Record {
    padded(id, accessed, 0)
}

/// The same with so many more bytes in it.
pub(crate) fn padded(id: &str, accessed: Timestamp, bytes: usize) -> Record {
    #[expect(clippy::cast_precision_loss, reason = "Beaker keeps floats")]
    let secs = accessed.as_micros() as f64 / 1e6;
    let mut pickle = b"\x80\x02}U\x0e_accessed_timeG".to_vec();
    pickle.extend_from_slice(&secs.to_be_bytes());
    pickle.extend_from_slice(b"sX\x03\0\0\0padX");
    pickle.extend_from_slice(&u32::try_from(bytes).expect("it is small").to_le_bytes());
    pickle.extend(std::iter::repeat_n(b'x', bytes));
    pickle.extend_from_slice(b"s.");
    Record::new(SessionId::new(id), Payload::new(Framing::Value, pickle))
}

pub(crate) fn save(store: &dyn SessionStore, record: &Record) {
    store.save(record, SaveMode::Upsert).expect("it is saved");
}

pub(crate) fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

pub(crate) fn hours_ago(hours: u64) -> Timestamp {
    now().earlier_by(Duration::from_secs(3600 * hours))
}

/// Deletes what is older than an hour, with real access times.
pub(crate) fn plan() -> DeletePlan {
    DeletePlan::default().with_times(Arc::new(AccessedTime::new(Settings::new())))
}

pub(crate) fn an_hour() -> Cutoff {
    Cutoff::ago(now(), Duration::from_secs(3600))
}

/// Puts so many keys of sessions into a database, whose values are no sessions, without a connection of a store. Each value
/// is its own, and some are longer than what is read of a value at once.
pub(crate) fn fill(server: &Server, database: Option<&str>, keys: usize) {
    let script = format!(
        "EVAL \"for n = 1, {keys} do local length = n % 97 if n % 1000 == 0 then length = 20000 end \
         redis.call('SET', 'beaker_cache:s' .. n .. ':session', 's' .. n .. string.rep(' ', length)) end\" 0\n"
    );
    server.run(database, &script);
}

/// Whether a record is as [`fill`] made it.
pub(crate) fn is_own(record: &Record) -> bool {
    let n: usize = record.id.as_str()[1..].parse().expect("it has a number");
    let length = if n.is_multiple_of(1000) { 20_000 } else { n % 97 };
    record.payload.bytes() == format!("s{n}{}", " ".repeat(length)).as_bytes()
}

/// The kind and the whole report of an error.
pub(crate) fn told<T>(result: Result<T>) -> (ErrorKind, String) {
    let error = result.err().expect("it fails");
    let report = error.report().to_string();
    assert!(!report.contains(User::SITE.password) && !report.contains("p%40ss"), "{report}");
    (error.kind(), report)
}

/// Writes an ini file of a site.
pub(crate) fn ini(directory: &Path, keys: &[(&str, &str)]) -> PathBuf {
    let ini = directory.join("site.ini");
    // To configparser a percent sign begins the name of another key.
    let line = |(key, value): &(&str, &str)| format!("beaker.session.{key} = {}\n", value.replace('%', "%%"));
    let text: String = keys.iter().map(line).collect();
    std::fs::write(&ini, format!("[app:main]\n{text}")).expect("it can be written");
    ini
}

/// All that a query gives, none of which may fail.
pub(crate) fn list(store: &dyn SessionStore, query: Query) -> Vec<Record> {
    store.iter(query).map(|item| item.expect("it is listed")).collect()
}
