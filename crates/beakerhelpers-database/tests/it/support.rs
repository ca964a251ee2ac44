//! What the tests share.

use std::fs;
use std::path::{Path, PathBuf};

use beakerhelpers_core::{
    Access, Cutoff, Error, ErrorKind, Framing, NaiveTime, Payload, Record, Registry, SessionId, SessionStore,
    SetupMode, StoreConfig, Timestamp, Zone,
};
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use tempfile::TempDir;

/// A directory with a database in it.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        Self { dir: beakerhelpers_testkit::scratch() }
    }

    /// With Beaker's table.
    pub(crate) fn with_table() -> Self {
        let place = Self::new();
        place.store().setup(SetupMode::IfMissing).expect("it is set up");
        place
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("sessions.db")
    }

    pub(crate) fn config(&self) -> StoreConfig {
        config(&self.path())
    }

    pub(crate) fn store(&self) -> Box<dyn SessionStore> {
        open(&self.config())
    }

    pub(crate) fn reader(&self) -> Box<dyn SessionStore> {
        open(&self.config().with_access(Access::ReadOnly))
    }

    /// Runs SQL on a connection that is gone afterwards.
    pub(crate) fn sql(&self, sql: &str) {
        self.raw().batch_execute(sql).expect("the SQL is right");
    }

    pub(crate) fn raw(&self) -> SqliteConnection {
        let path = self.path();
        let mut raw = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("it opens");
        raw.batch_execute("PRAGMA busy_timeout = 5000").expect("a pragma");
        raw
    }

    /// The one text that a query gives.
    pub(crate) fn text(&self, query: &str) -> String {
        text(&mut self.raw(), query)
    }

    /// The files in the directory, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).expect("it can be listed");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

pub(crate) fn text(raw: &mut SqliteConnection, query: &str) -> String {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = diesel::sql_types::Text)]
        answer: String,
    }
    let query = format!("SELECT CAST(({query}) AS TEXT) AS answer");
    sql_query(query).get_result::<Answer>(raw).expect("one row").answer
}

pub(crate) fn config(path: &Path) -> StoreConfig {
    StoreConfig::new("beaker.session").with("url", format!("sqlite:///{}", path.display())).with_zone(Zone::UTC)
}

pub(crate) fn open(config: &StoreConfig) -> Box<dyn SessionStore> {
    registry().open(config).expect("the configuration is right")
}

pub(crate) fn registry() -> Registry {
    Registry::default().with_store(&beakerhelpers_database::DATABASE).with_store(&beakerhelpers_database::SQLA)
}

pub(crate) fn at(text: &str) -> Timestamp {
    Zone::UTC.instant_of(NaiveTime::parse(text.as_bytes()).expect("a time"))
}

/// Noon, and sessions time out after an hour.
pub(crate) fn cutoff() -> Cutoff {
    Cutoff::ago(at("2026-11-20 12:00:00"), std::time::Duration::from_secs(3600))
}

pub(crate) fn record(id: &str, accessed: &str) -> Record {
    let payload = Payload::new(Framing::Namespace, b"contents".to_vec());
    Record::new(SessionId::new(id), payload).with_times(Some(at("2026-11-01 00:00:00")), Some(at(accessed)))
}

/// An error of this kind whose report holds each of these.
#[track_caller]
pub(crate) fn assert_error(error: &Error, kind: ErrorKind, parts: &[&str]) {
    let report = error.report().to_string();
    assert_eq!(error.kind(), kind, "{report}");
    for part in parts {
        assert!(report.contains(part), "`{part}` is not in:\n{report}");
    }
}
