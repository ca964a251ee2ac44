//! The SQLite store on real files.

mod check;
mod child;
mod cleanup;
mod conformance;
mod journals;
mod locks;
#[cfg(feature = "mysql")]
mod mysql;
mod rows;
mod setup;
mod support;
mod tables;
mod vacuum;
