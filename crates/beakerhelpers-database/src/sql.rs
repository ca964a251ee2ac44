//! The statements on a table of sessions.

use beakerhelpers_core::NaiveTime;

use crate::statement::{Key, KeyColumn, Piece, Statement, TableName, Time};

/// Larger contents are not read: no session is, and a row can be made to claim a gigabyte.
pub(crate) const LARGEST_DATA: i64 = 64 * 1024 * 1024;

/// The first time that is one: what a column of a server holds before it stands for "never" (MySQL's zero date,
/// PostgreSQL's `-infinity`), and is no age.
pub(crate) const FIRST_TIME: NaiveTime = NaiveTime::from_micros(-62_135_596_800_000_000);
/// The last one of the year 9999, after which Python knows none.
#[cfg(feature = "postgres")]
pub(crate) const LAST_TIME: NaiveTime = NaiveTime::from_micros(253_402_300_799_999_999);

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

impl Dialect {
    /// The id and the contents. SQLite's columns hold values of any type, and are read as bytes.
    const fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("CAST(namespace AS BLOB)", "CAST(data AS BLOB)"),
            Self::Postgres | Self::MySql => ("namespace", "data"),
        }
    }

    /// A condition on `accessed` that no index on it is to serve: the range of keys is what bounds the work.
    const fn accessed(self) -> &'static str {
        match self {
            Self::Sqlite => "+accessed",
            Self::Postgres => "(accessed + interval '0')",
            Self::MySql => "COALESCE(accessed)",
        }
    }
}

/// How closely a DELETE in SQLite looks at the form of `accessed`. SQLite compares an integer or an empty text as smaller than
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

/// A time to compare `accessed` with: as text for SQLite, whose column is text, else as a time.
#[derive(Clone, Debug)]
pub(crate) enum Age {
    Text(String),
    Time(NaiveTime),
}

impl Age {
    fn piece(&self) -> Piece<'_> {
        match self {
            Self::Text(text) => Piece::Text(text),
            Self::Time(time) => Piece::Time(Time(*time)),
        }
    }
}

