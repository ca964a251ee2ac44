//! One connection.

use std::mem;
use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{Error, ErrorKind, Finding, IndexOutcome, SetupMode, SetupOutcome};
use mysql::prelude::Queryable;
use mysql::{Conn, Error as ClientError};

use super::rows::TextRow;
use super::session::{self, Facts};
use super::text::{self, Rendered};
use super::{MySqlTarget, check, errors, index, info, locked, replica, setup};
use crate::Flavor;
use crate::cleanup::{Archive, Found};
use crate::failure::{Failure, Trouble};
use crate::server::client::{Client, Column, Row, Settings};
use crate::sql::{Age, Dialect, Sql};
use crate::statement::{Statement, TableName};
use crate::times::Clock;

/// So much of an answer that nobody wants is read; where there is more, a new connection is cheaper.
const SPARE: usize = 256 * 1024;

/// A connection to MySQL or MariaDB.
pub(crate) struct MySqlClient {
    /// `None`: it broke.
    conn: Option<Conn>,
    facts: Facts,
    /// No other cleanup was at work when this one began.
    free: bool,
    /// The unique indexes of single columns of the table that is cleaned: column and index.
    indexes: Vec<(String, String)>,
    /// How many seconds a cleanup waits for the lock of a row.
    lock_wait: Option<u8>,
}

impl MySqlClient {
    pub(super) const fn facts(&self) -> Facts {
        self.facts
    }

    /// The name of the unique index on a column of the table that is cleaned.
    pub(super) fn index_of(&self, sql: Sql<'_>) -> Option<TableName> {
        let column = sql.key_name();
        let index = self.indexes.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        index.map(|(_, index)| TableName { schema: None, name: index.clone() })
    }

    /// Runs something on the connection, which is gone where that broke it.
    pub(super) fn on<T>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T, ClientError>) -> Result<T, Failure> {
        let Some(conn) = &mut self.conn else { return Err(broken()) };
        work(conn).map_err(|error| self.failed(&error))
    }

    fn failed(&mut self, error: &ClientError) -> Failure {
        if errors::breaks(error) {
            self.conn = None;
        }
        errors::failure(error)
    }

    /// Sets how long to wait for the lock of a row. With zero, which `MariaDB` has, a SELECT that goes round locks makes
    /// the COMMIT after it fail (10.11.14, error 1180).
    fn wait_for_locks(&mut self, seconds: u8) -> Result<(), Failure> {
        if self.lock_wait != Some(seconds) {
            self.execute(&format!("SET SESSION innodb_lock_wait_timeout = {seconds}"))?;
            self.lock_wait = Some(seconds);
        }
        Ok(())
    }

    /// Runs SQL and collects its rows, which are few.
    pub(super) fn all(&mut self, sql: &str) -> Result<Vec<TextRow>, Failure> {
        self.on(|conn| Ok(conn.query(sql)?.into_iter().map(TextRow).collect()))
    }

    /// Runs a statement and collects its rows, which are few.
    pub(super) fn answers(&mut self, statement: &Statement<'_>) -> Result<Vec<TextRow>, Failure> {
        self.all(&text::render(statement).text)
    }
}

fn broken() -> Failure {
    Failure::new(Trouble::Gone, Error::new(ErrorKind::Unavailable, "the connection to the server broke"))
}

/// Hands over the rows of an answer, and tells whether the connection is of use still.
fn read(conn: &mut Conn, sql: &str, each: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>) -> Result<bool, ClientError> {
    let mut answer = conn.query_iter(sql)?;
    let (mut wanted, mut spare) = (true, SPARE);
    while let Some(row) = answer.next() {
        let row = TextRow(row?);
        if wanted {
            wanted = each(&row).is_continue();
            continue;
        }
        let Some(left) = spare.checked_sub(row.len()) else {
            // Dropping it would read all the rest.
            mem::forget(answer);
            return Ok(false);
        };
        spare = left;
    }
    Ok(true)
}

impl Client for MySqlClient {
    type Target = MySqlTarget;

    const DIALECT: Dialect = Dialect::MySql;
    const LOCKS_WHAT_IT_SCANS: bool = true;

