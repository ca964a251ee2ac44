//! An application that saves sessions all the time: `writer.py`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value as Json;

use super::backend::{CUTOFF, Set};
use super::tools::Tools;
use crate::run::Result;

/// What it waits after each save, in seconds: as long as a request of a busy site takes elsewhere.
pub(crate) const PAUSE: &str = "0.002";

/// What the application saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How long each save took, in milliseconds; those that failed, too.
    pub(crate) saves: Vec<f64>,
    /// The same for loading.
    pub(crate) loads: Vec<f64>,
    /// How many requests failed.
    pub(crate) errors: u64,
    /// Sessions that are not as they were saved.
    pub(crate) lost: u64,
}

impl Seen {
    /// Takes what another run saw.
    pub(crate) fn add(&mut self, other: Self) {
        self.saves.extend(other.saves);
        self.loads.extend(other.loads);
        self.errors += other.errors;
        self.lost += other.lost;
    }

    fn read(report: &str) -> Result<Self> {
        let broken = |what: &str| format!("`writer.py` reports no {what}: {report:.200}");
        let json: Json = serde_json::from_str(report).map_err(|error| broken(&error.to_string()))?;
        let times = |name: &str| {
            let times = json[name].as_array().ok_or_else(|| broken(name))?;
            let milliseconds = |time: &Json| time.as_f64().map(|seconds| seconds * 1e3).ok_or_else(|| broken(name));
            times.iter().map(milliseconds).collect::<Result<Vec<_>>>()
        };
        let errors = json["errors"].as_object().ok_or_else(|| broken("errors"))?;
        Ok(Self {
            saves: times("saves")?,
            loads: times("loads")?,
            errors: errors.values().filter_map(Json::as_u64).sum(),
            lost: json["lost"].as_u64().ok_or_else(|| broken("lost"))?,
        })
    }
}

/// The application at work. It ends with this.
#[derive(Debug)]
pub(crate) struct Writer {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Writer {
    /// Starts it and waits until it is warm. It goes on until it has saved so often, or until it is stopped where that is 0.
    pub(crate) fn start(tools: &Tools, set: &Set, saves: usize) -> Result<Self> {
        let (cutoff, _) = CUTOFF;
        Self::start_with(tools, &set.url, cutoff, saves)
    }

    /// The same where something else than the cutoff tells which sessions to use.
    pub(crate) fn start_with(tools: &Tools, url: &str, which: &str, saves: usize) -> Result<Self> {
        let mut command = tools.python("xtask/bench/writer.py");
        command.args([url, which, &saves.to_string(), PAUSE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("`writer.py`: {error}"))?;
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut ready = String::new();
        let read = out.read_line(&mut ready).map_err(|error| format!("`writer.py`: {error}"));
        let writer = Self { child, out };
        match read {
            Ok(_) if ready == "ready\n" => Ok(writer),
            Ok(_) => Err("`writer.py` did not get ready; it says why above".to_owned()),
            Err(error) => Err(error),
        }
    }

    /// Waits until it has saved as often as it should.
    pub(crate) fn wait(mut self) -> Result<Seen> {
        let mut report = String::new();
        self.out.read_to_string(&mut report).map_err(|error| format!("`writer.py`: {error}"))?;
        let status = self.child.wait().map_err(|error| format!("`writer.py`: {error}"))?;
        if status.success() { Seen::read(&report) } else { Err(format!("`writer.py` failed: {status}")) }
    }

    /// Stops it.
    pub(crate) fn stop(mut self) -> Result<Seen> {
        drop(self.child.stdin.take());
        self.wait()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It has ended, or something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"saves": [0.001, 0.25], "loads": [0.5], "errors": {"locked": 2, "gone": 1}, "lost": 0}"#;

    #[test]
    fn a_report_is_read_in_milliseconds() {
        let mut seen = Seen::read(REPORT).unwrap();
        seen.add(Seen::read(&REPORT.replace("0.25", "0.125")).unwrap());
        let numbers = [&seen.saves, &seen.loads].map(|times| times.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(numbers, [vec!["1", "250", "1", "125"], vec!["500", "500"]]);
        assert_eq!((seen.errors, seen.lost), (6, 0));
    }

    #[test]
    fn a_report_that_lacks_something_is_refused() {
        for (from, to) in [("saves", "save"), ("0.5", "null"), ("errors", "error"), ("\"lost\": 0", "\"lost\": -1")] {
            assert!(Seen::read(&REPORT.replace(from, to)).is_err(), "{from} {to}");
        }
        assert!(Seen::read("").is_err());
    }
}
