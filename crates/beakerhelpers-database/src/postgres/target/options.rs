//! What the options of a URL mean: those of libpq, and those of Python's drivers.

use beakerhelpers_core::{Error, Result, escape_controls};

/// What to make of an option.
pub(super) enum Meaning {
    /// A parameter of libpq.
    Parameter(&'static str, String),
    Host,
    Port,
    /// The file of a socket.
    Socket,
    /// It concerns the Python driver alone.
    Nothing,
}

/// libpq's own, which `psycopg2` and `psycopg` hand on to it, but `host` and `port`, and `client_encoding`, which is
/// UTF-8 here whatever the application has.
const LIBPQ: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "options",
    "passfile",
    "password",
    "require_auth",
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// What an option means.
///
/// # Errors
///
/// `Config` for one that is not known and whose name says that how safe the connection is depends on it.
pub(super) fn meaning(name: &str, value: &str) -> Result<Meaning> {
    if let Some(known) = LIBPQ.iter().find(|known| **known == name) {
        return Ok(Meaning::Parameter(known, value.to_owned()));
    }
    match name {
        "host" => return Ok(Meaning::Host),
        "port" => return Ok(Meaning::Port),
        "unix_sock" => return Ok(Meaning::Socket),
        "ssl" => return Ok(Meaning::Parameter("sslmode", ssl(value).to_owned())),
        "timeout" => {
            // Python's drivers take fractions, libpq whole seconds.
            let seconds = value.parse::<f64>().ok().filter(|seconds| (0.0..3600.0).contains(seconds));
            return Ok(seconds.map_or(Meaning::Nothing, |seconds| {
                Meaning::Parameter("connect_timeout", format!("{:.0}", seconds.ceil()))
            }));
        }
        "database" => return Ok(Meaning::Parameter("dbname", value.to_owned())),
        _ => {}
    }
    let lower = name.to_ascii_lowercase();
    if ["ssl", "tls", "auth", "krb", "gss", "crypt", "cert"].into_iter().any(|part| lower.contains(part)) {
        return Err(Error::config(format!("the option `{}` of the database URL is not known", escape_controls(name)))
            .with_hint("how safe the connection is may depend on it; write it as libpq knows it, `sslmode=require`"));
    }
    Ok(Meaning::Nothing)
}

/// asyncpg's `ssl`, which is a mode or a truth, and that of pg8000. `true` asks for encryption, not for a known server.
fn ssl(value: &str) -> &str {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => "require",
        "false" | "0" | "no" | "off" | "none" => "disable",
        _ => value,
    }
}
