//! The edge to the operating system: arguments, streams, clock, terminal, signals.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::SystemTime;

use beakerhelpers_core::command::{Context, Terminals, exit};
use beakerhelpers_core::{Registry, Timestamp, escape_controls};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Runs the command that the process was started with. A custom build calls it from its own `main`, after it has named
/// its plugins with `use plugin as _;`.
pub fn main() -> ExitCode {
    let (mut stdin, mut stderr) = (io::stdin(), io::stderr());
    let registry = match Registry::linked() {
        Ok(registry) => registry,
        Err(error) => {
            let _ = writeln!(stderr, "error: {}", error.report());
            return ExitCode::from(exit::of_error(&error));
        }
    };
    let Ok(args) =
        std::env::args_os().map(std::ffi::OsString::into_string).collect::<Result<Vec<_>, _>>().map_err(|argument| {
            let shown = argument.to_string_lossy();
            let _ = writeln!(stderr, "error: an argument is not UTF-8: `{}`", escape_controls(&shown));
        })
    else {
        return ExitCode::from(exit::USAGE);
    };
    let terminals = Terminals::of(
        io::stdout().is_terminal().then(terminal_width),
        io::stderr().is_terminal(),
        io::stdin().is_terminal(),
    );
    let mut stdout = BufWriter::with_capacity(1 << 18, io::stdout().lock());
    let now = Timestamp::from(SystemTime::now());
    let mut cx = Context::new(&registry, now, &mut stdin, &mut stdout, &mut stderr);
    cx.terminals = terminals;
    cx.catch = catch_signals;
    ExitCode::from(crate::dispatch(&args, &mut cx))
}

fn terminal_width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

/// The first signal sets the flag; a second one of the same kind ends the process at once.
fn catch_signals(flag: &Arc<AtomicUsize>) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        let code = 128 + signal;
        let seen = Arc::new(std::sync::atomic::AtomicBool::new(false));
        signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&seen))?;
        signal_hook::flag::register(signal, seen)?;
        let number = usize::try_from(signal).expect("signal numbers are positive");
        signal_hook::flag::register_usize(signal, Arc::clone(flag), number)?;
    }
    #[cfg(unix)]
    keep_from_work()?;
    Ok(())
}

/// Has a thread of its own get the signals. In one that waits for a server they would end the call that waits, and not
/// every library goes on then.
#[cfg(unix)]
fn keep_from_work() -> io::Result<()> {
    use nix::sys::signal::{SigSet, Signal};

    std::thread::Builder::new().name("signals".to_owned()).spawn(|| {
        loop {
            std::thread::park();
        }
    })?;
    // Threads that are started from here on have it from this one.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    Ok(signals.thread_block()?)
}
