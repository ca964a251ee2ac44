//! Sites of Quixote, whose sessions are objects.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{python, server};

use super::counts_by;
use crate::run::run;
use crate::session2::{ini, site};

/// A site in a folder of its own, set up.
fn place(options: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ini = PathBuf::from(ini(folder.path(), options));
    run(["setup", ini.to_str().unwrap(), "--quiet"]).done();
    (folder, ini)
}

/// The pickles in a directory, by id.
fn pickles(sessions: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(sessions).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

/// Copies there and nothing more at once, and all is there.
fn pass_on(from: &Path, to: &Path, sessions: u64) {
    assert_eq!(counts_by(from, to, &[]), [sessions, 0, 0, 0, 0, 0]);
    assert_eq!(counts_by(from, to, &[]), [0, 0, sessions, 0, 0, 0]);
    assert_eq!(counts_by(from, to, &["--verify"]), [0, 0, sessions, 0, 0, 0]);
}

#[test]
fn visitors_move_from_a_directory_to_a_shelve_and_back() {
    let python = python!();
    let (old, from) = place("type = session2:directory\ndirectory = sessions");
    let (shop, shelve) = place("type = session2:shelve\nfilename = shop");
    let (new, to) = place("type = session2:directory\ndirectory = sessions");
    let [old, new] = [old, new].map(|folder| (folder.path().join("sessions"), folder));
    let lines = site(&python, "directory", &old.0, &["joe", "ann"]);
    pass_on(&from, &shelve, 2);
    pass_on(&shelve, &to, 2);
    assert_eq!(pickles(&old.0), pickles(&new.0));
    // Joe comes back to the shelve, and is who he was.
    let id = lines[0].split(' ').next().unwrap();
    let back = site(&python, "shelve-dumb", &shop.path().join("shop"), &[&format!("={id}")]);
    assert_eq!(back[0].split(' ').take(2).collect::<Vec<_>>(), [id, "joe"]);
}

#[test]
fn objects_keep_their_bytes_in_postgresql() {
    let server = server!(Kind::Postgres);
    let database = server.create_database();
    let (old, from) = place("type = session2:directory\ndirectory = sessions");
    let url = database.url("postgresql").replace('%', "%%");
    let (_table, postgres) = place(&format!("type = session2:postgres\nurl = {url}"));
    let (new, to) = place("type = session2:directory\ndirectory = sessions");
    let [old, new] = [&old, &new].map(|folder| folder.path().join("sessions"));
    // One with attributes, and one without, in the protocol that this table takes.
    fs::write(old.join("joe"), b"(ishop\nVisitor\n(dS'user'\nS'joe'\nsb.").unwrap();
    fs::write(old.join("ann"), b"(ishop\nVisitor\n.").unwrap();
    pass_on(&from, &postgres, 2);
    pass_on(&postgres, &to, 2);
    assert_eq!(pickles(&old).len(), 2);
    assert_eq!(pickles(&old), pickles(&new));
}
