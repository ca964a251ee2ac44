//! Sessions of Zope, where collective.beaker has Beaker keep them.

use std::fs;

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::python;

use crate::run::run;

/// Does with the options of a `zope.conf` what collective.beaker does with them (`metaconfigure.py` and `session.py`, 1.0b3).
const ZOPE: &str = r#"
import sys
from beaker.session import SessionObject
from beaker.util import coerce_session_params

options = dict(line.split(None, 1) for line in sys.stdin.read().splitlines())
options = {key[len("session."):]: value for key, value in options.items() if key.startswith("session.")}
coerce_session_params(options)
defaults = dict(invalidate_corrupt=True, type=None, data_dir=None, key="beaker.session.id", timeout=None, secret=None)
for user in sys.argv[1:]:
    session = SessionObject({}, **dict(defaults, **options))
    session["user"] = user
    session.save()
    session.persist()
"#;

#[test]
fn the_options_of_zope_conf_are_those_of_an_ini_file() {
    let python = python!();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().to_str().unwrap();
    let options = [
        ("type", "file".to_owned()),
        ("data_dir", format!("{here}/data")),
        ("lock_dir", format!("{here}/lock")),
        ("key", "beaker.session".to_owned()),
        ("secret", "a-secret".to_owned()),
        ("timeout", "3600".to_owned()),
    ];
    let lines = |between: &str| {
        let lines: Vec<_> = options.iter().map(|(key, value)| format!("session.{key}{between}{value}\n")).collect();
        lines.concat()
    };
    let conf = folder.path().join("zope.conf");
    fs::write(&conf, lines("   ") + "cache.type   file\n").unwrap();
    let mut site = python.command();
    site.args(["-c", ZOPE, "anna", "joe"]).stdin(fs::File::open(&conf).unwrap());
    assert!(site.status().unwrap().success());

    let ini = folder.path().join("zope.ini");
    fs::write(&ini, format!("[app:main]\n{}", lines(" = "))).unwrap();
    let ini = ini.to_str().unwrap();
    let shown = run(["sessions", ini, "--format", "plain", "--columns", "user", "--sort", "user"]);
    assert_eq!((shown.code, shown.stdout.as_str()), (exit::DONE, "anna\njoe\n"), "{shown:?}");
    let deleted = run(["delete", ini, "--where", "user=joe", "--yes"]);
    assert_eq!((deleted.code, deleted.stdout.as_str()), (exit::DONE, "deleted 1 session\n"), "{deleted:?}");
    assert_eq!(run(["setup", ini, "--check"]).code, exit::DONE);
}
