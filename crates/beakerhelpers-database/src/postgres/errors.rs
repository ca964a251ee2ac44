//! PostgreSQL's errors in the words of the contract.
//!
//! Diesel hands on hardly any of the server's error codes, so what it keeps to itself is told by the message. The
//! server writes that in the language of its `lc_messages`, which only its administrator may change: on a server that
//! speaks another one, errors that end a run are told in general words, and those that are to be tried again are told
//! by what else is known: see [`Asked`].

mod known;

use beakerhelpers_core::ErrorKind::{Other, Unavailable};
use beakerhelpers_core::{Error, ErrorKind, escape_controls};
use diesel::ConnectionError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use self::known::{CONNECTING, Known, READ_ONLY, READ_ONLY_HINT, RUNNING, TLS_HINT};
use crate::failure::Failure;
use crate::failure::Trouble::{self, Final, Gone, InTheWay};

/// What is known of a statement that failed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// It ran for as long as it may wait for a lock.
    pub(crate) waited: bool,
}

/// What this build cannot do; `what` asks for it.
pub(crate) fn without_tls(what: &str) -> Error {
    Error::unsupported(format!("{what} asks for an encrypted connection, which this build cannot make to PostgreSQL"))
        .with_hint(TLS_HINT)
}

/// Why there is no connection.
pub(crate) fn connecting(error: &ConnectionError) -> Failure {
    let message = match error {
        ConnectionError::BadConnection(message) => message.as_str(),
        ConnectionError::CouldntSetupConfiguration(error) => return running(error, Asked::default()),
        _ => "",
    };
    // The reasons of several hosts; the last one is what it came down to.
    let last = message.lines().rev().find(|line| line.contains("connection to server")).unwrap_or(message);
    let found = [last, message]
        .into_iter()
        .find_map(|text| CONNECTING.iter().find(|known| text.contains(known.text) && !is_missing_file(known, text)));
    let failure = match found {
        Some(known) => known.failure(),
        None => Failure::new(Final, Error::new(Unavailable, "the server cannot be connected to")),
    };
    let said: Vec<_> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let error = if said.is_empty() {
        failure.error
    } else {
        failure.error.with_context("reason", escape_controls(&said.join("; ")).to_string())
    };
    Failure::new(failure.trouble, error)
}

/// A certificate's file that is missing is no missing socket.
fn is_missing_file(known: &Known, text: &str) -> bool {
    known.text == "No such file or directory" && !text.contains("on socket")
}

/// Whether a server that was asked for encryption is to be asked without.
pub(crate) fn may_do_without_tls(error: &ConnectionError) -> bool {
    let ConnectionError::BadConnection(message) = error else { return false };
    ["server does not support SSL", "SSL error", "SSL SYSCALL", "SSL connection", "certificate", "pg_hba.conf"]
        .into_iter()
        .any(|text| message.contains(text))
}

/// Why a statement failed. Of the server's message nothing is repeated: it may hold values of a row.
pub(crate) fn running(error: &DieselError, asked: Asked) -> Failure {
    let DieselError::DatabaseError(kind, information) = error else {
        return Failure::new(Final, Error::new(Other, "what the server answered cannot be read"));
    };
    let message = information.message();
    let found = RUNNING.iter().find(|known| message.contains(known.text));
    match kind {
        DatabaseErrorKind::UniqueViolation => {
            let error = Error::new(ErrorKind::AlreadyExists, "a session with this id exists already");
            Failure::new(Trouble::Duplicate, error)
        }
        DatabaseErrorKind::SerializationFailure => {
            Failure::new(InTheWay, Error::new(Unavailable, "another transaction was in the way").with_hint("try again"))
        }
        DatabaseErrorKind::ReadOnlyTransaction => {
            Failure::new(Final, Error::new(Unavailable, READ_ONLY).with_hint(READ_ONLY_HINT))
        }
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => match found {
            Some(known) if known.trouble == Gone => known.failure(),
            _ => Failure::new(Gone, Error::new(Unavailable, "the connection to the server broke")),
        },
        DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => Failure::new(Final, constraint(&**information)),
        _ => match found {
            Some(known) => known.failure(),
            // In whatever language: what else would last exactly that long?
            None if asked.waited => Failure::new(
                InTheWay,
                Error::new(Unavailable, "the server did not do this in time").with_hint("its log says why"),
            ),
            None => Failure::new(
                Final,
                Error::new(Other, "PostgreSQL, or a trigger of the table, refuses this")
                    .with_hint("the server's log says why"),
            ),
        },
    }
}

fn constraint(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> Error {
    let error = Error::new(Other, "a constraint of the table refuses this");
    match information.constraint_name() {
        Some(name) => error.with_context("constraint", escape_controls(name).to_string()),
        None => error,
    }
}
