//! `ext:memcached` on real servers, and beside real Beaker.

mod answers;
mod beaker;
mod conformance;
mod several;
mod support;
