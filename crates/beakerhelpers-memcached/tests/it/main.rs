//! `ext:memcached` on real servers, and beside real Beaker.

mod answers;
mod beaker;
mod conformance;
mod pylibmc;
mod several;
mod support;
