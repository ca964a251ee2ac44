//! The judge.

use std::io::Write as _;
use std::process::Stdio;

use beakerhelpers_testkit::Python;
use serde_json::Value;

/// Runs a script that reads JSON and writes JSON with the Python that has the current Beaker, SQLAlchemy and
/// `PasteDeploy`. `None` where there is none, which was said.
pub(crate) fn ask(script: &str, question: &Value) -> Option<Value> {
    let mut command = Python::current()?.command();
    let mut child = command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
