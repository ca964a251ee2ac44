//! The subcommands on a store in memory that can do, and fail to do, what databases do.

mod archive;
mod pace;
mod place;
mod vacuum;
