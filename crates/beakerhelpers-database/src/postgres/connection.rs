//! One connection, by diesel.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Error, NaiveTime, Result};
use diesel::connection::{CacheSize, Connection, DefaultLoadingMode, LoadConnection, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::result::{Error as DieselError, QueryResult};
use diesel::row::{Field as _, Row as _};

use super::EPOCH;
use super::errors::{self, Asked};
use super::target::{Encryption, PgTarget};
use crate::failure::{Failure, Trouble};
use crate::server::client::{Row, Settings};
use crate::statement::{Piece, Statement};

/// A connection. Between two calls it keeps nothing on the server that another connection would not find there: behind
/// a pooler such as `PgBouncer` each transaction may go to another one. So statements are not prepared, and settings are
/// those of a transaction.
pub(crate) struct PgClient {
    raw: PgConnection,
    settings: Settings,
    /// The transaction that is open, if there is one, may wait so long for a lock.
    transaction: Option<Duration>,
    broken: bool,
    /// Whether the server has advisory locks; `None`: it was not asked yet.
    pub(super) advisory_locks: Option<bool>,
}

/// Whether a transaction may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

impl PgClient {
    pub(super) fn open(target: &PgTarget, settings: Settings) -> Result<Self, Failure> {
        // Left to itself, OpenSSL is taken down when the process ends, under whatever thread still uses it, even if only
        // to end: that is a crash after all is done. This is the one way to set it up that has nothing taken down then,
        // as long as it comes before libpq's own (`OPENSSL_INIT_NO_ATEXIT`: OpenSSL 1.1.1b and later).
        #[cfg(feature = "postgres-tls")]
        openssl_sys::init();
        let establish = |encryption| PgConnection::establish(&target.connection_string(settings.wait, encryption));
        let raw = if target.prefers_encryption() {
            establish(Encryption::Required).or_else(|error| {
                if errors::may_do_without_tls(&error) { establish(Encryption::Off) } else { Err(error) }
            })
        } else {
            establish(Encryption::AsConfigured)
        };
        let mut raw = raw.map_err(|error| {
            let Failure { trouble, error } = errors::connecting(&error);
            Failure::new(trouble, error.with_context("database", target.to_string()))
        })?;
        raw.set_prepared_statement_cache_size(CacheSize::Disabled);
        Ok(Self { raw, settings, transaction: None, broken: false, advisory_locks: None })
    }

    pub(super) const fn broken(&self) -> bool {
        self.broken
    }

    /// Runs SQL without parameters as it stands.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Failure> {
        let started = Instant::now();
        let done = self.raw.batch_execute(sql);
        self.judge(done, started)
    }

    /// Begins a transaction in which no lock is waited for longer than this.
    pub(super) fn begin(&mut self, mode: Mode, patience: Duration) -> Result<(), Failure> {
        let mode = match mode {
            Mode::Read => " READ ONLY",
            // Whoever set the user or the server to reading only did so on purpose.
            Mode::Write => "",
        };
        // Zero would be for ever. Whatever the planner believes of the table, it is to find rows by their keys: with
        // old statistics it may take a range of keys for all of them, and read the whole table for each. Diesel sets
        // another zone than the one that an application finds.
        let millis = patience.as_millis().clamp(1, 1_000_000_000);
        self.run(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED{mode}; SET LOCAL lock_timeout = {millis}; \
             SET LOCAL enable_seqscan = off; SET LOCAL TimeZone TO DEFAULT"
        ))?;
        self.transaction = Some(patience);
        Ok(())
    }

    /// Begins a transaction for several changes.
    pub(super) fn begin_to_write(&mut self) -> Result<(), Failure> {
        self.begin(Mode::Write, self.settings.wait)
    }

    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        self.transaction = None;
        self.run("COMMIT")
    }

    pub(super) fn roll_back(&mut self) -> Result<(), Failure> {
        self.transaction = None;
        let done = self.run("ROLLBACK");
        self.broken |= done.is_err();
        done
    }

    /// Runs something in the transaction that is open, or else in one of its own.
    pub(super) fn within<T>(
        &mut self,
        mode: Mode,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.transaction.is_some() {
            return work(self);
        }
        self.begin(mode, self.settings.wait)?;
        let done = work(self);
        if done.is_ok() {
            self.commit()?;
        } else if !self.broken {
            // What went wrong is known already.
            let _ = self.roll_back();
        }
        done
    }

    pub(super) fn change_rows(&mut self, statement: &Statement<'_>) -> Result<u64, Failure> {
        if holds_nul(statement) {
            return Ok(0);
        }
        self.within(Mode::Write, |client| {
            let started = Instant::now();
            let changed = client.raw.execute_returning_count(statement);
            client.judge(changed, started).map(|changed| u64::try_from(changed).unwrap_or(u64::MAX))
        })
    }

    pub(super) fn read_rows(
        &mut self,
        statement: &Statement<'_>,
        each: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        if holds_nul(statement) {
            return Ok(());
        }
        self.within(Mode::Read, |client| {
            let started = Instant::now();
            let done = hand_over(&mut client.raw, statement, each);
            client.judge(done, started)
        })
    }

    fn judge<T>(&mut self, done: QueryResult<T>, started: Instant) -> Result<T, Failure> {
        done.map_err(|error| {
            let waited = self.transaction.is_some_and(|patience| started.elapsed() >= patience);
            let failure = errors::running(&error, Asked { waited });
            self.broken |= failure.trouble == Trouble::Gone || !matches!(error, DieselError::DatabaseError(..));
            failure
        })
    }
}

/// No text in PostgreSQL holds a NUL, so a statement that asks for one finds nothing.
fn holds_nul(statement: &Statement<'_>) -> bool {
    statement.pieces().iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('\0')))
}

fn hand_over(
    raw: &mut PgConnection,
    statement: &Statement<'_>,
    each: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
) -> QueryResult<()> {
    for row in LoadConnection::<DefaultLoadingMode>::load(raw, statement)? {
        let row = row?;
        let fields: Vec<_> = (0..row.field_count()).map(|column| row.get(column)).collect();
        let values = fields.iter().map(|field| field.as_ref()?.value().map(|value| value.as_bytes()));
        if each(&Values(values.collect())).is_break() {
            break;
        }
    }
    Ok(())
}

/// The columns of a row in PostgreSQL's binary form.
struct Values<'r>(Vec<Option<&'r [u8]>>);

impl Row for Values<'_> {
    fn int(&self, column: usize) -> Option<i64> {
        let bytes = self.bytes(column)?;
        Some(match *bytes {
            [boolean] => i64::from(boolean),
            [a, b] => i64::from(i16::from_be_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
            _ => i64::from_be_bytes(bytes.try_into().ok()?),
        })
    }

    fn bytes(&self, column: usize) -> Option<&[u8]> {
        *self.0.get(column)?
    }

    fn time(&self, column: usize) -> Option<NaiveTime> {
        let micros = i64::from_be_bytes(self.bytes(column)?.try_into().ok()?);
        // `infinity` and `-infinity` are the last and the first of all numbers, and as far out as any.
        let naive = NaiveTime::from_micros(micros.checked_add(EPOCH)?);
        (crate::sql::FIRST_TIME..=crate::sql::LAST_TIME).contains(&naive).then_some(naive)
    }
}

/// A name as SQL takes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What came back is not what was asked for.
pub(super) fn strange(what: &str) -> Failure {
    Error::unsupported(format!("the server does not answer as PostgreSQL does: {what}")).into()
}
