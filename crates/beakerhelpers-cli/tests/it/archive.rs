//! `cleanup --archive` and `restore` on SQLite.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use beakerhelpers_core::command::exit;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _};
use serde_json::json;

use crate::run::{binary, code, finish};
use crate::shop::{DAY, HOUR, MINUTE, Shop};

/// Every row but its number, sorted.
fn rows(shop: &Shop) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        row: String,
    }
    let query = "SELECT namespace || ' ' || accessed || ' ' || created || ' ' || hex(data) AS row FROM beaker_cache \
                 ORDER BY namespace";
    let rows: Vec<Row> = diesel::sql_query(query).load(&mut shop.connect()).expect("the table is there");
    rows.into_iter().map(|row| row.row).collect()
}

fn file(shop: &Shop) -> PathBuf {
    shop.path().join("old.jsonl.gz")
}

fn shop() -> Shop {
    let shop = Shop::new("");
    for (id, age) in [("minutes", 5 * MINUTE), ("hours", 2 * HOUR), ("days", 3 * DAY), ("ž\n'\"", 730 * DAY)] {
        shop.add(id, age, &json!({ "user_name": id }));
    }
    shop.add_row("empty", "", b"");
    shop.add_row("damaged", &shop.local_time(DAY), &[0, 255, 128]);
    shop.add_row("long", &shop.local_time(DAY), &vec![7; 3_000_000]);
    shop
}

#[test]
fn every_byte_comes_back() {
    let shop = shop();
    let before = rows(&shop);
    let archive = file(&shop);
    let archive = archive.to_str().unwrap();
    // The zone in which they are put back is the zone in which they were read.
    let zone = ["--time-zone", "Europe/Vilnius", "--skip-clock-check"];
    let done = shop.run("cleanup", &[&zone[..], &["-t", "6h", "--archive", archive]].concat()).done();
    assert!(done.starts_with("deleted 4 sessions ") && done.contains("old.jsonl.gz"), "{done}");
    assert_eq!(fs::metadata(archive).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(shop.count(), 3);
    assert_eq!(shop.run("restore", &[archive, "--dry-run"]).done(), "would restore 4 sessions\n");
    assert_eq!(shop.run("restore", &[archive, zone[0], zone[1]]).done(), "restored 4 sessions\n");
    assert_eq!(rows(&shop), before);
}

#[test]
fn gzip_reads_it() {
    let shop = shop();
    let archive = file(&shop);
    shop.run("cleanup", &["-t", "1h", "-q", "--batch-size", "1", "--archive", archive.to_str().unwrap()]).done();
    let output = std::process::Command::new("gzip").arg("-dc").arg(&archive).output().unwrap();
    assert!(output.status.success());
    let lines: Vec<serde_json::Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!((lines.len(), &lines[0]["version"], &lines[6]), (7, &json!(1), &json!({ "end_after": 5 })));
    assert!(lines[1..6].iter().all(|line| line["framing"] == "namespace" && line["accessed"].is_string()));
}

#[test]
fn a_killed_cleanup_loses_nothing() {
    let shop = Shop::new("");
    shop.add_many(3000, |n| DAY + MINUTE * n, |n| json!({ "n": n }));
    let before = rows(&shop);
    let archive = file(&shop);
    let archive = archive.to_str().unwrap();
    let args = ["-t", "1h", "--batch-size", "20", "--sleep", "1ms", "--archive", archive];
    let mut child = shop.command("cleanup", &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while shop.count() > 2800 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
    }
    child.kill().unwrap();
    assert_eq!(code(child.wait().unwrap()), 137);
    assert!(shop.count() < 2900 && shop.count() > 0);
    let run = shop.run("restore", &[archive]);
    assert_eq!(run.code, exit::SOME_UNREADABLE, "{}", run.stderr);
    assert!(
        run.stderr.starts_with("warning: the archive lacks its end. Either the cleanup was killed"),
        "{}",
        run.stderr
    );
    assert_eq!(rows(&shop), before, "what went is in the archive");
    shop.assert_integrity();
}

#[test]
fn another_store_gets_them_in_its_own_frame() {
    let shop = Shop::new("");
    for id in ["0123456789abcdef0123456789abcdef", "1123456789abcdef0123456789abcdef"] {
        shop.add(id, DAY, &json!({ "user_name": &id[..4], "_accessed_time": 1.5 }));
    }
    let archive = file(&shop);
    let archive = archive.to_str().unwrap();
    shop.run("cleanup", &["-q", "-t", "1h", "--skip-clock-check", "--archive", archive]).done();
    let ini = shop.path().join("other.ini");
    let run = |command: &str, args: &[&str]| finish(binary().arg(command).arg(&ini).args(args));
    for (store_type, keys) in [("dbm", "data_dir = %(here)s/dbm"), ("file", "data_dir = %(here)s/file")] {
        fs::write(&ini, format!("[app:main]\nbeaker.session.type = {store_type}\nbeaker.session.{keys}\n")).unwrap();
        run("setup", &["-q"]).done();
        assert_eq!(run("restore", &[archive]).done(), "restored 2 sessions\n", "{store_type}");
        let listed =
            run("sessions", &["-t", "0", "--columns", "user_name", "--format", "csv", "-s", "user_name"]).done();
        assert_eq!(listed, "user_name\r\n0123\r\n1123\r\n", "{store_type}");
    }
    for store_type in ["cookie", "memory"] {
        let keys = format!("[app:main]\nbeaker.session.type = {store_type}\nbeaker.session.validate_key = v\n");
        fs::write(&ini, keys).unwrap();
        for mode in [["-q"].as_slice(), &["-q", "--dry-run"]] {
            let error = run("restore", &[&[archive], mode].concat()).failed(exit::USAGE);
            assert!(error.starts_with(&format!("error: a site with the store type `{store_type}` keeps")), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
