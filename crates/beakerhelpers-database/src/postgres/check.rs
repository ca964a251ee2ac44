//! What is missing or odd.

use std::ops::ControlFlow;

use beakerhelpers_core::{Finding, Severity, escape_controls};

use super::PgClient;
use super::catalog::{columns, qualified};
use super::indexes::on_accessed;
use crate::Flavor;
use crate::failure::{Failure, Trouble};
use crate::findings::{self, SAMPLED, Sample};
use crate::server::client::Column;
use crate::server::layout;
use crate::server::pages::key;
use crate::sql::{Columns, Dialect, Sql};
use crate::statement::{Piece, Statement, TableName};

/// What an application needs, and what for.
const RIGHTS: [(&str, &str, Severity); 4] = [
    ("SELECT", "nothing can be read", Severity::Missing),
    ("DELETE", "nothing can be cleaned or deleted", Severity::Odd),
    ("INSERT", "this user cannot save sessions, as the application does", Severity::Odd),
    ("UPDATE", "this user cannot save sessions, as the application does", Severity::Odd),
];

/// What Beaker declares, as the server calls it (`beaker/ext/database.py`, `beaker/ext/sqla.py`, 1.14.1).
const DECLARED: [(&str, &str); 4] = [
    ("namespace", "character varying(255)"),
    ("accessed", "timestamp without time zone"),
    ("created", "timestamp without time zone"),
    ("data", "bytea"),
];
/// What session2 declares (`session2/store/PostgresSessionStore.py`, 0.6).
const SESSION2_DECLARED: [(&str, &str); 3] =
    [("id", "text"), ("modify_time", "timestamp without time zone"), ("pickle", "text")];

/// Looks at the table; `prefix` is that of the configuration's keys.
pub(super) fn findings(
    client: &mut PgClient,
    table: &TableName,
    flavor: Flavor,
    prefix: &str,
) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    let layout = match layout::detect(client, table, flavor, prefix) {
        Ok(layout) => Some(layout),
        Err(Failure { trouble: Trouble::Final, error }) if !client.broken() => {
            found.push(findings::not_set_up(&error));
            None
        }
        Err(failure) => return Err(failure),
    };
    let Ok(Some(columns)) = columns(client, table) else { return Ok(found) };
    let readable = rights(client, table, &mut found)?;
    if let Some(layout) = layout.filter(|_| readable) {
        let sql = Sql::new(table, layout.key, flavor, Dialect::Postgres);
        found.extend(sample(client, sql)?.findings(flavor, sql.columns));
    }
    shape(&columns, table, flavor, &mut found);
    server(client, table, &mut found)?;
    indexes(client, table, flavor, &mut found)?;
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}

/// Looks at some rows from each end, none of them twice.
fn sample(client: &mut PgClient, sql: Sql<'_>) -> Result<Sample, Failure> {
    let (mut sample, mut last) = (Sample::default(), None);
    client.read_rows(&sql.first_rows(SAMPLED), &mut |row| {
        sample.add(row.bytes(1), row.time(2).is_some());
        last = key(row, 0, sql.key).ok();
        ControlFlow::Continue(())
    })?;
    if let Some(last) = last {
        client.read_rows(&sql.last_rows(&last, SAMPLED), &mut |row| {
            sample.add(row.bytes(1), row.time(2).is_some());
            ControlFlow::Continue(())
        })?;
    }
    Ok(sample)
}

/// Tells whether the table may be read.
fn rights(client: &mut PgClient, table: &TableName, found: &mut Vec<Finding>) -> Result<bool, Failure> {
    let (name, mut readable) = (qualified(table), true);
    for (right, consequence, severity) in RIGHTS {
        let statement = Statement::new([
            Piece::Sql("SELECT has_table_privilege(to_regclass("),
            Piece::Text(&name),
            Piece::Sql(")::oid, "),
            Piece::Text(right),
            Piece::Sql(")"),
        ]);
        if client.number(&statement)? == Some(0) {
            let message = format!("the user has no right to {right} on `{table}`: {consequence}");
            let grant = format!("GRANT {right} ON {} TO the user", escape_controls(&qualified(table)));
            found.push(Finding::new(severity, message).with_hint(grant));
            readable &= right != "SELECT";
        }
    }
    Ok(readable)
}

