//! The command half of the registry (feature `command`): what a subcommand is, and what it runs in.

mod store_args;
mod unreadable;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use clap;
pub use store_args::{DEFAULT_PREFIX, Opened, StoreArgs};
pub use unreadable::Unreadable;

use crate::{Error, ErrorKind, Package, Registry, Result, Timestamp, escape_controls};

/// A subcommand of `beakerhelpers`: its arguments, read by clap, and what it does with them.
///
/// The doc comment of the implementing type is the help text; its first line is the summary in the list of commands.
/// [`register_command!`](crate::register_command) makes it known.
pub trait Subcommand: clap::Args {
    /// The name on the command line.
    const NAME: &'static str;
    /// The heading in the list of commands.
    const GROUP: &'static str = "Sessions";

    /// Does it.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; the dispatcher prints it and picks the exit code by its kind.
    fn run(self, cx: &mut Context<'_>) -> Result<Outcome>;
}

/// A registered subcommand.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Command {
    /// The name on the command line.
    pub name: &'static str,
    /// The heading in the list of commands.
    pub group: &'static str,
    /// Where it comes from.
    pub package: Package,
    /// Adds its arguments and its help to a clap command.
    pub augment: fn(clap::Command) -> clap::Command,
    /// Runs it with the arguments that clap matched.
    pub run: fn(&clap::ArgMatches, &mut Context<'_>) -> Result<Outcome>,
}

impl Command {
    /// The command that a type describes.
    #[must_use]
    pub const fn of<S: Subcommand>(package: Package) -> Self {
        Self {
            name: S::NAME,
            group: S::GROUP,
            package,
            augment: S::augment_args,
            run: |matches, cx| {
                let args = S::from_arg_matches(matches).map_err(|error| Error::config(error.to_string()))?;
                args.run(cx)
            },
        }
    }
}

/// A command as the inventory holds it.
#[doc(hidden)]
#[derive(Debug)]
pub struct LinkedCommand(pub &'static Command);

inventory::collect!(LinkedCommand);

/// Registers a [`Subcommand`] type, for every program that this crate is linked into.
#[macro_export]
macro_rules! register_command {
    ($subcommand:ty) => {
        const _: () = {
            static COMMAND: $crate::Command = $crate::Command::of::<$subcommand>($crate::package!());
            $crate::__private::inventory::submit! { $crate::__private::LinkedCommand(&COMMAND) }
        };
    };
}

/// How a command ended, where it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// All is done; "nothing found" too.
    Done,
    /// It finished, but some sessions could not be read; each was reported.
    SomeUnreadable,
    /// It was asked whether all is in order, and something is missing; it was reported.
    SomethingMissing,
    /// A signal ended it early.
    Interrupted(Signal),
}

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: the system wants it.
    Terminate,
}

/// Exit codes. They are part of the interface.
pub mod exit {
    use super::{Error, ErrorKind, Outcome, Signal};

    /// All is done; "nothing found" and a closed pipe too.
    pub const DONE: u8 = 0;
    /// It failed while working, or found that something is missing.
    pub const FAILED: u8 = 1;
    /// Nothing was tried: usage or configuration.
    pub const USAGE: u8 = 2;
    /// It finished, but some sessions could not be read.
    pub const SOME_UNREADABLE: u8 = 3;
    /// SIGINT ended it: 128 + 2.
    pub const INTERRUPTED: u8 = 130;
    /// SIGTERM ended it: 128 + 15.
    pub const TERMINATED: u8 = 143;

    /// The code of an outcome.
    #[must_use]
    pub const fn of_outcome(outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Done => DONE,
            Outcome::SomeUnreadable => SOME_UNREADABLE,
            Outcome::SomethingMissing => FAILED,
            Outcome::Interrupted(Signal::Interrupt) => INTERRUPTED,
            Outcome::Interrupted(Signal::Terminate) => TERMINATED,
        }
    }

    /// The code of an error.
    #[must_use]
    pub fn of_error(error: &Error) -> u8 {
        match error.kind() {
            ErrorKind::Config | ErrorKind::Unsupported => USAGE,
            _ => FAILED,
        }
    }
}

