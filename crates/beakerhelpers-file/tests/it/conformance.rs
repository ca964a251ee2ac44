//! The contract of every store.

use beakerhelpers_core::{SessionStore, SetupMode, StoreConfig};
use beakerhelpers_file::FileStore;
use tempfile::TempDir;

fn bare() -> (TempDir, FileStore, FileStore) {
    let folder = beakerhelpers_testkit::scratch();
    let data = folder.path().join("data").display().to_string();
    let config = StoreConfig::new("beaker.session").with("type", "file").with("data_dir", data);
    let open = || FileStore::new(&config).expect("it says where");
    let (one, two) = (open(), open());
    (folder, one, two)
}

fn fresh() -> (TempDir, FileStore, FileStore) {
    let (folder, one, two) = bare();
    one.setup(SetupMode::IfMissing).expect("there is room");
    (folder, one, two)
}

mod set_up {
    beakerhelpers_testkit::conformance!(super::fresh);
}

mod before_setup {
    beakerhelpers_testkit::bare_conformance!(super::bare);
}
