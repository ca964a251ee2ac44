//! Databases that hold no sessions, or odd ones, through the command line.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use diesel::connection::SimpleConnection as _;
use serde_json::json;

use crate::run::{Run, finish, unprivileged};
use crate::shop::{HOUR, MINUTE, Shop};

fn now() -> beakerhelpers_core::Timestamp {
    std::time::SystemTime::now().into()
}

/// What every command says of this store, paths left out. Nothing may be created, changed or removed by it.
#[track_caller]
fn refusal(shop: &Shop, code: u8) -> String {
    let before = shop.snapshot();
    let refuse = |command: &str, args: &[&str]| shop.run(command, args).without(shop.path()).failed(code);
    let stderr = refuse("sessions", &[]);
    assert_eq!(refuse("cleanup", &["-t", "1d"]), stderr);
    assert_eq!(refuse("cleanup", &["-t", "1d", "--dry-run"]), stderr);
    assert_eq!(refuse("delete", &["--id", "x"]), stderr);
    assert!(shop.snapshot() == before, "something was changed");
    stderr
}

#[test]
fn no_file() {
    let shop = Shop::without_table(now(), "");
    assert_eq!(
        refusal(&shop, 1),
        "error: the database file does not exist\n  file: sessions.db\n\n\
         hint: correct the URL, or create the database with `beakerhelpers setup`\n"
    );
}

#[test]
fn a_relative_path_that_was_meant_from_the_ini_file() {
    let shop = Shop::new("");
    let ini = shop.path().join("relative.ini");
    fs::write(&ini, "[app:main]\nbeaker.session.url = sqlite:///sessions.db\n").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let run = finish(crate::run::binary().current_dir(elsewhere.path()).arg("sessions").arg(&ini));
    assert_eq!(
        run.without(elsewhere.path()).failed(1),
        "error: the database file does not exist\n  file: sessions.db\n\n\
         hint: a relative path starts at the working directory; the file stands beside the configuration, so write \
         `sqlite:///%(here)s/sessions.db`\n"
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "no empty database is left behind");
    let there = finish(crate::run::binary().current_dir(shop.path()).arg("sessions").arg(&ini));
    assert_eq!(there.done(), "No sessions found\n");
}

#[test]
fn no_database() {
    let shop = Shop::without_table(now(), "");
    fs::write(shop.database(), "<html>not a database, and long enough to be looked at</html>".repeat(100)).unwrap();
    assert_eq!(
        refusal(&shop, 2),
        "error: the file is not an SQLite database\n  file: sessions.db\n\n\
         hint: correct the URL; an encrypted database cannot be read either\n"
    );
    fs::remove_file(shop.database()).unwrap();
    fs::create_dir(shop.database()).unwrap();
    assert_eq!(
        refusal(&shop, 2),
        "error: the database is a directory\n  file: sessions.db\n\nhint: name the file in it\n"
    );
}

#[test]
fn no_table() {
    let shop = Shop::without_table(now(), "");
    shop.sql("CREATE TABLE users (id); CREATE TABLE \"odd \u{1b} name\" (id)");
    assert_eq!(
        refusal(&shop, 1),
        "error: the database has no table `beaker_cache`\n  tables: `odd \\x1b name`, `users`\n  file: sessions.db\n\n\
         hint: name the table with `beaker.session.table_name` and `beaker.session.schema_name`, or create it with \
         `beakerhelpers setup`\n"
    );
    shop.sql("DROP TABLE users; DROP TABLE \"odd \u{1b} name\"");
    assert!(refusal(&shop, 1).contains("\n  tables: none at all\n"));
}

#[test]
fn no_columns() {
    let shop = Shop::without_table(now(), "");
    shop.sql("CREATE TABLE beaker_cache (id INTEGER PRIMARY KEY, namespace, created)");
    assert_eq!(
        refusal(&shop, 1),
        "error: the table `beaker_cache` lacks the columns `accessed`, `data`\n  file: sessions.db\n\n\
         hint: it holds no Beaker sessions; name another with `beaker.session.table_name`\n"
    );
}

