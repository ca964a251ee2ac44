#![doc = include_str!("../README.md")]

mod directory;
mod durus;
mod inside;
mod list;
mod paths;
mod shelve;

use beakerhelpers_core::{OptionSpec, StoreType, package, register_store};
#[cfg(any(feature = "postgres", feature = "mysql"))]
use beakerhelpers_database::session2 as database;

/// The store type `session2:directory`: a file for each session (`session2/store/DirectorySessionStore.py`, 0.6).
pub static DIRECTORY: StoreType =
    StoreType::new("session2:directory", "sessions of Quixote in files (session2)", directory::open, package!())
        .with_options(&[OptionSpec::new("directory", "where the files are, one for each session")])
        .with_capabilities(directory::CAPABILITIES);
register_store!(DIRECTORY);

/// The store type `session2:mysql`: a table in MySQL or MariaDB (`session2/store/MySQLSessionStore.py`, 0.6).
#[cfg(feature = "mysql")]
pub static MYSQL: StoreType =
    StoreType::new(database::MYSQL, "sessions of Quixote in MySQL (session2)", database::open_mysql, package!())
        .with_options(database::OPTIONS)
        .with_capabilities(database::CAPABILITIES);
#[cfg(feature = "mysql")]
register_store!(MYSQL);

/// The store type `session2:postgres`: a table in PostgreSQL (`session2/store/PostgresSessionStore.py`, 0.6).
#[cfg(feature = "postgres")]
pub static POSTGRES: StoreType = StoreType::new(
    database::POSTGRES,
    "sessions of Quixote in PostgreSQL (session2)",
    database::open_postgres,
    package!(),
)
.with_options(database::OPTIONS)
.with_capabilities(database::CAPABILITIES);
#[cfg(feature = "postgres")]
register_store!(POSTGRES);

/// The store type `session2:durus`: a dict in an object database (`session2/store/DurusSessionStore.py`, 0.6).
pub static DURUS: StoreType =
    StoreType::new("session2:durus", "sessions of Quixote in Durus (session2)", durus::open, package!())
        .with_options(&[
            OptionSpec::new("file", "file of Durus, which no other process has open; or else"),
            OptionSpec::new("host", "where Durus's server is; `127.0.0.1` otherwise"),
            OptionSpec::new("port", "its port; `2972` otherwise"),
        ])
        .with_capabilities(durus::CAPABILITIES);
register_store!(DURUS);

/// The store type `session2:shelve`: a database of Python's `shelve` (`session2/store/ShelveSessionStore.py`, 0.6), whichever
/// of Python's dbm modules wrote it.
pub static SHELVE: StoreType =
    StoreType::new("session2:shelve", "sessions of Quixote in a shelve file (session2)", shelve::open, package!())
        .with_options(&[
            OptionSpec::new("filename", "name of the shelve, without what dbm appends"),
            OptionSpec::new(
                shelve::FORMAT_OPTION,
                "how a new shelve is written: `dumb`, `gnu`, `ndbm` or `sqlite3`; `dumb` otherwise",
            ),
        ])
        .with_capabilities(shelve::CAPABILITIES);
register_store!(SHELVE);
