//! Sessions in PostgreSQL, and in what speaks like it.

mod batches;
mod catalog;
mod check;
mod client;
mod connection;
mod errors;
mod indexes;
mod maintenance;
mod setup;
mod target;

pub(crate) use connection::PgClient;
pub(crate) use target::PgTarget;

/// 2000-01-01, from which PostgreSQL counts microseconds (`POSTGRES_EPOCH_JDATE` in its `timestamp.h`), since 1970.
pub(crate) const EPOCH: i64 = 946_684_800_000_000;
