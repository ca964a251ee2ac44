//! Standard output that cannot be written to.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write};

use beakerhelpers_core::{Error, ErrorKind};

/// Standard output, whose errors can be told from those of anything else.
pub(crate) struct Output<'o>(&'o mut dyn Write);

/// An error of it.
#[derive(Debug)]
struct NotWritten(io::Error);

impl<'o> Output<'o> {
    pub(crate) fn new(stdout: &'o mut dyn Write) -> Self {
        Self(stdout)
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(marked)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(marked)
    }
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NotWritten {}

fn marked(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), NotWritten(error))
}

/// Says of an error that it is one of standard output, where it is.
pub(crate) fn explain(error: Error) -> Error {
    let mut cause = StdError::source(&error);
    while let Some(source) = cause {
        if let Some(io) = source.downcast_ref::<io::Error>()
            && io.get_ref().is_some_and(<dyn StdError + Send + Sync>::is::<NotWritten>)
        {
            return of_output(io::Error::new(io.kind(), io.to_string()));
        }
        cause = source.source();
    }
    error
}

/// The error of a command that has ended in order, and whose last words cannot be written.
pub(crate) fn after_work(error: io::Error) -> Error {
    of_output(error).with_hint("what the command had to do is done; only what it has to say about that is lost")
}

fn of_output(error: io::Error) -> Error {
    Error::new(ErrorKind::Other, "cannot write to standard output").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk without room.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn its_errors_are_told_from_others() {
        let error = Output::new(&mut Full).write_all(b"x").expect_err("it is full");
        let said = "cannot write to standard output\n  caused by: no storage space";
        assert_eq!(explain(error.into()).report().to_string(), said);
        let other = Error::from(io::Error::from(io::ErrorKind::StorageFull));
        let said = other.report().to_string();
        assert_eq!(explain(other).report().to_string(), said);
    }
}
