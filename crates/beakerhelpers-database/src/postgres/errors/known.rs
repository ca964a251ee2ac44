//! The messages of servers and of libpq, in English, and what they stand for.

use beakerhelpers_core::{Error, ErrorKind};

use crate::failure::{Failure, Trouble};

/// Text that a server or libpq puts into a message, and what that stands for.
pub(super) struct Known {
    pub(super) text: &'static str,
    pub(super) trouble: Trouble,
    kind: ErrorKind,
    message: &'static str,
    hint: &'static str,
}

const fn known(
    text: &'static str,
    trouble: Trouble,
    kind: ErrorKind,
    message: &'static str,
    hint: &'static str,
) -> Known {
    Known { text, trouble, kind, message, hint }
}

use ErrorKind::{NotSetUp, Other, PermissionDenied, Unavailable, Unsupported};
use Trouble::{Final, Gone, InTheWay};

const START: &str = "try again when it has started";
const NETWORK: &str = "is it running, and is there a firewall in between?";
const ENCRYPT: &str = "the server wants or refuses encryption: see `sslmode` of the database URL";

/// While connecting. The first that is found decides.
pub(super) const CONNECTING: &[Known] = &[
    known("too many clients", Gone, Unavailable, "the server has no connection left", "try again later"),
    known("remaining connection slots", Gone, Unavailable, "the server has no connection left", "try again later"),
    known(
        "too many connections",
        Gone,
        Unavailable,
        "the server has no connection left for this user",
        "try again later",
    ),
    known("no more connections allowed", Gone, Unavailable, "the pooler has no connection left", "try again later"),
    known("is starting up", Gone, Unavailable, "the server is starting", START),
    known("is shutting down", Gone, Unavailable, "the server is shutting down", START),
    known("in recovery mode", Gone, Unavailable, "the server is recovering from a crash", START),
    known("not currently accepting connections", Final, Unavailable, "the server does not accept connections", START),
    known("not yet accepting connections", Gone, Unavailable, "the server does not accept connections yet", START),
    known(
        "password authentication failed",
        Final,
        PermissionDenied,
        "the server refuses the user or the password",
        "correct the URL of the database; a `%`, `@`, `:` or `/` in a password is written `%25`, `%40`, `%3A`, `%2F`",
    ),
    known(
        "no password supplied",
        Final,
        PermissionDenied,
        "the server asks for a password, and there is none",
        "write it into the URL, into `~/.pgpass`, whose mode must be 0600, or into `PGPASSWORD`",
    ),
    known(
        "no pg_hba.conf entry",
        Final,
        PermissionDenied,
        "the server lets this user not in from here, or not in this way",
        "its `pg_hba.conf` says who may connect from where, and whether with or without encryption: see `sslmode`",
    ),
    known(
        "pg_hba.conf rejects",
        Final,
        PermissionDenied,
        "the server lets this user not in from here, or not in this way",
        "its `pg_hba.conf` says who may connect from where, and whether with or without encryption: see `sslmode`",
    ),
    known(
        "authentication failed for user",
        Final,
        PermissionDenied,
        "the server does not believe that this is the user",
        "with `peer` in its `pg_hba.conf` the system's user must have the same name: run this as that user",
    ),
    known("is not permitted to log in", Final, PermissionDenied, "the user may not log in", "use the application's"),
    known("permission denied for database", Final, PermissionDenied, "the user may not use the database", ""),
    known("role \"", Final, PermissionDenied, "the server has no such user", "correct the URL of the database"),
    known("database \"", Final, NotSetUp, "the server has no such database", "correct the URL of the database"),
    known("server does not support SSL", Final, Unavailable, "the server does not encrypt connections", ENCRYPT),
    known(
        "when SSL support is not compiled in",
        Final,
        Unsupported,
        "this build cannot encrypt connections to PostgreSQL",
        TLS_HINT,
    ),
    known(
        "certificate",
        Final,
        Unavailable,
        "the server's certificate cannot be verified, or ours is not accepted",
        "see `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of the database URL",
    ),
    known("SSL error", Final, Unavailable, "the encrypted connection failed", ENCRYPT),
    known("Connection refused", Gone, Unavailable, "nothing listens at the server's address", NETWORK),
    known("No such file or directory", Gone, Unavailable, "there is no socket of a server", NETWORK),
    known("Permission denied", Final, PermissionDenied, "the socket of the server may not be used", ""),
    known("could not translate host name", Final, Unavailable, "the server's host is not known", "correct the URL"),
    known("timeout expired", Gone, Unavailable, "the server does not answer", NETWORK),
    known("timed out", Gone, Unavailable, "the server does not answer", NETWORK),
    known("No route to host", Gone, Unavailable, "there is no way to the server's host", NETWORK),
    known("Network is unreachable", Gone, Unavailable, "there is no way to the server's host", NETWORK),
    known("session is read-only", Final, Unavailable, "the server only reads, and another was asked for", ""),
    known("session is not read-only", Final, Unavailable, "the server is no replica, and one was asked for", ""),
    known("server is not in hot standby", Final, Unavailable, "the server is no replica, and one was asked for", ""),
    known("server is in hot standby", Final, Unavailable, "the server is a replica, and another was asked for", ""),
    known("server closed the connection", Gone, Unavailable, "the server closed the connection", "see its log"),
    known("terminating connection", Gone, Unavailable, "the server closed the connection", "see its log"),
    known("could not connect", Gone, Unavailable, "the server cannot be reached", NETWORK),
    known("connection to server", Final, Unavailable, "the server cannot be used", ""),
];

