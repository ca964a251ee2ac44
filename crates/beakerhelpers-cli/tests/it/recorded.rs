//! The recorded stores, each as the release of Beaker left it.

use std::collections::BTreeMap;
use std::path::Path;

use beakerhelpers_core::command::exit;
use beakerhelpers_core::{FingerprintKey, SessionId};
use beakerhelpers_testkit::{RecordedSession, RecordedState, RecordedStore, RecordedValue, corpus, recorded_store};

use crate::run::{Run, binary, finish};
use crate::shop::files;

/// Values whose Python 2 spelling, Python 3 spelling and JSON are not all the same.
const SPELLINGS: [(&str, &str, &str); 10] = [
    ("{'a': u'\\u017e'}", "{'a': 'ž'}", r#"{"a":"ž"}"#),
    ("[1, u'u', 's', 2L, None]", "[1, 'u', 's', 2, None]", r#"[1,"u","s",2,null]"#),
    ("[[u'\\u017e', ['x']]]", "[['ž', ['x']]]", r#"[["ž",["x"]]]"#),
    ("frozenset([2])", "frozenset({2})", r#""frozenset({2})""#),
    ("set([1])", "{1}", r#""{1}""#),
    ("(1,)", "(1,)", "[1]"),
    ("(1, 2, 3, 4)", "(1, 2, 3, 4)", "[1,2,3,4]"),
    ("[1, 2, 3]", "[1, 2, 3]", "[1,2,3]"),
    ("OrderedDict([('b', 1), ('a', 2)])", "OrderedDict([('b', 1), ('a', 2)])", r#"{"b":1,"a":2}"#),
    ("None", "None", "null"),
];

/// A session as the tool shows it: each key with what stands under it.
type Shown = BTreeMap<String, String>;

struct Listing {
    run: Run,
    sessions: BTreeMap<String, Shown>,
}

/// Lists a copy of a store, which must not change by that, and gives the sessions by their ids.
fn list(store: &RecordedStore, format: &str, parse: impl Fn(&str) -> BTreeMap<String, Shown>) -> Listing {
    let copy = store.copy();
    let before = files(copy.path());
    let args = ["--timeout", "0", "--show-ids", "--format", format];
    let run = finish(binary().current_dir(copy.path()).arg("sessions").arg(copy.config()).args(args));
    assert!(files(copy.path()) == before, "{}: reading changed the store", store.name);
    let pwned = |directory: &Path| directory.join("PWNED").exists();
    assert!(!pwned(copy.path()) && !pwned(Path::new(".")), "{}: a pickle was executed", store.name);
    Listing { sessions: parse(&run.stdout), run }
}

fn parse_csv(text: &str) -> BTreeMap<String, Shown> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.get(0), Some("id"));
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = header.iter().zip(&row).skip(1).map(|(key, cell)| (key.to_owned(), cell.to_owned()));
        (row[0].to_owned(), cells.collect())
    });
    rows.collect()
}

/// The values stay as they are spelled: a JSON parser would round the large numbers.
fn parse_jsonl(text: &str) -> BTreeMap<String, Shown> {
    let rows = text.lines().map(|line| {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let spelled = |key: &str| {
            let (_, rest) = line.split_once(&format!("{}:", serde_json::Value::from(key))).unwrap();
            let ends = rest.char_indices().filter(|(_, char)| matches!(char, ',' | '}')).map(|(at, _)| at);
            let mut values = ends.map(|end| &rest[..end]);
            values.find(|value| serde_json::from_str::<serde_json::Value>(value).is_ok()).unwrap().to_owned()
        };
        let id = object["id"].as_str().unwrap().to_owned();
        // One of the hostile ones is a list of 200,000 lists, which `spelled` would try to parse at each bracket.
        let keys = object.keys().filter(|key| *key != "id" && line.len() < 10_000);
        (id, keys.map(|key| (key.clone(), spelled(key))).collect())
    });
    rows.collect()
}

fn warning(session: &RecordedSession, why: &str) -> String {
    let fingerprint = SessionId::new(&session.id).fingerprint(&FingerprintKey::new(None));
    format!("warning: session {fingerprint} cannot be read: {why}\n")
}

/// Which of the two texts of [`SPELLINGS`] is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    Csv,
    Json,
}

#[track_caller]
fn assert_shown(session: &RecordedSession, value: &RecordedValue, shown: &str, form: As) {
    let what = format!("{}, {}: {shown}", session.name, value.key);
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let text = |text: &str| if form == As::Csv { text.to_owned() } else { quoted(text) };
    if let Some(display) = &value.display {
        let prefix = text(&display.replace(' ', "T"));
        assert!(
            shown.starts_with(prefix.trim_end_matches('"')) && shown.trim_end_matches('"').ends_with("+00:00"),
            "{what}"
        );
    } else if let Some(bytes) = &value.bytes {
        // Python 3 has no name for what is not UTF-8 but that of a byte string.
        let expected = std::str::from_utf8(bytes).unwrap_or(r"b'caf\xe9'");
        assert_eq!(shown, text(expected), "{what}");
    } else if value.needs_python {
        let (class, _) = value.text.split_once('<').unwrap();
        assert_eq!(shown, text(&format!("<labtypes2.{class} object>")), "{what}");
    } else if let Some((_, str, json)) = SPELLINGS.iter().find(|(recorded, ..)| *recorded == value.text) {
        assert_eq!(shown, if form == As::Csv { *str } else { *json }, "{what}");
    } else if value.type_name == "float" && !["nan", "inf"].contains(&value.text.as_str()) {
        // Python 2 rounds to twelve digits.
        let (shown, expected): (f64, f64) = (shown.parse().unwrap(), value.text.parse().unwrap());
        assert!((shown - expected).abs() <= expected.abs() * 1e-11, "{what}");
    } else if form == As::Json && ["int", "long", "bool"].contains(&value.type_name.as_str()) {
        assert_eq!(shown, value.text.to_lowercase(), "{what}");
    } else {
        assert_eq!(shown, text(&value.text), "{what}");
    }
}

/// Holds every value of the sessions that `readable` says are readable against the listing, which has no others.
fn assert_values(store: &RecordedStore, shown: &BTreeMap<String, Shown>, form: As, readable: &[&RecordedSession]) {
    for session in readable {
        let shown = &shown[&session.id];
        for value in &session.values {
            assert_shown(session, value, &shown[&value.key], form);
        }
        let mut others = shown.iter().filter(|(key, _)| !session.values.iter().any(|value| value.key == **key));
        // A table has a cell for every column.
        assert!(session.values.is_empty() || others.all(|(_, cell)| cell.is_empty()), "{}: {shown:?}", session.name);
    }
    assert_eq!(shown.len(), readable.len(), "{}: {:?}", store.name, shown.keys());
}

#[test]
fn every_store_in_sqlite_and_files_is_tested_here() {
    let here = |store: &RecordedStore| matches!(&*store.backend, "sqlite" | "file");
    let stores = corpus().into_iter().filter(here).map(|store| store.name);
    assert_eq!(
        stores.collect::<Vec<_>>(),
        ["py27-b1.11.0-sqlite-enc", "py27-b1.6.4-file-enc", "py27-b1.6.4-sqlite", "sqlite-mixed"]
    );
}

#[test]
fn every_value_that_beaker_1_6_stored_under_python_2() {
    let store = recorded_store("py27-b1.6.4-sqlite");
    let live: Vec<_> = store.sessions.iter().filter(|session| session.state == RecordedState::Live).collect();
    assert_eq!(live.len(), 12);
    for (form, format) in [(As::Csv, "csv"), (As::Json, "jsonl")] {
        let parse = if form == As::Csv { parse_csv } else { parse_jsonl };
        let listing = list(&store, format, parse);
        assert_eq!((listing.run.code, listing.run.stderr.as_str()), (exit::DONE, ""));
        // The deleted one is empty and left out.
        assert_values(&store, &listing.sessions, form, &live);
    }
}

#[test]
fn every_value_that_beaker_1_6_encrypted_into_files_under_python_2() {
    let store = recorded_store("py27-b1.6.4-file-enc");
    let live: Vec<_> = store.sessions.iter().filter(|session| session.state == RecordedState::Live).collect();
    assert_eq!(live.len(), 12);
    for (form, format) in [(As::Csv, "csv"), (As::Json, "jsonl")] {
        let parse = if form == As::Csv { parse_csv } else { parse_jsonl };
        let listing = list(&store, format, parse);
        assert_eq!((listing.run.code, listing.run.stderr.as_str()), (exit::DONE, ""));
        assert_values(&store, &listing.sessions, form, &live);
    }
}

#[test]
fn the_times_in_the_table_are_those_of_the_original() {
    for name in ["py27-b1.6.4-sqlite", "sqlite-mixed"] {
        let store = recorded_store(name);
        let columns = "_accessed_time,_creation_time";
        let copy = store.copy();
        let args = ["-t", "0", "-f", "plain", "--show-ids", "--columns", columns];
        let run = finish(binary().arg("sessions").arg(copy.config()).args(args));
        for session in store.sessions.iter().filter(|session| run.stdout.contains(&session.id)) {
            let times: Vec<_> = session.values.iter().filter_map(|value| value.display.as_deref()).collect();
            if times.len() == 2 {
                assert!(
                    run.stdout.contains(&format!("{}\t{}\t{}\n", session.id, times[0], times[1])),
                    "{}",
                    run.stdout
                );
            }
        }
    }
}

#[test]
fn every_value_of_an_encrypted_store() {
    let store = recorded_store("py27-b1.11.0-sqlite-enc");
    let live: Vec<_> = store.sessions.iter().filter(|session| session.state != RecordedState::CacheRow).collect();
    assert_eq!(live.len(), 13);
    for (form, format) in [(As::Csv, "csv"), (As::Json, "jsonl")] {
        let parse = if form == As::Csv { parse_csv } else { parse_jsonl };
        let listing = list(&store, format, parse);
        assert_eq!((listing.run.code, listing.run.stderr.as_str()), (exit::DONE, ""));
        assert_values(&store, &listing.sessions, form, &live);
    }
}

/// Replaces a text in the ini file of a copy.
fn edit(config: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(config).unwrap();
    assert!(text.contains(from));
    std::fs::write(config, text.replace(from, to)).unwrap();
}

#[test]
fn without_its_keys_an_encrypted_store_is_explained_once() {
    let store = recorded_store("py27-b1.11.0-sqlite-enc");
    let count = store.sessions.len() - 1;
    let explained = |from: &str, to: &str, command: &[&str]| {
        let copy = store.copy();
        edit(&copy.config(), from, to);
        let run = finish(binary().arg(command[0]).arg(copy.config()).args(&command[1..]));
        assert_eq!(run.code, exit::SOME_UNREADABLE, "{run:?}");
        assert!(!run.stderr.contains("enc-key") && !run.stderr.contains("val-key"), "{run:?}");
        let lines: Vec<_> = run.stderr.lines().map(str::to_owned).collect();
        let [first, hint, rest] = &lines[..] else { panic!("{run:?}") };
        let (_, reason) = first.split_once(" cannot be read: ").unwrap();
        assert_eq!(rest, &format!("warning: {count} more sessions cannot be read: {reason}"));
        format!("{reason}\n{hint}")
    };
    let sessions = &["sessions", "--timeout", "0"];
    let no_key = "the session is encrypted, and `beaker.session.encrypt_key` is not set\nhint: give \
                  `beaker.session.encrypt_key` and `beaker.session.validate_key` in the ini file as the application has them";
    assert_eq!(explained("beaker.session.encrypt_key", "# beaker.session.encrypt_key", sessions), no_key);
    let delete = &["delete", "--where", "user_name=joe", "--yes", "--dry-run"];
    assert_eq!(explained("beaker.session.encrypt_key", "# beaker.session.encrypt_key", delete), no_key);
    assert_eq!(
        explained("val-key", "other-key", sessions),
        "the session cannot be decrypted: it was encrypted with other keys, or is damaged\nhint: compare \
         `beaker.session.encrypt_key` and `beaker.session.validate_key` with those of the application"
    );
    assert_eq!(
        explained("beaker.session.type", "beaker.session.crypto_type = cryptography\nbeaker.session.type", sessions),
        "the session is encrypted with AES-256-CTR and a nonce of 128 bits, unlike `beaker.session.crypto_type`\n\
         hint: the site cannot read it either; to read it here, leave out `beaker.session.crypto_type`"
    );
}

#[test]
fn what_the_configuration_says_wrongly_is_refused_with_its_place() {
    let store = recorded_store("py27-b1.11.0-sqlite-enc");
    let copy = store.copy();
    edit(&copy.config(), "[app:main]", "[app:main]\nbeaker.session.encrypt_nonce_bits = 100");
    let place = format!("{}:2, `beaker.session.encrypt_nonce_bits`", copy.config().display());
    for command in [&["sessions"][..], &["cleanup", "-t", "1d"], &["delete", "-w", "a=b"]] {
        let run = finish(binary().arg(command[0]).arg(copy.config()).args(&command[1..]));
        assert_eq!(
            run.failed(exit::USAGE),
            format!("error: the bits of a nonce must be a multiple of 8, 524280 at most, not `100`\n  at: {place}\n")
        );
    }
    // What needs no look into a session does not care.
    let run = finish(binary().arg("delete").arg(copy.config()).args(["--id", "nobody", "--yes"]));
    assert!(run.done().starts_with("deleted 0 sessions"));
}

#[test]
fn the_clock_of_an_encrypted_store_is_checked() {
    let store = recorded_store("py27-b1.11.0-sqlite-enc");
    let cleanup = |zone: &str| {
        let copy = store.copy();
        let args = ["-t", "10000d", "--time-zone", zone];
        finish(binary().arg("cleanup").arg(copy.config()).args(args))
    };
    assert!(cleanup("UTC").done().starts_with("deleted 0 sessions older than 10000d"));
    assert!(cleanup("Asia/Tokyo").failed(2).contains("are of another time zone"));
}

/// What cannot be read in `sqlite-mixed`, and why.
const UNREADABLE: [(&str, &str); 10] = [
    ("empty-data", "there are no data"),
    ("garbage", "the pickle of the data is damaged at byte 0: there is no opcode"),
    ("truncated", "the pickle of the data is damaged at byte 2: it ends early"),
    ("truncated-b64", "the session is text that is not base64, or was cut"),
    ("not-a-dict", "the data are no dict"),
    ("session-int", "the session is no dict"),
    ("hostile-laughs", "a value "),
    ("hostile-len", "the pickle of the data is damaged at byte 2: it ends early"),
    ("hostile-long4", "the pickle of the data is damaged at byte 2: it ends early"),
    ("hostile-zip", "the compressed JSON of the session is damaged: it would take too much memory"),
];

#[test]
fn old_new_corrupt_and_hostile_rows_in_one_table() {
    let store = recorded_store("sqlite-mixed");
    let listed = |session: &&RecordedSession| {
        let unreadable = UNREADABLE.iter().any(|(name, _)| *name == session.name);
        !unreadable && !matches!(session.state, RecordedState::Deleted | RecordedState::CacheRow)
    };
    let readable: Vec<_> = store.sessions.iter().filter(listed).collect();
    for (form, format) in [(As::Csv, "csv"), (As::Json, "jsonl")] {
        let parse = if form == As::Csv { parse_csv } else { parse_jsonl };
        let listing = list(&store, format, parse);
        assert_eq!(listing.run.code, exit::SOME_UNREADABLE);
        assert_values(&store, &listing.sessions, form, &readable);
        for (name, why) in UNREADABLE {
            let warning = warning(store.session(name), why);
            assert!(listing.run.stderr.contains(warning.trim_end()), "{name}: {}", listing.run.stderr);
        }
        assert_eq!(listing.run.stderr.lines().count(), UNREADABLE.len(), "{}", listing.run.stderr);
        assert!(!store.sessions.iter().any(|session| listing.run.stderr.contains(&session.id)), "an id was shown");
    }
}

#[test]
fn hostile_rows_survive_every_format_and_a_cleanup() {
    let store = recorded_store("sqlite-mixed");
    for format in ["table", "plain", "markdown", "json"] {
        let listing = list(&store, format, |_| BTreeMap::new());
        assert_eq!(listing.run.code, exit::SOME_UNREADABLE, "{format}");
        assert!(listing.run.stdout.contains("posix.system("), "{format}");
    }
    let copy = store.copy();
    let run = finish(binary().current_dir(copy.path()).arg("cleanup").arg(copy.config()).args(["-t", "10000d"]));
    assert!(run.done().starts_with("deleted 0 sessions older than 10000d"));
    assert!(!copy.path().join("PWNED").exists());
}
