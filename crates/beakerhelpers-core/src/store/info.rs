//! What a store says of itself.

use crate::{Capabilities, Framing};

/// What a store is, for people and for the choice of what to ask of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreInfo {
    /// The registered name, `ext:database`.
    pub store_type: &'static str,
    /// Where it is, without password: `sqlite:////srv/app/sessions.db, table beaker_cache`.
    pub location: String,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How its payloads wrap the session, as Beaker writes them there.
    pub framing: Framing,
}

impl StoreInfo {
    /// Describes a store whose payloads are framed as [`Framing::Namespace`].
    #[must_use]
    pub const fn new(store_type: &'static str, location: String, capabilities: Capabilities) -> Self {
        Self { store_type, location, capabilities, framing: Framing::Namespace }
    }

    /// Sets how its payloads wrap the session.
    #[must_use]
    pub const fn with_framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }
}
