//! What is missing or odd.

use beakerhelpers_core::{Error, Finding, Severity};
use diesel::result::QueryResult;

use super::connection::Connection;
use super::layout;
use crate::statement::TableName;

/// Looks at the database; `prefix` is that of the configuration's keys.
pub(crate) fn findings(connection: &mut Connection, table: &TableName, prefix: &str) -> QueryResult<Vec<Finding>> {
    Ok(match layout::detect(connection, table)? {
        Ok(_) => Vec::new(),
        Err(missing) => vec![not_set_up(&missing.into_error(table, prefix))],
    })
}

/// That it cannot be used, as a finding.
pub(crate) fn not_set_up(error: &Error) -> Finding {
    let context: Vec<_> = error.context().map(|(key, value)| format!("{key}: {value}")).collect();
    let mut message = error.message().to_owned();
    if !context.is_empty() {
        message = format!("{message} ({})", context.join("; "));
    }
    let finding = Finding::new(Severity::Missing, message);
    match error.hint() {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}
