//! From a database URL to the store that serves it.

use beakerhelpers_core::{DatabaseUrl, Error, Result, SessionStore, StoreConfig, escape_controls};

use crate::Flavor;

/// The dialects that this build can talk to, as URLs name them.
const LINKED: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "sqlite",
    #[cfg(feature = "postgres")]
    "postgresql",
    #[cfg(feature = "mysql")]
    "mysql",
    #[cfg(feature = "mysql")]
    "mariadb",
];
/// What SQLAlchemy itself can talk to, by dialect.
const KNOWN: &[(&str, &str)] = &[
    ("sqlite", "SQLite"),
    ("postgresql", "PostgreSQL"),
    ("postgres", "PostgreSQL"),
    ("cockroachdb", "CockroachDB"),
    ("mysql", "MySQL"),
    ("mariadb", "MariaDB"),
    ("oracle", "Oracle"),
    ("mssql", "Microsoft SQL Server"),
];

/// Opens the store of a configuration. The database is not touched yet: the first call of the store does that.
pub(crate) fn open(config: &StoreConfig, flavor: Flavor) -> Result<Box<dyn SessionStore>> {
    // As Beaker looks for them (`DatabaseNamespaceManager.__init__` in `beaker/ext/database.py`, 1.14.1).
    let key = if config.get("url").is_none() && config.get("sa.url").is_some() { "sa.url" } else { "url" };
    let url = config.require(key).map_err(|error| {
        error.with_hint("set it to the URL that the application's SQLAlchemy gets: `sqlite:////srv/app/sessions.db`")
    })?;
    DatabaseUrl::parse(url)
        .and_then(|url| open_url(config, flavor, &url))
        .map_err(|error| error.with_context("at", config.origin(key)))
}

/// As [`open`], for a database of one of these dialects.
pub(crate) fn open_one_of(config: &StoreConfig, flavor: Flavor, dialects: &[&str]) -> Result<Box<dyn SessionStore>> {
    let example =
        format!("set it as SQLAlchemy has it: `{}://user:password@host/database`", dialects.first().unwrap_or(&""));
    DatabaseUrl::parse(config.require("url").map_err(|error| error.with_hint(&*example))?)
        .and_then(|url| {
            if !dialects.contains(&url.dialect()) {
                let error = format!("`{}` is another database", escape_controls(url.dialect()));
                return Err(Error::config(error).with_hint(example));
            }
            open_url(config, flavor, &url)
        })
        .map_err(|error| error.with_context("at", config.origin("url")))
}

fn open_url(config: &StoreConfig, flavor: Flavor, url: &DatabaseUrl) -> Result<Box<dyn SessionStore>> {
    #[cfg(feature = "sqlite")]
    if url.dialect() == "sqlite" {
        let store = crate::sqlite::SqliteStore::new(config, flavor, &sqlite_path(url)?)?;
        return Ok(Box::new(store));
    }
    #[cfg(feature = "postgres")]
    if ["postgresql", "postgres", "cockroachdb"].contains(&url.dialect()) {
        let target = crate::postgres::PgTarget::new(url)?;
        let store = crate::server::ServerStore::<crate::postgres::PgClient>::new(config, flavor, target)?;
        return Ok(Box::new(store));
    }
    #[cfg(feature = "mysql")]
    if ["mysql", "mariadb"].contains(&url.dialect()) {
        let target = crate::mysql::MySqlTarget::new(url)?;
        let store = crate::server::ServerStore::<crate::mysql::MySqlClient>::new(config, flavor, target)?;
        return Ok(Box::new(store));
    }
    let _ = (config, flavor);
    Err(unsupported(url.dialect()))
}

fn unsupported(dialect: &str) -> Error {
    let error = match KNOWN.iter().find(|(name, _)| *name == dialect) {
        Some((_, product)) => Error::unsupported(format!("this build does not support {product}")),
        None => Error::unsupported(format!("there is no database `{}`", escape_controls(dialect))),
    };
    let linked = match LINKED {
        [] => "no database at all".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    };
    error.with_context("supported", linked)
}

