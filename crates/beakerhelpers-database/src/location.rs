//! From a database URL to the store that serves it.

use std::path::PathBuf;

use beakerhelpers_core::{Error, Result, SessionStore, StoreConfig};

use crate::Flavor;

/// The databases that this build can talk to, as URLs name them.
const LINKED: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "sqlite",
];
/// The features that exist for other URLs, none of them yet.
const KNOWN: &[(&str, &str)] = &[
    ("sqlite", "sqlite"),
    ("postgresql", "PostgreSQL"),
    ("postgres", "PostgreSQL"),
    ("mysql", "MySQL"),
    ("mariadb", "MariaDB"),
];

/// Opens the store of a configuration. Nothing is touched yet: the first call of the store does that.
pub(crate) fn open(config: &StoreConfig, flavor: Flavor) -> Result<Box<dyn SessionStore>> {
    let key = if config.get("url").is_none() && config.get("sa.url").is_some() { "sa.url" } else { "url" };
    let url = config.require(key).map_err(|error| {
        error.with_hint("set it to the URL that SQLAlchemy would get, such as `sqlite:////srv/app/sessions.db`")
    })?;
    open_url(config, flavor, url).map_err(|error| error.with_context("at", config.origin(key)))
}

fn open_url(config: &StoreConfig, flavor: Flavor, url: &str) -> Result<Box<dyn SessionStore>> {
    let (scheme, _) = url.split_once("://").ok_or_else(|| {
        Error::config("the database URL has no `://`").with_hint("an example: `sqlite:////srv/app/sessions.db`")
    })?;
    let dialect = scheme.split_once('+').map_or(scheme, |(dialect, _driver)| dialect);
    match dialect {
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let path = sqlite_path(url)?;
            Ok(Box::new(crate::sqlite::SqliteStore::new(config, flavor, &path, None)?))
        }
        _ => Err(unsupported(dialect)),
    }
}

fn unsupported(dialect: &str) -> Error {
    let linked = match LINKED {
        [] => "no database at all".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    };
    let error = match KNOWN.iter().find(|(name, _)| *name == dialect) {
        Some((_, product)) => Error::unsupported(format!("this build has no support for {product}")),
        None => Error::unsupported(format!("unknown database `{}` in the URL", dialect.escape_debug())),
    };
    error.with_context("supported", linked)
}

/// The path in a URL of SQLAlchemy: `sqlite:///relative`, `sqlite:////absolute`.
fn sqlite_path(url: &str) -> Result<PathBuf> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.split_once('?').map_or(rest, |(path, _options)| path);
    match rest.strip_prefix('/') {
        Some("" | ":memory:") => None,
        path => path.map(PathBuf::from),
    }
    .ok_or_else(|| {
        Error::config("the database URL names no file")
            .with_hint("a database in memory can be seen only by the program that owns it; name a file: `sqlite:////srv/app/sessions.db`")
    })
}
