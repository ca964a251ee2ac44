//! Deleting without deadlocks.
//!
//! The application finds a session by its id: InnoDB locks its entry in the index on `namespace` first, then the row. A
//! DELETE that finds rows by `id` locks them the other way round, and so does one that finds them by `namespace` without
//! that index, which the server thinks best where a batch is a good part of the table: a deadlock, whose victim is the
//! application, because it has changed less. That was seen within seconds. So rows are found through that index alone, or no lock is
//! waited for.

use std::ops::ControlFlow;

use super::connection::MySqlClient;
use crate::cleanup::{Archive, Found};
use crate::failure::Failure;
use crate::server::client::{Client, Row};
use crate::server::pages::{Form, key, record};
use crate::sql::{Age, Sql};
use crate::statement::Key;
use crate::times::Clock;

/// Locks and reads what is old still, hands it over, and deletes just that: MySQL has no DELETE … RETURNING.
pub(super) fn hand_over(
    client: &mut MySqlClient,
    sql: Sql<'_>,
    found: &Found,
    cutoff: &Age,
    clock: &mut Clock,
    mut archive: Archive<'_>,
) -> Result<u64, Failure> {
    let form = Form { framing: sql.columns.framing(), room: u64::MAX };
    let locked = lock(client, sql, found, cutoff, true, &mut |row| archive.push(record(row, form, clock)))?;
    delete_locked(client, sql, cutoff, &locked)?;
    Ok(archive.finish()?)
}

/// Deletes what is old still, by the primary key, and fails at once where somebody else has some of that locked.
///
/// This locks in the other order, and takes two thirds of the time. Whoever never waits is in no deadlock: a session
/// whose time to wait for a lock is zero does not even ask for one that another has. `MariaDB` alone has that
/// (`lock_rec_enqueue_waiting` in its `lock0lock.cc`, 10.11); `MySQL` waits for a second at least.
pub(super) fn at_once(client: &mut MySqlClient, sql: Sql<'_>, found: &Found, cutoff: &Age) -> Result<u64, Failure> {
    let primary = client.index_of(sql);
    client.change(&sql.delete_through(primary.as_ref(), found.old.iter().map(|(key, _)| key), cutoff))
}

/// Deletes what is old still, and waits for what others have locked.
pub(super) fn wait(client: &mut MySqlClient, sql: Sql<'_>, found: &Found, cutoff: &Age) -> Result<u64, Failure> {
    let index = client.index_of(found.targets(sql).0);
    let (by, keys) = found.targets(sql);
    client.change(&by.delete_through(index.as_ref(), keys, cutoff))
}

/// Locks what is old still and nobody else has locked, and deletes just that.
pub(super) fn delete(client: &mut MySqlClient, sql: Sql<'_>, found: &Found, cutoff: &Age) -> Result<u64, Failure> {
    let locked = lock(client, sql, found, cutoff, false, &mut |_| Ok(()))?;
    delete_locked(client, sql, cutoff, &locked)
}

/// The keys of what could be locked. What somebody else has locked is in use: it is left for the next run, where the
/// server can do that.
fn lock(
    client: &mut MySqlClient,
    sql: Sql<'_>,
    found: &Found,
    cutoff: &Age,
    whole: bool,
    each: &mut dyn FnMut(&dyn Row) -> beakerhelpers_core::Result<()>,
) -> Result<Vec<Key>, Failure> {
    let index = client.index_of(found.targets(sql).0);
    let (by, keys) = found.targets(sql);
    let skips = client.facts().skips_locked();
    let select = sql.lock_old_of(by.key, index.as_ref(), keys, cutoff, whole, skips);
    let (mut locked, mut refused) = (Vec::new(), None);
    client.rows(&select, &mut |row| match key(row, 0, sql.key).and_then(|key| each(row).map(|()| key)) {
        Ok(key) => {
            locked.push(key);
            ControlFlow::Continue(())
        }
        Err(error) => {
            refused = Some(error);
            ControlFlow::Break(())
        }
    })?;
    refused.map_or(Ok(locked), |error| Err(error.into()))
}

fn delete_locked(client: &mut MySqlClient, sql: Sql<'_>, cutoff: &Age, locked: &[Key]) -> Result<u64, Failure> {
    if locked.is_empty() {
        return Ok(0);
    }
    let index = client.index_of(sql);
    client.change(&sql.delete_through(index.as_ref(), locked.iter(), cutoff))
}
