//! What is missing or odd.

use std::ops::ControlFlow;

use beakerhelpers_core::{Finding, Severity, escape_controls};

use super::connection::MySqlClient;
use super::{info, text};
use crate::Flavor;
use crate::failure::{Failure, Trouble};
use crate::findings::{self, SAMPLED, Sample};
use crate::server::client::{Client, Column, ColumnKind, Row};
use crate::server::layout;
use crate::server::pages::key;
use crate::sql::{Dialect, Sql};
use crate::statement::{Piece, Statement, TableName};

/// What session2's columns are (`session2/store/MySQLSessionStore.py`, 0.6).
const SESSION2_TYPES: [(&str, &str); 3] = [("id", "varchar(255)"), ("modify_time", "timestamp"), ("pickle", "blob")];
/// What Beaker's columns are on MySQL and MariaDB (`LargeBinary` is a BLOB).
const TYPES: [(&str, &str); 4] =
    [("namespace", "varchar(255)"), ("accessed", "datetime"), ("created", "datetime"), ("data", "blob")];

pub(super) fn findings(
    client: &mut MySqlClient,
    table: &TableName,
    flavor: Flavor,
    prefix: &str,
) -> Result<Vec<Finding>, Failure> {
    let layout = match layout::detect(client, table, flavor, prefix) {
        Ok(layout) => layout,
        Err(failure) if failure.trouble == Trouble::Final => return Ok(vec![findings::not_set_up(&failure.error)]),
        Err(failure) => return Err(failure),
    };
    let columns = client.columns(table)?.unwrap_or_default();
    let mut quoted = String::new();
    text::push_table(&mut quoted, table);
    let quoted = escape_controls(&quoted).to_string();
    let mut found = Vec::new();
    let sql = Sql::new(table, layout.key, flavor, Dialect::MySql);
    let names = sql.columns;
    if !layout.unique {
        found.push(findings::not_unique(names.id, &format!("ALTER TABLE {quoted} ADD UNIQUE ({})", names.id)));
    }
    found.extend(odd_engine(client, table, &quoted)?);
    found.extend(odd_columns(&columns, flavor));
    found.extend(room(client, sql, layout.room, &quoted)?);
    found.extend(sample(client, sql)?.findings(flavor, names));
    if flavor == Flavor::Session2 {
        found.extend(standing_still(client, table)?);
    }
    if !info::has_index_on(client, table, names.accessed)? {
        found.push(
            Finding::new(
                Severity::Advice,
                format!(
                    "there is no index on `{}`: {} makes none, and nothing here needs it",
                    names.accessed,
                    flavor.whose()
                ),
            )
            .with_hint(
                "only for queries of your own by age: `beakerhelpers setup --index`; each save takes longer then",
            ),
        );
    }
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}

fn odd_engine(client: &mut MySqlClient, table: &TableName, quoted: &str) -> Result<Option<Finding>, Failure> {
    let (engine, is_view) = info::engine(client, table)?;
    if is_view {
        return Ok(Some(Finding::new(
            Severity::Odd,
            "it is a view: sessions in it can be listed, and may not be changed",
        )));
    }
    if engine.eq_ignore_ascii_case("InnoDB") {
        return Ok(None);
    }
    let message = format!(
        "the table's engine is `{}`, which locks the whole table for every change: a cleanup keeps the application waiting",
        escape_controls(&engine)
    );
    Ok(Some(Finding::new(Severity::Odd, message).with_hint(format!("`ALTER TABLE {quoted} ENGINE=InnoDB`"))))
}

