//! The transactions of a cleanup.

use std::time::Duration;

use super::PgClient;
use super::catalog::qualified;
use super::connection::Mode;
use crate::failure::Failure;
use crate::statement::{Piece, Statement, TableName};

/// A batch waits so long for a row that another transaction has locked, and goes round it then: what it has deleted
/// already, others wait for. It is far less than the second after which PostgreSQL looks for deadlocks.
const PATIENCE: Duration = Duration::from_millis(50);
/// The first half of the advisory lock's number, `beak`; the second is that of the table.
const LOCKS: i64 = 0x6265_616b << 32;

/// Tells whether no other cleanup is at work on the table.
pub(super) fn start(client: &mut PgClient, table: &TableName) -> Result<bool, Failure> {
    if client.advisory_locks.is_none() {
        let statement =
            Statement::new([Piece::Sql("SELECT count(*) FROM pg_proc WHERE proname = 'pg_try_advisory_xact_lock'")]);
        client.advisory_locks = Some(client.number(&statement)?.is_some_and(|functions| functions > 0));
    }
    let free = begin(client, table)?;
    client.roll_back()?;
    Ok(free)
}

/// Begins the transaction of a batch, and tells whether no other cleanup is at work on the table. The lock that says so
/// ends with the transaction: behind a pooler one of a session would belong to nobody in particular.
pub(super) fn begin(client: &mut PgClient, table: &TableName) -> Result<bool, Failure> {
    client.begin(Mode::Write, PATIENCE)?;
    if client.advisory_locks != Some(true) {
        return Ok(true);
    }
    let name = qualified(table);
    let statement = Statement::new([
        Piece::Sql("SELECT pg_try_advisory_xact_lock("),
        Piece::Int(LOCKS),
        Piece::Sql(" + to_regclass("),
        Piece::Text(&name),
        Piece::Sql(")::oid::int8)"),
    ]);
    // NULL: the table is gone, which the next statement tells better.
    Ok(client.number(&statement)?.is_none_or(|locked| locked != 0))
}
