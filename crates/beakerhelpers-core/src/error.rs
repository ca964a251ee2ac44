//! The one error type of the workspace.

use std::error::Error as StdError;
use std::fmt;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Tells what the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration or the command line is wrong: nothing was tried; correct it.
    Config,
    /// The store or the build cannot do this; choose another.
    Unsupported,
    /// The store exists but lacks what it needs (a table, a column, a directory): set it up.
    NotSetUp,
    /// The store cannot be reached or is busy: try again later.
    Unavailable,
    /// The store can be reached but refuses this user.
    PermissionDenied,
    /// A record with this session id is there already.
    AlreadyExists,
    /// The stored bytes of one record cannot be understood; others may well be.
    Corrupt,
    /// Anything else.
    Other,
}

/// What went wrong, where, why, and what to do about it.
///
/// `Display` is one line without the context; [`Error::report`] is the whole story for a person.
/// No error holds a session id, a password, a key or a payload.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error. `message` is lower case, without a full stop, with literals in backticks.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner { kind, message, context: Vec::new(), hint: None, source: None }))
    }

    /// Shorthand for [`Error::new`] with [`ErrorKind::Config`].
    #[must_use]
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// Shorthand for [`Error::new`] with [`ErrorKind::Corrupt`].
    #[must_use]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// Shorthand for [`Error::new`] with [`ErrorKind::Unsupported`].
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Adds a line of context such as `at: prod.ini:12`.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((key, value.into()));
        self
    }

    /// Says what to do. A later hint does not replace an earlier one, which knows more.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds the cause, which must be free of secrets too.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without context, as `Display` prints it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The advice, if there is any.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The lines of context, first added first.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.context.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Prints message, context, chain of causes and hint on lines of their own, without a trailing newline.
    pub fn report(&self) -> impl fmt::Display + '_ {
        Report(self)
    }
}

struct Report<'a>(&'a Error);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        for (key, value) in self.0.context() {
            write!(f, "\n  {key}: {value}")?;
        }
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        match self.0.hint() {
            Some(hint) => write!(f, "\n\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind(), self.report())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Standard output that cannot be written to, mostly; stores say more than this.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Other, "cannot read or write").with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_where_why_and_what_to_do() {
        let error = Error::config("cannot open the store")
            .with_context("at", "prod.ini:12")
            .with_source(std::io::Error::other("refused"))
            .with_hint("start it")
            .with_hint("a vaguer one");
        assert_eq!(error.to_string(), "cannot open the store");
        assert_eq!(
            error.report().to_string(),
            "cannot open the store\n  at: prod.ini:12\n  caused by: refused\n\nhint: start it"
        );
    }
}
