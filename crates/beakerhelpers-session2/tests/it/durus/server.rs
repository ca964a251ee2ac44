//! Durus's own server.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};

use beakerhelpers_core::{SessionStore, StoreConfig};
use beakerhelpers_testkit::Python;

use super::{opened, shown};

/// Durus's own server, which ends with this.
pub(super) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    pub(super) fn start(python: &Python, file: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
        let mut command = python.command();
        command.args(["-m", "durus", "-s", "--logginglevel", "20", "--file", shown(file), "--port", &port.to_string()]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("Python starts");
        let mut log = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut line = String::new();
        while !line.contains("Ready on") {
            line.clear();
            assert!(log.read_line(&mut line).expect("the server says something") > 0, "the server ended");
        }
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, port }
    }

    pub(super) fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn store(&self) -> Box<dyn SessionStore> {
        opened(StoreConfig::new("quixote").with("port", self.port.to_string()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