/// What is not as Beaker makes it, and works all the same.
fn shape(columns: &[Column], table: &TableName, flavor: Flavor, found: &mut Vec<Finding>) {
    let column = |name: &str| columns.iter().find(|column| column.name == name);
    if flavor == Flavor::Database && column("id").is_none_or(|id| !id.is_key) {
        let message = format!("`{table}` has no key `id`, as the tables of `ext:database` have");
        found.push(Finding::new(Severity::Odd, message).with_hint("was it made for `ext:sqla`?"));
    }
    let id = Columns::of(flavor, Dialect::Postgres).id;
    if column(id).is_some_and(|id| !id.is_key) {
        let unique = format!("ALTER TABLE {} ADD UNIQUE ({id})", escape_controls(&qualified(table)));
        found.push(findings::not_unique(id, &unique));
    }
    let declared: &[_] = if flavor == Flavor::Session2 { &SESSION2_DECLARED } else { &DECLARED };
    for &(name, expected) in declared {
        if let Some(column) = column(name).filter(|column| column.type_name != expected) {
            found.push(findings::column(name, &escape_controls(&column.type_name), flavor, expected));
        }
    }
}

/// Settings that matter where much is deleted.
fn server(client: &mut PgClient, table: &TableName, found: &mut Vec<Finding>) -> Result<(), Failure> {
    let name = qualified(table);
    let autovacuum = Statement::new([
        Piece::Sql(
            "SELECT count(*) FROM pg_class c WHERE (current_setting('autovacuum') = 'off' \
             OR array_to_string(c.reloptions, ',') LIKE '%autovacuum_enabled=false%' \
             OR array_to_string(c.reloptions, ',') LIKE '%autovacuum_enabled=off%') AND c.oid = to_regclass(",
        ),
        Piece::Text(&name),
        Piece::Sql(")"),
    ]);
    if client.number(&autovacuum)?.is_some_and(|off| off > 0) {
        let message = format!("autovacuum is off for `{table}`: the room of deleted sessions is never used again");
        let hint = format!("ALTER TABLE {} RESET (autovacuum_enabled)", escape_controls(&name));
        found.push(Finding::new(Severity::Odd, message).with_hint(hint));
    }
    let encoding = client.texts(&Statement::new([Piece::Sql("SELECT current_setting('server_encoding')")]))?;
    if let Some(encoding) = encoding.first().filter(|encoding| *encoding != "UTF8") {
        let message = format!("the database's encoding is {}, not UTF8", escape_controls(encoding));
        found.push(Finding::new(Severity::Odd, message));
    }
    Ok(())
}

fn indexes(client: &mut PgClient, table: &TableName, flavor: Flavor, found: &mut Vec<Finding>) -> Result<(), Failure> {
    let there = on_accessed(client, table, flavor)?;
    let column = Columns::of(flavor, Dialect::Postgres).accessed;
    for index in there.iter().filter(|index| !index.valid && !index.building) {
        let message =
            format!("the index `{}` was not built to its end and does not serve", escape_controls(&index.name));
        let hint = format!("DROP INDEX CONCURRENTLY {}", escape_controls(&index.qualified));
        found.push(Finding::new(Severity::Odd, message).with_hint(hint));
    }
    if !there.iter().any(|index| index.valid) {
        let message = format!(
            "`{table}` has no index on `{column}`; cleaning does without, queries of your own by age may want one"
        );
        found.push(Finding::new(Severity::Advice, message).with_hint(
            "`beakerhelpers setup --index` adds it without keeping writers out; each save then also changes the index, \
             for it can no longer be a HOT update, and the table needs more room and vacuuming",
        ));
    }
    Ok(())
}
