//! Connecting, and what a session is set to.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use beakerhelpers_core::Access;
use mysql::consts::CapabilityFlags;
use mysql::prelude::Queryable;
use mysql::{Conn, Error as ClientError, Opts, OptsBuilder};

use super::errors;
use super::target::{MySqlTarget, Place};
use super::tls::Mode;
use crate::failure::Failure;
use crate::server::client::Settings;

/// A connection whose other end is gone without a word is given up after about so long.
const KEEPALIVE_MS: u32 = 30_000;
const PROBE_SECS: u32 = 10;
const GIVE_UP_MS: u32 = 90_000;
/// A server that is asked for less has no chance to answer.
const SHORTEST: Duration = Duration::from_secs(2);

/// What does not fit is an error, and is not cut.
const MODES: &str = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION";

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) is_mariadb: bool,
    pub(super) version: (u32, u32),
}

impl Facts {
    /// `SELECT … FOR UPDATE SKIP LOCKED`.
    pub(super) fn skips_locked(self) -> bool {
        self.version >= if self.is_mariadb { (10, 6) } else { (8, 0) }
    }

    /// A session can be told not to wait for locks at all, and to go round them.
    pub(super) fn never_waits(self) -> bool {
        self.is_mariadb && self.skips_locked()
    }

    fn parse(version: &str) -> Self {
        let is_mariadb = version.to_ascii_lowercase().contains("mariadb");
        // What old clients are told before the true version.
        let version = version.strip_prefix("5.5.5-").unwrap_or(version);
        let mut numbers = version.split(|char: char| !char.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
        Self { is_mariadb, version: (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) }
    }
}

/// Connects to the first place where a server listens, once: a refusal is final.
pub(super) fn connect(target: &MySqlTarget, wait: Duration) -> Result<Conn, Failure> {
    let patience = target.connect_timeout.unwrap_or(wait).max(SHORTEST);
    let mut nobody = None;
    for place in &target.places {
        match open(target, place, patience)? {
            Ok(conn) => return Ok(conn),
            Err(error) if errors::nobody_there(&error) => {
                nobody.get_or_insert(error);
            }
            Err(error) => return Err(errors::failure(&error)),
        }
    }
    Err(nobody.map_or_else(|| errors::no_answer(false), |error| errors::failure(&error)))
}

/// In a thread: the client library waits for an answer for ever, or panics at some that are no answer.
fn open(target: &MySqlTarget, place: &Place, patience: Duration) -> Result<Result<Conn, ClientError>, Failure> {
    let options = options(target, place, patience);
    let preferred = target.tls.mode == Mode::Preferred;
    let (answer, answered) = mpsc::channel();
    thread::spawn(move || {
        let mut conn = Conn::new(Opts::from(options.clone()));
        if preferred && conn.as_ref().is_err_and(errors::no_tls) {
            // That was before any password.
            conn = Conn::new(Opts::from(options.ssl_opts(None)));
        }
        // Whoever asked may have gone.
        let _ = answer.send(conn);
    });
    answered.recv_timeout(patience).map_err(|error| errors::no_answer(error == mpsc::RecvTimeoutError::Disconnected))
}

fn options(target: &MySqlTarget, place: &Place, patience: Duration) -> OptsBuilder {
    let mut options = OptsBuilder::new()
        .user(Some(&*target.user))
        .pass(target.password.clone())
        .db_name(Some(&*target.database))
        // It would go on by the socket where it was told to go by TCP.
        .prefer_socket(false)
        .stmt_cache_size(0)
        .tcp_connect_timeout(Some(patience))
        .tcp_keepalive_time_ms(Some(KEEPALIVE_MS))
        // An UPDATE counts the rows that it finds, not only those that it changes.
        .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS);
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        options = options.tcp_keepalive_probe_interval_secs(Some(PROBE_SECS)).tcp_keepalive_probe_count(Some(3));
    }
    #[cfg(target_os = "linux")]
    {
        options = options.tcp_user_timeout_ms(Some(GIVE_UP_MS));
    }
    match place {
        Place::Socket(path) => options.socket(Some(path.to_string_lossy())),
        Place::Tcp(host, port) => {
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            options.ip_or_hostname(Some(host)).tcp_port(*port).ssl_opts(target.tls.options())
        }
    }
}

/// Sets a new session to what all statements here rely on, whatever the server's settings are.
pub(super) fn prepare(conn: &mut Conn, settings: Settings) -> Result<Facts, ClientError> {
    let version: Option<String> = conn.query_first("SELECT VERSION()")?;
    let facts = Facts::parse(&version.unwrap_or_default());
    conn.query_drop("SET NAMES utf8mb4")?;
    // MySQL would round a time up to the next second, MariaDB does not.
    let cuts = !facts.is_mariadb
        && conn.query_drop(format!("SET SESSION sql_mode = '{MODES},TIME_TRUNCATE_FRACTIONAL'")).is_ok();
    if !cuts {
        conn.query_drop(format!("SET SESSION sql_mode = '{MODES}'"))?;
    }
    let wait = settings.wait.as_secs().clamp(1, 3600);
    conn.query_drop(format!("SET SESSION innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}"))?;
    let level = if logs_statements(conn) { "REPEATABLE READ" } else { "READ COMMITTED" };
    let access = if settings.access == Access::ReadOnly { ", READ ONLY" } else { "" };
    conn.query_drop(format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}{access}"))?;
    // A TIMESTAMP is another one in every zone.
    conn.query_drop("SET SESSION autocommit = 1, time_zone = '+00:00'")?;
    if facts.is_mariadb {
        // A long list of keys would be made a table, and the table of sessions be read as a whole. Older ones lack it.
        let _ = conn.query_drop("SET SESSION in_predicate_conversion_threshold = 0");
    }
    Ok(facts)
}

/// Whether the server's log of changes holds statements, which READ COMMITTED does not go with (error 1665).
fn logs_statements(conn: &mut Conn) -> bool {
    let answer: Result<Option<(u8, String)>, _> = conn.query_first("SELECT @@log_bin, @@session.binlog_format");
    matches!(answer, Ok(Some((1, format))) if format.eq_ignore_ascii_case("STATEMENT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, is_mariadb, version, skips) in [
            ("10.11.19-MariaDB-0+deb12u1", true, (10, 11), true),
            ("5.5.5-10.3.39-MariaDB", true, (10, 3), false),
            ("8.0.36", false, (8, 0), true),
            ("5.7.44-log", false, (5, 7), false),
            ("9.1.0-commercial", false, (9, 1), true),
            ("", false, (0, 0), false),
        ] {
            let facts = Facts::parse(text);
            assert_eq!((facts, facts.skips_locked()), (Facts { is_mariadb, version }, skips), "{text}");
        }
    }
}
