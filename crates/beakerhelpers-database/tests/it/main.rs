//! The SQLite store on real files.

mod check;
mod child;
mod cleanup;
mod conformance;
mod journals;
mod locks;
mod rows;
mod setup;
mod support;
mod tables;
mod vacuum;
