//! Deleting what is handed over first: MySQL has no DELETE … RETURNING.

use std::ops::ControlFlow;

use super::connection::MySqlClient;
use crate::cleanup::{Archive, Found};
use crate::failure::Failure;
use crate::server::client::Client;
use crate::server::pages::{key, record};
use crate::sql::{Age, Sql};
use crate::times::Clock;

/// Locks and reads what is old still, hands it over, and deletes just that.
pub(super) fn run(
    client: &mut MySqlClient,
    sql: Sql<'_>,
    found: &Found,
    cutoff: &Age,
    clock: &mut Clock,
    mut archive: Archive<'_>,
) -> Result<u64, Failure> {
    let (by, keys) = found.targets(sql);
    // A row that somebody else has locked is in use: it is left for the next run.
    let select = by.lock_old_of(keys, cutoff, client.facts().skips_locked());
    let mut locked = Vec::new();
    let mut refused = None;
    client.rows(&select, &mut |row| {
        let kept = key(row, 0, by.key).and_then(|key| {
            locked.push(key);
            archive.push(record(row, u64::MAX, clock))
        });
        match kept {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                refused = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = refused {
        return Err(error.into());
    }
    if !locked.is_empty() {
        client.change(&by.delete_old_of(locked.iter(), cutoff))?;
    }
    Ok(archive.finish()?)
}
