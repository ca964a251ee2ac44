//! What a cleanup asks and does, batch by batch.

use super::{Age, Columns, Dialect, Direction, FIRST_TIME, Form, Sql};
use crate::statement::{Key, KeyColumn, Piece, Statement, TableName, Time};

impl<'a> Sql<'a> {
    /// Key and access time of the rows after a key, and how large they are, if that is wanted. MySQL tells their ids as
    /// fourth.
    pub(crate) fn times(self, after: Option<&'a Key>, rows: i64, sizes: bool) -> Statement<'a> {
        let Columns { id, read_accessed, data, .. } = *self.columns;
        let mut statement =
            Statement::new([Piece::Sql("SELECT "), self.key(), Piece::Sql(", "), Piece::Sql(read_accessed)]);
        if sizes {
            statement.push([Piece::Sql(", octet_length("), Piece::Sql(data), Piece::Sql(")")]);
        } else if self.dialect == Dialect::MySql {
            statement.push([Piece::Sql(", 0")]);
        }
        if self.dialect == Dialect::MySql {
            statement.push([Piece::Sql(", "), Piece::Sql(id)]);
        }
        statement.push([Piece::Sql(" FROM "), Piece::Table(self.table)]);
        self.after(&mut statement, after, Direction::Up, rows);
        statement
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
        statement.push([Piece::Sql(" AND "), Piece::Sql(self.columns.aside), Piece::Sql(" < "), cutoff.piece()]);
        if self.dialect == Dialect::Sqlite {
            statement.push([Piece::Sql(form.condition())]);
        } else {
            statement.push([
                Piece::Sql(" AND "),
                Piece::Sql(self.columns.aside),
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
