//! Plugins, found at link time.

use std::collections::BTreeMap;

use crate::{Error, Result, SessionStore, StoreConfig, escape_controls};

#[cfg(feature = "command")]
use crate::Command;

/// The crate that a plugin comes from; [`package!`](crate::package) fills it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// The name of the crate.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Package {
    /// Names a crate.
    #[must_use]
    pub const fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version }
    }
}

/// The [`Package`] of the crate in which it stands.
#[macro_export]
macro_rules! package {
    () => {
        $crate::Package::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
    };
}

/// Opens a store by its configuration.
pub type OpenStore = fn(&StoreConfig) -> Result<Box<dyn SessionStore>>;

/// A registered kind of store: a value of `beaker.session.type`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreType {
    /// The value of `<prefix>.type`.
    pub name: &'static str,
    /// One line for people, without a full stop.
    pub summary: &'static str,
    /// Opens a store of this type.
    pub open: OpenStore,
    /// Where it comes from.
    pub package: Package,
    /// The options that it reads, `type` and `timeout` apart.
    pub options: &'static [OptionSpec],
    /// What its stores can do.
    pub capabilities: crate::Capabilities,
    /// What everybody should know who opens one, a sentence.
    pub notice: Option<&'static str>,
}

impl StoreType {
    /// Describes a kind of store without options and capabilities.
    #[must_use]
    pub const fn new(name: &'static str, summary: &'static str, open: OpenStore, package: Package) -> Self {
        Self { name, summary, open, package, options: &[], capabilities: crate::Capabilities::NONE, notice: None }
    }

    /// Sets the options that it reads.
    #[must_use]
    pub const fn with_options(mut self, options: &'static [OptionSpec]) -> Self {
        self.options = options;
        self
    }

    /// Sets what everybody should know who opens one, a sentence: it becomes one of the
    /// [notices](Registry::notices).
    #[must_use]
    pub const fn with_notice(mut self, notice: &'static str) -> Self {
        self.notice = Some(notice);
        self
    }

    /// Sets what its stores can do.
    #[must_use]
    pub const fn with_capabilities(mut self, capabilities: crate::Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }
}

/// An option of a store type, for the reference and for what must not be shown.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OptionSpec {
    /// Its name without prefix.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

impl OptionSpec {
    /// An option whose value may be shown.
    #[must_use]
    pub const fn new(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, secret: false }
    }

    /// An option whose value must never be shown.
    #[must_use]
    pub const fn secret(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, secret: true }
    }
}

/// The plugins that a program knows.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    stores: Vec<&'static StoreType>,
    #[cfg(feature = "command")]
    commands: Vec<&'static Command>,
}

impl Registry {
    /// Every plugin that was linked into this program, sorted by name.
    ///
    /// # Errors
    ///
    /// `Config` where two crates registered the same name; the message names both.
    pub fn linked() -> Result<Self> {
        let mut registry = Self::default();
        for LinkedStore(store) in inventory::iter::<LinkedStore> {
            registry = registry.with_store(store);
        }
        #[cfg(feature = "command")]
        for crate::command::LinkedCommand(command) in inventory::iter::<crate::command::LinkedCommand> {
            registry = registry.with_command(command);
        }
        registry.stores.sort_by_key(|store| (store.name, store.package.name));
        #[cfg(feature = "command")]
        registry.commands.sort_by_key(|command| (command.name, command.package.name));
        registry.check()?;
        Ok(registry)
    }

    /// Makes sure that every name means one plugin.
    ///
    /// # Errors
    ///
    /// `Config` where two crates registered the same name; the message names both.
    pub fn check(&self) -> Result<()> {
        refuse_twins("store type", self.stores.iter().map(|store| (store.name, store.package)))?;
        #[cfg(feature = "command")]
        refuse_twins("command", self.commands.iter().map(|command| (command.name, command.package)))?;
        Ok(())
    }

