//! What checks of every database have in common.

use beakerhelpers_core::{Error, Finding, Severity};

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