fn odd_columns(columns: &[Column], flavor: Flavor) -> Vec<Finding> {
    let mut found = Vec::new();
    let types: &[_] = if flavor == Flavor::Session2 { &SESSION2_TYPES } else { &TYPES };
    for &(name, wanted) in types {
        let Some(column) = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)) else { continue };
        let larger = matches!((name, column.kind), ("data" | "pickle", ColumnKind::Bytes(room)) if room > 65_535);
        if !column.type_name.eq_ignore_ascii_case(wanted) && !larger {
            let message = format!(
                "the column `{name}` is `{}`; {} makes it `{wanted}`",
                escape_controls(&column.type_name),
                flavor.whose()
            );
            let finding = Finding::new(Severity::Odd, message);
            // session2 before 0.4 made it so (`README`, 0.6): its pickles are bytes, which no character set is to touch.
            let is_text = (name, column.kind) == ("pickle", ColumnKind::Text);
            found.push(if is_text {
                finding.with_hint("`ALTER TABLE … MODIFY pickle BLOB` converts it")
            } else {
                finding
            });
        }
    }
    if flavor == Flavor::Database && !columns.iter().any(|column| column.name.eq_ignore_ascii_case("id")) {
        found.push(Finding::new(Severity::Odd, "there is no column `id`, which Beaker makes for `ext:database`"));
    }
    found
}

/// Looks at some rows from each end, none of them twice.
fn sample(client: &mut MySqlClient, sql: Sql<'_>) -> Result<Sample, Failure> {
    let (mut sample, mut last) = (Sample::default(), None);
    client.rows(&sql.first_rows(SAMPLED), &mut |row| {
        sample.add(row.bytes(1), row.time(2).is_some());
        last = key(row, 0, sql.key).ok();
        ControlFlow::Continue(())
    })?;
    if let Some(last) = last {
        client.rows(&sql.last_rows(&last, SAMPLED), &mut |row| {
            sample.add(row.bytes(1), row.time(2).is_some());
            ControlFlow::Continue(())
        })?;
    }
    Ok(sample)
}

/// Whether the server leaves the times alone that session2 leaves to the server.
fn standing_still(client: &mut MySqlClient, table: &TableName) -> Result<Option<Finding>, Failure> {
    let mut statement =
        Statement::new([Piece::Sql("SELECT LOWER(extra) LIKE '%on update%' FROM information_schema.columns")]);
    statement.push(info::about(table));
    statement.push([Piece::Sql(" AND column_name = 'modify_time'")]);
    if client.answers(&statement)?.first().and_then(|row| row.int(0)) == Some(1) {
        return Ok(None);
    }
    let message = "`modify_time` does not change with its row: nobody can tell how old sessions are";
    Ok(Some(Finding::new(Severity::Missing, message).with_hint(
        "`ALTER TABLE … MODIFY modify_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP`",
    )))
}

/// Whether sessions were cut off, or will be.
fn room(client: &mut MySqlClient, sql: Sql<'_>, room: u64, quoted: &str) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    if room > 65_535 {
        return Ok(found);
    }
    let data = sql.columns.data;
    let larger = format!("`ALTER TABLE {quoted} MODIFY {data} MEDIUMBLOB NOT NULL`");
    let full = client.answers(&Statement::new([
        Piece::Sql("SELECT COUNT(*) FROM (SELECT OCTET_LENGTH("),
        Piece::Sql(data),
        Piece::Sql(") AS size FROM "),
        Piece::Table(sql.table),
        Piece::Sql(" ORDER BY "),
        Piece::Sql(sql.key_name()),
        Piece::Sql(" DESC LIMIT "),
        Piece::Int(SAMPLED),
        Piece::Sql(") AS newest WHERE size = "),
        Piece::Int(i64::try_from(room).unwrap_or(i64::MAX)),
    ]))?;
    let full = full.first().and_then(|row| row.int(0)).unwrap_or(0);
    if full > 0 {
        let message = format!(
            "{full} of the {SAMPLED} newest sessions fill the column `{data}` to its last byte: they were most likely cut off"
        );
        found.push(Finding::new(Severity::Odd, message).with_hint(larger.clone()));
    }
    let modes = client.all("SELECT @@GLOBAL.sql_mode")?.first().map(|row| row.text(0)).unwrap_or_default();
    if !modes.contains("STRICT_ALL_TABLES") && !modes.contains("STRICT_TRANS_TABLES") {
        let message =
            format!("the server's `sql_mode` is not strict: it cuts sessions longer than {room} bytes without a word");
        found.push(Finding::new(Severity::Odd, message).with_hint(larger));
    } else if full == 0 {
        let message = format!("the column `{data}` holds {room} bytes: a session that is longer cannot be saved");
        found.push(Finding::new(Severity::Advice, message).with_hint(larger));
    }
    Ok(found)
}
