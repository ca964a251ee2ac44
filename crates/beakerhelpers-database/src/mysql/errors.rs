//! Errors of servers and connections in the words of the contract.
//!
//! What a server says may hold what is in the table (`Duplicate entry '…'`): only messages that hold nothing but names
//! are repeated.

use std::error::Error as _;
use std::io;

use beakerhelpers_core::{Error, ErrorKind, escape_controls};
use mysql::{DriverError, Error as ClientError, MySqlError};

use crate::failure::{Failure, Trouble};

/// Whether the connection is of no use any more.
pub(super) fn breaks(error: &ClientError) -> bool {
    match error {
        ClientError::MySqlError(error) => LOST.contains(&error.code),
        _ => true,
    }
}

/// The server ended the connection, or is about to: it shuts down, an administrator or a timeout did.
const LOST: [u16; 9] = [1053, 1077, 1079, 1080, 1158, 1159, 1160, 1927, 4031];

/// Whatever went wrong, and what to make of it.
pub(super) fn failure(error: &ClientError) -> Failure {
    match error {
        ClientError::MySqlError(error) => of_server(error),
        ClientError::DriverError(error) => of_driver(error),
        ClientError::IoError(error) => of_connection(error),
        ClientError::TlsError(error) => Failure::new(Trouble::Final, tls(&error.to_string())),
        ClientError::CodecError(error) => match error.source().and_then(|source| source.downcast_ref()) {
            Some(error) => of_connection(error),
            None => Failure::new(
                Trouble::Gone,
                Error::new(ErrorKind::Unavailable, "the connection to the server broke: what came is not its protocol"),
            ),
        },
        ClientError::UrlError(_) | ClientError::FromValueError(_) | ClientError::FromRowError(_) => {
            Failure::new(Trouble::Final, Error::new(ErrorKind::Other, "the server's answer is not what was asked for"))
        }
    }
}

fn of_server(error: &MySqlError) -> Failure {
    let trouble = match error.code {
        1062 | 1586 => Trouble::Duplicate,
        1020 | 1205 | 1213 | 1614 | 3572 => Trouble::InTheWay,
        1040 | 1203 | 1226 => Trouble::Gone,
        code if LOST.contains(&code) => Trouble::Gone,
        _ => Trouble::Final,
    };
    let said = format!("{} (error {})", escape_controls(&error.message), error.code);
    let new = |kind, message: &str| Error::new(kind, message);
    let told = |kind, message: &str| new(kind, message).with_context("the server says", said.clone());
    let error = match error.code {
        1045 | 1698 => told(ErrorKind::PermissionDenied, "the server refuses this user or password")
            .with_hint("check user and password; for an account with `REQUIRE SSL`, `ssl_ca` and the like, too"),
        1044 => told(ErrorKind::PermissionDenied, "this user may not use the database"),
        1142 | 1143 | 1227 | 1370 | 3118 => told(ErrorKind::PermissionDenied, "this user may not do that")
            .with_hint("listing takes the right SELECT, deleting DELETE, saving INSERT and UPDATE, setting up CREATE"),
        1049 => told(ErrorKind::NotSetUp, "there is no such database").with_hint("correct the URL, or create it"),
        1146 => told(ErrorKind::NotSetUp, "there is no such table"),
        1129 => told(ErrorKind::Unavailable, "the server blocks this host after many failed connections")
            .with_hint("an administrator unblocks it with `FLUSH HOSTS`"),
        1130 => told(ErrorKind::PermissionDenied, "the server does not take connections from this host"),
        1040 | 1203 | 1226 => {
            new(ErrorKind::Unavailable, "the server has too many connections already").with_hint("try again later")
        }
        1820 | 1862 => told(ErrorKind::PermissionDenied, "the password has expired"),
        1251 | 1524 | 2059 => told(ErrorKind::Unsupported, "the account logs in by a plugin that is not supported"),
        3159 => told(ErrorKind::Config, "the server takes encrypted connections only")
            .with_hint("add `ssl_mode=REQUIRED`, or better `ssl_ca=FILE`, to the URL"),
        1290 | 1836 | 1792 | 3100 | 3101 => new(ErrorKind::Unavailable, "the server, or this connection, is read-only")
            .with_hint("a replica takes no changes: name the primary in the URL"),
        1205 => new(ErrorKind::Unavailable, "another transaction keeps a lock on the sessions")
            .with_hint("try again when it is done, or wait longer with `--wait`"),
        1213 | 1020 | 1614 | 3572 => new(ErrorKind::Unavailable, "other transactions were in the way, again and again"),
        1317 => new(ErrorKind::Unavailable, "somebody ended the statement with `KILL`"),
        1969 | 3024 => new(ErrorKind::Unavailable, "the statement took longer than the server allows")
            .with_hint("smaller batches take less time: `--batch-size`"),
        1062 | 1586 => new(ErrorKind::AlreadyExists, "a session with this id exists already"),
        1406 | 1264 => new(ErrorKind::Unsupported, "the session, or its id, is too long for the column"),
        1366 | 1267 | 3988 => {
            new(ErrorKind::Unsupported, "the column's character set has no place for this session's id")
        }
        1153 => new(ErrorKind::Unsupported, "the session is larger than the server takes")
            .with_hint("an administrator can raise `max_allowed_packet`"),
        1114 | 1021 | 3 | 1030 | 1026 => new(ErrorKind::Unavailable, "the server cannot write: its disk may be full"),
        1665 => new(ErrorKind::Unsupported, "the server's `binlog_format` does not go with READ COMMITTED"),
        1071 => new(ErrorKind::Unsupported, "this server's indexes take no column of 255 characters")
            .with_hint("its tables are of an old format, or the character set is wider than Beaker expects"),
        code if LOST.contains(&code) => new(ErrorKind::Unavailable, "the server ended the connection"),
        code => {
            new(ErrorKind::Other, &format!("the server refuses this (error {code}, {})", escape_controls(&error.state)))
                .with_hint(format!("`perror {code}` tells what that is"))
        }
    };
    Failure::new(trouble, error)
}

