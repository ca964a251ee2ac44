//! Where a site keeps its sessions.

use std::path::{Path, PathBuf, absolute};

use beakerhelpers_core::{Access, Error, ErrorKind, Result, StoreConfig, escape_controls};

use crate::{Locks, Tree};

/// What differs between the store types that keep files.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Kind {
    /// The name of the type, `file`, as in `container_file`.
    pub name: &'static str,
    /// The option that names the folder of the sessions itself, `file_dir`.
    pub folder_option: &'static str,
}

impl Kind {
    /// `file`: `beaker/container.py`, `FileNamespaceManager`, 1.14.1.
    pub const FILE: Self = Self { name: "file", folder_option: "file_dir" };
    /// `dbm`: `beaker/container.py`, `DBMNamespaceManager`, 1.14.1.
    pub const DBM: Self = Self { name: "dbm", folder_option: "dbm_dir" };
}

/// Where a site keeps its sessions, and what it was opened for. Nothing is opened before the first call.
#[derive(Debug)]
pub struct Place {
    pub(crate) data: PathBuf,
    locks: Locks,
    access: Access,
    /// Where the configuration says so.
    origin: String,
    /// What to say where there is nothing: that it is elsewhere.
    elsewhere: Option<(PathBuf, String)>,
}

impl Place {
    /// Takes `data_dir`, or the kind's own `file_dir` or `dbm_dir` and `lock_dir`, which count more.
    ///
    /// # Errors
    ///
    /// `Config` where neither `data_dir` nor what replaces it is set.
    pub fn new(config: &StoreConfig, kind: Kind) -> Result<Self> {
        let data_dir = config.get("data_dir");
        let find =
            |option: &str, folder: String| match (config.get(option), data_dir) {
                (Some(own), _) => Ok(PathBuf::from(own)),
                (None, Some(data_dir)) => Ok(Path::new(data_dir).join(folder)),
                (None, None) => Err(config.require("data_dir").map(drop).expect_err("it is not set").with_hint(
                    format!("Beaker keeps sessions of the type `{}` below `{}.data_dir`", kind.name, config.prefix()),
                )),
            };
        let given = find(kind.folder_option, format!("container_{}", kind.name))?;
        let locks = find("lock_dir", format!("container_{}_lock", kind.name))?;
        let whole = |path: &Path| absolute(path).map_err(|_| Error::config("the path of the sessions is empty"));
        let option = if config.get(kind.folder_option).is_some() { kind.folder_option } else { "data_dir" };
        let elsewhere = config.base_dir().filter(|_| given.is_relative()).map(|base| {
            let hint = format!(
                "a relative path starts at the working directory, here as in Python; the folder stands beside the \
                 configuration, so write `{}.{option} = %(here)s/{}`",
                config.prefix(),
                escape_controls(config.get(option).unwrap_or_default())
            );
            (base.join(&given), hint)
        });
        let locks = Locks::new(whole(&locks)?, config.wait());
        let (data, access, origin) = (whole(&given)?, config.access(), config.origin(option));
        Ok(Self { data, locks, access, origin, elsewhere })
    }

    /// The folder of the sessions, for people.
    pub fn location(&self) -> String {
        escape_controls(&self.data.display().to_string()).into_owned()
    }

    /// The locks of the sessions.
    pub const fn locks(&self) -> &Locks {
        &self.locks
    }

    /// Opens the folder of the sessions.
    ///
    /// # Errors
    ///
    /// `NotSetUp` where it is not there; `PermissionDenied` and `Unavailable`.
    pub fn open(&self) -> Result<Tree> {
        let opened = Tree::open(&self.data).map_err(|error| error.with_context("at", self.origin.as_str()));
        opened?.ok_or_else(|| self.not_there())
    }

    /// An error that says where the sessions are, and where that is configured.
    pub(crate) fn named(&self, error: Error) -> Error {
        error.with_context("at", self.origin.as_str()).with_context("path", self.location())
    }

    fn not_there(&self) -> Error {
        let error = self.named(Error::new(ErrorKind::NotSetUp, "the folder of the sessions is not there"));
        match &self.elsewhere {
            Some((path, hint)) if path.is_dir() => error.with_hint(hint.as_str()),
            _ => error.with_hint("Beaker makes it for the first session; `beakerhelpers setup` makes it now"),
        }
    }

    /// Refuses to change a place that was opened to be read.
    ///
    /// # Errors
    ///
    /// `Unsupported`.
    pub fn refuse_to_write(&self) -> Result<()> {
        self.access.refuse_to_write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(options: &[(&str, &str)]) -> Result<(PathBuf, PathBuf)> {
        let config =
            options.iter().fold(StoreConfig::new("beaker.session"), |config, (name, value)| config.with(name, *value));
        let place = Place::new(&config, Kind::FILE)?;
        Ok((place.data.clone(), place.locks.root().to_owned()))
    }

    #[test]
    fn folders_are_where_beaker_has_them() {
        let paths = |one: &str, two: &str| (PathBuf::from(one), PathBuf::from(two));
        let cases: [(&[_], _); 4] = [
            (&[("data_dir", "/d")], paths("/d/container_file", "/d/container_file_lock")),
            (&[("data_dir", "/d"), ("lock_dir", "/l")], paths("/d/container_file", "/l")),
            (&[("data_dir", "/d"), ("file_dir", "/f")], paths("/f", "/d/container_file_lock")),
            (&[("file_dir", "/f"), ("lock_dir", "/l")], paths("/f", "/l")),
        ];
        for (options, expected) in cases {
            assert_eq!(place(options).expect("it is enough"), expected, "{options:?}");
        }
    }

    #[test]
    fn without_a_folder_it_says_what_to_set() {
        for options in [&[][..], &[("file_dir", "/f")], &[("lock_dir", "/l"), ("dbm_dir", "/f")]] {
            let error = place(options).expect_err("it is not enough");
            assert_eq!((error.kind(), error.message()), (ErrorKind::Config, "`beaker.session.data_dir` is not set"));
        }
    }
}
