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
#[cfg(any(feature = "postgres", feature = "mysql"))]
#[cfg_attr(
    not(all(feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "some of it is for the tests on one of them")
)]
mod servers;
mod setup;
mod support;
mod tables;
mod vacuum;
