//! The SQLite store on real files.

mod conformance;
mod support;
