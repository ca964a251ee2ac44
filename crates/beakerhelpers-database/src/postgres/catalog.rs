//! What the server knows of tables.

use std::ops::ControlFlow;

use beakerhelpers_core::Error;

use super::PgClient;
use super::connection::{quoted, strange};
use crate::failure::Failure;
use crate::server::client::{Column, ColumnKind, Row};
use crate::statement::{Piece, Statement, TableName};

/// The table's name as `to_regclass` takes it: found as the server finds it, by its schema or by the search path.
pub(super) fn qualified(table: &TableName) -> String {
    let name = quoted(&table.name);
    table.schema.as_ref().map_or(name.clone(), |schema| format!("{}.{name}", quoted(schema)))
}

impl PgClient {
    /// The number in the first column of the last row, `None` where there is no row, or NULL.
    pub(super) fn number(&mut self, statement: &Statement<'_>) -> Result<Option<i64>, Failure> {
        let mut number = None;
        self.read_rows(statement, &mut |row| {
            number = row.int(0);
            ControlFlow::Continue(())
        })?;
        Ok(number)
    }

    /// The texts in the first column.
    pub(super) fn texts(&mut self, statement: &Statement<'_>) -> Result<Vec<String>, Failure> {
        let mut texts = Vec::new();
        self.read_rows(statement, &mut |row| {
            texts.push(text(row, 0));
            ControlFlow::Continue(())
        })?;
        Ok(texts)
    }
}

pub(super) fn text(row: &dyn Row, column: usize) -> String {
    String::from_utf8_lossy(row.bytes(column).unwrap_or_default()).into_owned()
}

/// What kind of relation each row of a column is about, in `pg_class.relkind`.
const TABLE: &[u8] = b"r";
const PARTITIONED: &[u8] = b"p";

const COLUMNS: &str = "SELECT a.attname, format_type(a.atttypid, a.atttypmod), \
     (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END)::int8, \
     a.attnotnull AND EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid \
     AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum), \
     c.relkind, current_setting('integer_datetimes') = 'on' \
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid \
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.oid = to_regclass(";

/// The columns of a table, `None` where there is none.
pub(super) fn columns(client: &mut PgClient, table: &TableName) -> Result<Option<Vec<Column>>, Failure> {
    let name = qualified(table);
    let statement = Statement::new([Piece::Sql(COLUMNS), Piece::Text(&name), Piece::Sql(") ORDER BY a.attnum")]);
    let mut columns = Vec::new();
    let (mut is_table, mut times_are_numbers) = (true, true);
    client.read_rows(&statement, &mut |row| {
        is_table &= row.bytes(4).is_some_and(|kind| kind == TABLE || kind == PARTITIONED);
        times_are_numbers &= row.int(5) == Some(1);
        columns.push(Column {
            name: text(row, 0),
            kind: kind(row.int(2).unwrap_or(0), &text(row, 1)),
            type_name: text(row, 1),
            is_key: row.int(3) == Some(1),
        });
        ControlFlow::Continue(())
    })?;
    if !is_table {
        return Err(Error::unsupported(format!("`{table}` is a view or the like, and no table"))
            .with_hint("name the table that it shows")
            .into());
    }
    if !times_are_numbers {
        return Err(strange("its times are floating-point numbers"));
    }
    Ok(Some(columns).filter(|columns| !columns.is_empty()))
}

/// By the numbers that PostgreSQL's `pg_type.dat` gives to types for good.
fn kind(oid: i64, type_name: &str) -> ColumnKind {
    match oid {
        20 | 21 | 23 => ColumnKind::Integer,
        25 | 1042 | 1043 => ColumnKind::Text,
        1114 => ColumnKind::time(type_name, 6),
        // A value has a gigabyte at most, which no session reaches.
        17 => ColumnKind::Bytes(u64::MAX),
        _ => ColumnKind::Other,
    }
}

/// The tables that the user may see, those of Beaker's columns first, at most so many.
pub(super) fn tables(client: &mut PgClient, most: usize) -> Result<Vec<String>, Failure> {
    let statement = Statement::new([
        Piece::Sql(
            "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
             AND n.nspname NOT LIKE 'pg\\_%' AND has_table_privilege(c.oid, 'SELECT') \
             ORDER BY (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid \
             AND a.attname IN ('namespace', 'accessed', 'created', 'data', 'pickle', 'modify_time')) DESC, n.nspname, c.relname LIMIT ",
        ),
        Piece::Int(i64::try_from(most).unwrap_or(i64::MAX)),
    ]);
    client.texts(&statement)
}
