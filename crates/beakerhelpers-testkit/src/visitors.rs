//! Visitors who come to a site while somebody cleans it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::Site;

/// An application whose visitors save sessions every few milliseconds. Dropping it ends it.
#[derive(Debug)]
pub struct Visitors {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// What became of [`Visitors`] and their sessions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visits {
    /// How many requests were answered.
    pub answered: u64,
    /// The messages of those that were not.
    pub errors: Vec<String>,
    /// The longest that one took.
    pub longest: Duration,
    /// How many came back to an expired session before it was deleted.
    pub back: u64,
    /// How many found it deleted, and got a new one of the same id.
    pub gone: u64,
    /// How many came back in the very moment in which it was deleted: Beaker had loaded it, and the row was gone when it
    /// saved. Beaker (1.14.1, `beaker/ext/database.py`, `do_close`) does not look how many rows its UPDATE changes, and
    /// loses what was saved.
    pub between: u64,
    /// The ids of sessions that were saved and are not as they were saved last, those of `between` left out.
    pub lost: Vec<String>,
}

impl Site<'_> {
    /// Lets visitors come, and waits for the first. The sessions `expired` may be deleted until their visitors are back,
    /// who come one after another and once; those of `kept` may not, and their visitors come again and again. Others come
    /// for the first time, and again.
    pub fn let_visitors_come(&self, expired: &[String], kept: &[String]) -> Visitors {
        let mut child = self.script("visitors.py").spawn().expect("Python starts");
        let task = json!({ "expired": expired, "kept": kept }).to_string() + "\n";
        child.stdin.as_mut().expect("it is piped").write_all(task.as_bytes()).expect("the script reads its task");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("the script writes text");
        assert_eq!(line, "ready\n", "the application does not start");
        Visitors { child, lines }
    }
}

impl Visitors {
    /// Lets the last one leave, has Beaker load whatever was saved, and tells how it went.
    pub fn leave(mut self) -> Visits {
        drop(self.child.stdin.take());
        let mut report = String::new();
        self.lines.read_to_string(&mut report).expect("the script writes text");
        let report: Json = serde_json::from_str(&report).expect("the script reports at its end");
        let number = |name: &str| report[name].as_u64().expect("a number");
        let texts = |name: &str| serde_json::from_value(report[name].clone()).expect("a list of texts");
        Visits {
            answered: number("answered"),
            errors: texts("errors"),
            longest: Duration::from_secs_f64(report["longest"].as_f64().expect("a number")),
            back: number("back"),
            gone: number("gone"),
            between: number("between"),
            lost: texts("lost"),
        }
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        // After `leave` it has ended by itself; after a panic nobody waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
