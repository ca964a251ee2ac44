//! Which section holds the options of the session store.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use super::ini::{Ini, shown};
use super::interpolate::resolve;
use super::keys::{BEAKER, Keys, is_middleware, says_which_store};
use super::paste::{Context, Link, Loaded};
use super::reader::Reader;
use super::section::{Kind, find_section, list, look_up, short_name};
use super::store_config::{StoreConfig, StoreOption};
use crate::{Error, Result};

/// How many sections are looked at before the search gives up.
const MOST_SECTIONS: usize = 256;

/// Finds the options of the store. `name` is the section that the user picked.
pub(super) fn find(file: &Arc<Ini>, name: Option<&str>, prefix: &str) -> Result<StoreConfig> {
    let prefix = prefix.trim().trim_end_matches('.');
    if prefix.is_empty() {
        return Err(Error::config("the prefix of the session keys must not be empty"));
    }
    let mut finder = Finder { top: Loaded::top(file.clone()), prefix, reader: Reader::default() };
    let (kind, section) = finder.section(name)?;
    let primary = finder.reader.start(kind, &finder.top, &section)?;
    if let Some(found) = finder.keys_of(&primary, kind) {
        return finder.config(&found);
    }
    let candidates = finder.candidates(&primary)?;
    if let Some(config) = finder.choose(&candidates)? {
        let used = config.source().unwrap_or_default();
        let notice = format!("the session options are those of {used}, because `[{}]` has none", shown(&section));
        return Ok(config.with_notice(notice));
    }
    // What is left may be the timeout alone, from `[DEFAULT]`; the store will say what it misses.
    let keys = Keys::Prefixed(prefix.to_owned());
    if !keys.names(&primary).is_empty() {
        return finder.config(&Found { context: primary, keys });
    }
    Err(finder.nothing(&section))
}

/// A section that has options of the store.
struct Found {
    context: Context,
    keys: Keys,
}

struct Finder<'a> {
    top: Arc<Loaded>,
    prefix: &'a str,
    reader: Reader,
}

