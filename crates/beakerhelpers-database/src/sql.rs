//! The statements on a table of sessions.

mod batches;
mod columns;
mod dialect;

pub(crate) use self::columns::Columns;
#[cfg(feature = "postgres")]
pub(crate) use self::dialect::LAST_TIME;
pub(crate) use self::dialect::{Age, Dialect, FIRST_TIME, Form};
use crate::Flavor;
use crate::statement::{Key, KeyColumn, Piece, Statement, TableName, Time};

/// Larger contents are not read: no session is, and a row can be made to claim a gigabyte.
pub(crate) const LARGEST_DATA: i64 = 64 * 1024 * 1024;

/// A table, the column to page by, and whose SQL it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) key: KeyColumn,
    pub(crate) dialect: Dialect,
    pub(crate) columns: &'static Columns,
}

/// Which way a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl<'a> Sql<'a> {
    pub(crate) const fn new(table: &'a TableName, key: KeyColumn, flavor: Flavor, dialect: Dialect) -> Self {
        Self { table, key, dialect, columns: Columns::of(flavor, dialect) }
    }

    /// The column to page by.
    pub(crate) const fn key_name(self) -> &'static str {
        match self.key {
            KeyColumn::Number(name) => name,
            KeyColumn::Namespace => self.columns.id,
        }
    }

    const fn key(self) -> Piece<'a> {
        Piece::Sql(self.key_name())
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
        let size = [Piece::Sql("octet_length("), Piece::Sql(self.columns.data), Piece::Sql(")")];
        let mut statement = Statement::new([Piece::Sql("SELECT ")]);
        self.key_id_and_times(&mut statement);
        if let Some(old) = old {
            self.is_old(&mut statement, old);
            statement.push([Piece::Sql(", CASE WHEN ")]);
            self.is_old(&mut statement, old);
            statement.push([Piece::Sql(" THEN NULL ELSE ")]);
            statement.push(size);
            statement.push([Piece::Sql(" END, CASE WHEN ")]);
            self.is_old(&mut statement, old);
            statement.push([Piece::Sql(" THEN NULL")]);
        } else {
            statement.push([Piece::Sql("1 = 0, ")]);
            statement.push(size);
            statement.push([Piece::Sql(", CASE")]);
        }
        self.data_up_to(&mut statement, largest);
        statement.push([Piece::Sql(" FROM "), Piece::Table(self.table)]);
        self.after(&mut statement, after, way, rows);
        statement
    }

    /// Whether a row is old. In SQLite other things than times may be, too, and whoever reads the row looks again.
    fn is_old(self, statement: &mut Statement<'a>, old: &'a Age) {
        if self.dialect != Dialect::Sqlite {
            statement.push([Piece::Sql(self.columns.read_accessed), Piece::Sql(" >= ")]);
            statement.push([Piece::Time(Time(FIRST_TIME)), Piece::Sql(" AND ")]);
        }
        statement.push([Piece::Sql(self.columns.read_accessed), Piece::Sql(" < "), old.piece()]);
    }

    /// Whether the rows of a direction come in the order of their creation by a sort, for want of a number: the server
    /// looks at all of them for each page.
    pub(crate) fn is_sorted(self, way: Direction) -> bool {
        self.dialect != Dialect::Sqlite
            && self.columns.created.is_some()
            && self.key == KeyColumn::Namespace
            && way == Direction::Down
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
        self.key_id_and_times(statement);
        statement.push([Piece::Sql("1 = 0, octet_length("), Piece::Sql(self.columns.data), Piece::Sql("), CASE")]);
        self.data_up_to(statement, LARGEST_DATA);
    }

    fn key_id_and_times(self, statement: &mut Statement<'a>) {
        let Columns { read_id, read_accessed, created, .. } = self.columns;
        statement.push([
            self.key(),
            Piece::Sql(", "),
            Piece::Sql(read_id),
            Piece::Sql(", "),
            Piece::Sql(read_accessed),
        ]);
        statement.push([Piece::Sql(", "), Piece::Sql(created.unwrap_or("NULL")), Piece::Sql(", ")]);
    }

    /// Goes on after a CASE with the contents, unless they have more bytes.
    fn data_up_to(self, statement: &mut Statement<'a>, largest: i64) {
        statement.push([Piece::Sql(" WHEN octet_length("), Piece::Sql(self.columns.data), Piece::Sql(") > ")]);
        statement.push([Piece::Int(largest), Piece::Sql(" THEN NULL ELSE ")]);
        statement.push([Piece::Sql(self.columns.read_data), Piece::Sql(" END")]);
    }

    fn where_id(self, statement: &mut Statement<'a>, id: &'a str) {
        statement.push([Piece::Sql(" WHERE "), Piece::Sql(self.columns.id), Piece::Sql(" = "), Piece::Text(id)]);
        if self.dialect == Dialect::MySql {
            // The column's collation takes `a` for `A`, and `a ` for `a`; a session's id is neither.
            statement.push([
                Piece::Sql(" AND CAST(CONVERT("),
                Piece::Sql(self.columns.id),
                Piece::Sql(" USING utf8mb4) AS BINARY) = "),
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
            Piece::Sql(" SET "),
            Piece::Sql(self.columns.accessed),
            Piece::Sql(" = "),
        ]);
        statement.push(around(self.columns.time, accessed.piece()));
        statement.push([Piece::Sql(", "), Piece::Sql(self.columns.data), Piece::Sql(" = ")]);
        statement.push(around(self.columns.bytes, Piece::Bytes(data)));
        self.where_id(&mut statement, id);
        statement
    }

    pub(crate) fn insert(self, id: &'a str, accessed: &'a Age, created: &'a Age, data: &'a [u8]) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("INSERT INTO "), Piece::Table(self.table)]);
        for (index, name) in self.columns.all().enumerate() {
            statement.push([Piece::Sql(if index == 0 { " (" } else { ", " }), Piece::Sql(name)]);
        }
        statement.push([Piece::Sql(") VALUES ("), Piece::Text(id), Piece::Sql(", ")]);
        statement.push(around(self.columns.time, accessed.piece()));
        if self.columns.created.is_some() {
            statement.push([Piece::Sql(", ")]);
            statement.push(around(self.columns.time, created.piece()));
        }
        statement.push([Piece::Sql(", ")]);
        statement.push(around(self.columns.bytes, Piece::Bytes(data)));
        statement.push([Piece::Sql(")")]);
        statement
    }

    pub(crate) fn delete(self, id: &'a str) -> Statement<'a> {
        let mut statement = Statement::new([Piece::Sql("DELETE FROM "), Piece::Table(self.table)]);
        self.where_id(&mut statement, id);
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
            Piece::Sql(self.columns.read_id),
            Piece::Sql(", "),
            Piece::Sql(self.columns.read_accessed),
            Piece::Sql(" FROM "),
            Piece::Table(self.table),
        ])
    }
}

const fn around<'a>([before, after]: [&'static str; 2], value: Piece<'a>) -> [Piece<'a>; 3] {
    [Piece::Sql(before), value, Piece::Sql(after)]
}
