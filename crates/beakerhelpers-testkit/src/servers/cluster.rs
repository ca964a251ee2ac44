//! A cluster of Redis.

use std::thread;
use std::time::{Duration, Instant};

use super::process::PATIENCE;
use super::{Kind, Server, User, Via};

/// How many keys' slots there are.
const SLOTS: usize = 16_384;

/// Three masters of Redis that share the keys, without replicas. It is a test's own: there are no databases in a
/// cluster.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    /// Starts one. Skips and fails as [`Server::shared`] does. Panics where it does not come together.
    pub fn own() -> Option<Self> {
        Self::of(Kind::RedisNode)
    }

    /// Starts one that takes encrypted connections alone, to which each node shows its [`Certificates`](super::Certificates).
    /// As [`own`](Self::own).
    pub fn own_encrypted() -> Option<Self> {
        Self::of(Kind::RedisTlsNode)
    }

    fn of(kind: Kind) -> Option<Self> {
        let nodes = (0..3).map(|_| Server::own(kind)).collect::<Option<Vec<_>>>()?;
        let cluster = Self { nodes };
        cluster.join();
        Some(cluster)
    }

    /// The masters.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// The URLs of all nodes over TCP, `redis` or `rediss`, for somebody, as Beaker's `ext:rediscluster` takes them: with commas between,
    /// and without a database.
    pub fn url(&self, user: User) -> String {
        let scheme = |node: &Server| if node.kind() == Kind::RedisTlsNode { "rediss" } else { "redis" };
        let urls: Vec<_> = self.nodes.iter().map(|node| node.url(scheme(node), user, "", Via::Tcp)).collect();
        urls.iter().map(|url| url.trim_end_matches('/')).collect::<Vec<_>>().join(",")
    }

    /// Runs a command as [`User::ADMIN`] on every node, one after another.
    pub fn run(&self, command: &str) -> Vec<String> {
        self.nodes.iter().map(|node| node.run(None, command)).collect()
    }

    fn join(&self) {
        let share = SLOTS.div_ceil(self.nodes.len());
        for (n, node) in self.nodes.iter().enumerate() {
            node.run(None, &format!("CLUSTER ADDSLOTSRANGE {} {}\n", n * share, SLOTS.min((n + 1) * share) - 1));
            // Each needs a number of its own before they meet.
            node.run(None, &format!("CLUSTER SET-CONFIG-EPOCH {}\n", n + 1));
        }
        let (first, rest) = self.nodes.split_first().expect("there are three");
        for node in rest {
            first.run(None, &format!("CLUSTER MEET 127.0.0.1 {} {}\n", node.port(), node.tls_port()));
        }
        let began = Instant::now();
        while !self.is_whole() {
            assert!(began.elapsed() < PATIENCE, "the cluster does not come together");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_whole(&self) -> bool {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        self.run("CLUSTER INFO\n").iter().all(|info| info.contains("cluster_state:ok") && info.contains(&known))
    }
}
