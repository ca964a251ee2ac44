//! How far a replica is behind.

use std::time::Duration;

use beakerhelpers_core::{Error, ErrorKind};

use super::connection::MySqlClient;
use crate::failure::Failure;
use crate::server::client::Row;

/// The lag of this replica, the largest one where it has several sources. A primary does not know that of its replicas.
pub(super) fn lag(client: &mut MySqlClient) -> Result<Option<Duration>, Failure> {
    let facts = client.facts();
    let sql = match (facts.is_mariadb, facts.version) {
        (true, _) => "SHOW ALL SLAVES STATUS",
        (false, version) if version >= (8, 1) => "SHOW REPLICA STATUS",
        (false, _) => "SHOW SLAVE STATUS",
    };
    let sources = client.all(sql).map_err(|failure| {
        let error = match failure.error.kind() {
            ErrorKind::PermissionDenied => {
                Error::new(ErrorKind::PermissionDenied, "this user may not see how replication goes").with_hint(
                    "on a replica it takes the right `REPLICATION CLIENT`, in MariaDB `SLAVE MONITOR`; where the site \
                                writes nobody can tell: name the replicas with `--replica URL`",
                )
            }
            _ => failure.error,
        };
        Failure { error, ..failure }
    })?;
    if sources.is_empty() {
        return primary(client);
    }
    let mut largest = Duration::ZERO;
    for source in &sources {
        let behind = ["Seconds_Behind_Source", "Seconds_Behind_Master"].iter().find_map(|name| source.column(name));
        let Some(seconds) = behind.and_then(|column| source.int(column)) else {
            return Err(Error::new(ErrorKind::Unavailable, "replication does not run on this replica").into());
        };
        largest = largest.max(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    }
    Ok(Some(largest))
}

fn primary(client: &mut MySqlClient) -> Result<Option<Duration>, Failure> {
    let logs = client.all("SELECT @@log_bin")?.first().and_then(|row| row.int(0));
    if logs == Some(0) {
        // Nobody can follow it.
        return Ok(None);
    }
    Err(Error::unsupported("MySQL and MariaDB tell the lag of a replica on the replica alone")
        .with_hint("name the replica with `--replica URL`")
        .into())
}
