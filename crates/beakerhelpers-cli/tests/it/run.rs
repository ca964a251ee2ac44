//! Running the program: the real binary, or its dispatcher with a clock and terminals of our own.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use beakerhelpers_core::command::{Context, Terminals, exit};
use beakerhelpers_core::{Registry, Timestamp};

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The standard output of a run that did everything and had nothing else to say.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (exit::DONE, ""), "{}", self.stdout);
        self.stdout
    }

    /// What a run that ended with this code said on standard error, having printed nothing.
    #[track_caller]
    pub(crate) fn failed(self, code: u8) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        self.stderr
    }

    /// The same with a path left out of all texts.
    pub(crate) fn without(mut self, path: &Path) -> Self {
        let path = path.to_str().expect("paths of tests are text");
        for text in [&mut self.stdout, &mut self.stderr] {
            *text = text.replace(&format!("{path}/"), "").replace(path, "HERE");
        }
        self
    }
}

/// The binary, in UTC and without any setting of the person who runs the test.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beakerhelpers"));
    for name in ["COLUMNS", "LINES", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// The binary as a user who may do no more than the permissions of files allow: root may do anything, so there it runs
/// as nobody, from a copy in this directory, which nobody can reach.
pub(crate) fn unprivileged(directory: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return binary();
    }
    let copy = directory.join("beakerhelpers");
    // Not by this process: a program cannot be started while anybody has it open to write, and each process that another
    // test starts meanwhile would inherit that for a moment.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_beakerhelpers")).arg(&copy).status();
    assert!(copied.expect("cp starts").success(), "there is no room for a copy of the binary");
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("the directory is ours");
    let mut command = Command::new(copy);
    command.env_clear().env("TZ", "UTC").stdin(Stdio::null()).current_dir("/");
    command.uid(65_534).gid(65_534);
    command
}

/// Runs the binary to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    finish(binary().args(args))
}

/// Runs a command of the binary to its end.
pub(crate) fn finish(command: &mut Command) -> Run {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    collect(child)
}

/// Runs a command of the binary that reads this.
pub(crate) fn finish_with(command: &mut Command, stdin: &[u8]) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    // It may end without reading everything.
    let _ = child.stdin.take().expect("it is piped").write_all(stdin);
    collect(child)
}

/// Waits for the end.
pub(crate) fn collect(child: Child) -> Run {
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Run { code: code(output.status), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The exit code as a shell sees it.
pub(crate) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).expect("it has ended");
    u8::try_from(code).expect("exit codes are small")
}

/// Runs the program in this process, at this instant, on these terminals, with somebody who types this.
pub(crate) fn at_terminal<S: AsRef<OsStr>>(
    args: impl IntoIterator<Item = S>,
    now: Timestamp,
    terminals: Terminals,
    typed: &str,
) -> Run {
    in_process(args, now, terminals, typed, |_| Ok(()))
}

/// The same, with a SIGINT that comes as soon as the program listens for it.
pub(crate) fn interrupted_at_once<S: AsRef<OsStr>>(
    args: impl IntoIterator<Item = S>,
    now: Timestamp,
    terminals: Terminals,
    typed: &str,
) -> Run {
    in_process(args, now, terminals, typed, |signal| {
        signal.store(2, Ordering::Relaxed);
        Ok(())
    })
}

fn in_process<S: AsRef<OsStr>>(
    args: impl IntoIterator<Item = S>,
    now: Timestamp,
    terminals: Terminals,
    typed: &str,
    catch: fn(&Arc<AtomicUsize>) -> io::Result<()>,
) -> Run {
    let registry = Registry::linked().expect("the plugins agree");
    let (mut stdin, mut stdout, mut stderr) = (typed.as_bytes(), Vec::new(), Vec::new());
    let mut line = vec!["beakerhelpers".to_owned()];
    line.extend(args.into_iter().map(|arg| arg.as_ref().to_str().expect("arguments are text").to_owned()));
    let code = {
        let mut cx = Context::new(&registry, now, &mut stdin, &mut stdout, &mut stderr);
        cx.terminals = terminals;
        cx.catch = catch;
        beakerhelpers_cli::dispatch(&line, &mut cx)
    };
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Run { code, stdout: text(stdout), stderr: text(stderr) }
}
