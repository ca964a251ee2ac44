//! Whether a store answers at all.

use super::SessionStore;
use crate::{Result, SessionId};

/// The id of a session that nobody has: Beaker's ids are checksums and UUIDs.
pub const NOBODY: &str = "00000000000000000000000000000000";

/// Asks a store for a session that nobody has, so that what it says to everything is told once, before any work.
///
/// # Errors
///
/// What it says to whatever it is asked for.
pub fn answers(store: &(impl SessionStore + ?Sized)) -> Result<()> {
    store.has(&SessionId::new(NOBODY)).map(drop)
}