/// While a statement runs.
pub(super) const RUNNING: &[Known] = &[
    known(
        "deadlock detected",
        InTheWay,
        Unavailable,
        "another transaction and this one waited for each other",
        "try again",
    ),
    known(
        "due to lock timeout",
        InTheWay,
        Unavailable,
        "the sessions are locked by another transaction",
        "try again later, or wait longer with `--wait`; `pg_stat_activity` shows who is at work",
    ),
    known(
        "could not obtain lock",
        InTheWay,
        Unavailable,
        "the sessions are locked by another transaction",
        "try again later; `pg_stat_activity` shows who is at work",
    ),
    known("conflict with recovery", InTheWay, Unavailable, "the replica had no time for this", "try again"),
    known("restart transaction", InTheWay, Unavailable, "another transaction was in the way", "try again"),
    known(
        "due to statement timeout",
        Final,
        Unavailable,
        "the server ended a statement that took too long",
        "it has a `statement_timeout` for this user; smaller batches take less time: `--batch-size`",
    ),
    known("due to user request", Final, Unavailable, "somebody cancelled the statement", ""),
    known(
        "permission denied",
        Final,
        PermissionDenied,
        "the user may not do this with the table",
        "use the application's user, or grant what is missing: `SELECT` to look, `DELETE` too to clean",
    ),
    known("must be owner", Final, PermissionDenied, "only the owner of the table may do this", "use the owner"),
    known("does not exist", Final, NotSetUp, "the table, or a column of it, is gone", "was it dropped meanwhile?"),
    known("No space left on device", Final, Unavailable, "the server's disk is full", "free some"),
    known("out of memory", Final, Unavailable, "the server has no memory left", ""),
    known("too many clients", Gone, Unavailable, "the server has no connection left", "try again later"),
    known("terminating connection", Gone, Unavailable, "the server closed the connection", "see its log"),
    known("server closed the connection", Gone, Unavailable, "the server closed the connection", "see its log"),
    known("is shutting down", Gone, Unavailable, "the server is shutting down", START),
    known("is starting up", Gone, Unavailable, "the server is starting", START),
    known("in recovery mode", Gone, Unavailable, "the server is recovering from a crash", START),
    known("cannot execute", Final, Unavailable, READ_ONLY, READ_ONLY_HINT),
    known("value too long", Final, Unsupported, "the session's id is too long for the column", ""),
    known("no equivalent in encoding", Final, Unsupported, "the database's encoding has no such characters", ""),
    known("invalid byte sequence", Final, Other, "text in the database is not in its encoding", ""),
];

pub(super) const READ_ONLY: &str = "the server only reads: it is a replica, or set so";
pub(super) const READ_ONLY_HINT: &str =
    "connect to the primary; `target_session_attrs=read-write` in the URL finds it among several hosts";
pub(super) const TLS_HINT: &str = "use a released binary of beakerhelpers, or build with `--features postgres-tls`";

impl Known {
    pub(super) fn failure(&self) -> Failure {
        let error = Error::new(self.kind, self.message);
        Failure::new(self.trouble, if self.hint.is_empty() { error } else { error.with_hint(self.hint) })
    }
}
