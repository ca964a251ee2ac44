//! The program as people meet it: through its command line, on what real Beaker wrote.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set its files up has failed")]

mod archive;
mod bad_config;
mod bad_store;
mod beaker;
mod classes;
mod cleanup;
mod console;
mod cookie;
mod copy;
mod dbm;
mod delete;
mod dispatcher;
mod files;
mod formats;
mod forms;
mod interrupted;
mod matrix;
mod memcached;
mod original;
mod processes;
mod read_only;
mod recorded;
mod redis;
mod run;
mod servers;
mod session2;
mod setup;
mod shop;
mod terminal;
mod zope;
