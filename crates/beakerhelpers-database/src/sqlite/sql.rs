//! The statements on a table of sessions.

use crate::statement::{Key, KeyColumn, Piece, Statement, TableName};

/// Larger contents are not read: no session is, and a row can be made to claim a gigabyte.
pub(crate) const LARGEST_DATA: i64 = 64 * 1024 * 1024;

/// How closely the DELETE looks at the form of `accessed`. SQLite compares an integer or an empty text as smaller than
/// any time, so an age alone must not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is a text no smaller than the first time there is: no number, and not empty. That is enough where all rows held
    /// times a moment ago. It calls no function: where one might fail, SQLite writes a second journal for the statement,
    /// in case it must be undone alone, as large as all that it deletes.
    Text,
    /// It is a time that `NaiveTime::parse` reads, and no other.
    Exact,
}

impl Form {
    const fn condition(self) -> &'static str {
        match self {
            // Without the plus, the column's affinity could turn a literal into a number.
            Self::Text => " AND +accessed >= '0001-01-01 00:00:00'",
            // A date that is not in the calendar becomes another one when days are added to it. The column itself is
            // compared with no short literal, of which its affinity would make a number.
            Self::Exact => {
                " AND typeof(accessed) = 'text' AND octet_length(accessed) = length(accessed) \
                 AND substr(accessed, 1, 4) > '0000' \
                 AND datetime(substr(accessed, 1, 19), '+0 days') = substr(accessed, 1, 19) \
                 AND (length(accessed) = 19 OR (length(accessed) BETWEEN 21 AND 26 AND substr(accessed, 20, 1) = '.' \
                 AND substr(accessed, 21) NOT GLOB '*[^0-9]*'))"
            }
        }
    }
}

/// A table and the column to page by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) key: KeyColumn,
}

