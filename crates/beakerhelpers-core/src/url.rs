//! Database URLs as SQLAlchemy writes them.

use std::fmt;

use crate::escape::is_control;
use crate::{Error, Result};

/// An SQLAlchemy database URL, taken apart: `dialect+driver://user:password@host:port/database?option=value`.
///
/// Parts are decoded as SQLAlchemy 2.1 does (`sqlalchemy/engine/url.py`, `make_url`): `%40` is `@` everywhere, a plus
/// is a space in options only. `Display` and `Debug` never show the password, nor any option that could be one.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    dialect: String,
    driver: Option<String>,
    username: Option<String>,
    password: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    database: Option<String>,
    options: Vec<(String, String)>,
    /// The password may hold an `@` that should have been encoded, and what follows be the rest of it.
    password_may_go_on: bool,
}

impl DatabaseUrl {
    /// Takes a URL apart. That nothing is wrong with it does not mean that some store can open it.
    ///
    /// # Errors
    ///
    /// `Config` where it is no URL, or its host or port cannot be one. The message shows no part of it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use beakerhelpers_core::{DatabaseUrl, Result};
    /// # fn main() -> Result<()> {
    /// let url = DatabaseUrl::parse("postgresql+psycopg2://app:s%40crt@db:5432/site?sslmode=require")?;
    /// assert_eq!((url.dialect(), url.password(), url.port()), ("postgresql", Some("s@crt"), Some(5432)));
    /// assert_eq!(url.to_string(), "postgresql+psycopg2://app:****@db:5432/site?sslmode=require");
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let (name, rest) = text.split_once("://").ok_or_else(no_url)?;
        let is_name = |char: char| char.is_alphanumeric() || char == '_' || char == '+';
        let (dialect, driver) = name.split_once('+').map_or((name, None), |(name, driver)| (name, Some(driver)));
        if dialect.is_empty() || !name.chars().all(is_name) {
            return Err(no_url());
        }
        if rest.contains(char::is_control) {
            return Err(malformed("it holds a line break or another control character"));
        }
        let (username, password, rest) = split_user(rest);
        let password_may_go_on = password.is_some() && rest.contains('@');
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, port) = split_host(&rest[..end])?;
        let (rest, query) = rest[end..].split_once('?').map_or((&rest[end..], ""), |(rest, query)| (rest, query));
        Ok(Self {
            dialect: dialect.to_owned(),
            driver: driver.map(str::to_owned),
            username: username.map(percent_decode),
            password: password.map(percent_decode),
            host: host.map(str::to_owned),
            port,
            database: rest.strip_prefix('/').map(percent_decode),
            options: query.split('&').filter_map(option).collect(),
            password_may_go_on,
        })
    }

    /// The kind of database: `sqlite`, `postgresql`, `mysql` and so on, as it is written.
    pub fn dialect(&self) -> &str {
        &self.dialect
    }

    /// The Python driver after the plus: `psycopg2`, `pymysql`.
    pub fn driver(&self) -> Option<&str> {
        self.driver.as_deref()
    }

    /// The user.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The password; never to be shown.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The database; for SQLite the path of its file: `rel` in `sqlite:///rel`, `/abs` in `sqlite:////abs`, empty in
    /// `sqlite:///`, `None` in `sqlite://`. A relative path is relative to the working directory.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The options after the question mark in their order, repeated ones too, those without a value not.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first option of this name.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

/// Splits off `user:password@`. As with SQLAlchemy a password ends at the first `@`, a user alone at the last one.
fn split_user(rest: &str) -> (Option<&str>, Option<&str>, &str) {
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (user, after) = rest.split_at(end);
    if let Some((password, rest)) = after.strip_prefix(':').and_then(|after| after.split_once('@')) {
        return (Some(user), Some(password), rest);
    }
    match user.rfind('@') {
        Some(at) => (Some(&user[..at]), None, &rest[at + 1..]),
        None => (None, None, rest),
    }
}

fn split_host(text: &str) -> Result<(Option<&str>, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => {
            let port = port.strip_prefix(':').ok_or_else(|| malformed("something stands between `]` and the port"))?;
            (host, Some(port))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.contains('@') {
        return Err(malformed("there is an `@` in the host")
            .with_hint("in the user and the password write `@` as `%40`, `:` as `%3A`, `/` as `%2F`, `%` as `%25`"));
    }
    let number = |port: &str| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| port.parse().ok()).flatten().ok_or_else(|| malformed("the port is no number up to 65535"))
    };
    Ok((Some(host).filter(|host| !host.is_empty()), port.map(number).transpose()?))
}

/// An option as Python's `urllib.parse.parse_qsl` reads it.
fn option(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=').filter(|(_, value)| !value.is_empty())?;
    let decode = |text: &str| percent_decode(&text.replace('+', " "));
    Some((decode(name), decode(value)))
}

fn no_url() -> Error {
    malformed("it does not begin with `dialect://`")
        .with_hint("write `sqlite:////srv/site/sessions.db` or `postgresql://user:password@host/database`")
}

fn malformed(why: &str) -> Error {
    Error::config(format!("this is no database URL: {why}"))
}

/// Decodes `%20` and the like as Python's `urllib.parse.unquote`: what is no escape stays, what is no UTF-8 becomes
/// U+FFFD.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let [first, after @ ..] = rest {
        let escape = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escape {
            bytes.push(high * 16 + low);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Without the password, as `****`.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.dialect)?;
        if let Some(driver) = &self.driver {
            write!(f, "+{driver}")?;
        }
        f.write_str("://")?;
        if let Some(username) = &self.username {
            write!(f, "{}", Encoded(username))?;
            let password = if self.password.is_some() { ":****" } else { "" };
            write!(f, "{password}@")?;
        }
        if self.password_may_go_on {
            return f.write_str("****");
        }
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{}]", Encoded(host))?,
            Some(host) => write!(f, "{}", Encoded(host))?,
            None => {}
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(database) = &self.database {
            write!(f, "/{}", Encoded(database))?;
        }
        for (index, (name, value)) in self.options().enumerate() {
            let value = if may_be_shown(name) { value } else { "****" };
            write!(f, "{}{}={}", if index == 0 { '?' } else { '&' }, Encoded(name), Encoded(value))?;
        }
        Ok(())
    }
}

/// As `Display`.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Drivers know many names for a password, and `odbc_connect` holds one within its value.
fn may_be_shown(option: &str) -> bool {
    [
        "application_name",
        "cache",
        "charset",
        "client_encoding",
        "connect_timeout",
        "host",
        "immutable",
        "mode",
        "nolock",
        "port",
        "sslmode",
        "timeout",
        "unix_socket",
        "uri",
        "use_unicode",
        "vfs",
    ]
    .contains(&option)
}

/// A part of a URL with what would end it, or move the cursor, encoded again.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| {
            if is_control(char) || matches!(char, '%' | '@' | '?' | '&' | '#' | ' ') {
                let mut buffer = [0; 4];
                char.encode_utf8(&mut buffer).bytes().try_for_each(|byte| write!(f, "%{byte:02X}"))
            } else {
                write!(f, "{char}")
            }
        })
    }
}
