//! The store on real files, beside real Beaker.

mod beaker;
mod cleanup;
mod conformance;
mod hostile;
mod live;
mod locks;
mod offline;
mod support;