#[test]
fn a_table_name_with_quotes_and_sql_in_it_is_a_name() {
    for table in ["x\"; DROP TABLE beaker_cache; --", "it's", "a b.c", "SELECT", "žąsis", "[x]", "`x`"] {
        let shop = Shop::new(&format!("beaker.session.table_name = {table}"));
        shop.add("kept", MINUTE, &json!({ "a": 1 }));
        let stderr = refusal(&shop, 1);
        assert!(
            stderr.starts_with("error: the database has no table `") && stderr.contains("  tables: `beaker_cache`\n"),
            "{stderr}"
        );
        shop.sql(&format!("ALTER TABLE beaker_cache RENAME TO \"{}\"", table.replace('"', "\"\"")));
        assert_eq!(shop.run("sessions", &["--count"]).done(), "1\n", "{table}");
        assert!(shop.run("cleanup", &["-t", "1s"]).done().starts_with("deleted 1 session "), "{table}");
        assert_eq!(shop.run("sessions", &["--count"]).done(), "0\n", "{table}");
    }
}

/// Rows that are odd in every way that a column allows.
fn odd_rows() -> Shop {
    let shop = Shop::without_table(now(), "");
    shop.sql("CREATE TABLE beaker_cache (id INTEGER PRIMARY KEY, namespace, accessed, created, data)");
    shop.add("good", MINUTE, &json!({ "a": 1 }));
    let time = shop.local_time(2 * HOUR);
    shop.sql(&format!(
        "INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES
            ('null-data', '{time}', '{time}', NULL), ('empty-data', '{time}', '{time}', x''),
            ('text-data', '{time}', '{time}', 'text'), ('int-data', '{time}', '{time}', 7),
            ('cut-data', '{time}', '{time}', x'80027d'), ('huge-data', '{time}', '{time}', zeroblob(70000000)),
            ('claims', '{time}', '{time}', x'80048effffffffffffff3f2e'),
            (NULL, '{time}', '{time}', x''), (x'ff00', '{time}', '{time}', x''), (7, '{time}', '{time}', x''),
            ('null-time', NULL, NULL, x''), ('empty-time', '', '', x''), ('int-time', 1768478400, 0, x''),
            ('zero-time', 0, 0, x''), ('far-time', '9999-12-31 23:59:59.999999', '', x''),
            ('year-zero', '0000-01-01 00:00:00', '', x''), ('no-date', '2026-02-30 00:00:00', '', x''),
            ('iso-time', '2020-01-01T00:00:00', '', x''), ('blob-time', x'32303230', '', x'')"
    ));
    shop
}

