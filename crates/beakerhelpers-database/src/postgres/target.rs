//! From an SQLAlchemy URL to libpq's parameters.

mod hosts;
mod options;

use std::env;
use std::fmt;
use std::time::Duration;

use beakerhelpers_core::{DatabaseUrl, Error, Result, escape_controls};

use self::hosts::Hosts;
use self::options::Meaning;

/// Where Debian's servers, and most others, have their socket. The client library that is compiled in looks in `/tmp`
/// alone, where the PostgreSQL project's own builds have it.
const SOCKETS: &str = "/var/run/postgresql,/tmp";
/// A server that vanished without a word is noticed after about a minute, and not after the system's two hours.
const KEEPALIVES: [(&str, &str); 3] =
    [("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3")];

/// Where to connect, and as whom.
#[derive(Clone)]
pub(crate) struct PgTarget {
    url: DatabaseUrl,
    parameters: Vec<(&'static str, String)>,
}

/// Whether a connection is to be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// As the parameters say.
    AsConfigured,
    Required,
    Off,
}

impl PgTarget {
    /// # Errors
    ///
    /// `Config` for what is no address or no option, `Unsupported` for what this build cannot do.
    pub(crate) fn new(url: &DatabaseUrl) -> Result<Self> {
        let mut target = Self { url: url.clone(), parameters: Vec::new() };
        for (name, value) in [("user", url.username()), ("password", url.password()), ("dbname", url.database())] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                target.set(name, value);
            }
        }
        let mut hosts = Hosts::of_url(url);
        for (name, value) in url.options() {
            match options::meaning(name, value)? {
                Meaning::Parameter(name, value) => target.set(name, &value),
                Meaning::Host => hosts.add(value),
                Meaning::Port => hosts.set_ports(value),
                Meaning::Socket => hosts.set_socket(value)?,
                Meaning::Nothing => {}
            }
        }
        let (host, port) = hosts.finish()?;
        if let Some(host) = host.or_else(|| target.default_host()) {
            target.set("host", &host);
        }
        let port = port.or_else(|| (url.dialect() == "cockroachdb").then(|| "26257".to_owned()));
        if let Some(port) = port {
            target.set("port", &port);
        }
        target.check()?;
        Ok(target)
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.parameters.retain(|(other, _)| *other != name);
        self.parameters.push((name, value.to_owned()));
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// Where to look if nothing says where.
    fn default_host(&self) -> Option<String> {
        let elsewhere = ["hostaddr", "service"].into_iter().any(|name| self.get(name).is_some())
            || ["PGHOST", "PGHOSTADDR", "PGSERVICE"].into_iter().any(|name| env::var_os(name).is_some());
        match self.url.driver() {
            _ if elsewhere => None,
            // The one driver that knows no default socket.
            Some("pg8000") => Some("localhost".to_owned()),
            _ => cfg!(unix).then(|| SOCKETS.to_owned()),
        }
    }

    fn check(&self) -> Result<()> {
        if let Some((name, _)) = self.parameters.iter().find(|(_, value)| value.contains('\0')) {
            return Err(Error::config(format!("`{name}` in the database URL holds a NUL character")));
        }
        let mode = self.get("sslmode").unwrap_or_default();
        if !["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"].contains(&mode) {
            return Err(Error::config(format!("there is no sslmode `{}`", escape_controls(mode)))
                .with_hint("it is one of `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`"));
        }
        let needs_tls = matches!(mode, "require" | "verify-ca" | "verify-full");
        if needs_tls && !cfg!(feature = "postgres-tls") {
            return Err(super::errors::without_tls(&format!("`sslmode={mode}`")));
        }
        Ok(())
    }

    /// Whether encryption is tried first and done without where the server has none. libpq would then try a wrong
    /// password once with and once without it, so that an account is locked twice as soon; this is for the caller.
    pub(crate) fn prefers_encryption(&self) -> bool {
        let mode = self.get("sslmode").map(ToOwned::to_owned);
        let mode = mode.or_else(|| if self.get("service").is_some() { None } else { env::var("PGSSLMODE").ok() });
        cfg!(feature = "postgres-tls")
            && self.get("service").is_none()
            && env::var_os("PGSERVICE").is_none()
            && mode.is_none_or(|mode| mode == "prefer")
    }

    /// libpq's connection string, which holds the password.
    pub(crate) fn connection_string(&self, wait: Duration, encryption: Encryption) -> String {
        let mut text = String::new();
        let mut push = |name: &str, value: &str| {
            text.push_str(name);
            text.push_str("='");
            for char in value.chars() {
                if matches!(char, '\'' | '\\') {
                    text.push('\\');
                }
                text.push(char);
            }
            text.push_str("' ");
        };
        for (name, value) in &self.parameters {
            if *name != "sslmode" || encryption == Encryption::AsConfigured {
                push(name, value);
            }
        }
        for (name, value) in KEEPALIVES {
            if self.get(name).is_none() {
                push(name, value);
            }
        }
        if self.get("connect_timeout").is_none() && env::var_os("PGCONNECT_TIMEOUT").is_none() {
            // Zero would be for ever, and libpq knows whole seconds only.
            push("connect_timeout", &wait.as_secs().clamp(2, 3600).to_string());
        }
        if self.get("application_name").is_none() {
            push("fallback_application_name", "beakerhelpers");
        }
        match encryption {
            Encryption::AsConfigured => {}
            Encryption::Required => push("sslmode", "require"),
            Encryption::Off => push("sslmode", "disable"),
        }
        text
    }
}

/// The URL without its password.
impl fmt::Display for PgTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl fmt::Debug for PgTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PgTarget({})", self.url)
    }
}

#[cfg(test)]
mod tests;
