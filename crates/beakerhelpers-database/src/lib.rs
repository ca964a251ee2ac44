#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "some of what the databases share is for one of them")
)]

mod cleanup;
mod failure;
mod findings;
mod location;
#[cfg(feature = "mysql")]
mod mysql;
mod pages;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod session2;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod times;

use beakerhelpers_core::{
    Capabilities, Framing, OptionSpec, Result, SessionStore, StoreConfig, StoreType, package, register_store,
};

/// The store type `ext:database`: a table with a primary key `id` beside the columns of [`SQLA`].
pub static DATABASE: StoreType =
    StoreType::new("ext:database", "sessions in a database table (SQLAlchemy)", open_database, package!())
        .with_options(OPTIONS)
        .with_capabilities(CAPABILITIES);
register_store!(DATABASE);

/// The store type `ext:sqla`: a table whose key is `namespace`.
///
/// It opens what [`DATABASE`] opens, and the other way round; the two differ in the table that `setup` makes.
/// Beaker itself takes the table of this type as a Python object, which no ini file can hold, so that here it is named
/// with the options of `ext:database` (`beaker/ext/sqla.py`, 1.14.1).
pub static SQLA: StoreType =
    StoreType::new("ext:sqla", "sessions in a database table without `id` (SQLAlchemy)", open_sqla, package!())
        .with_options(OPTIONS)
        .with_capabilities(CAPABILITIES);
register_store!(SQLA);

const CAPABILITIES: Capabilities = Capabilities::ALL.with_expiry(false).with_tidy(false);

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::secret("url", "database URL in SQLAlchemy's form: `sqlite:////srv/app/sessions.db`"),
    OptionSpec::secret("sa.url", "the same, where `url` is not set"),
    OptionSpec::new("table_name", "name of the table; `beaker_cache` otherwise"),
    OptionSpec::new("schema_name", "schema of the table; none otherwise"),
];

/// What `setup` creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavor {
    /// `beaker/ext/database.py`: an integer `id` is the key, `namespace` is unique.
    Database,
    /// `make_cache_table` of `beaker/ext/sqla.py`: `namespace` is the key.
    Sqla,
    /// session2's table: see [`session2`].
    #[cfg_attr(not(any(feature = "postgres", feature = "mysql")), allow(dead_code, reason = "it is one of servers"))]
    Session2,
}

impl Flavor {
    /// Whose table it is.
    const fn whose(self) -> &'static str {
        match self {
            Self::Database | Self::Sqla => "Beaker",
            Self::Session2 => "session2",
        }
    }

    /// How its contents wrap the session.
    const fn framing(self) -> Framing {
        match self {
            Self::Database | Self::Sqla => Framing::Namespace,
            Self::Session2 => Framing::Object,
        }
    }

    /// The option that names the table.
    const fn table_option(self) -> &'static str {
        match self {
            Self::Database | Self::Sqla => "table_name",
            Self::Session2 => "table",
        }
    }
}

fn open_database(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    location::open(config, Flavor::Database)
}

fn open_sqla(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    location::open(config, Flavor::Sqla)
}
