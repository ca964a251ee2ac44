//! The suite.

mod server {
    use beakerhelpers_core::Framing;

    use crate::support::{Opened, config, open, server};

    fn fresh() -> Option<(impl Send + Sync, Opened, Opened)> {
        let database = server()?.create_database();
        let config = config(&database.url("redis"));
        Some((database, open(&config), open(&config)))
    }

    beakerhelpers_testkit::conformance!(fresh, Framing::Value);
}

mod cluster {
    use beakerhelpers_core::Framing;
    use beakerhelpers_testkit::servers::User;

    use crate::support::{Opened, Turn, cluster_config, open};

    fn fresh() -> Option<(Turn, Opened, Opened)> {
        let turn = Turn::take()?;
        let config = cluster_config(turn.cluster, User::SITE);
        Some((turn, open(&config), open(&config)))
    }

    beakerhelpers_testkit::conformance!(fresh, Framing::Value);
}

/// With real processes. A single server is tried so beside all other stores, by the program.
mod cluster_processes {
    use beakerhelpers_core::{Framing, StoreConfig};
    use beakerhelpers_testkit::servers::User;

    use crate::support::{Opened, Turn, open};

    fn place() -> Option<(Turn, String)> {
        let turn = Turn::take()?;
        let urls = turn.cluster.url(User::SITE);
        Some((turn, urls))
    }

    fn open_urls(urls: &str) -> Opened {
        let config = StoreConfig::new("beaker.session").with("type", "ext:rediscluster").with("urls", urls);
        open(&config.with("username", User::SITE.name).with("password", User::SITE.password))
    }

    beakerhelpers_testkit::process_conformance!(place, open_urls, Framing::Value);
}
