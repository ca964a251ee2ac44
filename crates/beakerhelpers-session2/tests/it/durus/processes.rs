//! Durus's server, used by several processes at once.

use beakerhelpers_core::{Framing, SessionStore, SetupMode, StoreConfig};
use beakerhelpers_testkit::{Python, scratch};
use tempfile::TempDir;

use super::opened;
use super::server::Server;

fn place() -> Option<((Server, TempDir), String)> {
    let python = Python::current()?;
    let folder = scratch();
    let server = Server::start(&python, &folder.path().join("shop.durus"));
    server.store().setup(SetupMode::IfMissing).expect("it is set up");
    let address = server.place();
    Some(((server, folder), address))
}

fn open(address: &str) -> Box<dyn SessionStore> {
    let (host, port) = address.split_once(':').expect("a host and a port");
    opened(StoreConfig::new("quixote").with("host", host).with("port", port))
}

beakerhelpers_testkit::process_conformance!(place, open, Framing::Object);
