//! The index on `accessed`.

use beakerhelpers_core::IndexOutcome;

use super::connection::MySqlClient;
use super::{info, setup};
use crate::failure::Failure;
use crate::statement::TableName;

/// Adds one, unless there is one that serves. One that is interrupted leaves nothing behind.
pub(super) fn add(client: &mut MySqlClient, table: &TableName) -> Result<IndexOutcome, Failure> {
    if info::has_index_on_accessed(client, table)? {
        return Ok(IndexOutcome::Existing);
    }
    // Names of indexes are those of their table alone.
    setup::alter(client, table, "ADD INDEX ix_accessed (accessed)", "be indexed")?;
    Ok(IndexOutcome::Created)
}
