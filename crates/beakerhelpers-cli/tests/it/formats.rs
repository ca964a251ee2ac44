//! What the formats of `sessions` print, byte for byte.

use beakerhelpers_core::Timestamp;
use beakerhelpers_core::command::Terminals;
use serde_json::{Value as Json, json};

use crate::run::{at_terminal, run};
use crate::shop::{DAY, HOUR, MINUTE, Shop};

/// 2026-01-15 12:00:00.25 UTC
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_768_478_400_250_000);

/// Three visitors: John, Ann, and one whose keys need care.
pub(crate) fn shop() -> Shop {
    let shop = Shop::at(NOW, "beaker.session.secret = hunter2");
    shop.add("john", DAY, &json!({ "_accessed_time": 1_768_478_400.25, "user_name": "john@doe.com", "visits": 7 }));
    shop.add("ann", HOUR, &json!({ "user_name": "ann, or \"Ann\"", "visits": 12, "Zip": null }));
    shop.add("eve", MINUTE, &json!({ "user_name": "日本|\u{1b}[31m", "id": "own", "session": "own too" }));
    shop
}

pub(crate) fn show(shop: &Shop, args: &[&str]) -> String {
    shop.run("sessions", args).done()
}

#[test]
fn table() {
    assert_eq!(
        show(&shop(), &[]),
        r#"--------------------------------------------------------------------
 Zip |      _accessed_time |   id | session |     user_name | visits
--------------------------------------------------------------------
None | 2026-01-15 12:00:00 | None |    None |  john@doe.com |      7
None |                None | None |    None | ann, or "Ann" |     12
None |                None |  own | own too | 日本|\x1b[31m |   None
--------------------------------------------------------------------
"#
    );
}

#[test]
fn a_column_that_no_session_has_is_told_once() {
    for format in ["table", "csv", "jsonl"] {
        let run = shop().run("sessions", &["--columns", "session,user_nmae,visits", "--format", format]);
        assert_eq!((run.code, run.stderr.as_str()), (0, "note: no session has a key `user_nmae`\n"), "{format}");
        assert!(run.stdout.contains("12"), "{format}");
    }
    // A key to select or sort by, too, whatever is printed.
    for args in [
        &["-w", "usr=x"][..],
        &["-w", "usr=x", "-c", "usr,visits"],
        &["-s", "-usr", "-c", "usr"],
        &["--classes", "-w", "usr=x"],
    ] {
        let run = shop().run("sessions", args);
        assert_eq!((run.code, run.stderr.as_str()), (0, "note: no session has a key `usr`\n"), "{args:?}");
    }
    let run = shop().run("sessions", &["-w", "usr=x", "--count"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("0\n", "note: no session has a key `usr`\n"));
    // Where there is no session there is nothing to tell.
    show(&shop(), &["--columns", "user_nmae", "--where", "visits=1"]);
}

#[test]
fn spaces_around_commas_are_no_part_of_names() {
    let spaced = show(&shop(), &["-f", "csv", "-c", "visits, user_name ,Zip"]);
    assert_eq!(spaced, show(&shop(), &["-f", "csv", "-c", "visits,user_name,Zip"]));
    let shop = Shop::at(NOW, "");
    shop.add("a", MINUTE, &json!({ " n": 1, "n": 2 }));
    assert_eq!(show(&shop, &["-f", "plain", "-c", " n", "-c", "n"]), "1\t2\n", "a key may have some");
    for names in ["", "a,", ",", "a, ,b"] {
        let refused = shop.run("sessions", &["-c", names]).failed(2);
        assert!(refused.contains("a key is missing"), "{names}: {refused}");
    }
}

#[test]
fn plain() {
    assert_eq!(
        show(&shop(), &["--format", "plain"]),
        "\t2026-01-15 12:00:00\t\t\tjohn@doe.com\t7\n\
         None\t\t\t\tann, or \"Ann\"\t12\n\
         \t\town\town too\t日本|\\x1b[31m\t\n"
    );
}

#[test]
fn csv_is_rfc_4180_and_exact() {
    let text = show(&shop(), &["--format", "csv"]);
    assert_eq!(
        text,
        "Zip,_accessed_time,id,session,user_name,visits\r\n\
         ,2026-01-15T12:00:00.250000+00:00,,,john@doe.com,7\r\n\
         None,,,,\"ann, or \"\"Ann\"\"\",12\r\n\
         ,,own,own too,日本|\u{1b}[31m,\r\n"
    );
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<_> = reader.records().map(|row| row.unwrap()[4].to_owned()).collect();
    assert_eq!(names, ["john@doe.com", "ann, or \"Ann\"", "日本|\u{1b}[31m"]);
}

#[test]
fn json_and_jsonl_keep_types() {
    let expected = json!([
        { "_accessed_time": "2026-01-15T12:00:00.250000+00:00", "user_name": "john@doe.com", "visits": 7 },
        { "user_name": "ann, or \"Ann\"", "visits": 12, "Zip": null },
        { "user_name": "日本|\u{1b}[31m", "id": "own", "session": "own too" },
    ]);
    let text = show(&shop(), &["--format", "json"]);
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), expected);
    let text = show(&shop(), &["--format", "jsonl"]);
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Json::Array(lines), expected);
    assert!(!text.contains('\u{1b}'), "JSON escapes control characters itself");
}

