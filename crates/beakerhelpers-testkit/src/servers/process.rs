//! A server's process, which does not outlive the one that started it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::account::Account;

/// So long a server may take to start or to stop: a loaded machine is slow.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a word on its standard input. Where that ends without one, whoever started it is gone: it ends the server
/// and removes what is left of it. In a container whose first process buries nobody, the dead seem to live: it waits
/// five seconds and no longer.
const WATCHDOG: &str = "read -r _ && exit
server=$1 signal=$2; shift 2
kill \"-$signal\" \"$server\"
tries=0
while kill -0 \"$server\" && [ $tries -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
kill -9 \"$server\"
rm -rf -- \"$@\"";

/// A server that runs.
#[derive(Debug)]
pub(super) struct Running {
    server: Child,
    watchdog: Child,
}

impl Running {
    /// Starts the server of this command, whose output goes to a file. Should this process end in any way, the watchdog
    /// sends the server the signal `abandon` and removes the folders.
    pub(super) fn start(
        mut command: Command,
        log: &Path,
        account: &Account,
        abandon: Signal,
        folders: [&Path; 2],
    ) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        // A group of its own: Ctrl-C in a terminal is for the one who waits for the tests.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut server = command.spawn()?;
        let mut watchdog = account.command("sh");
        watchdog
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(server.id().to_string())
            .arg(abandon.as_raw().to_string())
            .args(folders);
        watchdog.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        match watchdog.spawn() {
            Ok(watchdog) => Ok(Self { server, watchdog }),
            Err(error) => {
                server.kill()?;
                server.wait()?;
                Err(error)
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.server.try_wait()?.is_some())
    }

    /// Sends a signal and waits for the end; does so with violence where it takes too long.
    pub(super) fn end(mut self, signal: Signal) -> io::Result<()> {
        if !self.has_ended()? {
            kill_process(Pid::from_child(&self.server), signal)?;
        }
        let started = Instant::now();
        while !self.has_ended()? {
            if started.elapsed() > PATIENCE {
                self.server.kill()?;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // Nothing is left to be watched. A watchdog that is gone needs no word.
        let told = self.watchdog.stdin.take().map(|mut input| input.write_all(b"done\n"));
        drop(told);
        self.watchdog.wait().map(drop)
    }
}

/// Runs a command for its output. The error has what it said.
pub(super) fn run(command: &mut Command) -> io::Result<String> {
    run_with_input(command, "")
}

/// The same with something on its standard input.
pub(super) fn run_with_input(command: &mut Command, input: &str) -> io::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let explain = |why: String| io::Error::other(format!("`{program}`: {why}"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| explain(error.to_string()))?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_owned();
    // Beside it: it may answer before it has read everything. What it does not want to read it says itself.
    let writer = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output()?;
    writer.join().expect("writing does not panic");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(explain(format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))))
}

/// Ends the process of this id if its command line names the folder: a server that outlived its watchdog.
pub(super) fn end_stale(id: i32, folder: &Path) {
    let names_it = || {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).contains(&*folder.to_string_lossy()))
    };
    if let (Some(true), Some(id)) = (names_it(), Pid::from_raw(id)) {
        // It may end at this moment.
        let _ = kill_process(id, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping(folder: &Path) -> Running {
        let account = Account::find().expect("an account");
        account.give(folder).expect("it can be given away");
        let parts = ["one", "other"].map(|name| folder.join(name));
        for part in &parts {
            std::fs::create_dir(part).expect("a folder");
            account.give(part).expect("it can be given away");
        }
        let mut command = account.command("sleep");
        command.arg("1000");
        Running::start(command, &folder.join("log"), &account, Signal::TERM, [&parts[0], &parts[1]]).expect("it starts")
    }

    #[test]
    fn a_server_ends_with_the_one_that_started_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut running = sleeping(folder.path());
        assert!(!running.has_ended().expect("it can be asked"));
        // What the system does when this process ends.
        drop(running.watchdog.stdin.take());
        running.server.wait().expect("it ends");
        running.watchdog.wait().expect("so does this");
        assert!(!folder.path().join("one").exists() && !folder.path().join("other").exists());
    }

    #[test]
    fn what_is_ended_keeps_its_folders() {
        let folder = tempfile::tempdir().expect("a folder");
        sleeping(folder.path()).end(Signal::TERM).expect("it ends");
        assert!(folder.path().join("one").exists() && folder.path().join("other").exists());
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let error = run(Command::new("sh").args(["-c", "echo no; echo really >&2; exit 3"])).expect_err("it fails");
        assert_eq!(error.to_string(), "`sh`: exit status: 3\nno\nreally\n");
        let long = "x".repeat(1 << 20);
        assert_eq!(run_with_input(&mut Command::new("cat"), &long).expect("it reads"), long);
    }
}
