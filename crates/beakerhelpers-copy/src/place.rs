//! Where sessions are copied from, and where to.

use std::time::Duration;

use beakerhelpers_codec::Settings;
use beakerhelpers_core::{Result, SessionStore, StoreConfig, Zone};

/// A store, and what its site's configuration says about the sessions in it.
#[derive(Clone, Debug)]
pub struct Place<'s> {
    pub(crate) store: &'s dyn SessionStore,
    pub(crate) settings: Settings,
    pub(crate) timeout: Option<Duration>,
    pub(crate) zone: Zone,
}

impl<'s> Place<'s> {
    /// A store of a site that says nothing: sessions are pickled, not encrypted, and have no timeout.
    #[must_use]
    pub fn new(store: &'s dyn SessionStore) -> Self {
        Self { store, settings: Settings::new(), timeout: None, zone: Zone::LOCAL }
    }

    /// A store that was opened by this configuration.
    ///
    /// # Errors
    ///
    /// `Config` for a timeout, keys or a serializer that Beaker refuses.
    pub fn of(store: &'s dyn SessionStore, config: &StoreConfig) -> Result<Self> {
        Ok(Self { store, settings: Settings::from_config(config)?, timeout: config.timeout()?, zone: config.zone() })
    }

    /// Sets in which form the site writes its sessions.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets how long a session may be idle.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the zone of the local times in the store, [`Zone::LOCAL`] otherwise.
    #[must_use]
    pub const fn with_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }
}
