//! `session2:shelve`.

mod files;
mod hostile;
mod live;
mod python;

use std::path::Path;

use beakerhelpers_core::{ErrorKind, Framing, Registry, SessionId, SessionStore, SetupMode, StoreConfig};
use beakerhelpers_session2::SHELVE;
use beakerhelpers_testkit::scratch;
use tempfile::TempDir;

/// A store of a shelve of this name; a new one is made in this format.
fn opened(name: &Path, format: &str) -> Box<dyn SessionStore> {
    open(&config(name).with("dbm_format", format))
}

fn open(config: &StoreConfig) -> Box<dyn SessionStore> {
    Registry::default().with_store(&SHELVE).open(config).expect("it can be named")
}

fn config(name: &Path) -> StoreConfig {
    let config = StoreConfig::new("quixote").with("type", SHELVE.name);
    config.with("filename", name.to_str().expect("a simple name"))
}

type Opened = (TempDir, Box<dyn SessionStore>, Box<dyn SessionStore>);

fn bare(format: &str) -> Opened {
    let place = scratch();
    let name = place.path().join("shop");
    (place, opened(&name, format), opened(&name, format))
}

fn ready(format: &str) -> Opened {
    let (place, store, other) = bare(format);
    store.setup(SetupMode::IfMissing).expect("it is made");
    (place, store, other)
}

/// The contract of stores, in a format.
macro_rules! contract {
    ($module:ident) => {
        mod $module {
            use super::*;

            fn opened() -> Opened {
                ready(stringify!($module))
            }
            beakerhelpers_testkit::conformance!(opened, Framing::Object);

            mod not_set_up {
                use super::*;

                fn opened() -> Opened {
                    bare(stringify!($module))
                }
                beakerhelpers_testkit::bare_conformance!(opened, Framing::Object);
            }
        }
    };
}

contract!(dumb);
contract!(gnu);
contract!(ndbm);
#[cfg(feature = "sqlite")]
contract!(sqlite3);

#[test]
fn other_files_are_told() {
    let place = tempfile::tempdir().expect("a temporary directory");
    for suffix in ["", ".db", ".pag", ".dat", ".dir"] {
        let name = place.path().join(format!("other{suffix}"));
        std::fs::write(&name, "x").expect("it is written");
        let error = opened(&place.path().join("other"), "dumb").has(&SessionId::new("a")).expect_err("it is none");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        std::fs::remove_file(&name).expect("it is there");
    }
}

#[test]
fn a_format_that_there_is_not_is_refused() {
    let config = config("shop".as_ref()).with("dbm_format", "bsddb");
    let error = Registry::default().with_store(&SHELVE).open(&config).expect_err("there is none");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.hint(), Some("choose one of `dumb`, `gnu`, `ndbm`, `sqlite3`"));
}
