//! Giving space back, and how far replicas are behind.

use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{Error, ErrorKind};

use super::PgClient;
use super::catalog::{columns, qualified};
use crate::failure::Failure;
use crate::server::client::Row;
use crate::statement::{Piece, Statement, TableName};

/// From this version on, others than the owner may be allowed to.
const MAINTAIN: i64 = 170_000;

/// Runs `VACUUM`, which makes the room of deleted rows free for new ones, gives back to the system what is free at the
/// end of the table's files, and renews the planner's statistics. Nobody is kept out, but for a moment where the files
/// get shorter. It reads the table where it has changed.
pub(super) fn vacuum(client: &mut PgClient, table: &TableName) -> Result<(), Failure> {
    if columns(client, table)?.is_none() {
        return Err(Error::new(ErrorKind::NotSetUp, format!("the database has no table `{table}`")).into());
    }
    // A user who may not is told so by a mere warning.
    if !may_vacuum(client, table)? {
        return Err(Error::new(ErrorKind::PermissionDenied, format!("the user may not vacuum the table `{table}`"))
            .with_hint("its owner may; autovacuum does the same in its own time")
            .into());
    }
    client.run(&format!("VACUUM (ANALYZE) {}", qualified(table)))
}

fn may_vacuum(client: &mut PgClient, table: &TableName) -> Result<bool, Failure> {
    let name = qualified(table);
    let owner = Statement::new([
        Piece::Sql(
            "SELECT pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE') FROM pg_class c, pg_database d \
             WHERE d.datname = current_database() AND c.oid = to_regclass(",
        ),
        Piece::Text(&name),
        Piece::Sql(")"),
    ]);
    if client.number(&owner)? == Some(1) {
        return Ok(true);
    }
    let version = Statement::new([Piece::Sql("SELECT current_setting('server_version_num')::int")]);
    if client.number(&version)?.is_none_or(|version| version < MAINTAIN) {
        return Ok(false);
    }
    let granted = Statement::new([
        Piece::Sql("SELECT has_table_privilege(to_regclass("),
        Piece::Text(&name),
        Piece::Sql(")::oid, 'MAINTAIN')"),
    ]);
    Ok(client.number(&granted)? == Some(1))
}

/// On a replica: 0 where it has done all that it received, else the age of the last transaction that it did.
const OWN_LAG: &str = "SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() \
     AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver) THEN 0 \
     ELSE (extract(epoch FROM clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), \
     CASE WHEN EXISTS (SELECT 1 FROM pg_stat_wal_receiver) THEN pg_postmaster_start_time() END)) * 1000000)::int8 END";
/// On a primary: how many replicas there are, how many of them it does not tell us about, and the largest lag in
/// microseconds. A lag is NULL where the replica has nothing left to do.
const LAGS: &str = "SELECT count(*), count(*) - count(state), \
     coalesce(max((extract(epoch FROM replay_lag) * 1000000)::int8), 0) \
     FROM pg_stat_replication WHERE state IS NULL OR state <> 'backup'";

/// See [`SessionStore::replication_lag`](beakerhelpers_core::SessionStore::replication_lag).
pub(super) fn replication_lag(client: &mut PgClient) -> Result<Option<Duration>, Failure> {
    let lag = lag(client);
    lag.map_err(|failure| match failure.error.kind() {
        // What speaks like PostgreSQL need not replicate like it.
        ErrorKind::NotSetUp => Error::unsupported("the server does not tell how far its replicas are behind").into(),
        _ => failure,
    })
}

fn lag(client: &mut PgClient) -> Result<Option<Duration>, Failure> {
    let micros = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    let is_replica = Statement::new([Piece::Sql("SELECT pg_is_in_recovery()")]);
    if client.number(&is_replica)? == Some(1) {
        return Ok(client.number(&Statement::new([Piece::Sql(OWN_LAG)]))?.map(micros));
    }
    let (mut replicas, mut hidden, mut largest) = (0, 0, 0);
    client.read_rows(&Statement::new([Piece::Sql(LAGS)]), &mut |row: &dyn Row| {
        let number = |column| row.int(column).unwrap_or(0);
        (replicas, hidden, largest) = (number(0), number(1), number(2));
        ControlFlow::Continue(())
    })?;
    match (replicas, hidden) {
        (0, _) => Ok(None),
        (_, 0) => Ok(Some(micros(largest))),
        _ => Err(Error::unsupported("the user may not see how far the replicas are behind")
            .with_hint("grant it as an administrator: GRANT pg_monitor TO the user")
            .into()),
    }
}