#[test]
fn odd_rows_are_reported_and_the_rest_is_listed() {
    let shop = odd_rows();
    let before = shop.snapshot();
    let run = shop.run("sessions", &[]);
    assert_eq!((run.code, run.stdout.as_str()), (3, "-\na\n-\n1\n-\n"));
    let warnings: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(warnings.len(), 19, "{}", run.stderr);
    assert!(
        warnings.iter().all(|line| line.starts_with("warning: ") && line.contains(" cannot be read: ")),
        "{warnings:?}"
    );
    for what in ["too large", "there are no data", "has no id", "id is not UTF-8"] {
        assert!(run.stderr.contains(what), "{what}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("-data") && !run.stderr.contains("-time"), "no id is shown: {}", run.stderr);
    assert!(shop.snapshot() == before);
}

#[test]
fn odd_times_are_kept_and_odd_data_deleted() {
    let shop = odd_rows();
    let summary: serde_json::Value =
        serde_json::from_str(&shop.run("cleanup", &["-t", "1h", "-f", "json"]).done()).unwrap();
    // Of 20 rows ten are old, whatever is in them. Kept are the good one, the one of the year 9999, and eight of no age.
    assert_eq!((&summary["deleted"], &summary["kept"], &summary["unknown_age"]), (&json!(10), &json!(10), &json!(8)));
    assert_eq!(
        shop.ids(),
        [
            "blob-time",
            "empty-time",
            "far-time",
            "good",
            "int-time",
            "iso-time",
            "no-date",
            "null-time",
            "year-zero",
            "zero-time"
        ]
    );
}

#[test]
fn a_cache_in_the_same_table_is_passed_over() {
    let shop = Shop::new("");
    shop.add("joe", MINUTE, &json!({ "user_name": "joe" }));
    shop.add_row(
        "app.views.report",
        &shop.local_time(MINUTE),
        &crate::shop::pickle(&json!({ "key": [1.0, null, "page"] })),
    );
    assert_eq!(shop.run("sessions", &["-f", "plain"]).done(), "joe\n");
}

#[test]
fn a_wal_database_that_may_be_read_and_not_written() {
    let shop = Shop::new("");
    shop.sql("PRAGMA journal_mode = WAL");
    shop.add("joe", MINUTE, &json!({ "user_name": "joe" }));
    // While the application runs, its latest sessions are in the files beside the database.
    let mut application = shop.connect();
    application.batch_execute("SELECT count(*) FROM beaker_cache").unwrap();
    shop.add("ann", MINUTE, &json!({ "user_name": "ann" }));
    assert!(shop.path().join("sessions.db-wal").exists());
    let list = |command: &mut std::process::Command| -> Run {
        finish(command.arg("sessions").arg(shop.ini()).args(["-f", "plain"]))
    };
    let mut command = unprivileged(shop.path());
    for (path, _) in shop.snapshot().into_iter().filter(|(path, _)| path.to_string_lossy().contains("sessions.db")) {
        fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(shop.path(), Permissions::from_mode(0o555)).unwrap();
    let live = list(&mut command);
    let names = |run: Run| {
        let text = run.done();
        let mut names: Vec<_> = text.lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(names(live), ["ann", "joe"]);
    fs::set_permissions(shop.path(), Permissions::from_mode(0o755)).unwrap();
    drop(application);
    let before = shop.snapshot();
    fs::set_permissions(shop.path(), Permissions::from_mode(0o555)).unwrap();
    let closed = list(&mut unprivileged(shop.path()));
    fs::set_permissions(shop.path(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(names(closed), ["ann", "joe"]);
    assert!(shop.snapshot() == before, "no file is left beside the database");
}

#[test]
fn a_hot_journal() {
    let shop = Shop::new("");
    shop.add_many(200, |n| MINUTE * n, |n| json!({ "n": n, "x": "x".repeat(1_000) }));
    // A program dies in the middle of a transaction whose pages were written already: these are its files.
    let copy = Shop::without_table(now(), "");
    {
        let mut dying = shop.connect();
        dying
            .batch_execute("PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE beaker_cache SET data = zeroblob(2000)")
            .unwrap();
        for name in ["sessions.db", "sessions.db-journal"] {
            fs::copy(shop.path().join(name), copy.path().join(name)).unwrap();
        }
    }
    let before = copy.snapshot();
    assert_eq!(
        copy.run("sessions", &[]).without(copy.path()).failed(1).lines().next(),
        Some("error: a program died while it wrote to the database, which is half changed now")
    );
    assert!(copy.snapshot() == before, "reading repairs nothing");
    // What writes may repair, as the application would.
    assert!(copy.run("cleanup", &["-t", "100m"]).done().starts_with("deleted 100 sessions "));
    copy.assert_integrity();
    assert_eq!(copy.run("sessions", &["--count"]).done(), "100\n");
}

#[test]
fn a_locked_database_names_who_holds_it() {
    let shop = Shop::new("");
    shop.add("joe", 2 * HOUR, &json!({ "a": 1 }));
    let mut holder = shop.connect();
    holder.batch_execute("BEGIN EXCLUSIVE").unwrap();
    for (command, args) in [("sessions", &[][..]), ("cleanup", &["-t", "1h"]), ("delete", &["--id", "joe"])] {
        let stderr = shop.run(command, &[args, &["--wait", "0s"]].concat()).without(shop.path()).failed(1);
        let process = std::process::id();
        assert!(stderr.starts_with("error: the database is locked by another program\n  locked by: `"), "{stderr}");
        assert!(stderr.contains(&format!("(process {process})\n  file: sessions.db\n\nhint: ")), "{stderr}");
    }
    holder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(shop.run("sessions", &["--count", "--wait", "0s"]).done(), "1\n");
}