#[test]
fn markdown() {
    assert_eq!(
        show(&shop(), &["--format", "markdown", "--columns", "user_name,visits"]),
        "| user\\_name | visits |\n\
         | --- | --- |\n\
         | john@doe.com | 7 |\n\
         | ann, or \"Ann\" | 12 |\n\
         | 日本\\|\\\\x1b\\[31m |  |\n"
    );
}

#[test]
fn columns_in_the_order_given() {
    assert_eq!(
        show(&shop(), &["-f", "csv", "-c", "visits,user_name", "-n", "1"]),
        "visits,user_name\r\n7,john@doe.com\r\n"
    );
    let with_gap = |args: &[&str]| shop().run("sessions", args).stdout;
    assert_eq!(with_gap(&["-f", "plain", "-c", "visits", "-c", "nowhere"]), "7\t\n12\t\n\t\n");
    assert_eq!(show(&shop(), &["-f", "plain", "-c", "id"]), "\n\nown\n", "the session's own, not that of the session");
    assert_eq!(with_gap(&["-f", "jsonl", "-c", "visits,nowhere"]), "{\"visits\":7}\n{\"visits\":12}\n{}\n");
}

#[test]
fn the_fingerprint_is_the_column_session() {
    let shop = shop();
    let text = show(&shop, &["-f", "csv", "-c", "session,data.session,user_name"]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert!(rows.iter().all(|row| row[0].len() == 12 && row[0].bytes().all(|byte| byte.is_ascii_hexdigit())), "{text}");
    assert_eq!(&rows[2][1], "own too");
    assert_eq!(text, show(&shop, &["-f", "csv", "-c", "session,data.session,user_name"]), "it is stable");
    assert!(!text.contains("john,") && !text.contains("eve"), "no id is shown");
}

#[test]
fn ids_come_first_where_they_are_asked_for() {
    let text = show(&shop(), &["--show-ids", "-f", "csv", "-n", "1", "--sort", "-id"]);
    assert!(text.starts_with("id,data.id,session,user_name\r\neve,own,own too,"), "{text}");
    let text = show(&shop(), &["--show-ids", "-f", "plain", "-c", "visits"]);
    assert_eq!(text, "john\t7\nann\t12\neve\t\n");
    let text = show(&shop(), &["--show-ids", "-f", "jsonl", "-c", "visits,id", "-n", "1"]);
    assert_eq!(text, "{\"id\":\"john\",\"visits\":7}\n");
}

#[test]
fn limit_sort_and_count() {
    let plain = |args: &[&str]| show(&shop(), &[&["-f", "plain", "-c", "visits"], args].concat());
    assert_eq!(plain(&["--limit", "2"]), "7\n12\n");
    assert_eq!(plain(&["--limit", "0"]), "");
    assert_eq!(plain(&["--sort", "visits"]), "\n7\n12\n", "numbers are sorted as numbers, what is missing comes first");
    assert_eq!(plain(&["--sort", "-visits"]), "12\n7\n\n");
    assert_eq!(plain(&["--sort", "-visits", "--limit", "1"]), "12\n");
    assert_eq!(plain(&["--sort", "user_name"]), "12\n7\n\n");
    assert_eq!(show(&shop(), &["--count"]), "3\n");
    assert_eq!(show(&shop(), &["--count", "--limit", "2"]), "2\n");
    let at_the_time =
        at_terminal(shop().args("sessions", &["--count", "--timeout", "2h"]), NOW, Terminals::default(), "");
    // John's column and what is inside are a day apart, of which it warns.
    assert_eq!((at_the_time.code, at_the_time.stdout.as_str()), (0, "2\n"));
}

#[test]
fn a_limit_forgets_the_columns_and_widths_of_the_others() {
    assert_eq!(
        show(&shop(), &["--limit", "1"]),
        "\
-------------------------------------------
     _accessed_time |    user_name | visits
-------------------------------------------
2026-01-15 12:00:00 | john@doe.com |      7
-------------------------------------------
"
    );
}

#[test]
fn where_anonymous_and_deleted() {
    let shop = shop();
    shop.add("stub", MINUTE, &json!({ "_domain": null, "_path": "/" }));
    shop.add("new", MINUTE, &json!({ "_accessed_time": 1.0, "_creation_time": 1.0, "_domain": null, "_path": "/" }));
    shop.add("empty", MINUTE, &json!({}));
    let count = |args: &[&str]| show(&shop, &[&["--count"], args].concat());
    assert_eq!(count(&[]), "5\n", "an empty session is none");
    assert_eq!(count(&["--hide-deleted"]), "4\n");
    assert_eq!(count(&["--anonymous"]), "2\n");
    assert_eq!(count(&["--anonymous", "--hide-deleted"]), "1\n");
    assert_eq!(count(&["--not-anonymous"]), "3\n");
    assert_eq!(count(&["--where", "visits=12"]), "1\n");
    assert_eq!(count(&["--where", "visits=12", "-w", "Zip=None"]), "1\n");
    assert_eq!(count(&["--where", "visits=12", "-w", "Zip=1"]), "0\n");
    let run = shop.run("sessions", &["--count", "--where", "nowhere=None"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "0\n"), "what is missing is not `None`");
}

#[test]
fn times_are_shown_in_the_zone_that_is_given() {
    let times = |zone: &str, format: &str| {
        show(&shop(), &["-c", "_accessed_time", "-n", "1", "-f", format, "--time-zone", zone])
    };
    assert_eq!(times("Europe/Vilnius", "plain"), "2026-01-15 14:00:00\n");
    assert_eq!(times("-03:30", "jsonl"), "{\"_accessed_time\":\"2026-01-15T08:30:00.250000-03:30\"}\n");
    assert_eq!(times("UTC", "csv"), "_accessed_time\r\n2026-01-15T12:00:00.250000+00:00\r\n");
}

#[test]
fn nothing_found() {
    let shop = Shop::at(NOW, "");
    for (format, text) in [
        ("table", "No sessions found\n"),
        ("markdown", "No sessions found\n"),
        ("plain", ""),
        ("csv", ""),
        ("json", "[]\n"),
        ("jsonl", ""),
    ] {
        assert_eq!(show(&shop, &["--format", format]), text, "{format}");
    }
    assert_eq!(show(&shop, &["--count"]), "0\n");
    assert_eq!(show(&shop, &["--format", "csv", "--columns", "a,b"]), "a,b\r\n");
}

#[test]
fn a_long_table_is_streamed_as_the_same_bytes() {
    let shop = Shop::at(NOW, "");
    let names = ["ann", "žąsis", "日本", "👩\u{200d}👧", "\u{1b}", "a | b"];
    shop.add_many(
        1_001,
        |n| MINUTE * (1_001 - n),
        |n| match names.get(n as usize % 8) {
            Some(name) => json!({ "name": name, "n": n + 1_000 }),
            None => json!({ "n": n + 1_000, "only": "sometimes" }),
        },
    );
    let streamed = show(&shop, &[]);
    let drawn = show(&shop, &["--limit", "1000"]);
    let (streamed, drawn): (Vec<_>, Vec<_>) = (streamed.lines().collect(), drawn.lines().collect());
    assert_eq!((streamed.len(), drawn.len()), (1_005, 1_004));
    assert_eq!(streamed[..1_003], drawn[..1_003]);
    assert_eq!(streamed[1_004], drawn[1_003]);
}

#[test]
fn what_json_has_no_word_for() {
    let shop = Shop::at(NOW, "");
    // As Python 3 pickles them: {'session': {'f': [nan, inf], 'i': 2 ** 70, 'b': b'\xe9', 'l': l}} with l = [l, 1].
    let mut data = b"\x80\x04}\x8c\x07session}(\x8c\x01f](G\x7f\xf8\0\0\0\0\0\0G\x7f\xf0\0\0\0\0\0\0e".to_vec();
    data.extend(b"\x8c\x01i\x8a\x09\0\0\0\0\0\0\0\0\x40\x8c\x01bC\x01\xe9\x8c\x01l]\x94(h\0K\x01eus.");
    shop.add_row("a", &shop.local_time(MINUTE), &data);
    let text = show(&shop, &["--format", "jsonl"]);
    let start = r#"{"f":["nan","inf"],"i":1180591620717411303424,"b":"b'\\xe9'","l":[["#;
    assert!(text.starts_with(start) && text.contains(r"[[...], 1]"), "{text}");
    let json: Json = serde_json::from_str(&text).expect("it ends somewhere");
    assert_eq!(json["l"][1], 1);
    assert_eq!(show(&shop, &["-f", "plain"]), "b'\\xe9'\t[nan, inf]\t1180591620717411303424\t[[...], 1]\n");
}

#[test]
fn what_cannot_be_asked_for() {
    let shop = shop();
    for (args, what) in [
        (["--limit", "many"], "--limit"),
        (["--sort", "-"], "a key to sort by is missing"),
        (["--where", "visits"], "a condition is `KEY=VALUE`"),
        (["--format", "xml"], "possible values: table, plain, json, jsonl, csv, markdown"),
        (["--time-zone", "Mars"], "unknown time zone `Mars`"),
        (["--wait", "5"], "Timeout must be seconds, minutes, hours or days"),
    ] {
        let stderr = shop.run("sessions", &args).failed(2);
        assert!(stderr.contains(what), "{stderr}");
    }
    let both = run([&shop.args("sessions", &[])[..], &["--anonymous".into(), "--not-anonymous".into()]].concat());
    assert!(both.failed(2).contains("cannot be used with"));
}