impl Finder<'_> {
    /// The section that the original would find; one that is picked may be a filter, or be named in full.
    fn section(&self, name: Option<&str>) -> Result<(Kind, String)> {
        let file = &self.top.file;
        if let Some(section) = look_up(file, Kind::App, name)? {
            return Ok((Kind::App, section));
        }
        if let Some(name) = name {
            if let Some(section) = look_up(file, Kind::Filter, Some(name))? {
                return Ok((Kind::Filter, section));
            }
            if let Some(section) = file.sections().find(|section| *section == name) {
                let kind = if section.starts_with("filter:") { Kind::Filter } else { Kind::App };
                return Ok((kind, section.to_owned()));
            }
        }
        find_section(file, Kind::App, name).map(|section| (Kind::App, section))
    }

    fn prefixes(&self) -> impl Iterator<Item = &str> {
        [self.prefix, "session"].into_iter().take(if self.prefix == BEAKER { 2 } else { 1 })
    }

    /// Whether a section has the keys: any of its own, or from `[DEFAULT]` those that say which store it is.
    fn keys_of(&mut self, context: &Context, kind: Kind) -> Option<Found> {
        let is_filter = kind == Kind::Filter || context.first().section.starts_with("filter-app:");
        if is_filter && self.prefix == BEAKER && is_middleware(context, &mut self.reader.budget) {
            let keys = Keys::Middleware;
            return (!keys.names(context).is_empty()).then(|| Found { context: context.clone(), keys });
        }
        let keys = self.prefixes().map(|prefix| (prefix, Keys::Prefixed(prefix.to_owned())));
        let (_, keys) = keys.into_iter().find(|(prefix, keys)| {
            // `session.` may be the prefix of something else.
            let own = |key| *prefix == self.prefix && context.has_local(key);
            keys.names(context).into_iter().any(|(name, key)| says_which_store(name) || own(key))
        })?;
        Some(Found { context: context.clone(), keys })
    }

    /// The sections that have the keys, of the nearest sort that there is.
    fn candidates(&mut self, primary: &Context) -> Result<Vec<Found>> {
        let (apps, mut filters) = self.reachable(primary)?;
        if !apps.is_empty() {
            return Ok(apps);
        }
        if filters.is_empty() {
            filters = self.all_of(Kind::Filter);
        }
        Ok(if filters.is_empty() { self.all_of(Kind::App) } else { filters })
    }

    /// What a section leads to: the applications that have the keys, and the filters that do.
    fn reachable(&mut self, primary: &Context) -> Result<(Vec<Found>, Vec<Found>)> {
        let (mut apps, mut filters) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        let mut queue = VecDeque::from([primary.clone()]);
        while let Some(context) = queue.pop_front() {
            for link in &context.links {
                for (kind, name) in self.references(link)? {
                    let Some(next) = self.follow(kind, &name, link)? else { continue };
                    let first = next.first();
                    if !seen.insert((kind == Kind::App, first.loaded.file.absolute.clone(), first.section.clone())) {
                        continue;
                    }
                    if seen.len() > MOST_SECTIONS {
                        return Err(too_many());
                    }
                    match (kind, self.keys_of(&next, kind)) {
                        (Kind::App, Some(found)) => apps.push(found),
                        (Kind::Filter, Some(found)) if is_middleware(&next, &mut self.reader.budget) => {
                            filters.push(found);
                        }
                        _ => queue.push_back(next),
                    }
                }
            }
        }
        Ok((apps, filters))
    }

    /// The names of the sections that a section leads to, `use` apart.
    fn references(&mut self, link: &Link) -> Result<Vec<(Kind, String)>> {
        let mut names = Vec::new();
        let mut value = |key: &str| {
            let entry = link.local(key, &mut self.reader.budget).transpose()?;
            entry.map(|entry| resolve(&entry, &mut self.reader.budget)).transpose()
        };
        if let Some(filter) = value("filter-with")? {
            names.push((Kind::Filter, filter));
        }
        match link.section.split(':').next().unwrap_or_default() {
            "pipeline" => {
                let pipeline = value("pipeline")?.unwrap_or_default();
                let mut steps: Vec<_> = pipeline.split_whitespace().map(str::to_owned).collect();
                names.extend(steps.pop().map(|app| (Kind::App, app)));
                names.extend(steps.into_iter().map(|filter| (Kind::Filter, filter)));
            }
            "filter-app" => names.extend(value("next")?.map(|next| (Kind::App, next))),
            "composite" | "composit" => {
                let file = &link.loaded.file;
                let apps: HashSet<_> = file.sections().filter(|name| Kind::App.owns(name)).map(short_name).collect();
                for key in link.locals().filter(|key| !matches!(*key, "use" | "filter-with" | "require")) {
                    // Not every value is the name of an application, so none is required to be one.
                    let Ok(Some(name)) = value(key) else { continue };
                    let name = name.trim();
                    if name.starts_with("config:") || apps.contains(name) {
                        names.push((Kind::App, name.to_owned()));
                    }
                }
            }
            _ => {}
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        if names.len() > MOST_SECTIONS { Err(too_many()) } else { Ok(names) }
    }

    fn follow(&mut self, kind: Kind, name: &str, from: &Link) -> Result<Option<Context>> {
        let followed = self.reader.follow(kind, name.trim(), from);
        followed.map_err(|error| error.with_context("named in", source(from)))
    }

    /// All sections of a kind in the file that have the keys; those that cannot be read are nobody's business.
    fn all_of(&mut self, kind: Kind) -> Vec<Found> {
        let file = self.top.file.clone();
        let mut all = Vec::new();
        for section in file.sections().filter(|section| kind.owns(section)).take(MOST_SECTIONS) {
            let Ok(context) = self.reader.start(kind, &self.top, section) else { continue };
            if kind == Kind::App || is_middleware(&context, &mut self.reader.budget) {
                all.extend(self.keys_of(&context, kind));
            }
        }
        all
    }

    /// The only candidate; several that agree are one.
    fn choose(&mut self, candidates: &[Found]) -> Result<Option<StoreConfig>> {
        let mut configs = Vec::new();
        for found in candidates {
            configs.push(self.config(found)?);
        }
        let mut rest = configs.into_iter();
        let Some(first) = rest.next() else { return Ok(None) };
        if rest.all(|other| other.agrees_with(&first)) {
            return Ok(Some(first));
        }
        let pick = |link: &Link| format!("{}#{}", link.loaded.file.shown, shown(short_name(&link.section)));
        let sections = || candidates.iter().map(|found| found.context.first());
        let pick = sections().next().map(pick).unwrap_or_default();
        Err(Error::config(format!("several sections have `{}.*` keys, and they differ", self.prefix))
            .with_context("file", self.top.file.shown.as_str())
            .with_context("sections", list(sections().map(|link| link.section.as_str())))
            .with_hint(format!("pick one by its name, as in `{pick}`")))
    }

    fn config(&mut self, found: &Found) -> Result<StoreConfig> {
        let mut options: BTreeMap<&str, StoreOption> = BTreeMap::new();
        let mut base_dir = None;
        for (name, key) in found.keys.names(&found.context) {
            let bare = name == key;
            if options.contains_key(name) && !bare {
                continue;
            }
            let Some(entry) = found.context.option(key, &mut self.reader.budget).transpose()? else { continue };
            let value = resolve(&entry, &mut self.reader.budget)?;
            if name == "url" || (name == "sa.url" && base_dir.is_none()) {
                base_dir = Some(PathBuf::from(&entry.loaded.file.here));
            }
            let origin = Some(format!("{}, `{}`", entry.at(), shown(key)));
            options.insert(name, StoreOption { name: name.to_owned(), value, origin });
        }
        let link = found.context.first();
        let prefix = match &found.keys {
            Keys::Prefixed(prefix) => prefix,
            Keys::Middleware => self.prefix,
        };
        let base_dir = base_dir.unwrap_or_else(|| PathBuf::from(&link.loaded.file.here));
        Ok(StoreConfig::read(prefix, options.into_values().collect(), source(link), base_dir))
    }

    fn nothing(&self, section: &str) -> Error {
        let file = &self.top.file;
        let error = Error::config(format!("there are no `{}.*` keys", shown(self.prefix)))
            .with_context("in", format!("`[{}]` of {}", shown(section), file.shown));
        let keys = file.sections().flat_map(|section| file.keys(section));
        let prefixes = keys.filter_map(|key| key.strip_prefix("set ").unwrap_or(key).strip_suffix(".type"));
        let other = prefixes.map(str::trim).find(|prefix| !prefix.contains("cache"));
        match other {
            Some(prefix) => error.with_hint(format!(
                "there are keys that begin with `{0}.`; if they are those of the sessions, add `--prefix {0}`",
                shown(prefix)
            )),
            None => error.with_hint("name the file that configures Beaker, or give the prefix of its keys"),
        }
    }
}

fn too_many() -> Error {
    Error::config("the section leads to more than 256 others")
        .with_hint("pick the application by its name, as in `prod.ini#name`")
}

fn source(link: &Link) -> String {
    format!("`[{}]` of {}", shown(&link.section), link.loaded.file.shown)
}
