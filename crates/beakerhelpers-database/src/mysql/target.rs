//! From SQLAlchemy's URL to a server and an account.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use beakerhelpers_core::{DatabaseUrl, Error, Result, escape_controls};

use super::option_file::{self, Options};
use super::tls::Tls;

/// The drivers of SQLAlchemy's dialects `mysql` and `mariadb`, and some that are gone. Those of the first sort go to
/// `localhost` by TCP, the others, which are made of MySQL's own library, by the unix socket.
const BY_TCP: [&str; 6] = ["pymysql", "aiomysql", "asyncmy", "cymysql", "mysqlconnector", "gaerdbms"];
const BY_SOCKET: [&str; 4] = ["mysqldb", "mariadbconnector", "oursql", "mysqlclient"];
/// Where systems put the socket.
const SOCKETS: [&str; 5] = [
    "/run/mysqld/mysqld.sock",
    "/var/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
    "/run/mysql/mysql.sock",
];
const PORT: u16 = 3306;
/// The groups of option files that every client reads.
const GROUPS: [&str; 3] = ["client", "client-server", "client-mariadb"];

/// A server, an account and a database. `Display` and `Debug` show no password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MySqlTarget {
    /// The URL without its password.
    shown: String,
    /// To be tried in this order, as long as nothing listens.
    pub(crate) places: Vec<Place>,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: String,
    pub(crate) tls: Tls,
    pub(crate) connect_timeout: Option<Duration>,
}

/// Where a server may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp(String, u16),
    Socket(PathBuf),
}

impl MySqlTarget {
    /// Reads a URL, and option files where the URL asks for one or lacks a password.
    ///
    /// # Errors
    ///
    /// `Config` for options that have no such value, and for option files that cannot be read; `Unsupported` for
    /// drivers that are none.
    pub(crate) fn new(url: &DatabaseUrl) -> Result<Self> {
        let sockets: Vec<_> = SOCKETS.iter().map(PathBuf::from).filter(|path| path.exists()).collect();
        Self::with(url, option_file::of_user().as_deref(), &|name| std::env::var(name).ok(), &sockets)
    }

    fn with(
        url: &DatabaseUrl,
        users_file: Option<&Path>,
        variable: &dyn Fn(&str) -> Option<String>,
        sockets: &[PathBuf],
    ) -> Result<Self> {
        let by_tcp = match url.driver() {
            None => false,
            Some(driver) if BY_TCP.contains(&driver) => true,
            Some(driver) if BY_SOCKET.contains(&driver) => false,
            Some(driver) => {
                let message = format!("there is no driver `{}` for MySQL and MariaDB", escape_controls(driver));
                return Err(
                    Error::unsupported(message).with_hint("write `mysql+pymysql://user:password@host/database`")
                );
            }
        };
        let file = options_of(url)?;
        let named = |name: &str| file.get(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let mut user = url.username().map(str::to_owned).or_else(|| named("user"));
        let mut password = url.password().map(str::to_owned).or_else(|| named("password"));
        if password.is_none()
            && let Some(users_file) = users_file
        {
            let theirs = option_file::read(users_file, &GROUPS)?;
            let their_user = theirs.get("user").filter(|user| !user.is_empty());
            // Another user's password would only lock an account.
            if user.as_deref().is_none_or(|user| their_user.is_none_or(|theirs| theirs == user)) {
                password = theirs.get("password").filter(|password| !password.is_empty()).map(str::to_owned);
                user = user.or_else(|| their_user.map(str::to_owned));
            }
        }
        let user = user.or_else(|| ["LOGNAME", "USER"].into_iter().find_map(variable)).ok_or_else(|| {
            Error::config("the URL names no user").with_hint("write `mysql+pymysql://user:password@host/database`")
        })?;
        let database = url.database().filter(|name| !name.is_empty()).map(str::to_owned).or_else(|| named("database"));
        let database = database.ok_or_else(|| {
            Error::config("the URL names no database").with_hint("write `mysql+pymysql://user:password@host/database`")
        })?;
        let connect_timeout = url.option("connect_timeout").map(seconds).transpose()?;
        let tls = if file.is_empty() {
            Tls::of_url(url)?
        } else {
            Tls::read(&|name| url.option(name).or_else(|| file.get(&name.replace('_', "-"))))?
        };
        Ok(Self {
            shown: url.to_string(),
            places: places(url, &file, by_tcp, sockets)?,
            user,
            password: password.or_else(|| variable("MYSQL_PWD")),
            database,
            tls,
            connect_timeout,
        })
    }
}

/// The options of the file that the URL names.
fn options_of(url: &DatabaseUrl) -> Result<Options> {
    let group = url.option("read_default_group");
    let groups: Vec<_> = GROUPS.into_iter().chain(group).collect();
    let file = match url.option("read_default_file").or_else(|| url.option("option_files")) {
        Some(file) => match file.strip_prefix("~/").zip(std::env::home_dir()) {
            Some((rest, home)) => home.join(rest),
            None => PathBuf::from(file),
        },
        None => match option_file::of_user().filter(|_| group.is_some()) {
            Some(file) => file,
            None => return Ok(Options::default()),
        },
    };
    option_file::read(&file, &groups)
}

fn places(url: &DatabaseUrl, file: &Options, by_tcp: bool, sockets: &[PathBuf]) -> Result<Vec<Place>> {
    let port = match (url.port(), file.get("port")) {
        (Some(port), _) => Some(port),
        (None, Some(port)) => {
            Some(port.parse().map_err(|_| Error::config("`port` in an option file of MySQL is no port"))?)
        }
        (None, None) => None,
    };
    let host = url.host().or_else(|| url.option("host")).or_else(|| file.get("host")).filter(|host| !host.is_empty());
    let socket = url.option("unix_socket").or_else(|| url.option("socket"));
    if let Some(socket) = socket.or_else(|| file.get("socket").filter(|_| host.is_none_or(|host| host == "localhost")))
    {
        return Ok(vec![Place::Socket(PathBuf::from(socket))]);
    }
    let tcp = |host: &str| Place::Tcp(host.to_owned(), port.unwrap_or(PORT));
    let host = host.unwrap_or("localhost");
    if host != "localhost" {
        return Ok(vec![tcp(host)]);
    }
    let sockets = sockets.iter().cloned().map(Place::Socket);
    if !by_tcp {
        return Ok(sockets.chain([tcp(host)]).collect());
    }
    // A socket has no port: behind it may be another server than the one of this port.
    let same = port.is_none_or(|port| port == PORT);
    Ok([tcp(host)].into_iter().chain(sockets.filter(|_| same)).collect())
}

fn seconds(text: &str) -> Result<Duration> {
    let seconds: Option<f64> = text.parse().ok().filter(|seconds| (0.0..=31_536_000.0).contains(seconds));
    let odd =
        || Error::config(format!("`connect_timeout` must be a number of seconds, not `{}`", escape_controls(text)));
    seconds.map(Duration::from_secs_f64).ok_or_else(odd)
}

impl fmt::Display for MySqlTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for MySqlTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MySqlTarget({self})")
    }
}

#[cfg(test)]
mod tests;
