#![doc = include_str!("../README.md")]

mod directory;
mod paths;

use beakerhelpers_core::{OptionSpec, StoreType, package, register_store};

/// The store type `session2:directory`: a file for each session (`session2/store/DirectorySessionStore.py`, 0.6).
pub static DIRECTORY: StoreType =
    StoreType::new("session2:directory", "sessions of Quixote in files (session2)", directory::open, package!())
        .with_options(&[OptionSpec::new("directory", "where the files are, one for each session")])
        .with_capabilities(directory::CAPABILITIES);
register_store!(DIRECTORY);
