//! Sites that are on servers, as those meet it who run them.
#![expect(clippy::print_stdout, reason = "a test that fails says in which database")]

mod archives;
pub(crate) mod child;
mod commands;
mod faults;
mod live;
mod logins;
mod others;
pub(crate) mod place;
mod replicas;
mod signals;
