//! The acceptance tests of BeakerHelpers 0.1 (its `tests/`), through the command line. What they ask of the library
//! functions is asked of the command that prints it.

use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::Timestamp;
use beakerhelpers_testkit::{Python, python, sqlite_ini};

use crate::run::{Run, binary, finish};
use crate::shop::{DAY, MINUTE};

const SECOND: Duration = Duration::from_secs(1);
const JOHN: &str = "{'_accessed_time': accessed, '_creation_time': accessed, 'user_name': 'john@doe.com'}";
const NO_SESSIONS: &str = "No sessions found\n";

/// The site of these tests: two prefixes for one table, the second with a timeout of its own.
struct Site {
    directory: tempfile::TempDir,
    ini: PathBuf,
    now: Timestamp,
}

impl Site {
    fn new(python: &Python, keys: &str, rows: &[(&str, Duration, Option<&str>)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ini = sqlite_ini(directory.path(), keys);
        let now = python.original_rows(&directory.path().join("sessions.db"), "beaker_cache", rows);
        Self { directory, ini, now }
    }

    fn run(&self, command: &str, args: &[&str]) -> Run {
        finish(binary().arg(command).arg(&self.ini).args(args))
    }

    fn show(&self, args: &[&str]) -> String {
        self.run("sessions", args).done()
    }

    /// Cleans up without a word, and tells which namespaces are left.
    fn namespaces_after_cleanup(&self, python: &Python, args: &[&str]) -> String {
        let run = self.run("cleanup", &[&["--quiet"], args].concat());
        assert_eq!(run.done(), "");
        let query = "import sqlite3, sys\n\
                     rows = sqlite3.connect(sys.argv[1]).execute('SELECT namespace FROM beaker_cache ORDER BY 1')\n\
                     print(','.join(namespace for namespace, in rows))";
        let database = self.directory.path().join("sessions.db");
        let output = python.command().args(["-c", query]).arg(database).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// The four rows of the original's cleanup test, none of which has any data.
const AGED: [(&str, Duration, Option<&str>); 4] = [
    ("abc", Duration::from_secs(5), None),
    ("bcd", Duration::from_secs(70 * 60), None),
    ("cde", Duration::from_secs(3 * 60 * 60), None),
    ("def", Duration::from_secs(24 * 60 * 60 + 15 * 60), None),
];
const TWO_PREFIXES: &str = "beaker.session.timeout = 60\nbkr.session.url = sqlite:///%(here)s/sessions.db\n\
                            bkr.session.timeout = 10";

#[test]
fn an_empty_table_has_no_sessions() {
    let site = Site::new(&python!(), "", &[]);
    assert_eq!(site.show(&[]), NO_SESSIONS);
    assert_eq!(site.show(&["--format", "json"]), "[]\n");
}

#[test]
fn one_session_is_a_table_with_three_rules() {
    let site = Site::new(&python!(), "", &[("abc", Duration::ZERO, Some(JOHN))]);
    let mut now = String::new();
    beakerhelpers_core::Zone::UTC.naive_at(site.now).push_seconds(&mut now);
    assert_eq!(
        site.show(&[]),
        format!(
            "\
--------------------------------------------------------
     _accessed_time |      _creation_time |    user_name
--------------------------------------------------------
{now} | {now} | john@doe.com
--------------------------------------------------------
"
        )
    );
}

#[test]
fn a_session_as_old_as_the_timeout_is_not_listed() {
    let rows = [("abc", MINUTE, Some(JOHN))];
    let site = Site::new(&python!(), "", &rows);
    assert!(site.show(&[]).contains("john@doe.com"));
    assert_eq!(site.show(&["--timeout", "60s"]), NO_SESSIONS);
}

#[test]
fn the_command_on_an_empty_table() {
    let site = Site::new(&python!(), "beaker.session.timeout = 60", &[]);
    assert_eq!(site.show(&[]), NO_SESSIONS);
}

#[test]
fn a_session_without_times() {
    let session = "{'user_name': 'john@doe.com', 'account': 'public'}";
    let site = Site::new(&python!(), "beaker.session.timeout = 60", &[("abc", Duration::ZERO, Some(session))]);
    assert_eq!(
        site.show(&[]),
        "\
----------------------
account |    user_name
----------------------
 public | john@doe.com
----------------------
"
    );
}

#[test]
fn prefix_and_timeout_of_the_command_line_win_over_the_file() {
    let session = "{'user_name': 'john@doe.com'}";
    let site = Site::new(&python!(), TWO_PREFIXES, &[("abc", 15 * SECOND, Some(session))]);
    let table = "------------\n   user_name\n------------\njohn@doe.com\n------------\n";
    assert_eq!(site.show(&[]), table);
    assert_eq!(site.show(&["--prefix", "bkr.session"]), NO_SESSIONS);
    assert_eq!(site.show(&["--prefix", "bkr.session", "--timeout", "15m"]), table);
    assert_eq!(site.show(&["-p", "bkr.session", "-t", "15m"]), table);
}

#[test]
fn a_timeout_of_0_shows_all() {
    let session = "{'user_name': 'john@doe.com'}";
    let site = Site::new(&python!(), "beaker.session.timeout = 60", &[("abc", 3 * DAY, Some(session))]);
    assert_eq!(site.show(&["--timeout", "2d"]), NO_SESSIONS);
    assert!(site.show(&["--timeout", "0"]).contains("john@doe.com"));
}

#[test]
fn a_timeout_without_a_unit_is_refused() {
    let site = Site::new(&python!(), "beaker.session.timeout = 60", &[]);
    for command in ["sessions", "cleanup"] {
        assert_eq!(
            // The original prints it to standard output and ends with 1.
            site.run(command, &["--timeout", "10"]).failed(2),
            "error: Timeout must be seconds, minutes, hours or days. E.g. 20s, 1m, 4h, 1d\n  got: `10`\n"
        );
    }
}

#[test]
fn cleanup_deletes_what_is_older_than_the_timeout() {
    let python = python!();
    let site = Site::new(&python, TWO_PREFIXES, &AGED);
    assert_eq!(site.namespaces_after_cleanup(&python, &["--timeout", "1d"]), "abc,bcd,cde");
    assert_eq!(site.namespaces_after_cleanup(&python, &["--timeout", "2h"]), "abc,bcd");
    assert_eq!(site.namespaces_after_cleanup(&python, &["--prefix", "bkr.session"]), "abc");
}
