//! The options of one store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Error, Result, Zone, escape_controls};

/// The options of one store, such as all `beaker.session.*` keys of a section, without the prefix.
///
/// Values may be secrets, so `Debug` shows names only.
#[derive(Clone)]
pub struct StoreConfig {
    prefix: String,
    options: Vec<StoreOption>,
    /// What they were read from: `[app:main] of prod.ini`.
    source: Option<String>,
    base_dir: Option<PathBuf>,
    notices: Vec<String>,
    access: Access,
    zone: Zone,
    wait: Duration,
}

#[derive(Clone)]
pub(super) struct StoreOption {
    pub(super) name: String,
    pub(super) value: String,
    /// Where it was read and under which key: "prod.ini:12, `beaker.session.url`".
    pub(super) origin: Option<String>,
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Nothing is written, created or repaired.
    ReadOnly,
    /// Records are saved and deleted. A store that is not there is an error all the same.
    ReadWrite,
}

impl Access {
    /// What a store asks before it changes anything.
    ///
    /// # Errors
    ///
    /// `Unsupported` where it was opened for reading only.
    pub fn refuse_to_write(self) -> Result<()> {
        match self {
            Self::ReadOnly => Err(Error::unsupported("the store was opened for reading only")),
            Self::ReadWrite => Ok(()),
        }
    }
}

impl StoreConfig {
    /// An empty configuration whose messages speak of `<prefix>.url` and so on.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            options: Vec::new(),
            source: None,
            base_dir: None,
            notices: Vec::new(),
            access: Access::ReadWrite,
            zone: Zone::LOCAL,
            wait: Duration::from_secs(5),
        }
    }

    /// Sets an option, replacing one of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.options.retain(|option| option.name != name);
        self.options.push(StoreOption { name: name.to_owned(), value: value.into(), origin: None });
        self
    }

    /// What was read from a file. The names differ.
    pub(super) fn read(prefix: &str, options: Vec<StoreOption>, source: String, base_dir: PathBuf) -> Self {
        Self { options, source: Some(source), base_dir: Some(base_dir), ..Self::new(prefix) }
    }

    /// Sets what the store is opened for; [`Access::ReadWrite`] otherwise.
    #[must_use]
    pub const fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets the zone of the local times in the store; [`Zone::LOCAL`] otherwise.
    #[must_use]
    pub const fn with_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// Sets how long to wait for a store that is busy; 5 seconds otherwise, as Python's drivers do.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    pub(super) fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Whether two configurations describe the same store with the same options.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let options = |config: &Self| {
            config
                .options
                .iter()
                .map(|option| (&*option.name, &*option.value))
                .eq(other.options.iter().map(|option| (&*option.name, &*option.value)))
        };
        self.prefix == other.prefix && options(self)
    }

    pub(crate) fn with_notice(mut self, notice: String) -> Self {
        self.notices.push(notice);
        self
    }

    /// The prefix of the keys, without the last dot.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the store is opened for.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// The zone of the local times in the store.
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// How long to wait for a store that is busy.
    pub const fn wait(&self) -> Duration {
        self.wait
    }

    /// The directory of the file that the options were read from, of the one that holds the URL if there are several:
    /// what `%(here)s` stands for there. `None` where no file was read.
    pub fn base_dir(&self) -> Option<&Path> {
        self.base_dir.as_deref()
    }

    /// What the user should know of how the options were found, a sentence each.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        self.notices.iter().map(String::as_str)
    }

    /// The names of the options that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(|option| option.name.as_str())
    }

    /// The value of an option, trimmed; `None` where it is not set or blank.
    ///
    /// Where there is no `url`, `sa.url` is it: Beaker accepts both (`beaker/ext/database.py`, 1.14.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|option| option.value.trim())
    }

    fn find(&self, name: &str) -> Option<&StoreOption> {
        let set = |name| self.options.iter().find(|option| option.name == name && !option.value.trim().is_empty());
        set(name).or_else(|| (name == "url").then(|| set("sa.url")).flatten())
    }

    /// The value of an option that the store cannot do without.
    ///
    /// # Errors
    ///
    /// `Config`, naming the key, where it is not set or blank.
    pub fn require(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            let error = Error::config(format!("`{}.{name}` is not set", self.prefix));
            match &self.source {
                Some(source) => error.with_context("in", source.as_str()),
                None => error,
            }
        })
    }

    /// Where an option comes from, for the context of an error: "prod.ini:12, `beaker.session.url`".
    pub fn origin(&self, name: &str) -> String {
        let read = self.find(name).or_else(|| self.options.iter().find(|option| option.name == name));
        read.and_then(|option| option.origin.clone()).unwrap_or_else(|| format!("`{}.{name}`", self.prefix))
    }

    /// The type of the store: `type`, else `file` where there is a `data_dir` and no `url`, as in Beaker
    /// (`beaker/session.py`, `Session.__init__`, 1.14.1), else `ext:database`, which the original assumed.
    pub fn store_type(&self) -> &str {
        let fallback = || match (self.get("data_dir"), self.get("url")) {
            (Some(_), None) => "file",
            _ => "ext:database",
        };
        self.get("type").unwrap_or_else(fallback)
    }

    /// The idle timeout of the site: `timeout`, a bare number of seconds; `None` where sessions never time out.
    ///
    /// # Errors
    ///
    /// `Config` for anything but decimal digits, as in Beaker (`beaker/util.py`, `coerce_session_params`, 1.14.1).
    pub fn timeout(&self) -> Result<Option<Duration>> {
        let Some(text) = self.get("timeout") else { return Ok(None) };
        let secs = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        secs.map(|secs| Some(Duration::from_secs(secs))).ok_or_else(|| {
            Error::config(format!(
                "the session timeout must be a whole number of seconds, not `{}`",
                escape_controls(text)
            ))
            .with_context("at", self.origin("timeout"))
        })
    }

    /// Whether reading a session moves its access time: `save_accessed_time`, true unless it says otherwise.
    pub fn saves_accessed_time(&self) -> bool {
        let says_no = |text: &str| ["false", "no", "off", "n", "f", "0"].iter().any(|no| text.eq_ignore_ascii_case(no));
        !self.get("save_accessed_time").is_some_and(says_no)
    }
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().collect();
        f.debug_struct("StoreConfig").field("prefix", &self.prefix).field("options", &names).finish_non_exhaustive()
    }
}
