//! The index on the access times.

use beakerhelpers_core::IndexOutcome;

use super::connection::MySqlClient;
use super::{info, setup};
use crate::Flavor;
use crate::failure::Failure;
use crate::sql::{Columns, Dialect};
use crate::statement::TableName;

/// Adds one, unless there is one that serves. One that is interrupted leaves nothing behind.
pub(super) fn add(client: &mut MySqlClient, table: &TableName, flavor: Flavor) -> Result<IndexOutcome, Failure> {
    let column = Columns::of(flavor, Dialect::MySql).accessed;
    if info::has_index_on(client, table, column)? {
        return Ok(IndexOutcome::Existing);
    }
    // Names of indexes are those of their table alone.
    setup::alter(client, table, &format!("ADD INDEX ix_{column} ({column})"), "be indexed")?;
    Ok(IndexOutcome::Created)
}
