//! Sessions of Quixote sites, which session3 wrote.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::{Python, python};

use crate::run::{Run, run};

/// A Quixote site of the tests of the stores.
const SITE: &str = include_str!("../../../beakerhelpers-session2/tests/python/site.py");

pub(crate) fn site(python: &Python, store: &str, place: &Path, visits: &[&str]) -> Vec<String> {
    let mut command = python.command();
    let output = command.args(["-c", SITE, store, place.to_str().unwrap()]).args(visits).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

pub(crate) fn ini(folder: &Path, options: &str) -> String {
    let path = folder.join("quixote.ini");
    let options: String = options.lines().flat_map(|line| ["beaker.session.", line, "\n"]).collect();
    fs::write(&path, format!("[app:main]\n{options}")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn beakerhelpers(folder: &Path, args: &[&str]) -> Run {
    run(args.iter().copied()).without(folder)
}

/// Everything but what ages them: setting up, visitors, listing, deleting.
fn life(python: &Python, folder: &Path, store: &str, place: &Path, options: &str) -> String {
    let ini = ini(folder, options);
    let missing = beakerhelpers(folder, &["setup", &ini, "--check"]);
    assert_eq!(missing.code, exit::FAILED, "{missing:?}");
    assert!(beakerhelpers(folder, &["setup", &ini]).done().starts_with("created "));
    assert!(beakerhelpers(folder, &["setup", &ini]).done().ends_with("is there already; nothing was changed\n"));
    let visits = site(python, store, place, &["joe", "ann", "eve"]);
    for args in [&["--format", "jsonl"][..], &["--format", "table"], &["--columns", "id,user"], &["--show-ids"]] {
        let listed = beakerhelpers(folder, &[&["sessions", &ini][..], args].concat());
        for visit in &visits {
            let id = visit.split(' ').next().unwrap();
            let shown = listed.stdout.matches(id).count() + listed.stderr.matches(id).count();
            assert!(id.len() > 8 && shown == usize::from(args[0] == "--show-ids"), "{visit}, {args:?}: {listed:?}");
        }
    }
    let listed =
        beakerhelpers(folder, &["sessions", &ini, "--format", "plain", "--columns", "user,_remote_address"]).done();
    let mut lines: Vec<_> = listed.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["ann\t192.0.2.7", "eve\t192.0.2.7", "joe\t192.0.2.7"]);
    assert_eq!(beakerhelpers(folder, &["sessions", &ini, "--count"]).done(), "3\n");
    let deleted = beakerhelpers(folder, &["delete", &ini, "--where", "user=eve", "--yes"]);
    assert_eq!(deleted.code, exit::DONE, "{deleted:?}");
    assert_eq!(beakerhelpers(folder, &["sessions", &ini, "--count"]).done(), "2\n");
    ini
}

#[test]
fn a_directory() {
    let python = python!();
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("sessions");
    let options = "type = session2:directory\ndirectory = sessions";
    let ini = life(&python, folder.path(), "directory", &sessions, options);
    let old = fs::read_dir(&sessions).unwrap().next().unwrap().unwrap().path();
    File::options()
        .write(true)
        .open(&old)
        .unwrap()
        .set_modified(SystemTime::now() - Duration::from_secs(7200))
        .unwrap();
    let archive = folder.path().join("gone.jsonl");
    let cleaned =
        beakerhelpers(folder.path(), &["cleanup", &ini, "--timeout", "1h", "--archive", archive.to_str().unwrap()]);
    assert_eq!(cleaned.code, exit::DONE, "{cleaned:?}");
    assert!(!old.exists() && archive.exists());
    assert_eq!(beakerhelpers(folder.path(), &["sessions", &ini, "--count"]).done(), "1\n");
    let restored = beakerhelpers(folder.path(), &["restore", &ini, archive.to_str().unwrap()]);
    assert_eq!(restored.code, exit::DONE, "{restored:?}");
    let id = old.file_name().unwrap().to_str().unwrap();
    assert!(site(&python, "directory", &sessions, &[&format!("={id}")])[0].ends_with(" 2"));
}

#[test]
fn a_file_of_durus() {
    let python = python!();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.durus");
    let ini = life(&python, folder.path(), "durus-file", &file, "type = session2:durus\nfile = shop.durus");
    let cleaned = beakerhelpers(folder.path(), &["cleanup", &ini, "--timeout", "1h"]);
    assert_eq!(cleaned.code, exit::DONE, "{cleaned:?}");
    assert_eq!(beakerhelpers(folder.path(), &["sessions", &ini, "--count"]).done(), "2\n");
}

#[test]
fn a_shelve() {
    let python = python!();
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("shop");
    life(&python, folder.path(), "shelve-dumb", &name, "type = session2:shelve\nfilename = shop");
}
