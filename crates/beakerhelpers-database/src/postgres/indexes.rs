//! The index on the access times.

use std::ops::ControlFlow;

use beakerhelpers_core::{Error, ErrorKind, IndexOutcome};

use super::PgClient;
use super::catalog::{qualified, text};
use super::connection::quoted;
use crate::Flavor;
use crate::failure::Failure;
use crate::sql::{Columns, Dialect};
use crate::statement::{Piece, Statement, TableName};

/// The longest name that PostgreSQL keeps whole, in bytes.
const LONGEST: usize = 63;

/// An index whose first column is that of the access times.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) name: String,
    /// As SQL takes it, with its schema.
    pub(super) qualified: String,
    /// It serves queries: it was built to its end.
    pub(super) valid: bool,
    /// It is being built at this moment, as far as can be seen.
    pub(super) building: bool,
}

/// The indexes on the access times that hold every row.
pub(super) fn on_accessed(client: &mut PgClient, table: &TableName, flavor: Flavor) -> Result<Vec<Index>, Failure> {
    let column = Columns::of(flavor, Dialect::Postgres).accessed;
    let name = qualified(table);
    let statement = Statement::new([
        Piece::Sql(
            "SELECT x.relname, quote_ident(n.nspname) || '.' || quote_ident(x.relname), i.indisvalid \
             FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace \
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
             WHERE i.indpred IS NULL AND a.attname = ",
        ),
        Piece::Text(column),
        Piece::Sql(" AND i.indrelid = to_regclass("),
        Piece::Text(&name),
        Piece::Sql(") ORDER BY x.relname"),
    ]);
    let mut found = Vec::new();
    client.read_rows(&statement, &mut |row| {
        let valid = row.int(2) == Some(1);
        found.push(Index { name: text(row, 0), qualified: text(row, 1), valid, building: false });
        ControlFlow::Continue(())
    })?;
    if found.iter().any(|index| !index.valid) {
        let statement = Statement::new([
            Piece::Sql("SELECT count(*) FROM pg_stat_progress_create_index p WHERE p.relid = to_regclass("),
            Piece::Text(&name),
            Piece::Sql(")"),
        ]);
        let building = client.number(&statement)?.is_some_and(|number| number > 0);
        found.iter_mut().filter(|index| !index.valid).for_each(|index| index.building = building);
    }
    Ok(found)
}

/// Adds an index on the access times, unless there is one. Others go on reading and writing; it takes as long as reading the
/// table twice, and waits for the transactions that are open when it starts.
pub(super) fn add(client: &mut PgClient, table: &TableName, flavor: Flavor) -> Result<IndexOutcome, Failure> {
    if super::catalog::columns(client, table)?.is_none() {
        return Err(Error::new(ErrorKind::NotSetUp, format!("the database has no table `{table}`"))
            .with_hint("`beakerhelpers setup` creates it")
            .into());
    }
    let found = on_accessed(client, table, flavor)?;
    if found.iter().any(|index| index.valid) {
        return Ok(IndexOutcome::Existing);
    }
    if found.iter().any(|index| index.building) {
        return Err(Error::new(ErrorKind::Unavailable, "somebody is building an index on the table at this moment")
            .with_hint("see `pg_stat_progress_create_index`, and try again when it is done")
            .into());
    }
    let column = Columns::of(flavor, Dialect::Postgres).accessed;
    let name = name_for(table, column);
    // What is left of one that was interrupted. Others that do not serve are somebody else's.
    for leftover in found.iter().filter(|index| index.name == name) {
        client.run(&format!("DROP INDEX CONCURRENTLY {}", leftover.qualified)).map_err(refused)?;
    }
    let create = format!("CREATE INDEX CONCURRENTLY {} ON {} ({column})", quoted(&name), qualified(table));
    client.run(&create).map_err(refused)?;
    Ok(IndexOutcome::Created)
}

/// As SQLAlchemy would call it.
fn name_for(table: &TableName, column: &str) -> String {
    let mut name = format!("ix_{}", table.name);
    let mut end = name.len().min(LONGEST - 1 - column.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name + "_" + column
}

fn refused(failure: Failure) -> Failure {
    let Failure { trouble, error } = failure;
    let error = match error.kind() {
        ErrorKind::PermissionDenied => error.with_hint("only the owner of the table may add an index to it"),
        _ => error.with_hint(
            "what is left of the index does not serve; the next `--index` replaces it. One on a partitioned table has \
             to be added by hand",
        ),
    };
    Failure { trouble, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_at_a_character() {
        let table = |name: &str| TableName::new(None, name).unwrap();
        assert_eq!(name_for(&table("beaker_cache"), "accessed"), "ix_beaker_cache_accessed");
        let name = name_for(&table(&"ž".repeat(60)), "accessed");
        assert!(name.len() <= LONGEST && name.ends_with("ž_accessed"), "{name}");
    }
}
