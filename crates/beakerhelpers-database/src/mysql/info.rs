//! What the server tells about tables.

use super::connection::MySqlClient;
use super::rows::TextRow;
use crate::failure::Failure;
use crate::server::client::{Client, Column, ColumnKind, Row};
use crate::statement::{Piece, Statement, TableName};

/// The schema of a table as a value.
fn schema(table: &TableName) -> Piece<'_> {
    table.schema.as_deref().map_or(Piece::Sql("DATABASE()"), Piece::Text)
}

/// The condition that rows of `information_schema` are about a table.
pub(super) fn about(table: &TableName) -> [Piece<'_>; 4] {
    [Piece::Sql(" WHERE table_schema = "), schema(table), Piece::Sql(" AND table_name = "), Piece::Text(&table.name)]
}

/// Asks for a lock that stands for the table: 1 where it was free, 0 where another connection has it.
pub(super) fn lock(table: &TableName) -> Statement<'_> {
    about_lock("SELECT GET_LOCK(", table, ", 0)")
}

/// Gives it back.
pub(super) fn unlock(table: &TableName) -> Statement<'_> {
    about_lock("SELECT RELEASE_LOCK(", table, ")")
}

fn about_lock<'t>(before: &'static str, table: &'t TableName, after: &'static str) -> Statement<'t> {
    Statement::new([
        Piece::Sql(before),
        Piece::Sql("CONCAT('beakerhelpers.', SHA1(CONCAT("),
        schema(table),
        Piece::Sql(", '.', "),
        Piece::Text(&table.name),
        Piece::Sql(")))"),
        Piece::Sql(after),
    ])
}

pub(super) fn columns(client: &mut MySqlClient, table: &TableName) -> Result<Option<Vec<Column>>, Failure> {
    let keys = unique_indexes(client, table)?;
    let mut statement = Statement::new([Piece::Sql(
        "SELECT column_name, data_type, column_type, is_nullable, character_maximum_length \
         FROM information_schema.columns",
    )]);
    statement.push(about(table));
    statement.push([Piece::Sql(" ORDER BY ordinal_position")]);
    let columns: Vec<_> = client.answers(&statement)?.iter().map(|row| column(row, &keys)).collect();
    Ok(Some(columns).filter(|columns| !columns.is_empty()))
}

fn column(row: &TextRow, keys: &[(String, String)]) -> Column {
    let name = row.text(0);
    let kind = match &*row.text(1).to_ascii_lowercase() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ColumnKind::Integer,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "varbinary" => ColumnKind::Text,
        "datetime" => ColumnKind::time(&row.text(2), 0),
        "timestamp" => ColumnKind::instant(&row.text(2), 0),
        "tinyblob" | "blob" | "mediumblob" | "longblob" => {
            ColumnKind::Bytes(row.int(4).and_then(|room| u64::try_from(room).ok()).unwrap_or(u64::MAX))
        }
        _ => ColumnKind::Other,
    };
    let is_key = row.text(3).eq_ignore_ascii_case("NO") && keys.iter().any(|(key, _)| key.eq_ignore_ascii_case(&name));
    Column { kind, type_name: row.text(2), is_key, name }
}

/// The columns that have a unique index for themselves alone, and its name. The first one of a column is `PRIMARY` where
/// that is one of them.
pub(super) fn unique_indexes(client: &mut MySqlClient, table: &TableName) -> Result<Vec<(String, String)>, Failure> {
    let mut statement =
        Statement::new([Piece::Sql("SELECT MIN(column_name), index_name FROM information_schema.statistics")]);
    statement.push(about(table));
    statement.push([Piece::Sql(
        " GROUP BY index_name HAVING COUNT(*) = 1 AND MAX(sub_part) IS NULL AND MAX(non_unique) = 0 \
         ORDER BY index_name <> 'PRIMARY'",
    )]);
    Ok(client.answers(&statement)?.iter().map(|row| (row.text(0), row.text(1))).collect())
}

/// Whether some index begins with a column.
pub(super) fn has_index_on(client: &mut MySqlClient, table: &TableName, column: &str) -> Result<bool, Failure> {
    let mut statement = Statement::new([Piece::Sql("SELECT COUNT(*) FROM information_schema.statistics")]);
    statement.push(about(table));
    statement.push([Piece::Sql(" AND seq_in_index = 1 AND LOWER(column_name) = "), Piece::Text(column)]);
    Ok(client.answers(&statement)?.first().and_then(|row| row.int(0)).unwrap_or(0) > 0)
}

/// The storage engine, and whether it is a view.
pub(super) fn engine(client: &mut MySqlClient, table: &TableName) -> Result<(String, bool), Failure> {
    let mut statement = Statement::new([Piece::Sql("SELECT engine, table_type FROM information_schema.tables")]);
    statement.push(about(table));
    let rows = client.answers(&statement)?;
    Ok(rows.first().map(|row| (row.text(0), row.text(1).contains("VIEW"))).unwrap_or_default())
}

pub(super) fn tables(client: &mut MySqlClient, most: usize) -> Result<Vec<String>, Failure> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let statement = Statement::new([
        Piece::Sql(
            "SELECT IF(table_schema = DATABASE(), table_name, CONCAT(table_schema, '.', table_name)) \
             FROM information_schema.tables WHERE table_schema NOT IN \
             ('information_schema', 'mysql', 'performance_schema', 'sys') \
             ORDER BY table_schema <> DATABASE(), 1 LIMIT ",
        ),
        Piece::Int(most),
    ]);
    Ok(client.answers(&statement)?.iter().map(|row| row.text(0)).collect())
}

/// Whether the table is there, view or not.
pub(super) fn exists(client: &mut MySqlClient, table: &TableName) -> Result<bool, Failure> {
    Ok(client.columns(table)?.is_some())
}
