//! session2's stores by the conformance suite, and with session3 itself.

mod directory;
mod directory_cleanup;
#[cfg(unix)]
mod directory_unreadable;
mod durus;
mod shelve;
mod site;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod tables;
