//! The tables of session2, the session library of Quixote, for `beakerhelpers-session2`, which registers their store
//! types: they are read, written and cleaned as Beaker's are.
//!
//! ```sql
//! CREATE TABLE sessions (id VARCHAR(255) PRIMARY KEY, pickle BLOB, modify_time TIMESTAMP)   -- MySQL
//! CREATE TABLE sessions (id TEXT PRIMARY KEY, pickle TEXT, modify_time TIMESTAMP)           -- PostgreSQL
//! ```
//!
//! MySQL's TIMESTAMP is an instant. PostgreSQL's is the wall clock of the zone that the *server* is set to for the
//! database and its user; it is read with that setting, so that the zone of a configuration does not matter.
//! (`session2/store/MySQLSessionStore.py` and `PostgresSessionStore.py`, 0.6; `session3`, 3.4.1.)

use beakerhelpers_core::{Capabilities, OptionSpec, Result, SessionStore, StoreConfig};

use crate::{Flavor, location};

/// What these stores can do.
pub const CAPABILITIES: Capabilities = crate::CAPABILITIES.with_local_times(false);

/// The options of both.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::secret("url", "database URL in SQLAlchemy's form: `mysql://quixote:secret@db/shop`"),
    OptionSpec::new("table", "name of the table; `sessions` otherwise"),
    OptionSpec::new("schema_name", "schema of the table; none otherwise"),
];

/// The name of the store type on MySQL and MariaDB.
pub const MYSQL: &str = "session2:mysql";
/// The name of the store type on PostgreSQL.
pub const POSTGRES: &str = "session2:postgres";

/// Opens a table on MySQL or MariaDB, on first use.
///
/// # Errors
///
/// `Config` for a URL that is none, or of another database.
#[cfg(feature = "mysql")]
pub fn open_mysql(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    location::open_one_of(config, Flavor::Session2, &["mysql", "mariadb"])
}

/// Opens a table on PostgreSQL, on first use.
///
/// # Errors
///
/// `Config` for a URL that is none, or of another database.
#[cfg(feature = "postgres")]
pub fn open_postgres(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    location::open_one_of(config, Flavor::Session2, &["postgresql", "postgres", "cockroachdb"])
}
