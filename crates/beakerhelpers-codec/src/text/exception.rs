//! What `str` of an exception is.

use beakerhelpers_core::value::{Form, Kind, Object, Value};

use super::object::Extent;
use super::parts::parts;

/// How the exceptions that are built in make their text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// The text of the only argument, or all arguments.
    Arguments,
    /// The same, with the only argument as `repr` has it.
    Key,
}

/// How `str` of an exception is made, where that prints nothing but its arguments.
pub(super) fn says(object: &Object<'_>) -> Option<Says> {
    const PLAIN: [&str; 14] = [
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "Exception",
        "IndexError",
        "LookupError",
        "MemoryError",
        "NotImplementedError",
        "OverflowError",
        "RuntimeError",
        "RuntimeWarning",
        "TypeError",
        "ValueError",
        "ZeroDivisionError",
    ];
    let (module, name) = called(object).filter(|_| object.form() == Form::Call)?;
    match (module, name) {
        ("builtins", "KeyError") => Some(Says::Key),
        ("builtins", name) if PLAIN.contains(&name) => Some(Says::Arguments),
        _ => is_of_the_system(module, name).then_some(Says::Arguments),
    }
}

/// What is called itself, and not through a helper of `copyreg`, whose arguments are others.
fn called<'a>(object: &Object<'a>) -> Option<(&'a str, &'a str)> {
    match object.callable()?.kind() {
        Kind::Global(class) => Some(class.python3_name()),
        _ => None,
    }
}

/// Whether it is `OSError`, or one of those that say no more than that.
fn is_of_the_system(module: &str, name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "BlockingIOError",
        "BrokenPipeError",
        "ChildProcessError",
        "ConnectionAbortedError",
        "ConnectionError",
        "ConnectionRefusedError",
        "ConnectionResetError",
        "EnvironmentError",
        "FileExistsError",
        "FileNotFoundError",
        "IOError",
        "InterruptedError",
        "IsADirectoryError",
        "NotADirectoryError",
        "OSError",
        "PermissionError",
        "ProcessLookupError",
        "TimeoutError",
    ];
    match module {
        "builtins" => NAMES.contains(&name),
        // Python 2 has these, and in Python 3 they are `OSError` or are made of it.
        "socket" => matches!(name, "error" | "gaierror" | "herror" | "timeout"),
        "select" => name == "error",
        _ => false,
    }
}

/// What the system said: `[Errno 2] No such file or directory: 'x'`.
pub(super) struct SystemError<'a> {
    pub(super) number: Value<'a>,
    pub(super) text: Value<'a>,
    /// Which file it was about, and which other.
    pub(super) files: [Option<Value<'a>>; 2],
}

impl<'a> SystemError<'a> {
    /// Reads the arguments as `OSError` does (`Objects/exceptions.c`, 3.11): number, text, file, the number of Windows, other
    /// file. `None` where it only has arguments, and where some of these are made of others, as none from the system are.
    pub(super) fn of(object: &Object<'a>) -> Option<Self> {
        let args = object.args();
        let (module, name) = called(object)?;
        if !is_of_the_system(module, name) || !(2..=5).contains(&args.len()) {
            return None;
        }
        let given = |at| args.get(at).filter(|value: &Value<'_>| !value.is_none());
        // Where it would block, a number says how much was written. `OSError` becomes that in Python: these are `EAGAIN`,
        // `EALREADY` and `EINPROGRESS` of Linux.
        let number = args.get(0)?;
        let would_block = name == "BlockingIOError" || matches!(number.as_i64(), Some(11 | 114 | 115));
        let is_file = |value: &Value<'_>| !would_block || !matches!(value.kind(), Kind::Int(_) | Kind::Bool(_));
        let file = given(2).filter(is_file);
        let error = Self { number, text: args.get(1)?, files: [file, file.and_then(|_| given(4))] };
        let parts_of = [Some(error.number), Some(error.text), error.files[0], error.files[1]];
        parts_of.into_iter().flatten().all(|value| parts(value.kind(), Extent::All).is_none()).then_some(error)
    }
}
