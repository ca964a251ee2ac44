//! Other processes, played by this test program itself.

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use beakerhelpers_core::{Access, DeletePlan, Query, Silent};
use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

use crate::support::{config, cutoff, open};

const ROLE: &str = "BEAKERHELPERS_TEST_ROLE";
const DATABASE: &str = "BEAKERHELPERS_TEST_DATABASE";

/// Another process at work. It ends when it is dropped.
pub(crate) struct Other {
    process: Child,
    _input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Starts another process and waits until it is where its role wants it.
pub(crate) fn start(role: &str, database: &Path) -> Other {
    let mut other = spawn(role, database, &mut Command::new(env::current_exe().expect("this program")));
    while other.line() != "ready" {}
    other
}

/// What another user, who may read the database and its directory but not write, says of listing it: a count, or an
/// error. Where the tests do not run as root, it is this user after giving up the right to write.
pub(crate) fn list_as_another_user(database: &Path) -> String {
    let directory = database.parent().expect("it has one");
    let root = fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me)).expect("/proc") == 0;
    // The program may lie where nobody else can get at it.
    let place = tempfile::tempdir().expect("a temporary directory");
    let program = place.path().join("other");
    fs::copy(env::current_exe().expect("this program"), &program).expect("it can be copied");
    for path in [place.path(), &program] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
    }
    let files: Vec<PathBuf> =
        fs::read_dir(directory).expect("it is ours").map(|entry| entry.expect("one").path()).collect();
    for file in files {
        fs::set_permissions(file, Permissions::from_mode(if root { 0o644 } else { 0o444 })).expect("it is ours");
    }
    fs::set_permissions(directory, Permissions::from_mode(if root { 0o755 } else { 0o555 })).expect("it is ours");
    let mut command = Command::new(&program);
    if root {
        command.uid(65534).gid(65534);
    }
    let mut other = spawn("list", database, &mut command);
    while other.line() != "ready" {}
    let mut said = String::new();
    other.output.read_to_string(&mut said).expect("it talks");
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("it is ours");
    said
}

fn spawn(role: &str, database: &Path, command: &mut Command) -> Other {
    command
        .args(["--exact", "child::plays_its_role", "--nocapture", "--test-threads", "1"])
        .env(ROLE, role)
        .env(DATABASE, database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut process = loop {
        match command.spawn() {
            // A process that another test is just starting still holds the copied program open for writing.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            started => break started.expect("this program starts again"),
        }
    };
    let (input, output) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
    Other { process, _input: input, output: BufReader::new(output) }
}

impl Other {
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("it talks");
        assert!(read > 0, "the other process ended early");
        // The harness begins a line before the test does.
        line.trim_end().rsplit(' ').next().unwrap_or_default().to_owned()
    }
}

impl Drop for Other {
    /// As `kill -9` does.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Does nothing in a process that was started without a role, such as that of the tests.
#[test]
fn plays_its_role() {
    let (Ok(role), Ok(path)) = (env::var(ROLE), env::var(DATABASE)) else { return };
    let mut raw = None;
    let mut sql = |sql: &str| {
        raw.get_or_insert_with(|| SqliteConnection::establish(&path).expect("it opens"))
            .batch_execute(sql)
            .expect("the SQL is right");
    };
    match role.as_str() {
        "write" => sql("BEGIN IMMEDIATE"),
        "read" => sql("BEGIN; SELECT count(*) FROM beaker_cache"),
        "use wal" => sql("UPDATE beaker_cache SET data = x'00'; SELECT count(*) FROM beaker_cache"),
        // Little memory, so that changed pages reach the file before the end.
        "write much" => sql("PRAGMA cache_size = 2; BEGIN; UPDATE beaker_cache SET data = randomblob(3000)"),
        "list" => {
            say("ready");
            return list(Path::new(&path));
        }
        "clean" => {
            let store = open(&config(Path::new(&path)));
            say("ready");
            let done = store.delete_old(cutoff(), &DeletePlan::default().with_batch_size(5), &mut Silent);
            return say(&format!("{done:?}"));
        }
        other => panic!("no role {other}"),
    }
    say("ready");
    let _ = io::stdin().read(&mut [0]);
}

fn list(path: &Path) {
    let store = open(&config(path).with_access(Access::ReadOnly));
    let mut count = 0;
    for record in store.iter(Query::ALL) {
        match record {
            Ok(_) => count += 1,
            Err(error) => say(&format!("{error:?}")),
        }
    }
    say(&format!("listed {count}"));
}

fn say(text: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).expect("somebody listens");
}
