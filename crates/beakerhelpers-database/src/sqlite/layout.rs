//! What the table looks like.

use beakerhelpers_core::{Error, ErrorKind, escape_controls, near_first};
use diesel::result::QueryResult;

use super::connection::{Connection, int, text};
use crate::statement::{KeyColumn, Piece, Statement, TableName};

/// The columns that every table of sessions has.
const COLUMNS: [&str; 4] = ["namespace", "accessed", "created", "data"];
/// So many tables are named where the right one is missing.
const NAMED: usize = 20;

/// What there is instead of a table that holds sessions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// No such table; those that are there.
    Table(Vec<String>),
    /// The table lacks these columns.
    Columns(Vec<&'static str>),
    /// The database keeps its text as UTF-16, which Python's drivers never ask for.
    Utf8,
}

/// Finds the column to page by.
pub(crate) fn detect(connection: &mut Connection, table: &TableName) -> QueryResult<Result<KeyColumn, Missing>> {
    if let Some(missing) = wrong_encoding(connection)? {
        return Ok(Err(missing));
    }
    let Some(has_rowid) = has_rowid(connection, table)? else {
        return Ok(Err(Missing::Table(tables(connection)?)));
    };
    let columns = columns(connection, table)?;
    let has = |name: &str| columns.iter().any(|column| column == name);
    let missing: Vec<_> = COLUMNS.into_iter().filter(|name| !has(name)).collect();
    if !missing.is_empty() {
        return Ok(Err(Missing::Columns(missing)));
    }
    if !has_rowid {
        return Ok(Ok(KeyColumn::Namespace));
    }
    // An `id` that is the primary key is the row's number under another name (not always: `INTEGER PRIMARY KEY DESC`).
    // A column may take one of SQLite's own names for it away.
    let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !has(name));
    Ok(Ok(rowid.map_or(KeyColumn::Namespace, KeyColumn::Number)))
}

fn wrong_encoding(connection: &mut Connection) -> QueryResult<Option<Missing>> {
    let statement = Statement::new([Piece::Sql("PRAGMA encoding")]);
    let mut utf8 = true;
    for row in connection.rows(&statement)? {
        utf8 = text(&row?, 0).is_none_or(|name| name == "UTF-8");
    }
    Ok((!utf8).then_some(Missing::Utf8))
}

/// Whether the rows have numbers; `None` where there is no such table. A view's have none.
fn has_rowid(connection: &mut Connection, table: &TableName) -> QueryResult<Option<bool>> {
    let statement = Statement::new([
        Piece::Sql("SELECT type <> 'view' AND NOT wr FROM pragma_table_list("),
        Piece::Text(&table.name),
        Piece::Sql(") WHERE schema = 'main'"),
    ]);
    let mut found = None;
    for row in connection.rows(&statement)? {
        found = int(&row?, 0).map(|has| has != 0);
    }
    Ok(found)
}

/// The names of the columns in lower case: SQLite does not tell cases apart.
fn columns(connection: &mut Connection, table: &TableName) -> QueryResult<Vec<String>> {
    let statement = Statement::new([
        Piece::Sql("SELECT lower(name) FROM pragma_table_xinfo("),
        Piece::Text(&table.name),
        Piece::Sql(", 'main')"),
    ]);
    texts(connection, &statement)
}

/// A column as it was declared.
#[derive(Debug)]
pub(crate) struct Column {
    /// In lower case.
    pub(crate) name: String,
    /// Its type, with `NOT NULL` where that was said.
    pub(crate) declared: String,
}

/// The columns as they were declared.
pub(crate) fn declared_columns(connection: &mut Connection, table: &TableName) -> QueryResult<Vec<Column>> {
    let statement = Statement::new([
        Piece::Sql("SELECT lower(name), trim(type || iif(\"notnull\", ' NOT NULL', '')) FROM pragma_table_xinfo("),
        Piece::Text(&table.name),
        Piece::Sql(", 'main')"),
    ]);
    let rows = connection.rows(&statement)?.map(|row| {
        let row = row?;
        let [name, declared] = [0, 1].map(|column| text(&row, column).unwrap_or_default());
        Ok(Column { name, declared })
    });
    rows.collect()
}

/// Whether the table is a view.
pub(crate) fn is_view(connection: &mut Connection, table: &TableName) -> QueryResult<bool> {
    let statement = Statement::new([
        Piece::Sql("SELECT type FROM pragma_table_list("),
        Piece::Text(&table.name),
        Piece::Sql(") WHERE schema = 'main'"),
    ]);
    Ok(texts(connection, &statement)?.iter().any(|kind| kind == "view"))
}

fn tables(connection: &mut Connection) -> QueryResult<Vec<String>> {
    let statement = Statement::new([Piece::Sql(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_' \
         ORDER BY name",
    )]);
    texts(connection, &statement)
}

fn texts(connection: &mut Connection, statement: &Statement<'_>) -> QueryResult<Vec<String>> {
    connection.rows(statement)?.map(|row| row.map(|row| text(&row, 0).unwrap_or_default())).collect()
}

impl Missing {
    /// The same for people; `prefix` is that of the configuration's keys.
    pub(crate) fn into_error(self, table: &TableName, prefix: &str) -> Error {
        match self {
            Self::Table(tables) => Error::new(ErrorKind::NotSetUp, format!("the database has no table `{table}`"))
                .with_context("tables", list(&near_first(&table.name, tables.iter().map(String::as_str))))
                .with_hint(format!(
                    "name the table with `{prefix}.table_name` and `{prefix}.schema_name`, or create it with \
                     `beakerhelpers setup`"
                )),
            Self::Columns(columns) => {
                let what = if columns.len() == 1 { "column" } else { "columns" };
                Error::new(
                    ErrorKind::NotSetUp,
                    format!("the table `{table}` lacks the {what} `{}`", columns.join("`, `")),
                )
                .with_hint(format!("it holds no Beaker sessions; name another with `{prefix}.table_name`"))
            }
            Self::Utf8 => Error::unsupported("the database keeps its text as UTF-16, not as UTF-8"),
        }
    }
}

fn list(tables: &[&str]) -> String {
    let shown: Vec<_> = tables.iter().take(NAMED).map(|name| format!("`{}`", escape_controls(name))).collect();
    match tables.len() {
        0 => "none at all".to_owned(),
        all if all > NAMED => format!("{} and {} more", shown.join(", "), all - NAMED),
        _ => shown.join(", "),
    }
}
