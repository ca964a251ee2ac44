//! Which keys of a section are options of the store, and which filters are Beaker's.

use std::collections::BTreeSet;

use super::interpolate::Budget;
use super::paste::Context;

/// The prefix with which Beaker reads keys of other prefixes too.
pub(super) const BEAKER: &str = "beaker.session";

/// Which keys of a section are options of the store.
pub(super) enum Keys {
    /// Those with this prefix and a dot.
    Prefixed(String),
    /// Those of a filter that is Beaker's middleware: bare ones, else those with one of Beaker's two prefixes.
    Middleware,
}

impl Keys {
    /// The names of the options that a section has, and their keys.
    pub(super) fn names<'c>(&self, context: &'c Context) -> BTreeSet<(&'c str, &'c str)> {
        context.names().filter_map(|key| Some((self.name(context, key)?, key))).collect()
    }

    fn name<'k>(&self, context: &Context, key: &'k str) -> Option<&'k str> {
        let prefixed = |prefix: &str| key.strip_prefix(prefix)?.strip_prefix('.').filter(|name| !name.is_empty());
        match self {
            Self::Prefixed(prefix) => prefixed(prefix),
            Self::Middleware => prefixed(BEAKER).or_else(|| prefixed("session")).or_else(|| {
                let other = matches!(key, "use" | "next" | "require" | "filter-with" | "environ_key");
                let bare = !other && !key.starts_with("paste.") && context.has_local(key);
                bare.then_some(key)
            }),
        }
    }
}

/// Whether an option says which store it is, so that a section that has it describes one.
pub(super) fn says_which_store(name: &str) -> bool {
    matches!(name, "type" | "url" | "sa.url" | "data_dir")
}

/// Whether a filter is Beaker's session middleware (`entry_points.txt` and `beaker/middleware.py`, 1.14.1).
pub(super) fn is_middleware(context: &Context, budget: &mut Budget) -> bool {
    let factory = |code: &str| {
        let code = code.trim().to_ascii_lowercase();
        code.strip_prefix("beaker.middleware:").is_some_and(|name| name.contains("session"))
    };
    let code = context.code.as_deref().map(|code| code.trim().to_ascii_lowercase());
    let used = code.as_deref().and_then(|code| code.split_once(':')).is_some_and(|(scheme, code)| match scheme {
        "egg" => {
            code.split_once('#').is_some_and(|(egg, name)| egg.trim() == "beaker" && name.trim() == "beaker_session")
        }
        _ => factory(code),
    });
    let given = ["paste.filter_factory", "paste.filter_app_factory"].iter().any(|key| {
        let entry = context.local(key, budget).and_then(Result::ok);
        entry.is_some_and(|entry| factory(entry.text()))
    });
    used || given
}
