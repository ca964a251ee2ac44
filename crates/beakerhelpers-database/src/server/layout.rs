//! What the table looks like.

use beakerhelpers_core::{Error, ErrorKind, NaiveTime, Result, escape_controls};

use super::client::{Client, Column, ColumnKind};
use crate::Flavor;
use crate::failure::Failure;
use crate::sql::{Columns, Dialect};
use crate::statement::{KeyColumn, TableName};

/// So many tables are named where the right one is missing.
const NAMED: usize = 20;

/// What matters of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) key: KeyColumn,
    /// The column `data` holds so many bytes; what is as long as that was probably longer.
    pub(crate) room: u64,
    /// `namespace` has a unique index.
    pub(crate) unique: bool,
    /// The column `accessed` keeps whole multiples of so many microseconds.
    step: i64,
}

impl Layout {
    /// A cutoff that the column can be compared with. Of a time between two that it keeps, it has the one before (MariaDB)
    /// or the nearest (MySQL, PostgreSQL): with a cutoff in between, what was accessed right after it would seem older.
    pub(crate) fn cutoff(self, naive: NaiveTime) -> NaiveTime {
        NaiveTime::from_micros(naive.as_micros() - naive.as_micros().rem_euclid(self.step))
    }
}

/// Looks at the table; `prefix` is that of the configuration's keys.
pub(crate) fn detect<C: Client>(
    client: &mut C,
    table: &TableName,
    flavor: Flavor,
    prefix: &str,
) -> Result<Layout, Failure> {
    let Some(columns) = client.columns(table)? else {
        return Err(missing(&client.tables(NAMED + 1)?, table, flavor, prefix).into());
    };
    Ok(of_columns(&columns, table, (flavor, C::DIALECT), prefix)?)
}

/// What matters of a table of these columns.
pub(crate) fn of_columns(
    columns: &[Column],
    table: &TableName,
    (flavor, dialect): (Flavor, Dialect),
    prefix: &str,
) -> Result<Layout> {
    let names = Columns::of(flavor, dialect);
    let find = |name: &str| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let lacking: Vec<_> = names.all().filter(|name| find(name).is_none()).collect();
    if !lacking.is_empty() {
        let what = if lacking.len() == 1 { "column" } else { "columns" };
        return Err(Error::new(
            ErrorKind::NotSetUp,
            format!("the table `{table}` lacks the {what} `{}`", lacking.join("`, `")),
        )
        .with_hint(format!(
            "it holds no {} sessions; name another with `{prefix}.{}`",
            flavor.whose(),
            flavor.table_option()
        )));
    }
    let kind = |name: &str| find(name).map_or(ColumnKind::Other, |column| column.kind);
    let odd = |name: &str, wanted| odd(find(name), table, flavor, wanted);
    let room = match (kind(names.data), flavor, dialect) {
        (ColumnKind::Text, Flavor::Session2, Dialect::Postgres) => u64::MAX,
        (_, Flavor::Session2, Dialect::Postgres) => return Err(odd(names.data, "text")),
        (ColumnKind::Bytes(room), ..) => room,
        (_, Flavor::Session2, _) => {
            // session2 before 0.4 made it a TEXT.
            let statement = format!("convert it: ALTER TABLE … MODIFY {} MEDIUMBLOB NOT NULL", names.data);
            return Err(odd(names.data, "bytes").with_hint(statement));
        }
        _ => return Err(odd(names.data, "bytes")),
    };
    if kind(names.id) != ColumnKind::Text {
        return Err(odd(names.id, "text"));
    }
    let mut digits = None;
    for name in names.times() {
        let found = match (kind(name), flavor, dialect) {
            (ColumnKind::Instant(digits), Flavor::Session2, Dialect::MySql) => digits,
            (_, Flavor::Session2, Dialect::MySql) => return Err(odd(name, "times of the type TIMESTAMP")),
            (ColumnKind::Time(digits), ..) => digits,
            _ => return Err(odd(name, "times without a zone")),
        };
        digits.get_or_insert(found);
    }
    let is_key = |name: &str| find(name).is_some_and(|column| column.is_key);
    let key = if flavor != Flavor::Session2 && kind("id") == ColumnKind::Integer && is_key("id") {
        KeyColumn::Number("id")
    } else if is_key(names.id) {
        KeyColumn::Namespace
    } else {
        let which = if flavor == Flavor::Session2 { "`id` has no" } else { "neither `id` nor `namespace` has a" };
        return Err(Error::unsupported(format!(
            "the table `{table}` has no key: {which} unique index and is never NULL"
        ))
        .with_hint(format!("{} makes one; `beakerhelpers setup --check` tells what is missing", flavor.whose())));
    };
    let step = 10_i64.pow(6_u32.saturating_sub(digits.unwrap_or(6)));
    Ok(Layout { key, room, unique: is_key(names.id), step })
}

