//! session2's stores by the conformance suite, and with session3 itself.

mod directory;
mod durus;
mod shelve;
mod site;
mod tables;
