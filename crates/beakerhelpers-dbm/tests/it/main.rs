//! The store on real files, and beside real Python.

mod beaker;
mod cleanup;
mod conformance;
mod files;
mod live;
mod recorded;
mod support;
