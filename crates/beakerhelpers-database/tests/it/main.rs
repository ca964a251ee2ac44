//! The SQLite store on real files.

mod child;
mod cleanup;
mod conformance;
mod journals;
mod locks;
mod rows;
mod support;
mod tables;
mod vacuum;
