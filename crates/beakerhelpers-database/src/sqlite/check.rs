//! What is missing or odd.

use beakerhelpers_core::Finding;
use diesel::result::QueryResult;

use super::connection::Connection;
use super::layout;
use crate::findings::not_set_up;
use crate::statement::TableName;

/// Looks at the database; `prefix` is that of the configuration's keys.
pub(crate) fn findings(connection: &mut Connection, table: &TableName, prefix: &str) -> QueryResult<Vec<Finding>> {
    Ok(match layout::detect(connection, table)? {
        Ok(_) => Vec::new(),
        Err(missing) => vec![not_set_up(&missing.into_error(table, prefix))],
    })
}
