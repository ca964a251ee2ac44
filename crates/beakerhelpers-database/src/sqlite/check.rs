//! What is missing or odd.

use beakerhelpers_core::{Finding, NaiveTime, Severity, escape_controls};
use diesel::result::QueryResult;

use super::connection::{Connection, bytes, only_text, value};
use super::{index, layout};
use crate::Flavor;
use crate::findings::{self, SAMPLED, Sample};
use crate::sql::{Dialect, Sql};
use crate::statement::{KeyColumn, TableName};

/// What Beaker declares, as SQLAlchemy writes it (`beaker/ext/database.py`, `beaker/ext/sqla.py`, 1.14.1).
const DECLARED: [(&str, &str); 4] = [
    ("namespace", "VARCHAR(255) NOT NULL"),
    ("accessed", "DATETIME NOT NULL"),
    ("created", "DATETIME NOT NULL"),
    ("data", "BLOB NOT NULL"),
];

/// Looks at the database; `prefix` is that of the configuration's keys.
pub(crate) fn findings(
    connection: &mut Connection,
    table: &TableName,
    flavor: Flavor,
    prefix: &str,
) -> QueryResult<Vec<Finding>> {
    let key = match layout::detect(connection, table)? {
        Ok(key) => key,
        Err(missing) => return Ok(vec![findings::not_set_up(&missing.into_error(table, prefix))]),
    };
    if layout::is_view(connection, table)? {
        let message = format!("`{table}` is a view: sessions in it can be listed, and neither saved nor deleted");
        let hint = format!("name the table behind it with `{prefix}.table_name`");
        return Ok(vec![Finding::new(Severity::Odd, message).with_hint(hint)]);
    }
    let mut found = Vec::new();
    let unique = index::is_unique(connection, table)?;
    if !unique {
        found.push(findings::not_unique(
            "namespace",
            &format!("CREATE UNIQUE INDEX … ON {} (namespace)", quoted(table)),
        ));
    }
    found.extend(columns(connection, table, flavor)?);
    // In any other order SQLite would have to sort the whole table first.
    if unique || key != KeyColumn::Namespace {
        let sql = Sql::new(table, key, flavor, Dialect::Sqlite);
        found.extend(sample(connection, sql)?.findings(flavor, sql.columns));
    }
    if !index::on_accessed(connection, table)? {
        found.push(
            Finding::new(
                Severity::Advice,
                "there is no index on `accessed`: Beaker makes none, and nothing here needs it",
            )
            .with_hint(
                "only for queries of your own by age: `beakerhelpers setup --index`; while it is built, every save \
                     of the site waits, and afterwards each takes longer",
            ),
        );
    }
    Ok(found)
}

/// Columns that are declared otherwise than Beaker does it.
fn columns(connection: &mut Connection, table: &TableName, flavor: Flavor) -> QueryResult<Vec<Finding>> {
    let columns = layout::declared_columns(connection, table)?;
    let declared = |name: &str| columns.iter().find(|column| column.name == name).map(|column| &*column.declared);
    let differs = |(name, expected): (&str, &str)| {
        let is = declared(name)?;
        (!is.eq_ignore_ascii_case(expected)).then(|| findings::column(name, &escape_controls(is), flavor, expected))
    };
    let mut found: Vec<_> = DECLARED.into_iter().filter_map(differs).collect();
    if flavor == Flavor::Database && declared("id").is_none() {
        found.push(Finding::new(Severity::Odd, "there is no column `id`, which Beaker makes for `ext:database`"));
    }
    Ok(found)
}

/// Looks at some rows from each end, none of them twice.
fn sample(connection: &mut Connection, sql: Sql<'_>) -> QueryResult<Sample> {
    let mut sample = Sample::default();
    let mut last = None;
    for row in connection.rows(&sql.first_rows(SAMPLED))? {
        let row = row?;
        add(&mut sample, &row);
        last = Some(value(&row, 0));
    }
    if let Some(last) = last {
        for row in connection.rows(&sql.last_rows(&last, SAMPLED))? {
            add(&mut sample, &row?);
        }
    }
    Ok(sample)
}

fn add<'r>(sample: &mut Sample, row: &impl diesel::row::Row<'r, diesel::sqlite::Sqlite>) {
    let has_time = only_text(row, 2, |text| NaiveTime::parse(text).is_some()).unwrap_or(false);
    let counted = bytes(row, 1, |id| sample.add(Some(id), has_time));
    if counted.is_none() {
        sample.add(None, has_time);
    }
}

/// The name as SQL has it, safe for a terminal.
fn quoted(table: &TableName) -> String {
    format!("\"{}\"", escape_controls(&table.name.replace('"', "\"\"")))
}
