//! Deleting what was locked first: to hand it over, since MySQL has no DELETE … RETURNING, and to leave out what others
//! have locked.

use std::ops::ControlFlow;

use super::connection::MySqlClient;
use crate::cleanup::{Archive, Found};
use crate::failure::Failure;
use crate::server::client::{Client, Row};
use crate::server::pages::{key, record};
use crate::sql::{Age, Sql};
use crate::statement::Key;
use crate::times::Clock;

/// Locks and reads what is old still, hands it over, and deletes just that.
pub(super) fn hand_over(
    client: &mut MySqlClient,
    sql: Sql<'_>,
    found: &Found,
    cutoff: &Age,
    clock: &mut Clock,
    mut archive: Archive<'_>,
) -> Result<u64, Failure> {
    let locked = lock(client, sql, found, cutoff, true, &mut |row| archive.push(record(row, u64::MAX, clock)))?;
    delete_locked(client, sql, found, cutoff, &locked)?;
    Ok(archive.finish()?)
}

/// Locks what is old still and nobody else has locked, and deletes just that.
pub(super) fn delete(client: &mut MySqlClient, sql: Sql<'_>, found: &Found, cutoff: &Age) -> Result<u64, Failure> {
    let locked = lock(client, sql, found, cutoff, false, &mut |_| Ok(()))?;
    delete_locked(client, sql, found, cutoff, &locked)
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
    let (by, keys) = found.targets(sql);
    let select = by.lock_old_of(keys, cutoff, whole, client.facts().skips_locked());
    let (mut locked, mut refused) = (Vec::new(), None);
    client.rows(&select, &mut |row| match key(row, 0, by.key).and_then(|key| each(row).map(|()| key)) {
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

fn delete_locked(
    client: &mut MySqlClient,
    sql: Sql<'_>,
    found: &Found,
    cutoff: &Age,
    locked: &[Key],
) -> Result<u64, Failure> {
    if locked.is_empty() {
        return Ok(0);
    }
    let (by, _) = found.targets(sql);
    client.change(&by.delete_old_of(locked.iter(), cutoff))
}
