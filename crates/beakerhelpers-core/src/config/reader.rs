//! Following the names by which sections lead to each other, through files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ini::{Ini, shown};
use super::interpolate::{Budget, resolve};
use super::paste::{Context, Link, Loaded};
use super::section::{Kind, find_section};
use crate::{Error, Result};

/// How many sections may `use` each other in a row.
const LONGEST_CHAIN: usize = 32;

/// How many files one configuration may consist of.
const MOST_FILES: usize = 64;

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
            let Some(used) = link.local("use", &mut self.budget).transpose()? else {
                return Ok(Context { links, code: None });
            };
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
