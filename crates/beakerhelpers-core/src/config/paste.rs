//! What `PasteDeploy` 3.1 makes of a section: `[DEFAULT]`, `set`, `get` and the chain of `use`
//! (`paste/deploy/loadwsgi.py`, `ConfigLoader.get_context`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ini::{DEFAULT, Ini, shown};
use super::interpolate::{Budget, resolve};
use super::section::{Kind, find_section};
use crate::{Error, Result};

/// How many sections may `use` each other in a row.
const LONGEST_CHAIN: usize = 32;

/// How many files one configuration may consist of.
const MOST_FILES: usize = 64;

/// A file with the global options that it was loaded with, which count as its own defaults.
pub(super) struct Loaded {
    pub(super) file: Arc<Ini>,
    outer: Option<Arc<Globals>>,
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
    globals: Arc<Globals>,
}

impl Link {
    fn new(loaded: Arc<Loaded>, section: String, outer: Option<Arc<Globals>>) -> Self {
        let globals = Arc::new(Globals::new(&loaded, &section, outer));
        Self { loaded, section, globals }
    }

    /// A local option of this section alone.
    pub(super) fn local(&self, key: &str) -> Option<Result<Entry>> {
        let file = &self.loaded.file;
        let get = Entry { loaded: self.loaded.clone(), section: self.section.clone(), key: format!("get {key}") };
        if file.value(&self.section, &get.key).is_some() {
            return Some(self.copied(&get));
        }
        // What is a global option already is skipped, even if the value differs.
        let is_local = file.value(&self.section, key).is_some() && self.loaded.default(key).is_none();
        is_local.then(|| Ok(Entry { key: key.to_owned(), ..get }))
    }

    fn copied(&self, get: &Entry) -> Result<Entry> {
        let name = resolve(get, &mut Budget::default())?;
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
    pub(super) fn local(&self, key: &str) -> Option<Result<Entry>> {
        self.links.iter().find_map(|link| link.local(key))
    }

    /// A global option: what a using section sets goes before what a used one sets.
    fn global(&self, name: &str) -> Option<Entry> {
        let last = &self.links.last()?.globals;
        let mut own = self.links.iter().filter_map(|link| link.globals.own(name));
        own.next().or_else(|| last.get(name))
    }

    /// An option, as `appconfig` gives it: local ones go before global ones.
    pub(super) fn option(&self, key: &str) -> Option<Result<Entry>> {
        self.local(key).or_else(|| self.global(key).map(Ok))
    }

    /// The names of all options, local and global.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let local = self.links.iter().flat_map(Link::locals);
        let globals = self.links.last().into_iter().flat_map(|link| link.globals.chain());
        let global = globals.flat_map(|globals| {
            let sets = globals.sets.keys().map(String::as_str);
            sets.chain(globals.loaded.file.keys(DEFAULT))
        });
        local.chain(global).collect()
    }
}

/// The files of a configuration, each read once, and what may still be spent on it.
#[derive(Default)]
pub(super) struct Reader {
    files: BTreeMap<PathBuf, Arc<Ini>>,
    pub(super) budget: Budget,
}

impl Reader {
    /// Finds a section by a name as it stands in `use`, `next` or a pipeline: of the same file, or a URI.
    /// `None` where it is code, not configuration.
    pub(super) fn follow(&mut self, kind: Kind, name: &str, from: &Link) -> Result<Option<Context>> {
        match self.step(kind, name, from)? {
            Step::Section(link) => self.chain(kind, link).map(Some),
            Step::Code(_) => Ok(None),
        }
    }

    /// Follows `use` from a section of the first file.
    pub(super) fn start(&mut self, kind: Kind, loaded: &Arc<Loaded>, section: &str) -> Result<Context> {
        self.chain(kind, Link::new(loaded.clone(), section.to_owned(), None))
    }

    fn chain(&mut self, kind: Kind, first: Link) -> Result<Context> {
        // What a `[filter-app:…]` uses is the filter; the application is its `next`.
        let kind = if first.section.starts_with("filter-app:") { Kind::Filter } else { kind };
        let mut links = vec![first];
        loop {
            let link = links.last().expect("it begins with one");
            let Some(used) = link.local("use").transpose()? else { return Ok(Context { links, code: None }) };
            let name = resolve(&used, &mut self.budget)?;
            let step = self.step(kind, name.trim(), link).map_err(|error| error.with_context("used at", used.at()))?;
            let next = match step {
                Step::Section(next) => next,
                Step::Code(code) => return Ok(Context { links, code: Some(code) }),
            };
            let here =
                |link: &Link| link.section == next.section && link.loaded.file.absolute == next.loaded.file.absolute;
            if links.iter().any(here) {
                return Err(Error::config(format!("`use` leads back to `[{}]`", shown(&next.section)))
                    .with_context("at", used.at())
                    .with_hint("let `use` name another section, or code such as `egg:MyApp`"));
            }
            if links.len() >= LONGEST_CHAIN {
                return Err(Error::config("more than 32 sections use each other").with_context("at", used.at()));
            }
            links.push(next);
        }
    }

    fn step(&mut self, kind: Kind, name: &str, from: &Link) -> Result<Step> {
        let outer = Some(from.globals.clone());
        let scheme = name
            .split_once(':')
            .filter(|(scheme, _)| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let (loaded, name) = match scheme {
            None => (from.loaded.clone(), Some(name)),
            Some((scheme, path)) if scheme.eq_ignore_ascii_case("config") => {
                let (path, name) = path.split_once('#').map_or((path, None), |(path, name)| (path, Some(name)));
                let path = from.loaded.file.path.parent().unwrap_or(Path::new("")).join(file_path(path));
                (Arc::new(Loaded { file: self.load(&path)?, outer: outer.clone() }), name)
            }
            Some((scheme, _)) if ["egg", "call"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                return Ok(Step::Code(name.to_owned()));
            }
            Some(_) => {
                return Err(Error::config("`use` names an unknown kind of URI")
                    .with_hint("known are `config:`, `egg:` and `call:`"));
            }
        };
        let section = find_section(&loaded.file, kind, name)?;
        Ok(Step::Section(Link::new(loaded, section, outer)))
    }

    fn load(&mut self, path: &Path) -> Result<Arc<Ini>> {
        if let Some(file) = self.files.get(path) {
            return Ok(file.clone());
        }
        if self.files.len() >= MOST_FILES {
            return Err(Error::config("the configuration includes more than 64 files"));
        }
        let file = Arc::new(Ini::load(path)?);
        self.files.insert(path.to_owned(), file.clone());
        Ok(file)
    }
}

enum Step {
    Section(Link),
    Code(String),
}

/// The path in a `config:` URI.
fn file_path(path: &str) -> PathBuf {
    let path = path.replace('\\', "/");
    let path = if path.starts_with("///") { &path[2..] } else { &path };
    PathBuf::from(crate::url::percent_decode(path).trim())
}

/// Shows names only: values may be secrets.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loaded").field(&self.file.shown).finish()
    }
}
