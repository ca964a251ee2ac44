//! One server with its folders, whether it runs or not.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::account::Account;
use super::process::{PATIENCE, Running, end_stale};
use super::program::{Place, Program};
use super::{Certificates, Durability, Kind};

/// Below those that systems give to outgoing connections, so that the port of a server that is stopped stays free.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

#[derive(Debug)]
pub(super) struct Instance {
    kind: Kind,
    durability: Durability,
    account: Account,
    folder: PathBuf,
    place: Place,
    running: Mutex<Option<Running>>,
    /// Path names of unix sockets are short: 107 bytes. Removed at the end.
    _sockets: TempDir,
    /// Locked as long as this process lives: whoever finds it unlocked may clean up.
    _lock: File,
}

impl Instance {
    /// Makes the folders of a server among others.
    pub(super) fn new(
        servers: &Path,
        kind: Kind,
        durability: Durability,
        certificates: Certificates,
        account: Account,
    ) -> io::Result<Self> {
        static NUMBER: AtomicU16 = AtomicU16::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = servers.join(format!("{}-{}-{number}", kind.program().slug(), process::id()));
        fs::create_dir(&folder)?;
        account.give(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        let sockets = tempfile::Builder::new().prefix("bh-").tempdir()?;
        account.give_alone(sockets.path())?;
        fs::write(folder.join("sockets"), sockets.path().as_os_str().as_encoded_bytes())?;
        let (data, sockets_path) = (folder.join("data"), sockets.path().to_owned());
        let (port, other_port) = (free_port()?, free_port()?);
        let place = Place { data, sockets: sockets_path, port, other_port, certificates };
        let running = Mutex::new(None);
        Ok(Self { kind, durability, account, folder, place, running, _sockets: sockets, _lock: lock })
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    fn program(&self) -> &'static dyn Program {
        self.kind.program()
    }

    /// Starts it, and waits until somebody can log in. Does nothing where it runs.
    pub(super) fn start(&self) -> io::Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Ok(());
        }
        let began = Instant::now();
        loop {
            let mut started = self.launch()?;
            match self.wait_for(&mut started) {
                Ok(()) => {
                    *running = Some(started);
                    return Ok(());
                }
                Err(error) => {
                    let ended = started.has_ended()?;
                    started.end(Signal::KILL)?;
                    // Right after a server was killed, its children may still be at work.
                    if !ended || began.elapsed() > Duration::from_secs(10) {
                        return Err(error);
                    }
                    thread::sleep(Duration::from_millis(200));
                }
            }
        }
    }

    fn launch(&self) -> io::Result<Running> {
        let program = self.program();
        let command = program.server(&self.place, self.durability, &self.account)?;
        let folders = [self.folder.as_path(), &self.place.sockets];
        let running = Running::start(command, &self.log(), &self.account, program.abandon_signal(), folders)?;
        fs::write(self.folder.join("pid"), running.id().to_string())?;
        Ok(running)
    }

    fn wait_for(&self, running: &mut Running) -> io::Result<()> {
        let began = Instant::now();
        loop {
            let Err(error) = self.program().answers(&self.place) else { return Ok(()) };
            if running.has_ended()? || began.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                let name = self.kind.name();
                return Err(io::Error::other(format!("{name} does not start: {error}\nits log:\n{log}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Ends it with a signal; its data stay. Does nothing where it does not run.
    pub(super) fn end(&self, signal: Signal) -> io::Result<()> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        running.map_or(Ok(()), |running| running.end(signal))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // What is left is removed at the next start.
        let _ = self.end(self.program().abandon_signal());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ends the servers whose processes are gone, and removes their folders. Nobody may make one meanwhile.
pub(super) fn clean_up(servers: &Path) -> io::Result<()> {
    for entry in fs::read_dir(servers)? {
        let folder = entry?.path();
        match File::open(folder.join("lock")).map(|lock| lock.try_lock().map(|()| lock)) {
            // Somebody's.
            Ok(Err(TryLockError::WouldBlock)) => continue,
            Ok(Err(TryLockError::Error(error))) => return Err(error),
            Ok(Ok(_)) | Err(_) => {}
        }
        let said = |name: &str| fs::read_to_string(folder.join(name)).ok();
        if let Some(id) = said("pid").and_then(|id| id.parse().ok()) {
            end_stale(id, &folder);
        }
        if let Some(sockets) = said("sockets") {
            let _ = fs::remove_dir_all(sockets);
        }
        // A server that ends at this moment may still write: the rest goes the next time.
        let _ = fs::remove_dir_all(&folder);
    }
    Ok(())
}

/// A port that nobody listens on. Two processes may find the same one; then one server does not start, and says so.
fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    // Processes begin at different places, by a stride that visits all.
    let first = (process::id() % u32::from(span)).wrapping_mul(7_919) % u32::from(span);
    for _ in 0..span {
        let offset = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(u32::from(PORTS.start) + (first + offset) % u32::from(span)).expect("it is below");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no port is free"))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// What is left of a server whose process, and whose watchdog, were killed.
    fn left_behind(servers: &Path, name: &str) -> (PathBuf, process::Child) {
        let folder = servers.join(name);
        fs::create_dir(&folder).expect("a folder");
        let mut server = Command::new("sh");
        server.args(["-c", "read -r _", "server"]).arg(&folder).stdin(Stdio::piped());
        let server = server.spawn().expect("it starts");
        fs::write(folder.join("pid"), server.id().to_string()).expect("a file");
        File::create(folder.join("lock")).expect("a file");
        (folder, server)
    }

    #[test]
    fn only_what_nobody_has_is_cleaned_up() {
        let servers = tempfile::tempdir().expect("a folder");
        let sockets = tempfile::tempdir().expect("a folder").keep();
        let (stale, mut stale_server) = left_behind(servers.path(), "stale");
        fs::write(stale.join("sockets"), sockets.as_os_str().as_encoded_bytes()).expect("a file");
        let (live, mut live_server) = left_behind(servers.path(), "live");
        let lock = File::open(live.join("lock")).expect("it is there");
        lock.lock().expect("nobody has it");

        clean_up(servers.path()).expect("it can be read");
        assert!(!stale.exists() && !sockets.exists());
        assert!(!stale_server.wait().expect("it has ended").success());
        assert!(live.exists() && live_server.try_wait().expect("it can be asked").is_none());
        drop(live_server.stdin.take());
        live_server.wait().expect("it ends");
    }

    #[test]
    fn a_process_that_got_the_number_of_a_dead_server_is_left_alone() {
        let servers = tempfile::tempdir().expect("a folder");
        let (folder, mut other) = left_behind(servers.path(), "one");
        let renamed = servers.path().join("two");
        fs::rename(folder, &renamed).expect("it can be renamed");
        clean_up(servers.path()).expect("it can be read");
        assert!(!renamed.exists() && other.try_wait().expect("it can be asked").is_none());
        drop(other.stdin.take());
        other.wait().expect("it ends");
    }
}
