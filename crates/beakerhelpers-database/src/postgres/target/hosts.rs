//! Which hosts a URL names.

use beakerhelpers_core::{DatabaseUrl, Error, Result};

/// Hosts, or folders of sockets, each with its port if it has one of its own.
///
/// As SQLAlchemy 2.1 reads them (`_split_multihost_from_url` in `sqlalchemy/dialects/postgresql/base.py`): those of the
/// query replace that before it.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    named: Vec<(String, Option<String>)>,
    ports: Option<String>,
    of_query: bool,
}

impl Hosts {
    pub(super) fn of_url(url: &DatabaseUrl) -> Self {
        let named = url.host().map(|host| (host.to_owned(), None)).into_iter().collect();
        Self { named, ports: url.port().map(|port| port.to_string()), of_query: false }
    }

    /// The value of a `host` in the query: `h1`, `h1:5433`, `h1:5432,h2:5433`, `/var/run/postgresql`.
    pub(super) fn add(&mut self, value: &str) {
        if !self.of_query {
            self.of_query = true;
            self.named.clear();
        }
        self.named.extend(value.split(',').filter(|host| !host.is_empty()).map(|host| match host.rsplit_once(':') {
            Some((name, port)) if is_name(name) && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name.to_owned(), Some(port.to_owned()).filter(|port| !port.is_empty()))
            }
            _ => (host.trim_start_matches('[').trim_end_matches(']').to_owned(), None),
        }));
    }

    /// The value of a `port` in the query: `5433`, `5432,5433`.
    pub(super) fn set_ports(&mut self, value: &str) {
        self.ports = Some(value.to_owned());
    }

    /// The file of a socket, as the driver pg8000 takes it.
    pub(super) fn set_socket(&mut self, path: &str) -> Result<()> {
        let Some((folder, port)) = path.rsplit_once("/.s.PGSQL.") else {
            return Err(Error::config("`unix_sock` in the database URL is no socket of PostgreSQL")
                .with_hint("write `unix_sock=/var/run/postgresql/.s.PGSQL.5432`"));
        };
        self.of_query = true;
        self.named = vec![(folder.to_owned(), Some(port.to_owned()))];
        Ok(())
    }

    /// libpq's `host` and `port`, as far as they are given.
    pub(super) fn finish(self) -> Result<(Option<String>, Option<String>)> {
        let own = self.named.iter().any(|(_, port)| port.is_some());
        let port = if own {
            let default = self.ports.as_deref().filter(|ports| !ports.contains(',')).unwrap_or_default();
            let ports: Vec<_> = self.named.iter().map(|(_, port)| port.as_deref().unwrap_or(default)).collect();
            Some(ports.join(","))
        } else {
            self.ports
        };
        for port in port.iter().flat_map(|ports| ports.split(',')).filter(|port| !port.is_empty()) {
            if !port.parse::<u16>().is_ok_and(|port| port > 0) {
                return Err(Error::config("a port in the database URL is no number up to 65535"));
            }
        }
        let hosts: Vec<_> = self.named.into_iter().map(|(host, _)| host).collect();
        let (all, ports) = (hosts.len(), port.as_deref().map_or(1, |port| port.split(',').count()));
        if ports > 1 && ports != all {
            return Err(Error::config(format!("the database URL names {all} hosts and {ports} ports")));
        }
        Ok(((all > 0).then(|| hosts.join(",")), port))
    }
}

fn is_name(text: &str) -> bool {
    text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-'))
}
