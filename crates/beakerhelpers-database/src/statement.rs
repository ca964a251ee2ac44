//! SQL with run-time names and bound values, the same for every database.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod fragment;

use std::fmt;

use beakerhelpers_core::{Error, NaiveTime, Result, escape_controls};

/// The table of a configuration. Any name is only ever quoted, never part of the SQL around it.
#[derive(Clone, Debug)]
pub(crate) struct TableName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl TableName {
    /// # Errors
    ///
    /// `Config` for a name that no database can hold.
    pub(crate) fn new(schema: Option<&str>, name: &str) -> Result<Self> {
        for (key, text) in [("table_name", Some(name)), ("schema_name", schema)] {
            if text.is_some_and(|text| text.contains('\0')) {
                return Err(Error::config(format!("`{key}` holds a NUL character")));
            }
        }
        Ok(Self { schema: schema.map(ToOwned::to_owned), name: name.to_owned() })
    }

    /// The name of the index on `accessed`, as SQLAlchemy would call it. It takes no schema: that of its table is its own.
    pub(crate) fn index_name(&self) -> Self {
        Self { schema: None, name: format!("ix_{}_accessed", self.name) }
    }
}

/// For people: as configured, not as quoted.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", escape_controls(schema))?;
        }
        write!(f, "{}", escape_controls(&self.name))
    }
}

/// One part of a [`Statement`].
#[derive(Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// SQL as it stands.
    Sql(&'static str),
    /// A table, to be quoted.
    Table(&'a TableName),
    /// A bound number.
    Int(i64),
    /// A bound fraction.
    Real(f64),
    /// A bound text.
    Text(&'a str),
    /// Bound bytes.
    Bytes(&'a [u8]),
    /// A bound naive time. SQLite has no such type: its times are bound as text.
    Time(Time),
}

/// A naive time as a bound value, in the form that each client wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time(pub(crate) NaiveTime);

/// A statement in pieces, which each database's client quotes and binds in its own way.
#[derive(Clone)]
pub(crate) struct Statement<'a>(Vec<Piece<'a>>);

impl<'a> Statement<'a> {
    pub(crate) fn new(pieces: impl IntoIterator<Item = Piece<'a>>) -> Self {
        Self(pieces.into_iter().collect())
    }

    pub(crate) fn push(&mut self, pieces: impl IntoIterator<Item = Piece<'a>>) {
        self.0.extend(pieces);
    }

    pub(crate) fn pieces(&self) -> &[Piece<'a>] {
        &self.0
    }
}

/// The column by which a table is read page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyColumn {
    /// An indexed number, by its name.
    Number(&'static str),
    /// The session's id itself, where there is no number.
    Namespace,
}

/// A place in the order of a table's keys. SQLite sorts values by their type first, so that a key must be compared as
/// what it is: turned into another type, it may stand before rows that are done, or behind rows that are not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Number(i64),
    Real(f64),
    /// The bytes of a text.
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    /// A session's id, where the database vouches for its type.
    Id(String),
    /// When a session was created, and its id: a place in the order of creation, where no number tells it.
    Created(NaiveTime, String),
}

impl Key {
    /// The key as an operand.
    pub(crate) fn pieces(&self) -> [Piece<'_>; 3] {
        match self {
            Self::Number(number) => [Piece::Sql(""), Piece::Int(*number), Piece::Sql("")],
            Self::Real(number) => [Piece::Sql(""), Piece::Real(*number), Piece::Sql("")],
            // Bound as bytes and turned into text there: it need not be UTF-8. Without the `+`, numbers in a column
            // without a type would be compared with it as texts.
            Self::Text(bytes) => [Piece::Sql("+CAST("), Piece::Bytes(bytes), Piece::Sql(" AS TEXT)")],
            Self::Bytes(bytes) => [Piece::Sql(""), Piece::Bytes(bytes), Piece::Sql("")],
            Self::Id(id) | Self::Created(_, id) => [Piece::Sql(""), Piece::Text(id), Piece::Sql("")],
        }
    }
}
