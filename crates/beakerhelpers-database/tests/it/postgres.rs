//! PostgreSQL, on real servers.

mod beaker;
mod cleanup;
mod conformance;
mod connecting;
mod faults;
mod setup;
mod tables;