/// A table, the column to page by, and whose SQL it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) key: KeyColumn,
    pub(crate) dialect: Dialect,
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

    /// Of the rows after a key: key, id, access time, creation time, whether it is old, size and contents. What is old
    /// comes without size and contents, what has more bytes than `largest` without contents.
    pub(crate) fn page(
        self,
        after: Option<&'a Key>,
        way: Direction,
        rows: i64,
        old: Option<&'a Age>,
        largest: i64,
    ) -> Statement<'a> {
        let (id, data) = self.dialect.columns();
        let mut statement = Statement::new([Piece::Sql("SELECT "), self.key(), Piece::Sql(", "), Piece::Sql(id)]);
        statement.push([Piece::Sql(", accessed, created, ")]);
        if let Some(old) = old {
            self.is_old(&mut statement, old);
            statement.push([Piece::Sql(", CASE WHEN ")]);
            self.is_old(&mut statement, old);
            statement.push([Piece::Sql(" THEN NULL ELSE octet_length(data) END, CASE WHEN ")]);
            self.is_old(&mut statement, old);
            statement.push([Piece::Sql(" THEN NULL")]);
        } else {
            statement.push([Piece::Sql("1 = 0, octet_length(data), CASE")]);
        }
        statement.push([
            Piece::Sql(" WHEN octet_length(data) > "),
            Piece::Int(largest),
            Piece::Sql(" THEN NULL ELSE "),
            Piece::Sql(data),
            Piece::Sql(" END FROM "),
            Piece::Table(self.table),
        ]);
        self.after(&mut statement, after, way, rows);
        statement
    }

    /// Whether a row is old. In SQLite other things than times may be, too, and whoever reads the row looks again.
    fn is_old(self, statement: &mut Statement<'a>, old: &'a Age) {
        if self.dialect != Dialect::Sqlite {
            statement.push([Piece::Sql("accessed >= "), Piece::Time(Time(FIRST_TIME)), Piece::Sql(" AND ")]);
        }
        statement.push([Piece::Sql("accessed < "), old.piece()]);
    }

    /// Whether the rows of a direction come in the order of their creation by a sort, for want of a number: the server
    /// looks at all of them for each page.
    pub(crate) fn is_sorted(self, way: Direction) -> bool {
        self.dialect != Dialect::Sqlite && self.key == KeyColumn::Namespace && way == Direction::Down
    }

    fn after(self, statement: &mut Statement<'a>, after: Option<&'a Key>, way: Direction, rows: i64) {
        if self.is_sorted(way) {
            if let Some(Key::Created(created, id)) = after {
                // What has no such time stands behind all others, and is left out, or it would come again and again.
                statement.push([Piece::Sql(" WHERE created >= "), Piece::Time(Time(FIRST_TIME))]);
                statement.push([Piece::Sql(" AND (created < "), Piece::Time(Time(*created))]);
                statement.push([Piece::Sql(" OR (created = "), Piece::Time(Time(*created))]);
                statement.push([Piece::Sql(" AND namespace < "), Piece::Text(id), Piece::Sql("))")]);
            }
            statement.push([Piece::Sql(" ORDER BY created DESC, namespace DESC LIMIT "), Piece::Int(rows)]);
            return;
        }
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
        self.where_id(&mut statement, id);
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
        let mut statement = Statement::new([Piece::Sql("SELECT ")]);
        self.whole_row(&mut statement);
        statement.push([Piece::Sql(" FROM "), Piece::Table(self.table)]);
        statement
    }

    /// The columns of [`page`](Self::page) where nothing is left out for its age.
    fn whole_row(self, statement: &mut Statement<'a>) {
        let (id, data) = self.dialect.columns();
        statement.push([self.key(), Piece::Sql(", "), Piece::Sql(id)]);
        statement.push([
            Piece::Sql(", accessed, created, 1 = 0, octet_length(data), CASE WHEN octet_length(data) > "),
            Piece::Int(LARGEST_DATA),
            Piece::Sql(" THEN NULL ELSE "),
            Piece::Sql(data),
            Piece::Sql(" END"),
        ]);
    }

    fn where_id(self, statement: &mut Statement<'a>, id: &'a str) {
        statement.push([Piece::Sql(" WHERE namespace = "), Piece::Text(id)]);
        if self.dialect == Dialect::MySql {
            // The column's collation takes `a` for `A`, and `a ` for `a`; a session's id is neither.
            statement.push([
                Piece::Sql(" AND CAST(CONVERT(namespace USING utf8mb4) AS BINARY) = "),
                Piece::Bytes(id.as_bytes()),
            ]);
        }
    }

    /// Whether there is a row of this id.
    pub(crate) fn has(self, id: &'a str) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("SELECT 1 FROM "), Piece::Table(self.table)]);
        self.where_id(&mut statement, id);
        statement.push([Piece::Sql(" LIMIT 1")]);
        statement
    }

    pub(crate) fn update(self, id: &'a str, accessed: &'a Age, data: &'a [u8]) -> Statement<'a> {
        let mut statement = Statement::new([
            Piece::Sql("UPDATE "),
            Piece::Table(self.table),
            Piece::Sql(" SET accessed = "),
            accessed.piece(),
            Piece::Sql(", data = "),
            Piece::Bytes(data),
        ]);
        self.where_id(&mut statement, id);
        statement
    }

    pub(crate) fn insert(self, id: &'a str, accessed: &'a Age, created: &'a Age, data: &'a [u8]) -> Statement<'a> {
        Statement::new([
            Piece::Sql("INSERT INTO "),
            Piece::Table(self.table),
            Piece::Sql(" (namespace, accessed, created, data) VALUES ("),
            Piece::Text(id),
            Piece::Sql(", "),
            accessed.piece(),
            Piece::Sql(", "),
            created.piece(),
            Piece::Sql(", "),
            Piece::Bytes(data),
            Piece::Sql(")"),
        ])
    }

    pub(crate) fn delete(self, id: &'a str) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("DELETE FROM "), Piece::Table(self.table)]);
        self.where_id(&mut statement, id);
        statement
    }

    /// Key and access time of the rows after a key, and how large they are, if that is wanted. MySQL tells their ids as
    /// fourth.
    pub(crate) fn times(self, after: Option<&'a Key>, rows: i64, sizes: bool) -> Statement<'a> {
        let mut statement = Statement::new([
            Piece::Sql("SELECT "),
            self.key(),
            Piece::Sql(match (self.dialect, sizes) {
                (Dialect::MySql, true) => ", accessed, octet_length(data), namespace FROM ",
                (Dialect::MySql, false) => ", accessed, 0, namespace FROM ",
                (_, true) => ", accessed, octet_length(data) FROM ",
                (_, false) => ", accessed FROM ",
            }),
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
        statement.push([Piece::Sql(" ORDER BY "), self.key(), Piece::Sql(" DESC LIMIT "), Piece::Int(rows)]);
        statement
    }

    fn ids_and_times(self) -> Statement<'a> {
        Statement::new([
            Piece::Sql("SELECT "),
            self.key(),
            Piece::Sql(", "),
            Piece::Sql(self.dialect.columns().0),
            Piece::Sql(", accessed FROM "),
            Piece::Table(self.table),
        ])
    }

    /// Deletes the rows from a key to a key that are old now, whatever they were when they were found.
    pub(crate) fn delete_old(self, first: &'a Key, last: &'a Key, cutoff: &'a Age, form: Form) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("DELETE FROM "), Piece::Table(self.table)]);
        self.between(&mut statement, first, last);
        self.and_old(&mut statement, cutoff, form);
        statement
    }

    /// As [`delete_old`](Self::delete_old), without those that another transaction has locked.
    pub(crate) fn delete_old_unlocked(self, first: &'a Key, last: &'a Key, cutoff: &'a Age) -> Statement<'a> {
        let mut statement = Statement::new([
            Piece::Sql("DELETE FROM "),
            Piece::Table(self.table),
            Piece::Sql(" WHERE "),
            self.key(),
            Piece::Sql(" IN (SELECT "),
            self.key(),
            Piece::Sql(" FROM "),
            Piece::Table(self.table),
        ]);
        self.between(&mut statement, first, last);
        self.and_old(&mut statement, cutoff, Form::Text);
        statement.push([Piece::Sql(" FOR UPDATE SKIP LOCKED)")]);
        self.and_old(&mut statement, cutoff, Form::Text);
        statement
    }

    /// Deletes the rows of these keys that are old now.
    pub(crate) fn delete_old_of(self, keys: impl Iterator<Item = &'a Key>, cutoff: &'a Age) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("DELETE FROM "), Piece::Table(self.table)]);
        self.among(&mut statement, keys);
        self.and_old(&mut statement, cutoff, Form::Text);
        statement
    }

    /// Locks the rows of these keys that are old now, and reads them: the whole as [`page`](Self::page) does, or the key
    /// alone. The keys are in the column `by`, which has this index; whatever the server thinks of it, it takes that.
    pub(crate) fn lock_old_of(
        self,
        by: KeyColumn,
        index: Option<&'a TableName>,
        keys: impl Iterator<Item = &'a Key>,
        cutoff: &'a Age,
        whole: bool,
        skip_locked: bool,
    ) -> Statement<'a> {
        let mut statement = if whole {
            self.one()
        } else {
            Statement::new([Piece::Sql("SELECT "), self.key(), Piece::Sql(" FROM "), Piece::Table(self.table)])
        };
        force(&mut statement, index);
        Sql { key: by, ..self }.among(&mut statement, keys);
        self.and_old(&mut statement, cutoff, Form::Text);
        statement.push([Piece::Sql(if skip_locked { " FOR UPDATE SKIP LOCKED" } else { " FOR UPDATE" })]);
        statement
    }

    /// Deletes, in MySQL, the rows of these keys that are old now, and finds them through this index.
    pub(crate) fn delete_through(
        self,
        index: Option<&'a TableName>,
        keys: impl Iterator<Item = &'a Key>,
        cutoff: &'a Age,
    ) -> Statement<'a> {
        // In the form for one table there is no place for an index.
        let mut statement =
            Statement::new([Piece::Sql("DELETE old FROM "), Piece::Table(self.table), Piece::Sql(" AS old")]);
        force(&mut statement, index);
        self.among(&mut statement, keys);
        self.and_old(&mut statement, cutoff, Form::Text);
        statement
    }

    /// Has a DELETE hand over what it deletes, as [`page`](Self::page) does.
    pub(crate) fn returning(self, mut delete: Statement<'a>) -> Statement<'a> {
        delete.push([Piece::Sql(" RETURNING ")]);
        self.whole_row(&mut delete);
        delete
    }

    fn and_old(self, statement: &mut Statement<'a>, cutoff: &'a Age, form: Form) {
        statement.push([Piece::Sql(" AND "), Piece::Sql(self.dialect.accessed()), Piece::Sql(" < "), cutoff.piece()]);
        if self.dialect == Dialect::Sqlite {
            statement.push([Piece::Sql(form.condition())]);
        } else {
            statement.push([
                Piece::Sql(" AND "),
                Piece::Sql(self.dialect.accessed()),
                Piece::Sql(" >= "),
                Piece::Time(Time(FIRST_TIME)),
            ]);
        }
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

    fn among(self, statement: &mut Statement<'a>, keys: impl Iterator<Item = &'a Key>) {
        statement.push([Piece::Sql(" WHERE "), self.key(), Piece::Sql(" IN (")]);
        for (index, key) in keys.enumerate() {
            statement.push([Piece::Sql(if index == 0 { "" } else { ", " })]);
            statement.push(key.pieces());
        }
        statement.push([Piece::Sql(")")]);
    }
}

fn force<'a>(statement: &mut Statement<'a>, index: Option<&'a TableName>) {
    if let Some(index) = index {
        statement.push([Piece::Sql(" FORCE INDEX ("), Piece::Table(index), Piece::Sql(")")]);
    }
}
