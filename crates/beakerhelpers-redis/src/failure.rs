//! What went wrong, in words, and whether to try again.

use std::time::{Duration, Instant};

use beakerhelpers_core::{Error, ErrorKind, escape_controls};
use redis::{ErrorKind as Kind, RedisError, ServerErrorKind};

use crate::listing::wrong_type;
use crate::place::Place;

/// How long to go on without a server that was there a moment ago.
pub(crate) const ABSENCE: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It will not.
    Final,
    /// The server has done nothing, and can do it in a moment: it loads its data, or the cluster is choosing a master.
    NotYet,
    /// The connection broke, or nothing came in time: what came of the command is not known.
    Gone,
}

pub(crate) fn trouble(error: &RedisError) -> Trouble {
    match error.kind() {
        Kind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown,
        ) => Trouble::NotYet,
        // A certificate that is not trusted will not be in a moment.
        Kind::Io if certificate(error).is_none() => Trouble::Gone,
        Kind::ClusterConnectionNotFound => Trouble::Gone,
        _ if error.code() == Some("BUSY") => Trouble::NotYet,
        _ => Trouble::Final,
    }
}

/// Waits between attempts, each time longer, up to a limit.
#[derive(Debug)]
pub(crate) struct Backoff {
    started: Instant,
    step: Duration,
    limit: Duration,
}

impl Backoff {
    pub(crate) fn start(limit: Duration) -> Self {
        Self { started: Instant::now(), step: SHORTEST, limit }
    }

    /// Waits before the next attempt. `false`: it was long enough.
    pub(crate) fn wait(&mut self) -> bool {
        if self.started.elapsed() >= self.limit {
            return false;
        }
        std::thread::sleep(self.step);
        self.step = self.step.saturating_mul(2).min(LONGEST);
        true
    }
}

/// The error for people. What the server says is shown as far as it holds no key.
pub(crate) fn explain(error: &RedisError, place: &Place) -> Error {
    let said = said(error);
    let explained = match (error.kind(), error.code()) {
        (Kind::AuthenticationFailed, _) | (_, Some("WRONGPASS")) => {
            Error::new(ErrorKind::PermissionDenied, "Redis refuses the user or the password").with_hint(
                "correct them where the place of the sessions is configured; a Redis that has as many clients as it \
                     may refuses everybody",
            )
        }
        (_, Some("NOAUTH")) => Error::new(ErrorKind::PermissionDenied, "Redis asks for a password")
            .with_hint("put it into the URL: `redis://user:password@host`"),
        (_, Some("NOPERM")) => denied(&said, place),
        (_, Some("DENIED")) => Error::new(ErrorKind::PermissionDenied, "Redis lets nobody in from other hosts")
            .with_hint("it is in protected mode: give it a password, or run this on its own host"),
        (Kind::Server(ServerErrorKind::ReadOnly), _) => {
            Error::unsupported("this Redis is a replica, where nothing is saved or deleted")
                .with_hint("let the URL name the master")
        }
        (Kind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask), _) if !place.is_cluster => {
            Error::config("this Redis is a node of a cluster")
                .with_hint("for a cluster the type is `ext:rediscluster`, and the option is `urls`")
        }
        (Kind::Server(ServerErrorKind::BusyLoading), _) => unavailable("Redis is still loading its data"),
        (Kind::Server(ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown), _) => {
            unavailable("a part of the cluster of Redis is down")
        }
        (_, Some("WRONGTYPE")) => wrong_type(),
        (_, Some("OOM")) => unavailable("the memory that Redis may use is full"),
        (_, Some("MISCONF")) => unavailable("Redis saves nothing because it cannot write its data to the disk"),
        (_, Some("BUSY")) => unavailable("Redis is busy with a script"),
        (Kind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::TryAgain), _) => {
            unavailable("the cluster of Redis is moving sessions between its nodes")
        }
        (Kind::Server(ServerErrorKind::ResponseError), _) => refused(&said, place),
        (Kind::Io, _) => lost(error),
        (Kind::ClusterConnectionNotFound, _) => unavailable("no node of the cluster of Redis can be reached"),
        _ => Error::new(ErrorKind::Other, "Redis answers what nobody understands"),
    };
    let explained = explained.with_context("at", place.origin.as_str()).with_context("server", place.location.as_str());
    if said.is_empty() { explained } else { explained.with_source(said) }
}

/// The server was started anew in the middle of a listing, or another one took its place.
pub(crate) fn restarted(place: &Place) -> Error {
    unavailable(
        "Redis was started anew meanwhile, or cannot tell that it was not: nobody knows what was listed already",
    )
    .with_context("server", place.location.as_str())
    .with_hint("what was done until then stays done: run it again")
}

