//! What the columns of a table of sessions are called, and how they are read and written.

use beakerhelpers_core::Framing;

use super::Dialect;
use crate::Flavor;

/// The columns of one kind of table in one database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    /// The session's id.
    pub(crate) id: &'static str,
    /// When it was last saved.
    pub(crate) accessed: &'static str,
    /// When it was first saved; not every table has it.
    pub(crate) created: Option<&'static str>,
    /// Its contents.
    pub(crate) data: &'static str,
    /// The same in a SELECT. SQLite's columns hold values of any type, and are read as bytes.
    pub(super) read_id: &'static str,
    pub(super) read_accessed: &'static str,
    pub(super) read_data: &'static str,
    /// The time in a condition that no index on it is to serve: the range of keys is what bounds the work.
    pub(super) aside: &'static str,
    /// What stands around a bound time, and around bound contents, that are to be stored.
    pub(super) time: [&'static str; 2],
    pub(super) bytes: [&'static str; 2],
}

const PLAIN: [&str; 2] = ["", ""];

static SQLITE: Columns =
    Columns { read_id: "CAST(namespace AS BLOB)", read_data: "CAST(data AS BLOB)", aside: "+accessed", ..beaker("") };
static POSTGRES: Columns = beaker("(accessed + interval '0')");
static MYSQL: Columns = beaker("COALESCE(accessed)");

const fn beaker(aside: &'static str) -> Columns {
    Columns {
        id: "namespace",
        accessed: "accessed",
        created: Some("created"),
        data: "data",
        read_id: "namespace",
        read_accessed: "accessed",
        read_data: "data",
        aside,
        time: PLAIN,
        bytes: PLAIN,
    }
}

/// A TIMESTAMP is an instant, which is read and written in UTC.
static SESSION2_MYSQL: Columns = SESSION2;

/// `now()` is stored as the wall clock of the server's zone shows it, and pickles as text: bytes in the encoding of the
/// database, which session2's driver neither knew nor changed.
static SESSION2_POSTGRES: Columns = Columns {
    read_accessed: "((modify_time AT TIME ZONE current_setting('TimeZone')) AT TIME ZONE 'UTC')",
    read_data: "convert_to(pickle, getdatabaseencoding())",
    aside: "((modify_time AT TIME ZONE current_setting('TimeZone')) AT TIME ZONE 'UTC')",
    time: ["((", " AT TIME ZONE 'UTC') AT TIME ZONE current_setting('TimeZone'))"],
    bytes: ["convert_from(", ", getdatabaseencoding())"],
    ..SESSION2
};
const SESSION2: Columns = Columns {
    id: "id",
    accessed: "modify_time",
    created: None,
    data: "pickle",
    read_id: "id",
    read_accessed: "modify_time",
    read_data: "pickle",
    aside: "COALESCE(modify_time)",
    time: PLAIN,
    bytes: PLAIN,
};

impl Columns {
    pub(crate) const fn of(flavor: Flavor, dialect: Dialect) -> &'static Self {
        match (flavor, dialect) {
            (Flavor::Session2, Dialect::Postgres) => &SESSION2_POSTGRES,
            (Flavor::Session2, _) => &SESSION2_MYSQL,
            (_, Dialect::Sqlite) => &SQLITE,
            (_, Dialect::Postgres) => &POSTGRES,
            (_, Dialect::MySql) => &MYSQL,
        }
    }

    /// How the contents wrap the session.
    pub(crate) const fn framing(&self) -> Framing {
        if self.created.is_some() { Framing::Namespace } else { Framing::Object }
    }

    /// The times that a table has.
    pub(crate) fn times(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.accessed).chain(self.created)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.id).chain(self.times()).chain(std::iter::once(self.data))
    }
}
