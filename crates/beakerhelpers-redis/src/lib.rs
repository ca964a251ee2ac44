#![doc = include_str!("../README.md")]

mod cleanup;
mod cluster;
mod connection;
mod failure;
mod keys;
mod listing;
mod node;
mod pipeline;
mod place;
mod seen;
mod server;
mod store;
mod walk;
mod watched;
mod wire;

use beakerhelpers_core::{
    Capabilities, OptionSpec, Result, SessionStore, StoreConfig, StoreType, package, register_store,
};

/// The store type `ext:redis`: one server of Redis, or of what speaks its language.
pub static REDIS: StoreType = StoreType::new("ext:redis", "sessions in Redis", open_redis, package!())
    .with_options(&[OptionSpec::secret("url", "`redis://user:password@host:6379/0`, `rediss://…` or `unix://…`")])
    .with_capabilities(CAPABILITIES);
register_store!(REDIS);

/// The store type `ext:rediscluster`: the masters of a cluster of Redis.
pub static CLUSTER: StoreType =
    StoreType::new("ext:rediscluster", "sessions in a cluster of Redis", open_cluster, package!())
        .with_options(&[
            OptionSpec::secret("urls", "some of the nodes: `redis://node-1:7001,redis://node-2:7002`"),
            OptionSpec::new("username", "whom to log in as; the default user otherwise"),
            OptionSpec::secret("password", "the password to log in with"),
            OptionSpec::new("ssl", "whether connections are encrypted"),
            OptionSpec::new("ssl_ca_certs", "file of the authorities to trust; the system's otherwise"),
            OptionSpec::new("ssl_cert_reqs", "`none` trusts any server"),
            OptionSpec::new("ssl_check_hostname", "whether the certificate must name the host"),
            OptionSpec::new("ssl_certfile", "file of the certificate to show"),
            OptionSpec::new("ssl_keyfile", "file of its key"),
        ])
        .with_capabilities(CAPABILITIES);
register_store!(CLUSTER);

const CAPABILITIES: Capabilities = Capabilities::NONE
    .with_iter(true)
    .with_delete_old(true)
    .with_archive(true)
    .with_expiry(true)
    .with_multiprocess_safe(true);

fn open_redis(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    Ok(Box::new(store::RedisStore::open(&REDIS, place::Place::of_server(config)?, config)?))
}

fn open_cluster(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    Ok(Box::new(store::RedisStore::open(&CLUSTER, place::Place::of_cluster(config)?, config)?))
}
