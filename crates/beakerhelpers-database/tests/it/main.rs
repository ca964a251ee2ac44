//! The stores on real files and real servers.

mod check;
mod child;
mod cleanup;
mod conformance;
mod journals;
mod locks;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod setup;
mod support;
mod tables;
mod vacuum;