/// Which way a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl<'a> Sql<'a> {
    fn key(self) -> Piece<'a> {
        Piece::Sql(match self.key {
            KeyColumn::Number(name) => name,
            KeyColumn::Namespace => "namespace",
        })
    }

    /// Key, id, access time, creation time, size and contents of the rows after a key, contents last. `old` is a time in
    /// text: contents of rows before it are left out, and the size with them.
    pub(crate) fn page(self, after: Option<&'a Key>, way: Direction, rows: i64, old: Option<&'a str>) -> Statement<'a> {
        let mut statement = Statement::new([
            Piece::Sql("SELECT "),
            self.key(),
            Piece::Sql(", CAST(namespace AS BLOB), accessed, created, "),
        ]);
        if let Some(old) = old {
            statement.push([
                Piece::Sql("accessed < "),
                Piece::Text(old),
                Piece::Sql(", CASE WHEN accessed < "),
                Piece::Text(old),
                Piece::Sql(" THEN NULL ELSE octet_length(data) END, CASE WHEN accessed < "),
                Piece::Text(old),
                Piece::Sql(" THEN NULL"),
            ]);
        } else {
            statement.push([Piece::Sql("0, octet_length(data), CASE")]);
        }
        statement.push([
            Piece::Sql(" WHEN octet_length(data) > "),
            Piece::Int(LARGEST_DATA),
            Piece::Sql(" THEN NULL ELSE CAST(data AS BLOB) END FROM "),
            Piece::Table(self.table),
        ]);
        self.after(&mut statement, after, way, rows);
        statement
    }

    fn after(self, statement: &mut Statement<'a>, after: Option<&'a Key>, way: Direction, rows: i64) {
        if let Some(key) = after {
            statement.push([Piece::Sql(" WHERE "), self.key()]);
            statement.push([Piece::Sql(if way == Direction::Up { " > " } else { " < " })]);
            statement.push(key.pieces());
        }
        statement.push([Piece::Sql(" ORDER BY "), self.key()]);
        statement.push([Piece::Sql(if way == Direction::Up { " LIMIT " } else { " DESC LIMIT " }), Piece::Int(rows)]);
    }

    /// As [`page`](Self::page), for the one row of this id.
    pub(crate) fn by_id(self, id: &'a str) -> Statement<'a> {
        let mut statement = self.one();
        statement.push([Piece::Sql(" WHERE namespace = "), Piece::Text(id)]);
        statement
    }

    /// As [`page`](Self::page), for the one row of this key.
    pub(crate) fn by_key(self, key: &'a Key) -> Statement<'a> {
        let mut statement = self.one();
        statement.push([Piece::Sql(" WHERE "), self.key(), Piece::Sql(" = ")]);
        statement.push(key.pieces());
        statement
    }

    fn one(self) -> Statement<'a> {
        Statement::new([
            Piece::Sql("SELECT "),
            self.key(),
            Piece::Sql(
                ", CAST(namespace AS BLOB), accessed, created, 0, octet_length(data), CASE WHEN octet_length(data) > ",
            ),
            Piece::Int(LARGEST_DATA),
            Piece::Sql(" THEN NULL ELSE CAST(data AS BLOB) END FROM "),
            Piece::Table(self.table),
        ])
    }

    /// Whether there is a row of this id.
    pub(crate) fn has(self, id: &'a str) -> Statement<'a> {
        Statement::new([
            Piece::Sql("SELECT 1 FROM "),
            Piece::Table(self.table),
            Piece::Sql(" WHERE namespace = "),
            Piece::Text(id),
            Piece::Sql(" LIMIT 1"),
        ])
    }

    pub(crate) fn update(self, id: &'a str, accessed: &'a str, data: &'a [u8]) -> Statement<'a> {
        Statement::new([
            Piece::Sql("UPDATE "),
            Piece::Table(self.table),
            Piece::Sql(" SET accessed = "),
            Piece::Text(accessed),
            Piece::Sql(", data = "),
            Piece::Bytes(data),
            Piece::Sql(" WHERE namespace = "),
            Piece::Text(id),
        ])
    }

    pub(crate) fn insert(self, id: &'a str, accessed: &'a str, created: &'a str, data: &'a [u8]) -> Statement<'a> {
        Statement::new([
            Piece::Sql("INSERT INTO "),
            Piece::Table(self.table),
            Piece::Sql(" (namespace, accessed, created, data) VALUES ("),
            Piece::Text(id),
            Piece::Sql(", "),
            Piece::Text(accessed),
            Piece::Sql(", "),
            Piece::Text(created),
            Piece::Sql(", "),
            Piece::Bytes(data),
            Piece::Sql(")"),
        ])
    }

    pub(crate) fn delete(self, id: &'a str) -> Statement<'a> {
        Statement::new([
            Piece::Sql("DELETE FROM "),
            Piece::Table(self.table),
            Piece::Sql(" WHERE namespace = "),
            Piece::Text(id),
        ])
    }

    /// Key and access time of the rows after a key.
    pub(crate) fn times(self, after: Option<&'a Key>, rows: i64) -> Statement<'a> {
        let mut statement = Statement::new([
            Piece::Sql("SELECT "),
            self.key(),
            Piece::Sql(", accessed FROM "),
            Piece::Table(self.table),
        ]);
        self.after(&mut statement, after, Direction::Up, rows);
        statement
    }

    /// Key, id and access time of the first rows.
    pub(crate) fn first_rows(self, rows: i64) -> Statement<'a> {
        let mut statement = self.ids_and_times();
        self.after(&mut statement, None, Direction::Up, rows);
        statement
    }

    /// The same of the last rows, of those behind a key, last first.
    pub(crate) fn last_rows(self, behind: &'a Key, rows: i64) -> Statement<'a> {
        let mut statement = self.ids_and_times();
        statement.push([Piece::Sql(" WHERE "), self.key(), Piece::Sql(" > ")]);
        statement.push(behind.pieces());
        self.after(&mut statement, None, Direction::Down, rows);
        statement
    }

    fn ids_and_times(self) -> Statement<'a> {
        Statement::new([
            Piece::Sql("SELECT "),
            self.key(),
            Piece::Sql(", CAST(namespace AS BLOB), accessed FROM "),
            Piece::Table(self.table),
        ])
    }

    /// Deletes the rows from a key to a key that are old now, whatever they were when they were found.
    /// The `+` keeps an index on `accessed` out of it: the range of keys is what bounds the work.
    pub(crate) fn delete_old(self, first: &'a Key, last: &'a Key, cutoff: &'a str, form: Form) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("DELETE FROM "), Piece::Table(self.table)]);
        self.between(&mut statement, first, last);
        statement.push([Piece::Sql(" AND +accessed < "), Piece::Text(cutoff), Piece::Sql(form.condition())]);
        statement
    }

    /// How many rows there are from a key to a key.
    pub(crate) fn count(self, first: &'a Key, last: &'a Key) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("SELECT count(*) FROM "), Piece::Table(self.table)]);
        self.between(&mut statement, first, last);
        statement
    }

    fn between(self, statement: &mut Statement<'a>, first: &'a Key, last: &'a Key) {
        statement.push([Piece::Sql(" WHERE "), self.key(), Piece::Sql(" >= ")]);
        statement.push(first.pieces());
        statement.push([Piece::Sql(" AND "), self.key(), Piece::Sql(" <= ")]);
        statement.push(last.pieces());
    }
}
