//! PostgreSQL.

use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::Kind;

use super::{Dialect, ask};
use crate::bench::backend::Database;
use crate::run::Result;

#[derive(Debug)]
pub(super) struct Postgres;

impl Dialect for Postgres {
    fn database(&self) -> Database {
        Database::Postgresql
    }

    fn kind(&self) -> Kind {
        Kind::Postgres
    }

    fn scheme(&self) -> &'static str {
        "postgresql+psycopg2"
    }

    fn statement(&self) -> &'static str {
        "--command"
    }

    fn facts(&self) -> &'static str {
        "SELECT split_part(current_setting('server_version'), ' ', 1), \
         string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name DESC) FROM pg_settings \
         WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'shared_buffers', 'max_wal_size', 'autovacuum')"
    }

    fn create(&self, name: &str) -> String {
        format!("CREATE DATABASE {name} OWNER site")
    }

    fn copy(&self, from: &str, to: &str) -> Vec<String> {
        // The files as they are.
        vec![format!("CREATE DATABASE {to} OWNER site TEMPLATE {from}")]
    }

    fn drop(&self, name: &str) -> String {
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    }

    fn loaded(&self) -> &'static str {
        "VACUUM (ANALYZE) beaker_cache"
    }

    fn settle(&self, server: &Server) -> Result {
        ask(server, self, None, "CHECKPOINT").map(drop)
    }

    fn floor(&self) -> (&'static [&'static str], &'static str) {
        (&[], "COPY (SELECT namespace, accessed, data FROM beaker_cache ORDER BY accessed) TO STDOUT (FORMAT binary)")
    }
}
