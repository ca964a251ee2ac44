//! Sessions in PostgreSQL, and what speaks like it.

mod connection;
mod target;

pub(crate) use connection::PgClient;
pub(crate) use target::PgTarget;

/// 2000-01-01, from which PostgreSQL counts microseconds (`POSTGRES_EPOCH_JDATE` in its `timestamp.h`), since 1970.
pub(crate) const EPOCH: i64 = 946_684_800_000_000;
