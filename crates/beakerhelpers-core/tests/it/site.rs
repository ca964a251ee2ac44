//! A site's files in a directory of their own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use beakerhelpers_core::{Config, Error, StoreConfig};

#[derive(Debug)]
pub(crate) struct Site(tempfile::TempDir);

impl Site {
    /// Writes files, the first of which is the one to load.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = site.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        site
    }

    /// A site of one file, `prod.ini`.
    pub(crate) fn prod(text: impl AsRef<[u8]>) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        fs::write(site.path("prod.ini"), text).unwrap();
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn store(&self, name: &str) -> Result<StoreConfig, Error> {
        Config::load(&self.path(name))?.store("beaker.session")
    }

    pub(crate) fn error(&self, name: &str) -> String {
        let error = self.store(name).expect_err("it is wrong");
        assert_eq!(error.kind(), beakerhelpers_core::ErrorKind::Config);
        self.short(&error.report().to_string())
    }

    /// A text without the path of the directory.
    pub(crate) fn short(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "").replace(&self.0.path().display().to_string(), "HERE")
    }
}

pub(crate) fn options(config: &StoreConfig) -> BTreeMap<String, String> {
    config.names().map(|name| (name.to_owned(), config.get(name).unwrap_or_default().to_owned())).collect()
}
