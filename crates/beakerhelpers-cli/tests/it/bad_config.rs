//! Configurations that are none, through the command line: each is refused with exit code 2 before anything is tried,
//! in words that say what, where and why, and that give no secret away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::run::{binary, finish, unprivileged};

/// Stands for every secret in these files.
const SECRET: &str = "hunter2";

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
        assert!(!stderr.contains(SECRET), "{stderr}");
        stderr
    };
    let stderr = refuse("sessions", &[]);
    assert_eq!(refuse("cleanup", &["-t", "1d"]), stderr);
    assert_eq!(refuse("delete", &["--id", SECRET]), stderr);
    stderr
}

/// The same for keys of `[app:main]`, which begin at line 2.
#[track_caller]
fn refusal_of(keys: &str) -> String {
    refusal(format!("[app:main]\n{keys}\n"))
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
    assert_eq!(refusal(""), "error: there is no section `[app:main]`\n  file: prod.ini\n  sections: none\n");
    assert_eq!(
        refusal("[server:main]\nuse = egg:waitress\n"),
        "error: there is no section `[app:main]`\n  file: prod.ini\n  sections: `[server:main]`\n"
    );
}

#[test]
fn two_kinds_of_section() {
    assert_eq!(
        refusal("[app:main]\nx = 1\n[pipeline:main]\npipeline = x\n"),
        "error: Ambiguous section names `[app:main]`, `[pipeline:main]` for section `main`\n  file: prod.ini\n\n\
         hint: keep one of them, or rename one and pick it by name, as in `prod.ini#name`\n"
    );
}

#[test]
fn interpolations_that_lead_nowhere() {
    assert_eq!(
        refusal_of("beaker.session.url = %(a)s\na = %(b)s\nb = %(a)s"),
        "error: cannot interpolate the value of `beaker.session.url`: it refers to itself\n  at: prod.ini:2\n"
    );
    assert_eq!(
        refusal_of("beaker.session.url = sqlite:///%(databse)s/x\ndatabase = hunter2"),
        "error: cannot interpolate the value of `beaker.session.url`: a `%(name)s` in it names nothing that is set\n  \
           at: prod.ini:2\n\n\
         hint: did you mean `%(database)s`?\n"
    );
}

#[test]
fn no_url() {
    for keys in ["beaker.session.type = ext:database", "beaker.session.type = ext:database\nbeaker.session.url ="] {
        assert_eq!(
            refusal_of(keys),
            "error: `beaker.session.url` is not set\n  in: `[app:main]` of prod.ini\n\n\
             hint: set it to the URL that the application's SQLAlchemy gets: `sqlite:////srv/app/sessions.db`\n"
        );
    }
    assert_eq!(
        refusal_of("other = 1"),
        "error: there are no `beaker.session.*` keys\n  in: `[app:main]` of prod.ini\n\n\
         hint: name the file that configures Beaker, or give the prefix of its keys\n"
    );
    assert_eq!(
        refusal_of("bkr.session.type = ext:database\nbkr.session.secret = hunter2"),
        "error: there are no `beaker.session.*` keys\n  in: `[app:main]` of prod.ini\n\n\
         hint: there are keys that begin with `bkr.session.`; if they are those of the sessions, add `--prefix \
         bkr.session`\n"
    );
}

#[test]
fn a_database_that_this_build_cannot_talk_to() {
    for (url, what) in [
        ("oracle://app:hunter2@db/app", "this build does not support Oracle"),
        ("mssql+pyodbc://app:hunter2@db/app", "this build does not support Microsoft SQL Server"),
        ("bogus://app:hunter2@db/app", "there is no database `bogus`"),
    ] {
        assert_eq!(
            refusal_of(&format!("beaker.session.url = {url}")),
            format!(
                "error: {what}\n  supported: `sqlite`, `postgresql`, `mysql`, `mariadb`\n  at: prod.ini:2, `beaker.session.url`\n"
            ),
            "{url}"
        );
    }
}

#[test]
fn urls_that_name_no_file() {
    for url in
        ["hunter2", "sqlite:hunter2", "sqlite://", "sqlite:///:memory:", "sqlite://app:hunter2@db/x", "://hunter2"]
    {
        let refused = refusal_of(&format!("beaker.session.url = {url}"));
        let (what, rest) = refused.split_once('\n').unwrap();
        assert!(
            what.starts_with("error: ") && rest.starts_with("  at: prod.ini:2, `beaker.session.url`\n"),
            "{refused}"
        );
        assert!(rest.contains("\nhint: ") && rest.contains("sqlite:///"), "{refused}");
    }
}

#[test]
fn a_store_type_that_is_not_linked() {
    let said = refusal_of("beaker.session.type = ext:mongodb\nbeaker.session.url = mongodb://me:hunter2@x");
    assert!(
        said.starts_with("error: the store type `ext:mongodb` is not linked into this program\n  linked: `"),
        "{said}"
    );
    assert!(
        said.ends_with(
            "  at: prod.ini:2, `beaker.session.type`\n\n\
             hint: Beaker has sessions in MongoDB, but no crate of this project reads them: it could not be tried on a real \
             server; a plugin could\n"
        ),
        "{said}"
    );
    assert!(refusal_of("beaker.session.type = ext:databse").contains("  linked: `ext:database`, "));
}

#[test]
fn a_schema_that_sqlite_has_not() {
    assert_eq!(
        refusal_of("beaker.session.url = sqlite:////x\nbeaker.session.schema_name = other"),
        "error: an SQLite database has no schema `other`\n  at: prod.ini:3, `beaker.session.schema_name`\n  \
           at: prod.ini:2, `beaker.session.url`\n\n\
         hint: remove `beaker.session.schema_name`\n"
    );
}

#[test]
fn control_characters_of_a_file_are_spelled_out() {
    let refused = refusal_of("beaker.session.type = \u{1b}[2J\u{202e}");
    assert!(refused.starts_with("error: the store type `\\u{1b}[2J") || refused.contains("\\x1b[2J"), "{refused}");
    assert!(!refused.contains(['\u{1b}', '\u{202e}']), "{refused}");
}

#[test]
fn keys_that_stand_elsewhere_are_used_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let ini = directory.path().join("prod.ini");
    let keys = "beaker.session.url = sqlite:///%(here)s/none.db";
    fs::write(&ini, format!("[pipeline:main]\npipeline = shop\n[app:shop]\n{keys}\n")).unwrap();
    let stderr = finish(binary().arg("sessions").arg(&ini)).without(directory.path()).failed(1);
    assert!(stderr.starts_with("note: ") && stderr.contains("`[app:shop]`"), "{stderr}");
    let quiet = finish(binary().arg("cleanup").arg(&ini).args(["-t", "1d", "--quiet"])).without(directory.path());
    assert!(quiet.failed(1).starts_with("error: the database file does not exist\n  file: none.db\n"));
}
