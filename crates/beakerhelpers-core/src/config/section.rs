//! How sections are called.

use super::ini::{Ini, shown};
use crate::{Error, Result};

/// What a section describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    App,
    Filter,
}

impl Kind {
    /// The words before the colon; of those in one group the first that is there counts.
    fn prefixes(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::App => &[&["app", "application"], &["composite", "composit"], &["pipeline"], &["filter-app"]],
            Self::Filter => &[&["filter"]],
        }
    }

    /// Whether a section is called like one of this kind.
    pub(super) fn owns(self, section: &str) -> bool {
        let word = section.split(':').next().unwrap_or_default();
        self.prefixes().iter().any(|group| group.contains(&word))
    }
}

/// The section of this name, `main` if there is none, as `ConfigLoader.find_config_section` finds it.
pub(super) fn find_section(file: &Ini, kind: Kind, name: Option<&str>) -> Result<String> {
    look_up(file, kind, name)?.ok_or_else(|| no_section(file, kind, name))
}

/// As [`find_section`], where it is no error that there is none.
pub(super) fn look_up(file: &Ini, kind: Kind, name: Option<&str>) -> Result<Option<String>> {
    let mut found: Vec<&str> = Vec::new();
    for group in kind.prefixes() {
        let sections = |prefix: &'static str| {
            file.sections().filter(move |section| match section.strip_prefix(prefix) {
                Some("") => name.is_none(),
                Some(rest) => rest.strip_prefix(':').is_some_and(|rest| rest.trim() == name.unwrap_or("main")),
                None => false,
            })
        };
        if let Some(prefix) = group.iter().find(|prefix| sections(prefix).next().is_some()) {
            found.extend(sections(prefix));
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [section] => Ok(Some((*section).to_owned())),
        several => Err(Error::config(format!(
            "Ambiguous section names {} for section `{}`",
            list(several.iter().copied()),
            shown(name.unwrap_or("main"))
        ))
        .with_context("file", file.shown.as_str())
        .with_hint("keep one of them, or rename one and pick it by name, as in `prod.ini#name`")),
    }
}

/// The name by which `prod.ini#name` picks a section.
pub(super) fn short_name(section: &str) -> &str {
    section.split_once(':').map_or("main", |(_, name)| name.trim())
}

fn no_section(file: &Ini, kind: Kind, name: Option<&str>) -> Error {
    let prefix = match kind {
        Kind::App => "app",
        Kind::Filter => "filter",
    };
    let mut sections = file.sections().peekable();
    let there = if sections.peek().is_none() { "none".to_owned() } else { list(sections) };
    let error = Error::config(format!("there is no section `[{prefix}:{}]`", shown(name.unwrap_or("main"))))
        .with_context("file", file.shown.as_str())
        .with_context("sections", there);
    // Without a name it is the user who can pick one; a name that stands in a file is to be corrected there.
    let other = file.sections().find(|section| section.starts_with("app:"));
    match other.filter(|_| name.is_none()) {
        Some(other) => {
            error.with_hint(format!("pick one by its name, as in `{}#{}`", file.shown, shown(short_name(other))))
        }
        None => error,
    }
}

/// Names of sections for a message, not more than fit on a screen.
pub(super) fn list<'s>(sections: impl Iterator<Item = &'s str>) -> String {
    let mut names: Vec<_> = sections.take(21).map(|section| format!("`[{}]`", shown(section))).collect();
    if let Some(last) = names.get_mut(20) {
        "…".clone_into(last);
    }
    names.join(", ")
}