    /// Adds a store type, for programs that do without discovery at link time. Two of the same name are refused by
    /// [`check`](Self::check) and by [`open`](Self::open).
    #[must_use]
    pub fn with_store(mut self, store: &'static StoreType) -> Self {
        self.stores.push(store);
        self
    }

    /// Adds a command, for programs that do without discovery at link time. Two of the same name are refused by
    /// [`check`](Self::check) and by [`open`](Self::open).
    #[cfg(feature = "command")]
    #[must_use]
    pub fn with_command(mut self, command: &'static Command) -> Self {
        self.commands.push(command);
        self
    }

    /// The store types.
    pub fn stores(&self) -> impl Iterator<Item = &'static StoreType> {
        self.stores.iter().copied()
    }

    /// The commands.
    #[cfg(feature = "command")]
    pub fn commands(&self) -> impl Iterator<Item = &'static Command> {
        self.commands.iter().copied()
    }

    /// Opens the store that a configuration describes.
    ///
    /// # Errors
    ///
    /// `Config` where its type is not linked: the message lists what is, near names first. What [`check`](Self::check)
    /// says, and what the store says.
    pub fn open(&self, config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
        self.check()?;
        let name = config.store_type();
        let Some(store) = self.stores.iter().find(|store| store.name == name) else {
            return Err(self.not_linked(name).with_context("at", config.origin("type")));
        };
        (store.open)(config)
    }

    /// What the user should know of a configuration before its store is opened, a sentence each: what its store type has
    /// to say, and options that neither it nor Beaker knows, and that look like a slip of the keyboard.
    pub fn notices(&self, config: &StoreConfig) -> Vec<String> {
        let Some(store) = self.stores.iter().find(|store| store.name == config.store_type()) else { return Vec::new() };
        let options = || store.options.iter().map(|option| option.name).chain(READ_FOR_ALL);
        let unknown = config.names().filter(|name| {
            !name.starts_with("sa.") && !BEAKERS_OPTIONS.contains(name) && options().all(|option| option != *name)
        });
        let slip = |name| {
            let near = near_first(name, options()).into_iter().next()?;
            let is_near = strsim::jaro_winkler(name, near) >= 0.9;
            is_near.then(|| format!("{} is not known; did you mean `{near}`?", config.origin(name)))
        };
        store.notice.map(str::to_owned).into_iter().chain(unknown.filter_map(slip)).collect()
    }

    fn not_linked(&self, name: &str) -> Error {
        let linked = near_first(name, self.stores.iter().map(|store| store.name));
        let error =
            Error::config(format!("the store type `{}` is not linked into this program", escape_controls(name)));
        let error = match linked.as_slice() {
            [] => error.with_context("linked", "no store type at all"),
            names => error.with_context("linked", format!("`{}`", names.join("`, `"))),
        };
        match known_crate(name) {
            Some(package) => error.with_hint(format!(
                "it comes with the crate `{package}`: run `cargo add {package}` and add the line `use {} as _;`",
                package.replace('-', "_")
            )),
            None if name == "ext:mongodb" => error.with_hint(
                "Beaker has sessions in MongoDB, but no crate of this project reads them: it could not be tried on a real \
                 server; a plugin could",
            ),
            None if BEAKERS.contains(&name) => error.with_hint(format!(
                "Beaker has sessions of the type `{name}`, but no crate of this project reads them yet; a plugin could"
            )),
            None if linked.is_empty() => error.with_hint("link a crate that registers it: `use that_crate as _;`"),
            None => error.with_hint("correct `type`, or link a crate that registers it"),
        }
    }
}

/// The types that Beaker itself has and nobody here (`beaker/cache.py` and `beaker/session.py`, 1.14.1).
const BEAKERS: [&str; 1] = ["ext:google"];

/// The options that count for every store type.
const READ_FOR_ALL: [&str; 7] =
    ["type", "timeout", "encrypt_key", "validate_key", "crypto_type", "encrypt_nonce_bits", "data_serializer"];

