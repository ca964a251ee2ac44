//! MariaDB.

use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::Kind;

use super::{Dialect, ask};
use crate::bench::backend::Database;
use crate::run::Result;

/// How many pages that are not yet written, and transactions whose rows are not yet purged, are as good as none: it has
/// some of its own.
const FEW: u64 = 100;
const LEFT: &str = "SELECT max(cast(variable_value AS unsigned)) FROM information_schema.global_status \
    WHERE variable_name IN ('Innodb_buffer_pool_pages_dirty', 'Innodb_history_list_length')";
/// Lets it write all that it has, and as fast as it can: left alone it would write 200 pages in a second.
const HURRY: &str = "SET GLOBAL innodb_io_capacity_max = 50000; SET GLOBAL innodb_io_capacity = 50000; \
    SET GLOBAL innodb_max_dirty_pages_pct = 0";
/// Asks for the statements that set this back.
const USUAL: &str = "SELECT concat('SET GLOBAL innodb_io_capacity = ', @@innodb_io_capacity, \
    '; SET GLOBAL innodb_io_capacity_max = ', @@innodb_io_capacity_max, \
    '; SET GLOBAL innodb_max_dirty_pages_pct = ', @@innodb_max_dirty_pages_pct)";
/// For so long it may write and purge.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct MariaDb;

impl Dialect for MariaDb {
    fn database(&self) -> Database {
        Database::Mariadb
    }

    fn kind(&self) -> Kind {
        Kind::MariaDb
    }

    fn scheme(&self) -> &'static str {
        "mysql+pymysql"
    }

    fn statement(&self) -> &'static str {
        "--execute"
    }

    fn facts(&self) -> &'static str {
        "SELECT version(), concat('innodb_flush_log_at_trx_commit ', @@innodb_flush_log_at_trx_commit), \
         concat('innodb_doublewrite ', if(@@innodb_doublewrite, 'on', 'off')), \
         concat('log_bin ', if(@@log_bin, 'on', 'off')), \
         concat('innodb_buffer_pool_size ', @@innodb_buffer_pool_size >> 20, 'M'), \
         concat('innodb_log_file_size ', @@innodb_log_file_size >> 20, 'M'), concat('isolation ', @@tx_isolation)"
    }

    fn create(&self, name: &str) -> String {
        format!("CREATE DATABASE {name}")
    }

    fn copy(&self, from: &str, to: &str) -> Vec<String> {
        vec![
            format!("CREATE DATABASE {to}"),
            format!("CREATE TABLE {to}.beaker_cache LIKE {from}.beaker_cache"),
            // As if it had been filled over time.
            format!("INSERT INTO {to}.beaker_cache SELECT * FROM {from}.beaker_cache ORDER BY id"),
            format!("ANALYZE TABLE {to}.beaker_cache"),
        ]
    }

    fn drop(&self, name: &str) -> String {
        format!("DROP DATABASE IF EXISTS {name}")
    }

    fn loaded(&self) -> &'static str {
        "ANALYZE TABLE beaker_cache"
    }

    fn settle(&self, server: &Server) -> Result {
        let usual = ask(server, self, None, USUAL)?;
        ask(server, self, None, HURRY)?;
        let settled = self.wait(server);
        ask(server, self, None, usual.trim())?;
        settled
    }

    fn floor(&self) -> (&'static [&'static str], &'static str) {
        (&["--quick"], "SELECT namespace, accessed, data FROM beaker_cache")
    }
}

impl MariaDb {
    /// Waits until it has written and purged nearly all.
    fn wait(&self, server: &Server) -> Result {
        let started = Instant::now();
        loop {
            let left = ask(server, self, None, LEFT)?;
            if left.trim().parse::<u64>().map_err(|error| format!("{left:?}: {error}"))? <= FEW {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("MariaDB takes too long to write and to purge: {} is left", left.trim()));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}