/// Why a table is left alone that was to be made anew.
pub(crate) fn left_alone(why: &Error, table: &TableName) -> Error {
    Error::new(ErrorKind::NotSetUp, format!("the table `{table}` is left alone: {}", why.message()))
        .with_hint("only a table of sessions is destroyed here; if this one shall go, drop it yourself")
}

fn odd(column: Option<&Column>, table: &TableName, flavor: Flavor, wanted: &str) -> Error {
    let (name, type_name) = column.map_or(("", ""), |column| (&column.name, &column.type_name));
    Error::unsupported(format!(
        "the column `{}` of `{table}` is of the type `{}`; in {}'s table it holds {wanted}",
        escape_controls(name),
        escape_controls(type_name),
        flavor.whose()
    ))
}

fn missing(tables: &[String], table: &TableName, flavor: Flavor, prefix: &str) -> Error {
    let shown: Vec<_> = tables.iter().take(NAMED).map(|name| format!("`{}`", escape_controls(name))).collect();
    let list = match tables.len() {
        0 => "none that this user may see".to_owned(),
        all if all > NAMED => format!("{} and more", shown.join(", ")),
        _ => shown.join(", "),
    };
    Error::new(ErrorKind::NotSetUp, format!("the database has no table `{table}`"))
        .with_context("tables", list)
        .with_hint(format!(
            "name the table with `{prefix}.{}` and `{prefix}.schema_name`; the application creates it when it starts, \
             and so does `beakerhelpers setup`",
            flavor.table_option()
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout of Beaker's table whose column `accessed` has a type of this name.
    fn layout(type_name: &str, digits: u32) -> Layout {
        let column = |name: &str, kind| Column {
            name: name.to_owned(),
            kind,
            type_name: type_name.to_owned(),
            is_key: matches!(name, "id" | "namespace"),
        };
        let columns = [
            column("id", ColumnKind::Integer),
            column("namespace", ColumnKind::Text),
            column("accessed", ColumnKind::time(type_name, digits)),
            column("created", ColumnKind::Time(6)),
            column("data", ColumnKind::Bytes(65_535)),
        ];
        let table = TableName::new(None, "beaker_cache").expect("a name");
        of_columns(&columns, &table, (Flavor::Database, Dialect::MySql), "beaker.session").expect("it is Beaker's")
    }

    #[test]
    fn a_cutoff_is_a_time_that_the_column_keeps() {
        let naive = |time: &str| NaiveTime::parse(time.as_bytes()).expect("a time");
        for (type_name, digits, cutoff) in [
            ("datetime", 0, "2026-11-20 11:00:00"),
            ("datetime(0)", 0, "2026-11-20 11:00:00"),
            ("datetime(1)", 0, "2026-11-20 11:00:00.9"),
            ("datetime(6)", 0, "2026-11-20 11:00:00.987654"),
            ("timestamp without time zone", 6, "2026-11-20 11:00:00.987654"),
            ("timestamp(3) without time zone", 6, "2026-11-20 11:00:00.987"),
        ] {
            let layout = layout(type_name, digits);
            assert_eq!(layout.cutoff(naive("2026-11-20 11:00:00.987654")), naive(cutoff), "{type_name}");
            assert_eq!(layout.cutoff(naive(cutoff)), naive(cutoff), "{type_name}");
        }
        // Before 1970, too, it is the one before.
        assert_eq!(layout("datetime", 0).cutoff(NaiveTime::from_micros(-1)), NaiveTime::from_micros(-1_000_000));
    }
}