/// The options that Beaker itself has for sessions, whatever their store (`beaker/session.py`, `beaker/util.py` and
/// `beaker/ext`, 1.14.1).
const BEAKERS_OPTIONS: [&str; 29] = [
    "auto",
    "cookie_domain",
    "cookie_expires",
    "cookie_path",
    "crypto_type",
    "data_dir",
    "data_serializer",
    "encrypt_key",
    "encrypt_nonce_bits",
    "httponly",
    "id",
    "invalidate_corrupt",
    "key",
    "lock_dir",
    "memcache_module",
    "namespace_class",
    "sa_opts",
    "samesite",
    "save_accessed_time",
    "schema_name",
    "secret",
    "secure",
    "session_class",
    "table_name",
    "timeout",
    "type",
    "url",
    "use_cookies",
    "validate_key",
];

/// The crate of this project that registers a store type.
fn known_crate(store_type: &str) -> Option<&'static str> {
    let package = match store_type {
        "ext:database" | "ext:sqla" => "beakerhelpers-database",
        "file" => "beakerhelpers-file",
        "dbm" => "beakerhelpers-dbm",
        "ext:redis" | "ext:rediscluster" => "beakerhelpers-redis",
        "ext:memcached" => "beakerhelpers-memcached",
        "memory" => "beakerhelpers-memory",
        "cookie" => "beakerhelpers-cookie",
        _ if store_type.starts_with("session2:") => "beakerhelpers-session2",
        _ => return None,
    };
    Some(package)
}

fn refuse_twins(what: &str, plugins: impl Iterator<Item = (&'static str, Package)>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for (name, package) in plugins {
        if let Some(other) = seen.insert(name, package) {
            return Err(Error::config(format!("two plugins register the {what} `{name}`"))
                .with_context("first", format!("{} {}", other.name, other.version))
                .with_context("second", format!("{} {}", package.name, package.version))
                .with_hint("remove one of the two crates from the build"));
        }
    }
    Ok(())
}

/// Sorts names: those that are near to what was typed first, the nearest before others, the rest by name.
pub fn near_first<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<_> = names.collect();
    names.sort_by(|a, b| {
        // Names that are no slip of the keyboard are all equally far.
        let near = |name: &str| Some(strsim::jaro_winkler(typed, name)).filter(|near| *near >= NEAR).unwrap_or(0.0);
        near(b).total_cmp(&near(a)).then_with(|| a.cmp(b))
    });
    names
}

/// Names that are as near as this, where 1 is the same, may be meant by each other.
const NEAR: f64 = 0.8;

