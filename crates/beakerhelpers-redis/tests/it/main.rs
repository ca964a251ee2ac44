//! Sessions in Redis: the suite, and what is particular about it.

mod beaker;
mod conformance;
mod encrypted;
mod faults;
mod limits;
mod logins;
mod permissions;
mod support;
