//! Configuration: from an ini file, or put together by a program.

mod find;
mod ini;
mod interpolate;
mod keys;
mod paste;
mod reader;
mod section;
mod store_config;

use std::path::Path;
use std::sync::Arc;

pub use store_config::{Access, StoreConfig};

use crate::Result;
use ini::Ini;

/// A paste.deploy file, such as the `prod.ini` of a site.
///
/// It is read as `PasteDeploy` 3.1 reads it, with three kindnesses: what is not needed for the session store is not
/// interpolated and so cannot fail, a byte order mark is skipped, and keys that are not in the section that
/// BeakerHelpers 0.1 looked at are searched for, see [`Config::store`].
#[derive(Clone, Debug)]
pub struct Config {
    file: Arc<Ini>,
    section: Option<String>,
}

impl Config {
    /// Reads a file. `prod.ini#name` picks the section of that name, `[app:name]` for example, where there is no file
    /// that is really called so.
    ///
    /// # Errors
    ///
    /// `Config` where the file is missing, unreadable, a directory, larger than 16 MiB, not text in UTF-8, or not an
    /// ini file in Python's sense: a key outside of any section, one without `=`, a section or a key given twice.
    pub fn load(path: &Path) -> Result<Self> {
        let split = path.to_str().filter(|_| !path.exists()).and_then(|text| text.rsplit_once('#'));
        let (path, section) = match split {
            Some((path, section)) => (Path::new(path), Some(section.trim().to_owned()).filter(|name| !name.is_empty())),
            None => (path, None),
        };
        Ok(Self { file: Arc::new(Ini::load(path)?), section })
    }

    /// Collects the options of the store whose keys start with `prefix` and a dot.
    ///
    /// The section is `[app:main]` or one of its other spellings, as BeakerHelpers 0.1 found it, or the one that was
    /// picked; `use`, `set` and `get` work as in `PasteDeploy`. If it has no such keys, these are looked at in turn,
    /// and a [notice](StoreConfig::notices) names the one that was used: the applications that it leads to (the last
    /// name of a pipeline, `next`, the values of a composite), the filters that are Beaker's session middleware, and
    /// the only application of the file that has such keys.
    ///
    /// With the prefix `beaker.session`, a section without such keys is searched for `session.` keys, and a filter for
    /// bare ones, as Beaker does (`beaker/middleware.py`, `SessionMiddleware`, 1.14.1).
    ///
    /// # Errors
    ///
    /// `Config` where there is no such section, or several; where no section has such keys, or several that differ;
    /// where what is needed cannot be interpolated; and where a file that is included cannot be read.
    pub fn store(&self, prefix: &str) -> Result<StoreConfig> {
        find::find(&self.file, self.section.as_deref(), prefix)
    }
}
