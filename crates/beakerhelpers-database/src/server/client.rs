//! What the client of each kind of server can do.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{Access, Finding, IndexOutcome, NaiveTime, SetupMode, SetupOutcome};

use crate::Flavor;
use crate::cleanup::{Archive, Found};
use crate::failure::Failure;
use crate::sql::{Age, Dialect, Sql};
use crate::statement::{Statement, TableName};
use crate::times::Clock;

/// One connection to a server. Its session speaks UTF-8, keeps to itself whatever the server's settings are, and tells
/// times as they are in the table.
pub(crate) trait Client: Sized + Send + 'static {
    /// Where to, and as whom. `Display` shows no password.
    type Target: Clone + fmt::Debug + fmt::Display + Send + Sync + 'static;

    const DIALECT: Dialect;
    /// Whether a DELETE locks what it looks at, and not only what it deletes: it is to look at what is old alone then.
    const LOCKS_WHAT_IT_SCANS: bool;
    /// Whether rows that others have locked can be left out: a batch that had to wait for one goes round it then.
    const SKIPS_LOCKED: bool = false;

    /// Connects. A refusal is final, a server that is not there is `Gone`.
    fn connect(target: &Self::Target, settings: Settings) -> Result<Self, Failure>;

    /// Whether it has to be thrown away: it broke, or is in the middle of something.
    fn is_broken(&mut self) -> bool;

    /// Asks the server whether it is still there.
    fn ping(&mut self) -> Result<(), Failure>;

    /// Runs SQL that has no parameters and whose rows nobody wants.
    fn execute(&mut self, sql: &str) -> Result<(), Failure>;

    /// Runs a statement and tells how many rows it changed, or found for an UPDATE.
    fn change(&mut self, statement: &Statement<'_>) -> Result<u64, Failure>;

    /// Runs a statement and hands over its rows as they come. However many there are, one is in memory. What comes after
    /// `Break` is thrown away; nothing of it is left on the connection.
    fn rows(
        &mut self,
        statement: &Statement<'_>,
        each: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), Failure>;

    /// The columns of a table, `None` where there is none.
    fn columns(&mut self, table: &TableName) -> Result<Option<Vec<Column>>, Failure>;

    /// The tables that there are, with their schemas where these have to be named, at most so many.
    fn tables(&mut self, most: usize) -> Result<Vec<String>, Failure>;

    /// Makes the connection fit for many batches, and tells whether no other cleanup is at work on the table.
    fn start_cleanup(&mut self, table: &TableName) -> Result<bool, Failure>;

    /// Tells the next cleanup that this one is over. Nobody waits for what the end of the connection does by itself.
    fn end_cleanup(&mut self, table: &TableName) -> Result<(), Failure> {
        let _ = table;
        Ok(())
    }

    /// Begins the transaction of a batch, and tells whether no other cleanup is at work on the table.
    fn begin_batch(&mut self, table: &TableName) -> Result<bool, Failure>;

    /// Begins a transaction in which records are saved.
    fn begin_saves(&mut self) -> Result<(), Failure>;

    /// Deletes, in the transaction that is open, what is old and hands it over: `delete` is the statement that does not
    /// hand over, of which [`Sql::returning`] makes one that does, where the database has that. Else the rows are locked
    /// and read first. Tells how many were deleted; [`record`](super::pages::record) reads a row.
    fn delete_and_hand_over(
        &mut self,
        sql: Sql<'_>,
        delete: Statement<'_>,
        found: &Found,
        cutoff: &Age,
        clock: &mut Clock,
        archive: Archive<'_>,
    ) -> Result<u64, Failure>;

    /// Deletes, in the transaction that is open, what is old, or as much of that as no other transaction has locked. Asked
    /// of those that lock what they scan.
    fn delete_found(&mut self, sql: Sql<'_>, found: &Found, cutoff: &Age, skip_locked: bool) -> Result<u64, Failure> {
        let _ = skip_locked;
        let (by, keys) = found.targets(sql);
        self.change(&by.delete_old_of(keys, cutoff))
    }

    /// Creates the table as SQLAlchemy does for Beaker.
    fn setup(&mut self, table: &TableName, flavor: Flavor, mode: SetupMode) -> Result<SetupOutcome, Failure>;

    /// Adds an index on the access times while others go on writing.
    fn add_index(&mut self, table: &TableName, flavor: Flavor) -> Result<IndexOutcome, Failure>;

    /// Looks for what is missing or odd; the table need not be there. `prefix` is that of the configuration's keys.
    fn check(&mut self, table: &TableName, flavor: Flavor, prefix: &str) -> Result<Vec<Finding>, Failure>;

    /// Gives space back.
    fn vacuum(&mut self, table: &TableName) -> Result<(), Failure>;

    /// The lag of the replicas that a primary knows of, or that of this replica; `None` where there is no replica.
    fn replication_lag(&mut self) -> Result<Option<Duration>, Failure>;
}

/// How to use a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) access: Access,
    /// How long to wait for locks, and for a server to answer the first time.
    pub(crate) wait: Duration,
}

/// One row of an answer. A column that is NULL, or not of the type asked for, is `None`.
pub(crate) trait Row {
    /// A number; a boolean is 0 or 1.
    fn int(&self, column: usize) -> Option<i64>;
    /// Text or bytes as they are.
    fn bytes(&self, column: usize) -> Option<&[u8]>;
    /// A time that is one: no zero date, no infinity.
    fn time(&self, column: usize) -> Option<NaiveTime>;
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// The type as the database calls it, for people.
    pub(crate) type_name: String,
    /// It is not NULL, and an index on it alone is unique.
    pub(crate) is_key: bool,
}

/// What of a column's type matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Integer,
    Text,
    /// A naive time with so many digits of a second's fraction.
    Time(u32),
    /// An instant, which every connection sees in the zone that it is set to, with so many digits.
    Instant(u32),
    /// Bytes, at most so many.
    Bytes(u64),
    Other,
}

impl ColumnKind {
    /// A naive time by the name of its type, `datetime(6)`; where that names no number of digits, there are so many.
    pub(crate) fn time(type_name: &str, digits: u32) -> Self {
        Self::Time(digits_of(type_name, digits))
    }

    /// The same for instants, `timestamp(6)` in MySQL.
    pub(crate) fn instant(type_name: &str, digits: u32) -> Self {
        Self::Instant(digits_of(type_name, digits))
    }
}

fn digits_of(type_name: &str, digits: u32) -> u32 {
    let named = type_name.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(digits, _)| digits);
    named.and_then(|digits| digits.trim().parse().ok()).unwrap_or(digits)
}
