//! Throwaway servers: PostgreSQL, MariaDB, memcached and Redis on a free port of the loopback interface, with a data folder, a
//! folder for sockets and certificates of their own.
//!
//! `cargo xtask test` starts one of each kind for all tests and tells them by the environment: [`server!`](crate::server).
//! A test that stops, kills or loads its server starts one of its own: [`own_server!`](crate::own_server). Whatever
//! becomes of the process that started it, its server ends with it.

mod account;
mod certificates;
mod cluster;
mod database;
mod home;
mod instance;
mod mariadb;
mod memcached;
mod postgres;
mod process;
mod program;
mod redis;
mod server;
mod template;
mod url;
mod users;

pub use certificates::Certificates;
pub use cluster::Cluster;
pub use database::Database;
pub use home::Home;
pub use server::Server;
pub use url::Via;
pub use users::User;

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// PostgreSQL, the newest version that is installed.
    Postgres,
    /// MariaDB.
    MariaDb,
    /// memcached, which has neither databases nor users, and takes items of 16 MiB.
    Memcached,
    /// Redis, which runs by itself.
    Redis,
    /// A node of a [`Cluster`] of Redis: never shared.
    RedisNode,
    /// The same in a cluster that takes encrypted connections alone.
    RedisTlsNode,
}

impl Kind {
    /// Every kind that tests share.
    pub const ALL: [Self; 4] = [Self::Postgres, Self::MariaDb, Self::Memcached, Self::Redis];
    /// Those that speak SQL.
    pub const SQL: [Self; 2] = [Self::Postgres, Self::MariaDb];

    /// The name that people know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::Memcached => "memcached",
            Self::Redis => "Redis",
            Self::RedisNode | Self::RedisTlsNode => "a node of Redis",
        }
    }

    /// Whether its programs are installed.
    ///
    /// # Errors
    ///
    /// Says what is missing.
    pub fn find(self) -> std::io::Result<()> {
        self.program().version().map(drop)
    }

    fn program(self) -> &'static dyn program::Program {
        match self {
            Self::Postgres => &postgres::Postgres,
            Self::MariaDb => &mariadb::MariaDb,
            Self::Memcached => &memcached::Memcached,
            Self::Redis => &redis::Redis,
            Self::RedisNode => &redis::Node { encrypted: false },
            Self::RedisTlsNode => &redis::Node { encrypted: true },
        }
    }
}

/// What a server does so that its data survive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: it never waits for the disk, and its memory is small. Data survive a crash of the server itself. For
    /// tests.
    None,
    /// What Debian's packages do by default, but with 512 MB of memory for pages, as a site gives it. For measurements.
    Default,
}
