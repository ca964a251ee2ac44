#![doc = include_str!("../README.md")]

mod address;
mod cleanup;
mod connection;
mod key;
mod listing;
mod records;
mod server;
mod store;
mod value;

use beakerhelpers_core::{
    Capabilities, Error, OptionSpec, Result, SessionStore, StoreConfig, StoreType, escape_controls, package,
    register_store,
};

use crate::store::{Memcached, Spread};
use crate::value::TextFlag;

/// The store type `ext:memcached`.
pub static MEMCACHED: StoreType = StoreType::new("ext:memcached", "sessions in memcached", open, package!())
    .with_options(OPTIONS)
    .with_capabilities(CAPABILITIES);
register_store!(MEMCACHED);

const CAPABILITIES: Capabilities = Capabilities::NONE
    .with_iter(true)
    .with_delete_old(true)
    .with_archive(true)
    .with_expiry(true)
    .with_multiprocess_safe(true);

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("url", "the servers: `10.0.0.1:11211;10.0.0.2:11211`, `unix:/run/memcached.sock`"),
    OptionSpec::new("memcache_module", "the client library: `memcache`, `bmemcached`, `pylibmc`; `auto` otherwise"),
    OptionSpec::new("protocol", "`text`; Beaker up to 1.13 could have pylibmc speak `binary`"),
    OptionSpec::new("username", "of pylibmc's binary protocol, which cannot be used here"),
    OptionSpec::secret("password", "of the same"),
];

fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    let servers = address::servers(config)?;
    // How the library spreads sessions over servers, and how it marks text; for `auto`, Beaker takes the first that it
    // finds, python-memcached before python-binary-memcached (`beaker/ext/memcached.py`, 1.14.1).
    let (spread, text) = match config.get("memcache_module") {
        None | Some("auto") => (Spread::Hashed, None),
        Some("memcache" | "cmemcache") => (Spread::Hashed, Some(TextFlag::Sixteen)),
        Some("bmemcached") => (Spread::Copied, Some(TextFlag::None)),
        Some("pylibmc") => (Spread::Unknown, Some(TextFlag::Sixteen)),
        Some(other) => {
            return Err(Error::config(format!("Beaker knows no client library `{}`", escape_controls(other)))
                .with_context("at", config.origin("memcache_module"))
                .with_hint("it knows `auto`, `memcache`, `cmemcache`, `bmemcached`, and up to 1.13 `pylibmc`"));
        }
    };
    if config.get("username").is_some() {
        return Err(Error::unsupported(
            "a memcached that asks for a password speaks only the binary protocol, which this program does not",
        )
        .with_context("at", config.origin("username")));
    }
    Ok(Box::new(Memcached::new(servers, spread, text, config)))
}
