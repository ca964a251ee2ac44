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
