//! What real Beaker does to a store.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use beakerhelpers_core::Timestamp;
use serde_json::{Value as Json, json};

use crate::Python;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

/// An application with Beaker in it, whose sessions are where an ini file says.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s> {
    python: &'s Python,
    ini: &'s Path,
    prefix: Option<&'s str>,
}

/// A request that a visitor makes of a [`Site`].
#[derive(Clone, Debug)]
pub struct Request {
    id: Option<String>,
    what: &'static str,
    contents: String,
    at: Option<Timestamp>,
}

/// What Beaker found under an id: for each key the name of the type and Python's `str()` of the value. The value of
/// `_accessed_time` is the time of the reading, because Beaker sets it whenever it loads (1.14.1,
/// `beaker/session.py`, `Session.load`).
pub type Loaded = BTreeMap<String, (String, String)>;

impl Python {
    /// An application whose ini file this is.
    pub fn site<'s>(&'s self, ini: &'s Path) -> Site<'s> {
        Site { python: self, ini, prefix: None }
    }

    /// Makes a table with rows in the form of the original's own tests, in an SQLite file that is created where it is
    /// missing. Each row has a namespace, an age and a session: the text of a Python dict, in which `accessed` is the
    /// row's own time as Beaker's float; `None` makes a row with no data at all. Gives the instant that the ages count
    /// from.
    pub fn original_rows(&self, path: &Path, table: &str, rows: &[(&str, Duration, Option<&str>)]) -> Timestamp {
        let rows: Vec<Json> =
            rows.iter().map(|(namespace, age, session)| json!([namespace, age.as_secs_f64(), session])).collect();
        let now = run(self.script("original.py"), &json!({ "path": path, "table": table, "rows": rows }));
        now.as_f64().and_then(Timestamp::from_epoch_float).expect("the script tells its time")
    }

