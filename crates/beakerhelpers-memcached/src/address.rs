//! Where the servers are.

use std::fmt;

use beakerhelpers_core::{Error, Result, StoreConfig};

use crate::key::Key;

/// memcached's port.
const PORT: u16 = 11211;

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp { host: String, port: u16 },
    Unix(String),
}

impl Address {
    /// Reads `host`, `host:port`, `inet:host:port`, `inet6:[host]:port` and `unix:/path` as python-memcached does, and
    /// `[host]:port` and `/path` as python-binary-memcached.
    fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Some(Self::Unix(path.to_owned()));
        }
        if text.starts_with('/') {
            return Some(Self::Unix(text.to_owned()));
        }
        let text = text.strip_prefix("inet6:").or_else(|| text.strip_prefix("inet:")).unwrap_or(text);
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']')?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (host, port)
        } else if text.parse::<std::net::Ipv6Addr>().is_ok() {
            (text, None)
        } else {
            text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
        };
        let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
        let named =
            !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@".contains(c));
        named.then(|| Self::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

/// The servers of `url`, in its order, which decides what is where.
///
/// # Errors
///
/// `Config` where it is not set, or one of them cannot be understood; the text itself is not shown.
pub(crate) fn servers(config: &StoreConfig) -> Result<Vec<Address>> {
    let url = config.require("url")?;
    let refused = || {
        Error::config("the servers of memcached cannot be understood")
            .with_context("at", config.origin("url"))
            .with_hint("give `host:port` or `unix:/path`; several servers have a `;` between them")
    };
    url.split(';').map(|server| Address::parse(server.trim()).ok_or_else(refused)).collect()
}

/// The place of the server, of so many, that python-memcached 1.62 keeps this key on.
pub(crate) fn place(key: &Key, servers: usize) -> usize {
    let hash = crc32fast::hash(key.bytes()) >> 16 & 0x7fff;
    usize::try_from(hash).unwrap_or(0) % servers.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Vec<String>> {
        let servers = servers(&StoreConfig::new("beaker.session").with("url", url))?;
        Ok(servers.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_form_of_the_libraries() {
        for (url, expected) in [
            ("localhost", &["localhost:11211"][..]),
            ("10.0.0.1:1;10.0.0.2:2", &["10.0.0.1:1", "10.0.0.2:2"]),
            ("10.0.0.1:1; cache.example", &["10.0.0.1:1", "cache.example:11211"]),
            ("inet:a:5", &["a:5"]),
            ("inet6:[::1]:5", &["[::1]:5"]),
            ("inet6:[::1]", &["[::1]:11211"]),
            ("[fe80::1]:5", &["[fe80::1]:5"]),
            ("::1", &["[::1]:11211"]),
            ("unix:/run/m.sock;/run/n.sock", &["unix:/run/m.sock", "unix:/run/n.sock"]),
        ] {
            assert_eq!(read(url).unwrap(), expected, "{url}");
        }
        for url in [";", "a;", "a:b", "a:99999", "memcached://a", "u:p@a", "a b", "[::1", "[::1]5", ":5"] {
            let error = read(url).unwrap_err().report().to_string();
            assert!(error.starts_with("the servers of memcached") && error.contains("beaker.session.url"), "{error}");
        }
        assert_eq!(read("").unwrap_err().to_string(), "`beaker.session.url` is not set");
    }

    #[test]
    fn a_key_is_where_python_memcached_has_it() {
        // `memcache.cmemcache_hash` of 1.62.
        for (id, of_two, of_three) in PLACES {
            let key = Key::of(id).unwrap();
            assert_eq!((place(&key, 1), place(&key, 2), place(&key, 3)), (0, of_two, of_three), "{id}");
        }
    }

    const PLACES: [(&str, usize, usize); 5] =
        [("a", 1, 0), ("b", 0, 2), ("a b", 0, 1), ("79b4837b1d4148dcb98329c795314f78", 0, 1), ("ą", 0, 0)];
}
