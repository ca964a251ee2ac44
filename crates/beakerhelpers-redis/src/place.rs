//! Where the sessions are, from the options of the site.

use std::fs;
use std::path::{Path, PathBuf};

use beakerhelpers_core::{DatabaseUrl, Error, Result, StoreConfig};

/// Where Redis listens unless something else is said.
const PORT: u16 = 6379;

/// Where the server is, or some nodes of a cluster, and how to log in.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) addresses: Vec<Address>,
    pub(crate) is_cluster: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
    pub(crate) tls: Option<Tls>,
    /// For people, without the password.
    pub(crate) location: String,
    /// Which option of which file says all this.
    pub(crate) origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// How a connection is encrypted.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "such a build only says that it cannot"))]
pub(crate) struct Tls {
    /// Any server is trusted.
    pub(crate) trusts_all: bool,
    /// The certificate may name another host.
    pub(crate) ignores_names: bool,
    /// PEM: the authorities to trust; the system's otherwise.
    pub(crate) authorities: Option<Vec<u8>>,
    /// PEM: the certificate to show, and its key.
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Place {
    /// What `ext:redis` reads: the `url`, as redis-py takes it (`redis/connection.py`, `parse_url`, 8.1).
    pub(crate) fn of_server(config: &StoreConfig) -> Result<Self> {
        let at = |error: Error| error.with_context("at", config.origin("url"));
        let url = parse(config.require("url")?).map_err(at)?;
        Self::of_url(&url, config.origin("url")).map_err(at)
    }

    fn of_url(url: &DatabaseUrl, origin: String) -> Result<Self> {
        let set = |name: &str, own: Option<&str>| {
            own.filter(|own| !own.is_empty()).or_else(|| url.option(name)).map(str::to_owned)
        };
        let path = url.database().unwrap_or_default();
        let (address, in_path) = match url.dialect() {
            "unix" if path.is_empty() => return Err(Error::config("the URL names no unix socket")),
            "unix" => (Address::Unix(Path::new("/").join(path)), None),
            _ => (tcp(url), path.replace('/', "").parse().ok()),
        };
        let database = match url.option("db") {
            Some(number) => number.parse().map_err(|_| Error::config("`db` in the URL is no number"))?,
            // What is no number there is the first database to redis-py.
            None => in_path.unwrap_or(0),
        };
        Ok(Self {
            addresses: vec![address],
            is_cluster: false,
            username: set("username", url.username()),
            password: set("password", url.password()),
            database,
            tls: (url.dialect() == "rediss").then(|| Tls::read(|name| url.option(name))).transpose()?,
            location: url.to_string(),
            origin,
        })
    }

    /// What `ext:rediscluster` reads: `urls`, of which Beaker takes host and port alone; who logs in and how stands in
    /// other options (`beaker/ext/redisclusternm.py`, 1.14.1). Where it does not, the first URL counts here.
    pub(crate) fn of_cluster(config: &StoreConfig) -> Result<Self> {
        let at = |error: Error| error.with_context("at", config.origin("urls"));
        let texts = config.require("urls").map_err(|error| match config.get("url") {
            Some(_) => error.with_hint("Beaker calls it `urls` for a cluster: rename `url`"),
            None => error,
        })?;
        let urls = texts.split(',').map(|text| parse(text.trim())).collect::<Result<Vec<_>>>().map_err(at)?;
        for url in &urls {
            let names_one = url.database().is_some_and(|path| path.replace('/', "").parse::<i64>().is_ok());
            if url.option("db").is_some() || names_one {
                return Err(at(Error::config("a cluster has no databases to choose from"))
                    .with_hint("Beaker refuses such a URL, too: leave the number away"));
            }
            if url.dialect() == "unix" {
                return Err(at(Error::config("the nodes of a cluster are not to be reached by unix sockets")));
            }
        }
        let first = urls.first().expect("splitting gives one at least");
        let option =
            |name: &str, own: Option<&str>| config.get(name).or(own.filter(|own| !own.is_empty())).map(str::to_owned);
        // Beaker hands the text to redis-py, to which any text is true there, `false` too.
        let encrypted = config.get("ssl").map_or(first.dialect() == "rediss", |ssl| !ssl.is_empty());
        let tls = || {
            let read = Tls::read(|name| config.get(name).or_else(|| first.option(name)));
            read.map_err(|error| error.with_context("at", config.origin("ssl")))
        };
        let locations: Vec<_> = urls.iter().map(ToString::to_string).collect();
        Ok(Self {
            addresses: urls.iter().map(tcp).collect(),
            is_cluster: true,
            username: option("username", first.username()),
            password: option("password", first.password()),
            database: 0,
            tls: if encrypted { Some(tls()?) } else { None },
            location: locations.join(","),
            origin: config.origin("urls"),
        })
    }
}

impl Tls {
    /// Reads the files that options name.
    fn read<'o>(option: impl Fn(&str) -> Option<&'o str>) -> Result<Self> {
        let file = |name: &'static str| {
            let Some(path) = option(name) else { return Ok(None) };
            fs::read(path).map(Some).map_err(|error| {
                Error::config(format!("the file of `{name}` cannot be read"))
                    .with_context("file", path)
                    .with_source(error)
            })
        };
        let (certificate, key) = (file("ssl_certfile")?, file("ssl_keyfile")?);
        let identity = certificate.map(|certificate| {
            // Python takes the key from the file of the certificate, too.
            let key = key.unwrap_or_else(|| certificate.clone());
            (certificate, key)
        });
        Ok(Self {
            trusts_all: option("ssl_cert_reqs").is_some_and(|value| value.eq_ignore_ascii_case("none")),
            ignores_names: option("ssl_check_hostname").is_some_and(|value| !is_yes(value)),
            authorities: file("ssl_ca_certs")?,
            identity,
        })
    }
}

/// As redis-py reads a truth in a URL (`redis/connection.py`, `to_bool`, 8.1).
fn is_yes(text: &str) -> bool {
    !["", "0", "f", "false", "n", "no"].iter().any(|no| text.trim().eq_ignore_ascii_case(no))
}

fn parse(text: &str) -> Result<DatabaseUrl> {
    let hint = "write `redis://user:password@host:6379/0`, `rediss://…` or `unix:///run/redis.sock?db=0`; in the user and \
                the password write `@` as `%40`, `:` as `%3A`, `/` as `%2F`, `%` as `%25`";
    let url = DatabaseUrl::parse(text).map_err(|error| {
        let why = error.message().rsplit(": ").next().unwrap_or_default().to_owned();
        Error::config(format!("this is no URL of Redis: {why}")).with_hint(hint)
    })?;
    if !["redis", "rediss", "unix"].contains(&url.dialect()) || url.driver().is_some() {
        return Err(Error::config("this is no URL of Redis: it begins with another word").with_hint(hint));
    }
    Ok(url)
}

fn tcp(url: &DatabaseUrl) -> Address {
    Address::Tcp(url.host().unwrap_or("localhost").to_owned(), url.port().unwrap_or(PORT))
}

#[cfg(test)]
mod tests;