fn of_driver(error: &DriverError) -> Failure {
    let (trouble, error) = match error {
        DriverError::CouldNotConnect(told) => {
            let error = Error::new(ErrorKind::Unavailable, "nothing answers where the server is looked for");
            let error = match told {
                Some((place, why, _)) => {
                    error.with_context("tried", format!("{}: {}", escape_controls(place), escape_controls(why)))
                }
                None => error,
            };
            (Trouble::Gone, error.with_hint("is the server running, and are host and port, or `unix_socket`, right?"))
        }
        DriverError::ConnectTimeout | DriverError::Timeout => {
            (Trouble::Gone, Error::new(ErrorKind::Unavailable, "the server does not answer in time"))
        }
        DriverError::TlsNotSupported => (
            Trouble::Final,
            Error::new(ErrorKind::Config, "the URL asks for an encrypted connection, which the server does not offer"),
        ),
        DriverError::UnknownAuthPlugin(name) => (
            Trouble::Final,
            Error::unsupported("the account logs in by a plugin that is not supported")
                .with_context("plugin", escape_controls(name).to_string())
                .with_hint("`mysql_native_password` and `caching_sha2_password` are"),
        ),
        DriverError::OldMysqlPasswordDisabled | DriverError::CleartextPluginDisabled => {
            (Trouble::Final, Error::unsupported("the account logs in by a plugin that is not safe"))
        }
        DriverError::UnsupportedProtocol(_) | DriverError::Protocol41NotSet | DriverError::CouldNotParseVersion => {
            (Trouble::Final, Error::config("what listens there is no MySQL or MariaDB"))
        }
        _ => (Trouble::Gone, Error::new(ErrorKind::Unavailable, "the connection to the server broke")),
    };
    Failure::new(trouble, error)
}

fn of_connection(error: &io::Error) -> Failure {
    // What the TLS library says comes this way.
    let cause = error.get_ref().map(ToString::to_string).unwrap_or_default();
    if cause.starts_with("invalid peer certificate") || cause.starts_with("received fatal alert") {
        return Failure::new(Trouble::Final, tls(&cause));
    }
    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) {
        let message = "a file of the URL's TLS options cannot be read";
        return Failure::new(Trouble::Final, Error::config(message).with_context("why", error.to_string()));
    }
    Failure::new(
        Trouble::Gone,
        Error::new(ErrorKind::Unavailable, "the connection to the server broke")
            .with_context("why", error.kind().to_string()),
    )
}

fn tls(why: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "the encrypted connection cannot be made")
        .with_context("why", escape_controls(why).to_string())
        .with_hint("`ssl_ca=FILE` names the authority that signed the server's certificate, and the host must be one that it is for")
}

/// The thread that connected did not come back with an answer.
pub(super) fn no_answer(in_time: bool) -> Failure {
    let message = if in_time {
        "what listens there does not speak the protocol of MySQL and MariaDB"
    } else {
        "the server does not answer in time"
    };
    let trouble = if in_time { Trouble::Final } else { Trouble::Gone };
    Failure::new(trouble, Error::new(ErrorKind::Unavailable, message))
}

/// Whether nothing listened, so that another place may be tried.
pub(super) fn nobody_there(error: &ClientError) -> bool {
    matches!(error, ClientError::DriverError(DriverError::CouldNotConnect(_)))
}

/// Whether the server offers no encryption.
pub(super) fn no_tls(error: &ClientError) -> bool {
    matches!(error, ClientError::DriverError(DriverError::TlsNotSupported))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u16, message: &str) -> Failure {
        let error = MySqlError { state: "HY000".to_owned(), message: message.to_owned(), code };
        failure(&ClientError::MySqlError(error))
    }

    #[test]
    fn contents_are_not_repeated() {
        for (code, trouble, kind) in [
            (1062, Trouble::Duplicate, ErrorKind::AlreadyExists),
            (1406, Trouble::Final, ErrorKind::Unsupported),
            (1366, Trouble::Final, ErrorKind::Unsupported),
            (1644, Trouble::Final, ErrorKind::Other),
            (1064, Trouble::Final, ErrorKind::Other),
            (1205, Trouble::InTheWay, ErrorKind::Unavailable),
            (1213, Trouble::InTheWay, ErrorKind::Unavailable),
            (1927, Trouble::Gone, ErrorKind::Unavailable),
        ] {
            let failure = said(code, "Duplicate entry '5ec2e7' for key 'namespace'");
            assert_eq!((failure.trouble, failure.error.kind()), (trouble, kind), "{code}");
            assert!(!format!("{:?}", failure.error).contains("5ec2e7"), "{code}");
        }
    }

    #[test]
    fn names_are_and_cannot_move_the_cursor() {
        let failure = said(1045, "Access denied for user 'joe\u{1b}[2J'@'localhost'");
        let report = failure.error.report().to_string();
        assert!(report.contains("joe") && !report.contains('\u{1b}'), "{report}");
        assert_eq!((failure.trouble, failure.error.kind()), (Trouble::Final, ErrorKind::PermissionDenied));
    }
}
