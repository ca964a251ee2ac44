//! From arguments to a store.

use std::path::PathBuf;
use std::time::Duration;

use super::clap;
use crate::{Access, Config, Error, Registry, Result, SessionStore, StoreConfig, Zone};

/// The arguments that every command on a store shares.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct StoreArgs {
    /// The paste.deploy file of the site; `prod.ini#name` picks the section of that name
    #[arg(value_name = "PROJECT.INI", value_hint = clap::ValueHint::FilePath)]
    pub config: PathBuf,

    /// The prefix of the session keys in the file
    #[arg(short, long, default_value = DEFAULT_PREFIX, value_name = "PREFIX", help_heading = "Store")]
    pub prefix: String,

    /// The zone of the host that runs the application: `local`, a name such as `Europe/Vilnius`, or `+02:00`
    #[arg(
        long,
        default_value = "local",
        value_name = "ZONE",
        value_parser = Zone::parse,
        allow_hyphen_values = true,
        help_heading = "Store"
    )]
    pub time_zone: Zone,

    /// How long to wait for a store that is busy
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = crate::parse_timeout, help_heading = "Store")]
    pub wait: Duration,
}

/// The prefix of the session keys where none is given, as in Beaker.
pub const DEFAULT_PREFIX: &str = "beaker.session";

/// A store and the configuration that it was opened by.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The store.
    pub store: Box<dyn SessionStore>,
    /// Its configuration.
    pub config: StoreConfig,
}

impl Opened {
    /// Refuses a store that is nowhere but in the application, or in browsers: what was put there would be gone, and
    /// nothing is there to be seen.
    ///
    /// # Errors
    ///
    /// `Config` for the store types `memory` and `cookie`.
    pub fn refuse_elsewhere(&self) -> Result<()> {
        let store_type = self.store.info().store_type;
        let why = match store_type {
            "memory" => "in the application's own process, where no other program can see them or put them",
            "cookie" => "in its visitors' cookies: nothing is stored anywhere else",
            _ => return Ok(()),
        };
        Err(Error::config(format!("a site with the store type `{store_type}` keeps its sessions {why}")))
    }
}

impl StoreArgs {
    /// The arguments of a command that has two stores, whose options have names of their own.
    #[must_use]
    pub const fn new(config: PathBuf, prefix: String, time_zone: Zone, wait: Duration) -> Self {
        Self { config, prefix, time_zone, wait }
    }

    /// Opens the store that the arguments describe. What looks like a misspelt option becomes one of the configuration's
    /// [notices](StoreConfig::notices).
    ///
    /// # Errors
    ///
    /// What is wrong with the file, or what the store says.
    pub fn open(&self, registry: &Registry, access: Access) -> Result<Opened> {
        let config = Config::load(&self.config)?
            .store(&self.prefix)?
            .with_access(access)
            .with_zone(self.time_zone)
            .with_wait(self.wait);
        let config = registry.notices(&config).into_iter().fold(config, StoreConfig::with_notice);
        Ok(Opened { store: registry.open(&config)?, config })
    }
}