    fn script(&self, name: &str) -> Command {
        let mut command = self.command();
        command.arg(Path::new(SCRIPTS).join(name)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl<'s> Site<'s> {
    /// Takes the keys of another prefix than `beaker.session`.
    #[must_use]
    pub const fn with_prefix(mut self, prefix: &'s str) -> Self {
        self.prefix = Some(prefix);
        self
    }

    /// Answers requests one after another, through Beaker's middleware, and gives the id that each visitor's session
    /// has afterwards.
    pub fn answer(&self, requests: &[Request]) -> Vec<String> {
        let requests: Vec<Json> = requests
            .iter()
            .map(|Request { id, what, contents, at }| {
                json!({ "id": id, "do": what, "contents": contents, "at": at.map(epoch_float) })
            })
            .collect();
        let ids = run(self.script("write.py"), &Json::Array(requests));
        serde_json::from_value(ids).expect("the script gives ids")
    }

    /// Loads sessions as the application would, without changing them. `None` is an id that Beaker finds no session
    /// under, or one that has timed out.
    pub fn load(&self, ids: &[&str]) -> Vec<Option<Loaded>> {
        serde_json::from_value(run(self.script("read.py"), &json!(ids))).expect("the script gives sessions")
    }

    /// Starts an application that goes on saving the sessions `live-0` to `live-19`, and waits for its first.
    pub fn go_live(&self) -> LiveSite {
        let mut child = self.script("live.py").stderr(Stdio::inherit()).spawn().expect("Python starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("the script writes text");
        assert_eq!(line, "ready\n", "the application does not start");
        LiveSite { child, lines }
    }

    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = self.python.script(name);
        command.arg(self.ini).args(self.prefix);
        command
    }
}

impl Request {
    /// A request that puts these contents, the text of a Python dict, into the session of this id. The names of
    /// `python/values.py` may occur in it.
    pub fn save(id: &str, contents: &str) -> Self {
        Self { id: Some(id.to_owned()), what: "save", contents: contents.to_owned(), at: None }
    }

    /// A request that only looks at its session, which moves the access time.
    pub fn touch(id: &str) -> Self {
        Self { what: "touch", ..Self::save(id, "{}") }
    }

    /// A request that deletes its session; Beaker leaves a stub.
    pub fn delete(id: &str) -> Self {
        Self { what: "delete", ..Self::save(id, "{}") }
    }

    /// A request that changes to a new id and saves these contents there, as at a login; the old session stays.
    pub fn invalidate(id: &str, contents: &str) -> Self {
        Self { what: "invalidate", ..Self::save(id, contents) }
    }

    /// Comes without a cookie, so that Beaker makes an id.
    #[must_use]
    pub fn without_cookie(mut self) -> Self {
        self.id = None;
        self
    }

    /// Takes place at this instant; so do the requests after it that say nothing else.
    #[must_use]
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}

/// An application that is saving sessions meanwhile. Dropping it ends it.
#[derive(Debug)]
pub struct LiveSite {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// What a [`LiveSite`] went through.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LiveReport {
    /// How many requests were answered.
    pub answered: u64,
    /// The longest that one took.
    pub longest: Duration,
    /// The messages of those that failed.
    pub errors: Vec<String>,
}

impl LiveSite {
    /// Ends it and asks how it went.
    pub fn end(mut self) -> LiveReport {
        drop(self.child.stdin.take());
        let mut report = String::new();
        self.lines.read_to_string(&mut report).expect("the script writes text");
        let report: Json = serde_json::from_str(&report).expect("the script reports at its end");
        LiveReport {
            answered: report["answered"].as_u64().expect("a number"),
            longest: Duration::from_secs_f64(report["longest"].as_f64().expect("a number")),
            errors: serde_json::from_value(report["errors"].clone()).expect("a list of texts"),
        }
    }
}

impl Drop for LiveSite {
    fn drop(&mut self) {
        // After `end` it has ended by itself; after a panic nobody waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes an ini file for a table in an SQLite file beside it: `sessions.db`, as `[app:main]`, with more keys as given.
pub fn sqlite_ini(directory: &Path, keys: &str) -> std::path::PathBuf {
    write_ini(directory, "sqlite:///%(here)s/sessions.db", keys)
}

/// Writes an ini file for a table in the database of this URL, as `[app:main]`, with more keys as given.
pub fn database_ini(directory: &Path, url: &str, keys: &str) -> std::path::PathBuf {
    // To configparser a percent sign begins the name of another key.
    write_ini(directory, &url.replace('%', "%%"), keys)
}

/// Writes an ini file for sessions in files below a folder beside it: `data`, as `[app:main]`, with more keys as given.
pub fn file_ini(directory: &Path, keys: &str) -> std::path::PathBuf {
    write(directory, &format!("beaker.session.type = file\nbeaker.session.data_dir = %(here)s/data\n{keys}"))
}

fn write_ini(directory: &Path, url: &str, keys: &str) -> std::path::PathBuf {
    write(directory, &format!("beaker.session.type = ext:database\nbeaker.session.url = {url}\n{keys}"))
}

fn write(directory: &Path, keys: &str) -> std::path::PathBuf {
    let ini = directory.join("site.ini");
    let text = format!("[app:main]\n{keys}\n");
    fs::write(&ini, text).expect("an ini file can be written");
    ini
}

#[expect(clippy::cast_precision_loss, reason = "Beaker keeps floats")]
fn epoch_float(at: Timestamp) -> f64 {
    at.as_micros() as f64 / 1e6
}

/// Runs a script that takes and gives JSON.
fn run(mut script: Command, input: &Json) -> Json {
    let mut child = script.spawn().expect("Python starts");
    // The scripts read all before they write.
    let sent = child.stdin.take().expect("it is piped").write_all(input.to_string().as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("Python ends");
    assert!(status.success() && sent.is_ok(), "{script:?}: {status}\n{}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap_or_else(|error| panic!("{script:?}: {error}"))
}