/// A store type as the inventory holds it.
#[doc(hidden)]
#[derive(Debug)]
pub struct LinkedStore(pub &'static StoreType);

inventory::collect!(LinkedStore);

/// Registers a [`StoreType`] that stands in a `static`, for every program that this crate is linked into.
#[macro_export]
macro_rules! register_store {
    ($store:path) => {
        $crate::__private::inventory::submit! { $crate::__private::LinkedStore(&$store) }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, MemoryStore};

    static MEMORY: StoreType = StoreType::new("memory", "in memory", open, package!());
    static FILE: StoreType = StoreType::new("file", "in files", open, Package::new("other", "0.2.0"));
    static OTHER_MEMORY: StoreType = StoreType::new("memory", "in memory", open, Package::new("other", "0.2.0"));

    #[expect(clippy::unnecessary_wraps, reason = "it is an `OpenStore`")]
    fn open(_: &StoreConfig) -> Result<Box<dyn SessionStore>> {
        Ok(Box::new(MemoryStore::new()))
    }

    fn report(registry: &Registry, store_type: &str) -> String {
        let config = StoreConfig::new("beaker.session").with("type", store_type);
        let error = registry.open(&config).map(|store| store.info()).expect_err("it is not linked");
        assert_eq!(error.kind(), ErrorKind::Config);
        error.report().to_string()
    }

    #[test]
    fn a_store_is_opened_by_its_type() {
        let registry = Registry::default().with_store(&FILE).with_store(&MEMORY);
        let store = registry.open(&StoreConfig::new("beaker.session").with("type", "memory")).expect("it is linked");
        assert_eq!(store.info().store_type, "memory");
    }

    #[test]
    fn a_slip_of_the_keyboard_is_noticed() {
        static LOCAL: StoreType = StoreType::new("local", "here", open, package!()).with_notice("it is only here");
        static TABLES: StoreType = StoreType::new("tables", "in tables", open, package!())
            .with_options(&[OptionSpec::secret("url", "a URL"), OptionSpec::new("table_name", "a name")]);
        let registry = Registry::default().with_store(&TABLES);
        let config = |names: &[&str]| {
            names.iter().fold(StoreConfig::new("shop").with("type", "tables"), |config, name| config.with(name, "x"))
        };
        assert_eq!(
            registry.notices(&config(&["url", "tabel_name", "timeuot", "encryption_key"])),
            [
                "`shop.tabel_name` is not known; did you mean `table_name`?",
                "`shop.timeuot` is not known; did you mean `timeout`?",
                "`shop.encryption_key` is not known; did you mean `encrypt_key`?"
            ]
        );
        let right =
            ["url", "table_name", "timeout", "sa.url_", "sa.tabel_name", "lock_dir", "colour", "digest_filenames"];
        assert_eq!(registry.notices(&config(&right)), [""; 0]);
        assert_eq!(registry.notices(&config(&BEAKERS_OPTIONS).with("type", "tables")), [""; 0]);
        let local = Registry::default().with_store(&LOCAL);
        assert_eq!(local.notices(&config(&[]).with("type", "local")), ["it is only here"]);
        // Of a store that is not linked nothing is known.
        assert_eq!(registry.notices(&config(&["tabel_name"]).with("type", "other")), [""; 0]);
    }

    #[test]
    fn an_unknown_type_lists_what_is_linked_near_names_first() {
        let registry = Registry::default().with_store(&FILE).with_store(&MEMORY);
        assert_eq!(
            report(&registry, "memry\u{1b}"),
            "the store type `memry\\x1b` is not linked into this program\n  linked: `memory`, `file`\n  \
             at: `beaker.session.type`\n\nhint: correct `type`, or link a crate that registers it"
        );
    }

    #[test]
    fn a_known_type_that_is_not_linked_is_told_the_line_to_add() {
        let missing = "\n\nhint: it comes with the crate `beakerhelpers-database`: run `cargo add beakerhelpers-database` \
                       and add the line `use beakerhelpers_database as _;`";
        let said = report(&Registry::default(), "ext:database");
        assert!(said.contains("linked: no store type at all") && said.ends_with(missing), "{said}");
        // The type that Beaker's users mean where they give none.
        let said = report(&Registry::default().with_store(&MEMORY), "");
        assert!(said.starts_with("the store type `ext:database` is not linked") && said.ends_with(missing), "{said}");
    }

    #[test]
    fn twins_are_refused_with_both_crates() {
        let registry = Registry::default().with_store(&MEMORY).with_store(&FILE);
        assert!(registry.check().is_ok());
        let registry = registry.with_store(&OTHER_MEMORY);
        let said = registry.check().expect_err("there are twins").report().to_string();
        // What is opened is not the one of the two that happens to be first.
        assert_eq!(report(&registry, "memory"), said);
        assert_eq!(
            said,
            format!(
                "two plugins register the store type `memory`\n  first: beakerhelpers-core {}\n  second: other 0.2.0\n\n\
                 hint: remove one of the two crates from the build",
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    #[test]
    fn nothing_is_linked_into_core_itself() {
        assert_eq!(Registry::linked().expect("there are no twins").stores().count(), 0);
    }
}
