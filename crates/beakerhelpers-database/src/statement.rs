//! SQL with run-time names and bound values, the same for every database.

use std::fmt;

use beakerhelpers_core::{Error, Result, escape_controls};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Double, Text, Untyped};

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
}

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
}

impl<DB> QueryFragment<DB> for Statement<'_>
where
    DB: diesel::backend::Backend
        + diesel::sql_types::HasSqlType<BigInt>
        + diesel::sql_types::HasSqlType<Double>
        + diesel::sql_types::HasSqlType<Text>
        + diesel::sql_types::HasSqlType<Binary>,
    i64: diesel::serialize::ToSql<BigInt, DB>,
    f64: diesel::serialize::ToSql<Double, DB>,
    str: diesel::serialize::ToSql<Text, DB>,
    [u8]: diesel::serialize::ToSql<Binary, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for piece in &self.0 {
            match piece {
                Piece::Sql(sql) => out.push_sql(sql),
                Piece::Table(table) => {
                    if let Some(schema) = &table.schema {
                        out.push_identifier(schema)?;
                        out.push_sql(".");
                    }
                    out.push_identifier(&table.name)?;
                }
                Piece::Int(number) => out.push_bind_param::<BigInt, _>(number)?,
                Piece::Real(number) => out.push_bind_param::<Double, _>(number)?,
                Piece::Text(text) => out.push_bind_param::<Text, str>(text)?,
                Piece::Bytes(bytes) => out.push_bind_param::<Binary, [u8]>(bytes)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    // Diesel keeps prepared statements by their SQL then, which is short and the same for every page.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
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
        }
    }
}
