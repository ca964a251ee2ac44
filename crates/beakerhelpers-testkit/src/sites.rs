//! Many sites in one process of Python.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value as Json, json};

use crate::Python;

/// Applications with Beaker in them, each of which has its sessions where an ini file says. Dropping it ends the process.
#[derive(Debug)]
pub struct Sites {
    child: Child,
    /// `None` once nothing more is asked.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// Something to be done with one session of one site.
#[derive(Clone, Debug)]
pub struct Step(Json);

/// What Beaker has under an id, keys and values as Python's `repr()`. That of `_accessed_time` is the time of the
/// reading.
pub type Repr = BTreeMap<String, String>;

/// What Beaker raised.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Raised {
    /// The name of the class, without its module.
    pub class: String,
    /// What it says.
    pub message: String,
}

impl Step {
    /// Puts contents, the text of a Python dict, into a session as [`Request::save`](crate::Request::save) does.
    pub fn save(ini: &Path, id: &str, contents: &str) -> Self {
        Self(json!({ "ini": ini, "id": id, "do": "save", "contents": contents }))
    }

    /// Looks at a session without changing it.
    pub fn load(ini: &Path, id: &str) -> Self {
        Self(json!({ "ini": ini, "id": id, "do": "load" }))
    }
}

impl Python {
    /// Starts a process that answers for any number of sites.
    pub fn sites(&self) -> Sites {
        let mut child = self.script("sites.py").stderr(Stdio::inherit()).spawn().expect("Python starts");
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Sites { child, questions, answers }
    }
}

impl Sites {
    /// Takes the steps one after another, and gives what came of each: what Beaker has under the id then, `None` for
    /// nothing.
    pub fn answer(&mut self, steps: &[Step]) -> Vec<Result<Option<Repr>, Raised>> {
        let steps = steps.iter().map(|step| step.0.clone()).collect::<Json>();
        let questions = self.questions.as_mut().expect("it is open until the end");
        writeln!(questions, "{steps}").expect("Python reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the script writes text");
        let answers: Vec<Json> = serde_json::from_str(&line).expect("the script answers");
        answers.iter().map(answer).collect()
    }
}

fn answer(answer: &Json) -> Result<Option<Repr>, Raised> {
    if let Some(class) = answer["failed"].as_str() {
        let message = answer["why"].as_str().expect("a text").to_owned();
        return Err(Raised { class: class.to_owned(), message });
    }
    let pairs: Option<Vec<(String, String)>> =
        serde_json::from_value(answer["loaded"].clone()).expect("pairs of texts");
    Ok(pairs.map(|pairs| pairs.into_iter().collect()))
}

impl Drop for Sites {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