fn unavailable(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

/// What the user lacks: the server names the command.
fn denied(said: &str, place: &Place) -> Error {
    let user = place.username.as_deref().unwrap_or("default");
    let command = said.split_once("run the '").and_then(|(_, rest)| rest.split_once('\''));
    match command {
        Some((command, _)) => {
            let command = escape_controls(command);
            Error::new(ErrorKind::PermissionDenied, format!("the user may not run `{command}` in Redis"))
                .with_hint(format!("allow it: `ACL SETUSER {user} +{command}`"))
        }
        None => Error::new(ErrorKind::PermissionDenied, "the user may not touch the keys of sessions in Redis")
            .with_hint(format!("allow it: `ACL SETUSER {user} ~beaker_cache:*`")),
    }
}

fn refused(said: &str, place: &Place) -> Error {
    // Of a refused `SELECT` the client keeps the words only.
    if said.contains("no permissions") {
        return denied(said, place);
    }
    // Redis 7 does not say which.
    if said.contains("executing the script can't run") {
        let user = place.username.as_deref().unwrap_or("default");
        return Error::new(ErrorKind::PermissionDenied, "the user may not run `get` or `del` in Redis")
            .with_hint(format!("allow them: `ACL SETUSER {user} +get +del`"));
    }
    if said.contains("DB index") {
        return Error::config("Redis has no database of this number");
    }
    if said.contains("cluster support disabled") {
        return Error::config("this Redis is no cluster")
            .with_hint("for a single server the type is `ext:redis`, and the option is `url`");
    }
    if said.contains("unknown command") {
        return Error::unsupported("this Redis lacks a command, or has it under another name");
    }
    Error::new(ErrorKind::Other, "Redis refuses")
}

fn lost(error: &RedisError) -> Error {
    if certificate(error).is_some() {
        return unavailable("the certificate of Redis is not trusted")
            .with_hint("name the authority that signed it: `?ssl_ca_certs=/etc/ssl/redis-ca.pem`");
    }
    if error.is_connection_refusal() {
        return unavailable("Redis cannot be reached").with_hint("start the server, or correct where it is");
    }
    if error.is_timeout() {
        return unavailable("Redis does not answer in time");
    }
    unavailable("the connection to Redis cannot be made, or broke")
}

/// What is wrong with the server's certificate, if that is the trouble.
fn certificate(error: &RedisError) -> Option<String> {
    Some(error.to_string()).filter(|text| text.contains("certificate"))
}

/// What was said, without what may be a key or a value: Redis repeats the arguments of a command that it does not know.
fn said(error: &RedisError) -> String {
    let text = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (None, Some(detail)) => detail.to_owned(),
        (Some(code), None) => code.to_owned(),
        (None, None) if error.kind() == Kind::Io => error.to_string(),
        (None, None) => String::new(),
    };
    // `MOVED` tells slot and node, and nobody needs to know.
    let end = [", with args beginning", " with args"].iter().filter_map(|words| text.find(words)).min();
    escape_controls(&text[..end.unwrap_or(text.len())]).chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::StoreConfig;

    use super::*;

    fn report(code: Kind, detail: &str) -> String {
        let config = StoreConfig::new("shop").with("url", "redis://u:secret@h");
        let place = Place::of_server(&config).expect("it is one");
        explain(&RedisError::from((code, "x", detail.to_owned())), &place).report().to_string()
    }

    #[test]
    fn arguments_of_unknown_commands_are_not_repeated() {
        let detail = "unknown command 'GETRANGE', with args beginning with: 'beaker_cache:the-id:session' ";
        let said = report(Kind::Server(ServerErrorKind::ResponseError), detail);
        assert!(said.contains("GETRANGE") && !said.contains("the-id") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn a_command_that_is_not_allowed_is_named() {
        let said = report(Kind::Server(ServerErrorKind::NoPerm), "User u has no permissions to run the 'eval' command");
        assert!(said.contains("the user may not run `eval`") && said.contains("ACL SETUSER u +eval"), "{said}");
        let select = "User u has no permissions to run the 'select' command";
        let said = report(Kind::Server(ServerErrorKind::ResponseError), select);
        assert!(said.contains("the user may not run `select`") && said.contains("ACL SETUSER u +select"), "{said}");
        let said = report(Kind::Server(ServerErrorKind::NoPerm), "No permissions to access a key");
        assert!(said.contains("ACL SETUSER u ~beaker_cache:*"), "{said}");
    }

    #[test]
    fn waits_end() {
        assert!(!Backoff::start(Duration::ZERO).wait());
        assert!(Backoff::start(Duration::from_secs(5)).wait());
    }
}
