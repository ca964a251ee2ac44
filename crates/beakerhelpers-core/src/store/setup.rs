//! Setting a store up, and looking at how it is set up.

/// What setting up does where something is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupMode {
    /// It leaves that alone.
    IfMissing,
    /// It destroys that, all sessions in it, and creates it anew. What is there and holds no sessions is left alone:
    /// that is an error.
    Recreate,
}

/// What setting up did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupOutcome {
    /// There was nothing, and it is there now.
    Created,
    /// It was there already; nothing was changed. Whether it is in order is for
    /// [`SessionStore::check`](super::SessionStore::check) to tell.
    Existing,
    /// What was there is destroyed, all sessions in it, and created anew.
    Recreated,
}

/// What adding an index did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexOutcome {
    /// There was none, and it is there now.
    Created,
    /// There is one that serves already, whatever its name; nothing was changed.
    Existing,
}

/// One thing that [`SessionStore::check`](super::SessionStore::check) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What is there and what was expected: lower case, one line, without a full stop, with names in backticks. Names
    /// out of the store are escaped; it holds no session id, password or payload.
    pub message: String,
    /// What to do about it, such as an SQL statement; `None` where nothing needs to be done.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding without a hint.
    #[must_use]
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), hint: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How much a [`Finding`] matters, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Without it the application or this program does not work, or not rightly.
    Missing,
    /// It is not as Beaker makes it, or not what one would expect; it may well be meant so.
    Odd,
    /// All is well, and could be better at some price, which the finding names.
    Advice,
}

impl Severity {
    /// The name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Odd => "odd",
            Self::Advice => "advice",
        }
    }
}
