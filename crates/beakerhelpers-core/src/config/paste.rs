//! What `PasteDeploy` 3.1 makes of a section: `[DEFAULT]`, `set`, `get` and the chain of `use`
//! (`paste/deploy/loadwsgi.py`, `ConfigLoader.get_context`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::ini::{DEFAULT, Ini, shown};
use super::interpolate::{Budget, resolve};
use crate::{Error, Result};

/// A file with the global options that it was loaded with, which count as its own defaults.
pub(super) struct Loaded {
    pub(super) file: Arc<Ini>,
    pub(super) outer: Option<Arc<Globals>>,
}

impl Loaded {
    pub(super) fn top(file: Arc<Ini>) -> Arc<Self> {
        Arc::new(Self { file, outer: None })
    }

    fn own_default(self: &Arc<Self>, name: &str) -> Option<Entry> {
        let known = self.file.value(DEFAULT, name).is_some() || matches!(name, "here" | "__file__");
        known.then(|| Entry { loaded: self.clone(), section: DEFAULT.to_owned(), key: name.to_owned() })
    }

    fn default(self: &Arc<Self>, name: &str) -> Option<Entry> {
        self.own_default(name).or_else(|| self.outer.as_ref()?.get(name))
    }

    /// What `%(name)s` stands for in a value of a section.
    pub(super) fn visible(self: &Arc<Self>, section: &str, name: &str) -> Option<Entry> {
        let seen_from_here = self.file.value(section, name).is_some() || self.own_default(name).is_some();
        if seen_from_here {
            return Some(Entry { loaded: self.clone(), section: section.to_owned(), key: name.to_owned() });
        }
        self.outer.as_ref()?.get(name)
    }
}

/// A key of a section, to be interpolated with what that section sees.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) loaded: Arc<Loaded>,
    pub(super) section: String,
    pub(super) key: String,
}

impl Entry {
    /// The raw value.
    pub(super) fn text(&self) -> &str {
        let file = &self.loaded.file;
        let value = file.value(&self.section, &self.key).or_else(|| file.value(DEFAULT, &self.key));
        match (value, self.key.as_str()) {
            (Some(value), _) => value.text,
            (None, "here") => &file.here,
            (None, "__file__") => &file.absolute,
            (None, _) => "",
        }
    }

    /// Whether it is the name of a file or directory, in which a `%` has no meaning.
    pub(super) fn is_literal(&self) -> bool {
        self.line().is_none()
    }

    fn line(&self) -> Option<usize> {
        let file = &self.loaded.file;
        file.value(&self.section, &self.key).or_else(|| file.value(DEFAULT, &self.key)).map(|value| value.line)
    }

    /// Where it stands: `prod.ini:12`.
    pub(super) fn at(&self) -> String {
        self.line().map_or_else(|| self.loaded.file.shown.clone(), |line| self.loaded.file.at(line))
    }
}

/// The global options that a section passes on to what it leads to.
pub(super) struct Globals {
    loaded: Arc<Loaded>,
    section: String,
    /// The names that it sets, and the keys (`set name`) under which it does.
    sets: BTreeMap<String, String>,
    outer: Option<Arc<Self>>,
}

impl Globals {
    fn new(loaded: &Arc<Loaded>, section: &str, outer: Option<Arc<Self>>) -> Self {
        let sets = loaded.file.keys(section).filter_map(|key| Some((key.strip_prefix("set ")?.trim(), key)));
        let sets = sets.map(|(name, key)| (name.to_owned(), key.to_owned())).collect();
        Self { loaded: loaded.clone(), section: section.to_owned(), sets, outer }
    }

    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |globals| globals.outer.as_deref())
    }

    fn own(&self, name: &str) -> Option<Entry> {
        let key = self.sets.get(name)?.clone();
        Some(Entry { loaded: self.loaded.clone(), section: self.section.clone(), key })
    }

    /// The nearest `set`, else the default of the outermost file that has one.
    fn get(&self, name: &str) -> Option<Entry> {
        self.chain().find_map(|globals| globals.own(name)).or_else(|| self.default(name))
    }

    fn default(&self, name: &str) -> Option<Entry> {
        self.chain().filter_map(|globals| globals.loaded.own_default(name)).last()
    }
}