    fn connect(target: &MySqlTarget, settings: Settings) -> Result<Self, Failure> {
        let at =
            |failure: Failure| Failure { error: failure.error.with_context("database", target.to_string()), ..failure };
        let mut conn = session::connect(target, settings.wait).map_err(at)?;
        let facts = session::prepare(&mut conn, settings).map_err(|error| at(errors::failure(&error)))?;
        Ok(Self { conn: Some(conn), facts, free: true, indexes: Vec::new(), lock_wait: None })
    }

    fn is_broken(&mut self) -> bool {
        self.conn.is_none()
    }

    fn ping(&mut self) -> Result<(), Failure> {
        self.on(Conn::ping)
    }

    fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        self.on(|conn| conn.query_drop(sql))
    }

    fn change(&mut self, statement: &Statement<'_>) -> Result<u64, Failure> {
        let Rendered { text, values } = text::render(statement);
        self.on(|conn| {
            if values.is_empty() {
                conn.query_drop(&text)?;
                return Ok(conn.affected_rows());
            }
            let prepared = conn.prep(&text)?;
            let done = conn.exec_drop(&prepared, values).map(|()| conn.affected_rows());
            conn.close(prepared)?;
            done
        })
    }

    fn rows(
        &mut self,
        statement: &Statement<'_>,
        each: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let Some(mut conn) = self.conn.take() else { return Err(broken()) };
        let read = read(&mut conn, &text::render(statement).text, each);
        if !matches!(read, Ok(false)) {
            self.conn = Some(conn);
        }
        read.map(drop).map_err(|error| self.failed(&error))
    }

    fn columns(&mut self, table: &TableName) -> Result<Option<Vec<Column>>, Failure> {
        info::columns(self, table)
    }

    fn tables(&mut self, most: usize) -> Result<Vec<String>, Failure> {
        info::tables(self, most)
    }

    fn start_cleanup(&mut self, table: &TableName) -> Result<bool, Failure> {
        // A batch has many rows locked: it must not wait long for one that somebody else has.
        self.wait_for_locks(1)?;
        self.indexes = info::unique_indexes(self, table)?;
        // Gone with the connection, but the server may take its time for that: `end_cleanup` does not.
        let answer = self.answers(&info::lock(table));
        self.free = match answer {
            Ok(rows) => rows.first().and_then(|row| row.int(0)) != Some(0),
            // Some clusters have no such locks.
            Err(failure) if failure.trouble == Trouble::Final && !self.is_broken() => true,
            Err(failure) => return Err(failure),
        };
        Ok(self.free)
    }

    fn end_cleanup(&mut self, table: &TableName) -> Result<(), Failure> {
        self.answers(&info::unlock(table)).map(drop)
    }

    fn begin_batch(&mut self, _: &TableName) -> Result<bool, Failure> {
        self.execute("START TRANSACTION")?;
        Ok(self.free)
    }

    fn begin_saves(&mut self) -> Result<(), Failure> {
        self.execute("START TRANSACTION")
    }

    fn delete_and_hand_over(
        &mut self,
        sql: Sql<'_>,
        _: Statement<'_>,
        found: &Found,
        cutoff: &Age,
        clock: &mut Clock,
        archive: Archive<'_>,
    ) -> Result<u64, Failure> {
        locked::hand_over(self, sql, found, cutoff, clock, archive)
    }

    fn delete_found(&mut self, sql: Sql<'_>, found: &Found, cutoff: &Age, skip_locked: bool) -> Result<u64, Failure> {
        if skip_locked {
            self.wait_for_locks(1)?;
            return locked::delete(self, sql, found, cutoff);
        }
        if !self.facts.never_waits() {
            return locked::wait(self, sql, found, cutoff);
        }
        self.wait_for_locks(0)?;
        locked::at_once(self, sql, found, cutoff)
    }

    fn setup(&mut self, table: &TableName, flavor: Flavor, mode: SetupMode) -> Result<SetupOutcome, Failure> {
        setup::run(self, table, flavor, mode)
    }

    fn add_index(&mut self, table: &TableName, flavor: Flavor) -> Result<IndexOutcome, Failure> {
        index::add(self, table, flavor)
    }

    fn check(&mut self, table: &TableName, flavor: Flavor, prefix: &str) -> Result<Vec<Finding>, Failure> {
        check::findings(self, table, flavor, prefix)
    }

    fn vacuum(&mut self, table: &TableName) -> Result<(), Failure> {
        setup::rebuild(self, table)
    }

    fn replication_lag(&mut self) -> Result<Option<Duration>, Failure> {
        replica::lag(self)
    }
}
