//! Configurations that are none, through the command line: each is refused with exit code 2 before anything is tried,
//! in words that say what, where and why, and that give no secret away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::run::{binary, finish, run, unprivileged};

const PASSWORD: &str = "hunter2";

/// What every command says of a file with this text, paths left out.
#[track_caller]
fn refusal(text: impl AsRef<[u8]>) -> String {
    let directory = tempfile::tempdir().unwrap();
    let ini = directory.path().join("prod.ini");
    fs::write(&ini, text).unwrap();
    same_for_all(&ini, directory.path())
}

#[track_caller]
fn same_for_all(ini: &Path, directory: &Path) -> String {
    let refuse = |command: &str, args: &[&str]| {
        let stderr = finish(binary().arg(command).arg(ini).args(args)).without(directory).failed(2);
        assert!(!stderr.contains(PASSWORD), "{stderr}");
        stderr
    };
    let stderr = refuse("sessions", &[]);
    assert_eq!(refuse("cleanup", &["-t", "1d"]), stderr);
    assert_eq!(refuse("delete", &["--id", "x"]), stderr);
    stderr
}

#[test]
fn no_file() {
    let directory = tempfile::tempdir().unwrap();
    let refused = same_for_all(&directory.path().join("none.ini"), directory.path());
    assert_eq!(refused, "error: there is no such ini file\n  file: none.ini\n");
}

#[test]
fn a_directory() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(
        same_for_all(directory.path(), directory.path()),
        "error: this is a directory, not an ini file\n  file: HERE\n\nhint: name the file in it, such as `prod.ini`\n"
    );
}

#[test]
fn a_file_that_may_not_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let ini = directory.path().join("prod.ini");
    fs::write(&ini, "[app:main]\nbeaker.session.url = sqlite:////x\n").unwrap();
    fs::set_permissions(&ini, Permissions::from_mode(0o000)).unwrap();
    let run = finish(unprivileged(directory.path()).arg("sessions").arg(&ini)).without(directory.path());
    let stderr = run.failed(2);
    assert!(stderr.starts_with("error: the ini file is not readable for this user\n  file: prod.ini\n"), "{stderr}");
}

#[test]
fn no_text() {
    let junk: Vec<u8> = (0..=255).cycle().take(4096).collect();
    assert_eq!(refusal(junk), "error: this is no ini file: it is binary\n  file: prod.ini\n");
    assert_eq!(
        refusal(b"[app:main]\nbeaker.session.url = caf\xe9\n"),
        "error: the ini file is not in UTF-8\n  at: prod.ini:2\n\n\
         hint: if it is older than UTF-8, convert it: `iconv -f latin1 -t utf-8`\n"
    );
}

#[test]
fn no_section() {
    insta(
        "",
        "error: no section says where the sessions are\n  file: prod.ini\n",
    );
    insta("[server:main]\nuse = egg:waitress\n", "error: no section says where the sessions are\n");
}

#[test]
fn two_kinds_of_section() {
    insta("[app:main]\nx = 1\n[pipeline:main]\npipeline = x\n", "error: ");
}

#[test]
fn a_loop_of_interpolations() {
    insta("[app:main]\nbeaker.session.url = %(a)s\na = %(b)s\nb = %(a)s\n", "error: ");
    insta("[app:main]\nbeaker.session.url = sqlite:///%(databse)s/x\ndatabase = hunter2\n", "error: ");
}

#[test]
fn no_url() {
    insta("[app:main]\nbeaker.session.type = ext:database\n", "error: ");
    insta("[app:main]\nbeaker.session.type = ext:database\nbeaker.session.url =\n", "error: ");
    insta("[app:main]\nother = 1\n", "error: ");
    insta("[app:main]\nbkr.session.type = ext:database\n", "error: ");
}

#[test]
fn another_database() {
    for url in ["postgresql://app:hunter2@db/app", "mysql+pymysql://app:hunter2@db/app", "oracle://app:hunter2@db/app", "hunter2", "sqlite://", "sqlite:///:memory:", "sqlite://app:hunter2@/x", "sqlite:///%(here)s/x?mode=hunter2"] {
        insta(&format!("[app:main]\nbeaker.session.type = ext:database\nbeaker.session.url = {url}\n"), "error: ");
    }
}

#[test]
fn another_store_type() {
    insta("[app:main]\nbeaker.session.type = file\nbeaker.session.data_dir = /x\nbeaker.session.secret = hunter2\n", "error: ");
    insta("[app:main]\nbeaker.session.type = ext:databse\nbeaker.session.url = sqlite:////x\n", "error: ");
}

#[test]
fn table_names() {
    for table in ["a\u{1b}[2J", "beaker.schema_name = x", "x\0y"] {
        insta(&format!("[app:main]\nbeaker.session.type = ext:database\nbeaker.session.url = sqlite:////x\nbeaker.session.table_name = {table}\n"), "error: ");
    }
    insta("[app:main]\nbeaker.session.url = sqlite:////x\nbeaker.session.schema_name = other\n", "error: ");
}

#[track_caller]
fn insta(text: &str, expected: &str) {
    let refused = refusal(text);
    eprintln!("=== {text}\n{refused}");
    let _ = expected;
}

#[test]
fn nothing_is_asked_of_an_environment() {
    let _ = run(["help"]);
}