/// A section of a file in a chain of `use`.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) loaded: Arc<Loaded>,
    pub(super) section: String,
    pub(super) globals: Arc<Globals>,
}

impl Link {
    pub(super) fn new(loaded: Arc<Loaded>, section: String, outer: Option<Arc<Globals>>) -> Self {
        let globals = Arc::new(Globals::new(&loaded, &section, outer));
        Self { loaded, section, globals }
    }

    /// A local option of this section alone.
    pub(super) fn local(&self, key: &str, budget: &mut Budget) -> Option<Result<Entry>> {
        let get = Entry { loaded: self.loaded.clone(), section: self.section.clone(), key: format!("get {key}") };
        if self.copies(&get.key) {
            return Some(self.copied(&get, budget));
        }
        self.sets(key).then(|| Ok(Entry { key: key.to_owned(), ..get }))
    }

    /// Whether there is such a local option, at the expense of nothing.
    fn has(&self, key: &str) -> bool {
        self.copies(&format!("get {key}")) || self.sets(key)
    }

    fn copies(&self, get: &str) -> bool {
        self.loaded.file.value(&self.section, get).is_some()
    }

    /// What is a global option already is skipped, even if the value differs.
    fn sets(&self, key: &str) -> bool {
        self.loaded.file.value(&self.section, key).is_some() && self.loaded.default(key).is_none()
    }

    fn copied(&self, get: &Entry, budget: &mut Budget) -> Result<Entry> {
        let name = resolve(get, budget)?;
        self.globals.get(&name).ok_or_else(|| {
            Error::config(format!("`{}` copies a global option that is not set", shown(&get.key)))
                .with_context("at", get.at())
        })
    }

    /// The names of its local options.
    pub(super) fn locals(&self) -> impl Iterator<Item = &str> {
        let keys = self.loaded.file.keys(&self.section).filter(|key| !key.starts_with("set "));
        keys.filter_map(|key| match key.strip_prefix("get ") {
            Some(name) => Some(name.trim()),
            None => self.loaded.default(key).is_none().then_some(key),
        })
    }
}

/// A section with all that it uses.
#[derive(Clone)]
pub(super) struct Context {
    /// The section itself first.
    pub(super) links: Vec<Link>,
    /// Where the chain leaves the configuration: `egg:Beaker#beaker_session`.
    pub(super) code: Option<String>,
}

impl Context {
    pub(super) fn first(&self) -> &Link {
        self.links.first().expect("a chain begins with a section")
    }

    /// A local option; the using section's goes before the used one's.
    pub(super) fn local(&self, key: &str, budget: &mut Budget) -> Option<Result<Entry>> {
        self.links.iter().find_map(|link| link.local(key, budget))
    }

    /// Whether there is such a local option.
    pub(super) fn has_local(&self, key: &str) -> bool {
        self.links.iter().any(|link| link.has(key))
    }

    /// A global option: what a using section sets goes before what a used one sets.
    fn global(&self, name: &str) -> Option<Entry> {
        let last = &self.links.last()?.globals;
        let mut own = self.links.iter().filter_map(|link| link.globals.own(name));
        own.next().or_else(|| last.get(name))
    }

    /// An option, as `appconfig` gives it: local ones go before global ones.
    pub(super) fn option(&self, key: &str, budget: &mut Budget) -> Option<Result<Entry>> {
        self.local(key, budget).or_else(|| self.global(key).map(Ok))
    }

    /// The names of all options, local and global, some more than once.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let local = self.links.iter().flat_map(Link::locals);
        let globals = self.links.last().into_iter().flat_map(|link| link.globals.chain());
        let global = globals.flat_map(|globals| {
            let sets = globals.sets.keys().map(String::as_str);
            sets.chain(globals.loaded.file.keys(DEFAULT))
        });
        local.chain(global)
    }
}

/// Shows names only: values may be secrets.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loaded").field(&self.file.shown).finish()
    }
}
