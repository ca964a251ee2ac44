//! The subcommands on a store in memory that can do, and fail to do, what databases do.
#![expect(clippy::unwrap_used, reason = "a test that cannot set its files up has failed")]

mod archive;
mod offline;
mod pace;
mod place;
mod vacuum;