/// The path of the file.
#[cfg(feature = "sqlite")]
fn sqlite_path(url: &DatabaseUrl) -> Result<String> {
    const EXAMPLE: &str = "write `sqlite:////srv/app/sessions.db` or `sqlite:///%(here)s/sessions.db`";
    if url.driver().is_some_and(|driver| driver.contains("sqlcipher")) {
        return Err(Error::unsupported("this build cannot read encrypted SQLite databases"));
    }
    if url.host().is_some() || url.username().is_some() {
        // SQLAlchemy refuses it too; most often a slash is missing.
        return Err(Error::config("an SQLite database has no host").with_hint(EXAMPLE));
    }
    let database = url.database().unwrap_or_default();
    // With `uri=true` Python's driver hands this form to SQLite.
    let path = match database.strip_prefix("file:").filter(|_| url.option("uri").is_some()) {
        Some(path) => path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path),
        None => database,
    };
    match path {
        "" | ":memory:" => Err(Error::config("the database is in memory, where only the application can see it")),
        path if url.option("mode") == Some("memory") || path.contains('\0') => {
            Err(Error::config(format!("`{}` names no file", escape_controls(path))))
        }
        path => return Ok(path.to_owned()),
    }
    .map_err(|error| error.with_hint(EXAMPLE))
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::ErrorKind;

    use super::*;

    fn refused(url: &str) -> Error {
        let config = StoreConfig::new("beaker.session").with("url", url);
        open(&config, Flavor::Database).expect_err("it is refused")
    }

    #[test]
    fn what_this_build_lacks_is_named_beside_what_it_has() {
        for (url, kind, message) in [
            #[cfg(not(feature = "postgres"))]
            ("postgresql+psycopg2://app:s3cret@db/x", ErrorKind::Unsupported, "this build does not support PostgreSQL"),
            ("oracle://app:s3cret@db/x", ErrorKind::Unsupported, "this build does not support Oracle"),
            #[cfg(not(feature = "mysql"))]
            ("mysql://app:s3cret@db/x", ErrorKind::Unsupported, "this build does not support MySQL"),
            ("mongodb://app:s3cret@db/x", ErrorKind::Unsupported, "there is no database `mongodb`"),
        ] {
            let error = refused(url);
            assert_eq!((error.kind(), error.message()), (kind, message));
            assert!(error.context().any(|(key, value)| key == "supported" && !value.is_empty()), "{error:?}");
            assert!(!format!("{error:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_missing_url_is_asked_for_by_its_key() {
        let error = open(&StoreConfig::new("app.session"), Flavor::Sqla).expect_err("there is none");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Config, "`app.session.url` is not set"));
        assert!(error.hint().is_some_and(|hint| hint.contains("sqlite:////")));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn what_names_no_file_is_refused() {
        for url in [
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite://srv/app.db",
            "sqlite:///file:x?mode=memory&uri=true",
        ] {
            let error = refused(url);
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(error.hint().is_some_and(|hint| hint.contains("sqlite:////")), "{url}: {error:?}");
            assert!(error.context().any(|(_, value)| value.contains("beaker.session.url")), "{url}");
        }
        assert_eq!(refused("sqlite+pysqlcipher://:key@/x.db").kind(), ErrorKind::Unsupported);
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn paths_are_sqlalchemys() {
        for (url, path) in [
            ("sqlite:////srv/a%20b.db", "/srv/a b.db"),
            ("sqlite+pysqlite:///data/x.db?timeout=30", "data/x.db"),
            ("sqlite:///file:/srv/x.db?mode=ro&uri=true", "/srv/x.db"),
            ("sqlite:///file:///srv/x.db?uri=true", "/srv/x.db"),
        ] {
            let url = DatabaseUrl::parse(url).expect("it is a URL");
            assert_eq!(sqlite_path(&url).expect("it names a file"), path);
        }
    }
}
