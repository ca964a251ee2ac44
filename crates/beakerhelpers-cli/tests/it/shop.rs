//! A site's files in a directory of their own: an ini file, and sessions in SQLite that need no Python to be written.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{Timestamp, Zone};
use beakerhelpers_testkit::{scratch, sqlite_ini};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _};
use serde_json::{Value as Json, json};

use crate::run::{Run, binary, finish};

/// The table as Beaker 1.14.1 with SQLAlchemy 2.1.9 creates it.
const TABLE: &str = "CREATE TABLE beaker_cache (id INTEGER NOT NULL, namespace VARCHAR(255) NOT NULL, \
                     accessed DATETIME NOT NULL, created DATETIME NOT NULL, data BLOB NOT NULL, \
                     PRIMARY KEY (id), UNIQUE (namespace))";

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A site whose host's clock shows UTC.
#[derive(Debug)]
pub(crate) struct Shop {
    directory: tempfile::TempDir,
    now: Timestamp,
}

impl Shop {
    /// An empty table, and `site.ini` with these keys besides type and URL. Ages count from now.
    pub(crate) fn new(keys: &str) -> Self {
        Self::at(SystemTime::now().into(), keys)
    }

    /// The same, whose ages count from another instant.
    pub(crate) fn at(now: Timestamp, keys: &str) -> Self {
        let shop = Self::without_table(now, keys);
        shop.sql(TABLE);
        shop
    }

    /// An ini file alone.
    pub(crate) fn without_table(now: Timestamp, keys: &str) -> Self {
        Self::in_directory(tempfile::tempdir().expect("a temporary directory"), now, keys)
    }

    /// An ini file alone, where there is memory in place of a disk: for databases that would take minutes there.
    pub(crate) fn in_memory(now: Timestamp, keys: &str) -> Self {
        Self::in_directory(scratch(), now, keys)
    }

    fn in_directory(directory: tempfile::TempDir, now: Timestamp, keys: &str) -> Self {
        sqlite_ini(directory.path(), keys);
        Self { directory, now }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn ini(&self) -> PathBuf {
        self.path().join("site.ini")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("sessions.db")
    }

    /// Adds a session that was accessed so long ago.
    pub(crate) fn add(&self, id: &str, age: Duration, session: &Json) {
        self.add_row(id, &self.local_time(age), &pickle(&json!({ "session": session })));
    }

    /// Adds many at once, with ids `0000`, `0001` and so on.
    pub(crate) fn add_many(&self, count: u32, age: impl Fn(u32) -> Duration, session: impl Fn(u32) -> Json) {
        let mut script = String::from("BEGIN;");
        for n in 0..count {
            let data = pickle(&json!({ "session": session(n) }));
            script += &insert(&format!("{n:04}"), &self.local_time(age(n)), &data);
        }
        self.sql(&(script + "COMMIT"));
    }

    /// Adds a row as it is.
    pub(crate) fn add_row(&self, id: &str, accessed: &str, data: &[u8]) {
        self.sql(&insert(id, accessed, data));
    }

    /// What the site's clock showed so long ago, as Beaker writes it.
    pub(crate) fn local_time(&self, age: Duration) -> String {
        Zone::UTC.naive_at(self.now.earlier_by(age)).to_string()
    }

    /// Runs SQL.
    pub(crate) fn sql(&self, script: &str) {
        self.connect().batch_execute(script).expect("the SQL is right");
    }

    /// A connection of our own.
    pub(crate) fn connect(&self) -> SqliteConnection {
        let path = self.database();
        let path = path.to_str().expect("a plain path");
        let mut connection = SqliteConnection::establish(path).expect("the database opens");
        connection.batch_execute("PRAGMA busy_timeout = 60000").expect("SQLite knows it");
        connection
    }

    /// The ids that are there, sorted.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.texts("SELECT namespace AS t FROM beaker_cache ORDER BY namespace")
    }

    /// The texts that SQL gives under the name `t`.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            t: String,
        }
        let rows: Vec<Row> = diesel::sql_query(query).load(&mut self.connect()).expect("the SQL is right");
        rows.into_iter().map(|row| row.t).collect()
    }

    /// A number that SQL gives under the name `n`.
    pub(crate) fn number(&self, query: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        diesel::sql_query(query).get_result::<Row>(&mut self.connect()).expect("the SQL is right").n
    }

    /// How many sessions are there.
    pub(crate) fn count(&self) -> i64 {
        self.number("SELECT count(*) AS n FROM beaker_cache")
    }

    /// What SQLite finds when it checks the whole file: one row that says `ok`.
    pub(crate) fn assert_integrity(&self) {
        let ok = self.number("SELECT count(*) = 1 AND max(integrity_check) = 'ok' AS n FROM pragma_integrity_check");
        assert_eq!(ok, 1, "the database is damaged");
    }

    /// Every file of the site with what is in it.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(self.path())
    }

    /// A command of the binary with the ini file.
    pub(crate) fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = binary();
        command.arg(name).arg(self.ini()).args(args);
        command
    }

    /// Runs a command of the binary with the ini file.
    pub(crate) fn run(&self, name: &str, args: &[&str]) -> Run {
        finish(&mut self.command(name, args))
    }

    /// The arguments of a command with the ini file.
    pub(crate) fn args(&self, name: &str, args: &[&str]) -> Vec<String> {
        let ini = self.ini().to_str().expect("a plain path").to_owned();
        [name.to_owned(), ini].into_iter().chain(args.iter().map(ToString::to_string)).collect()
    }
}

/// Every file below a directory with what is in it, sorted.
pub(crate) fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).expect("a readable directory") {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let bytes = fs::read(&path).expect("a readable file");
                files.push((path, bytes));
            }
        }
    }
    files.sort();
    files
}

/// A value as Python 2 would have pickled it.
pub(crate) fn pickle(value: &Json) -> Vec<u8> {
    serde_pickle::to_vec(value, serde_pickle::SerOptions::new().proto_v2()).expect("it can be pickled")
}

fn insert(id: &str, accessed: &str, data: &[u8]) -> String {
    let mut hex = String::new();
    for byte in data {
        write!(hex, "{byte:02x}").expect("a String takes everything");
    }
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let (id, accessed) = (quoted(id), quoted(accessed));
    format!(
        "INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES ({id}, {accessed}, {accessed}, x'{hex}');"
    )
}
