//! Stores that tests open.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use beakerhelpers_core::{Record, Registry, SaveMode, SessionId, SessionStore, StoreConfig, Timestamp};
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

pub(crate) fn open(config: &StoreConfig) -> Box<dyn SessionStore> {
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
    let payload = beakerhelpers_core::Payload::new(beakerhelpers_core::Framing::Value, pickle);
    Record::new(SessionId::new(id), payload)
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
