//! MySQL's store, on real MariaDB servers.

mod beaker;
mod cleanup;
mod conformance;
mod connecting;
mod faults;
mod locks;
mod setup;
mod tables;