/// What a command runs in: streams, clock, terminal, plugins. A test makes its own.
#[expect(missing_debug_implementations, reason = "it is a bundle of streams and functions")]
#[non_exhaustive]
pub struct Context<'a> {
    /// The plugins of this program.
    pub registry: &'a Registry,
    /// Data go here, and nothing else.
    pub stdout: &'a mut dyn Write,
    /// Progress, warnings and errors go here.
    pub stderr: &'a mut dyn Write,
    /// What the user types or pipes in.
    pub stdin: &'a mut dyn Read,
    /// Which of the streams are terminals.
    pub terminals: Terminals,
    /// When the command was started.
    pub now: Timestamp,
    /// Set by signals once [`Context::catch_signals`] was called.
    pub signal: Arc<AtomicUsize>,
    /// Starts to turn SIGINT and SIGTERM into [`Context::signal`]; until then they end the process.
    pub catch: fn(&Arc<AtomicUsize>) -> io::Result<()>,
}

/// Which streams are terminals.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Terminals {
    /// The width of standard output in cells, where it is one.
    pub stdout_width: Option<usize>,
    /// Standard error is one.
    pub stderr: bool,
    /// Standard input is one: a question can be asked.
    pub stdin: bool,
}

impl Terminals {
    /// Says which streams are terminals.
    #[must_use]
    pub const fn of(stdout_width: Option<usize>, stderr: bool, stdin: bool) -> Self {
        Self { stdout_width, stderr, stdin }
    }
}

impl<'a> Context<'a> {
    /// A context without terminals and signals.
    pub fn new(
        registry: &'a Registry,
        now: Timestamp,
        stdin: &'a mut dyn Read,
        stdout: &'a mut dyn Write,
        stderr: &'a mut dyn Write,
    ) -> Self {
        Self {
            registry,
            stdout,
            stderr,
            stdin,
            terminals: Terminals::default(),
            now,
            signal: Arc::default(),
            catch: |_| Ok(()),
        }
    }

    /// Writes lines to standard error, safe for a terminal. That they cannot be written is no reason to fail.
    pub fn note(&mut self, text: &str) {
        for line in text.lines() {
            let _ = writeln!(self.stderr, "{}", escape_controls(line));
        }
    }

    /// Tells somebody who sits at a terminal that this is about to be read from standard input, and how to end it.
    pub fn note_reading_stdin(&mut self, what: &str) {
        if self.terminals.stdin {
            self.note(&format!("note: reading {what} from standard input; end with Ctrl-D on a line of its own"));
        }
    }

    /// From now on SIGINT and SIGTERM are to be looked for with [`Signal::caught`].
    ///
    /// # Errors
    ///
    /// `Other` where the system refuses.
    pub fn catch_signals(&mut self) -> Result<()> {
        (self.catch)(&self.signal)
            .map_err(|error| Error::new(ErrorKind::Other, "cannot listen for signals").with_source(error))
    }

    /// Asks a question that is answered by `y` or `yes`; everything else is no. `false` where nobody can be asked.
    pub fn confirm(&mut self, question: &str) -> bool {
        if !(self.terminals.stdin && self.terminals.stderr) {
            return false;
        }
        let _ = write!(self.stderr, "{question} [y/N] ");
        let _ = self.stderr.flush();
        let mut answer = Vec::new();
        #[expect(clippy::unbuffered_bytes, reason = "what comes after the line is not ours to swallow")]
        for byte in self.stdin.bytes() {
            match byte {
                Ok(b'\n') | Err(_) => break,
                Ok(byte) if answer.len() < 16 => answer.push(byte),
                Ok(_) => {}
            }
        }
        let answer = String::from_utf8_lossy(&answer).trim().to_ascii_lowercase();
        answer == "y" || answer == "yes"
    }
}

impl Signal {
    /// The signal that was caught, if one was.
    pub fn caught(flag: &AtomicUsize) -> Option<Self> {
        match flag.load(Ordering::Relaxed) {
            0 => None,
            2 => Some(Self::Interrupt),
            _ => Some(Self::Terminate),
        }
    }
}
