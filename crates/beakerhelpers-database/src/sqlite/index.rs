//! The index on `accessed`.

use beakerhelpers_core::{Error, ErrorKind, IndexOutcome, Result};
use diesel::result::QueryResult;

use super::connection::{Connection, int};
use super::layout;
use crate::statement::{Piece, Statement, TableName};

/// Adds the index where there is none.
pub(crate) fn add(connection: &mut Connection, table: &TableName) -> QueryResult<Result<IndexOutcome>> {
    if layout::is_view(connection, table)? {
        return Ok(Err(Error::unsupported(format!("`{table}` is a view, which cannot have an index"))
            .with_hint("name the table behind it")));
    }
    if on_accessed(connection, table)? {
        return Ok(Ok(IndexOutcome::Existing));
    }
    let name = table.index_name();
    if is_taken(connection, &name)? {
        return Ok(Err(Error::new(
            ErrorKind::Other,
            format!("the name `{name}` is taken by something that is no index of all rows on `accessed`"),
        )
        .with_hint("look at it with `.schema` in sqlite3, and drop or rename it")));
    }
    let [create, on, columns] = ["CREATE INDEX ", " ON ", " (accessed)"].map(Piece::Sql);
    connection.change(&Statement::new([create, Piece::Table(&name), on, Piece::Table(table), columns]))?;
    Ok(Ok(IndexOutcome::Created))
}

/// Whether an index of all rows begins with `accessed`, in the order in which times are compared.
pub(crate) fn on_accessed(connection: &mut Connection, table: &TableName) -> QueryResult<bool> {
    found(
        connection,
        &Statement::new([
            Piece::Sql("SELECT 1 FROM pragma_index_list("),
            Piece::Text(&table.name),
            Piece::Sql(
                ", 'main') AS list JOIN pragma_index_xinfo(list.name, 'main') AS key ON key.seqno = 0 \
                 WHERE NOT list.partial AND lower(key.name) = 'accessed' AND key.coll = 'BINARY'",
            ),
        ]),
    )
}

/// Whether no two rows can have the same `namespace`.
pub(crate) fn is_unique(connection: &mut Connection, table: &TableName) -> QueryResult<bool> {
    found(
        connection,
        &Statement::new([
            Piece::Sql("SELECT 1 FROM pragma_index_list("),
            Piece::Text(&table.name),
            Piece::Sql(
                ", 'main') AS list WHERE list.\"unique\" AND NOT list.partial AND \
                 (SELECT group_concat(lower(name)) = 'namespace' FROM pragma_index_xinfo(list.name, 'main') WHERE key) \
                 UNION ALL SELECT 1 FROM (SELECT group_concat(lower(name)) AS key FROM pragma_table_xinfo(",
            ),
            Piece::Text(&table.name),
            Piece::Sql(", 'main') WHERE pk) WHERE key = 'namespace'"),
        ]),
    )
}

/// Tables and indexes share their names.
fn is_taken(connection: &mut Connection, name: &TableName) -> QueryResult<bool> {
    found(
        connection,
        &Statement::new([
            Piece::Sql("SELECT 1 FROM main.sqlite_schema WHERE name = "),
            Piece::Text(&name.name),
            Piece::Sql(" COLLATE NOCASE"),
        ]),
    )
}

fn found(connection: &mut Connection, statement: &Statement<'_>) -> QueryResult<bool> {
    let mut rows = connection.rows(statement)?;
    Ok(rows.next().transpose()?.is_some_and(|row| int(&row, 0).is_some()))
}
