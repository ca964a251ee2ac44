//! What `PasteDeploy` makes of a file is what we make of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::python::ask;
use crate::site::{Site, options};

/// `via` names the attributes of the loader's context that lead from the section to the application.
const SCRIPT: &str = r"
import json, sys
from paste.deploy import loadwsgi
answers = []
for path, via in json.load(sys.stdin):
    try:
        context = loadwsgi.loadcontext(loadwsgi.APP, 'config:' + path)
        for step in via.split():
            context = getattr(context, step)
        config = context.config()
        answers.append({key[15:]: value.strip() for key, value in config.items() if key.startswith('beaker.session.')})
    except Exception as error:
        answers.append(type(error).__name__)
json.dump(answers, sys.stdout)
";

/// A site of `tests/data`: `=== name -> via`, the text of `prod.ini`, `--- other.ini`, its text, and so on.
struct Case {
    name: &'static str,
    via: &'static str,
    site: Site,
}

fn cases(data: &'static str) -> Vec<Case> {
    let case = |text: &'static str| {
        let (title, text) = text.split_once('\n').unwrap();
        let (name, via) = title.split_once(" -> ").unwrap_or((title, ""));
        let mut others = text.split("--- ");
        let prod = others.next().unwrap();
        let others = others.map(|other| other.split_once('\n').unwrap());
        let files: Vec<_> = std::iter::once(("prod.ini", prod)).chain(others).collect();
        Case { name, via, site: Site::new(&files) }
    };
    data.split("=== ").skip(1).map(case).collect()
}

fn ask_paste_deploy(cases: &[Case]) -> Option<Vec<Value>> {
    let question: Vec<_> = cases.iter().map(|case| (case.site.path("prod.ini"), case.via)).collect();
    match ask(SCRIPT, &json!(question))? {
        Value::Array(answers) => Some(answers),
        other => panic!("{other}"),
    }
}

#[test]
fn paste_deploy_reads_the_same() {
    let cases = cases(include_str!("../data/paste.txt"));
    let Some(answers) = ask_paste_deploy(&cases) else { return };
    for (Case { name, site, .. }, answer) in cases.iter().zip(answers) {
        let expected: BTreeMap<String, String> = serde_json::from_value(answer).expect(name);
        assert!(!expected.is_empty(), "{name}");
        let config = site.store("prod.ini").expect(name);
        assert_eq!(options(&config), expected, "{name}");
    }
}

#[test]
fn paste_deploy_refuses_the_same() {
    let cases = cases(include_str!("../data/wrong.txt"));
    let Some(answers) = ask_paste_deploy(&cases) else { return };
    for (Case { name, .. }, answer) in cases.iter().zip(answers) {
        assert!(answer.is_string(), "{name}: {answer}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let mut said = String::new();
    for Case { name, site, .. } in cases(include_str!("../data/wrong.txt")) {
        writeln!(said, "=== {name}\n{}", site.error("prod.ini")).unwrap();
    }
    assert_eq!(said, include_str!("../data/wrong-said.txt"), "\n{said}");
}
