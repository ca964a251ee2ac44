//! `sessions --cookie`.

use std::fs;
use std::path::{Path, PathBuf};

use beakerhelpers_codec::cookie::CookieKey;
use beakerhelpers_core::Timestamp;
use beakerhelpers_core::command::Terminals;
use beakerhelpers_testkit::python;
use serde_json::json;

use crate::run::{Run, at_terminal, binary, finish_with, run};
use crate::shop::{MINUTE, Shop};

const HOLDS: &str = "note: the signature holds\n";
const ACTIVE: &str = "note: the session has not timed out\n";
const OLD: &str = "note: the session has timed out: Beaker would begin a new one\n";

/// A session of `{'_accessed_time': 1.7e9, 'user': 'ann', '_id': '1d-of-ann'}`, as Beaker puts it into a cookie.
fn carried() -> String {
    let pickle = [
        b"\x80\x02}(X\x0e\0\0\0_accessed_timeG".as_slice(),
        &1.7e9_f64.to_be_bytes(),
        b"X\x04\0\0\0userX\x03\0\0\0annX\x03\0\0\0_idX\x09\0\0\x001d-of-annu.",
    ]
    .concat();
    CookieKey::new("val").sign(&base64(&pickle))
}

fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let n = (0..3).fold(0_usize, |n, at| n << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = alphabet[n >> (18 - 6 * at) & 63];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn ini(directory: &Path, keys: &str) -> PathBuf {
    let ini = directory.join("site.ini");
    fs::write(&ini, format!("[app:main]\nbeaker.session.type = cookie\n{keys}")).expect("an ini file can be written");
    ini
}

fn show(ini: &Path, args: &[&str], cookie: &str) -> Run {
    finish_with(binary().arg("sessions").arg(ini).arg("--cookie").args(args), cookie.as_bytes())
}

#[track_caller]
fn assert_shown(shown: &Run, stdout: &str, stderr: &str) {
    assert_eq!((shown.code, shown.stdout.as_str(), shown.stderr.as_str()), (0, stdout, stderr));
}

#[test]
fn who_sits_at_a_terminal_is_told_what_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let ini = ini(directory.path(), "beaker.session.validate_key = val\n");
    let args = ["sessions", ini.to_str().unwrap(), "--cookie", "--count"];
    let run = at_terminal(args, Timestamp::from_secs(0), Terminals::of(Some(80), true, true), &carried());
    let told = "note: reading the cookie from standard input; end with Ctrl-D on a line of its own\n";
    assert!(run.stdout == "1\n" && run.stderr.starts_with(told), "{run:?}");
}

#[test]
fn a_cookie_is_shown_in_every_format_and_without_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let ini = ini(directory.path(), "beaker.session.validate_key = val\nbeaker.session.timeout = 600\n");
    let cookie = carried();
    let stderr = format!("{HOLDS}{OLD}");
    for (format, stdout) in [
        ("jsonl", "{\"_accessed_time\":1700000000.0,\"user\":\"ann\"}\n"),
        ("csv", "_accessed_time,user\r\n2023-11-14T22:13:20Z,ann\r\n"),
    ] {
        let shown = show(&ini, &["--format", format], &cookie);
        assert!(shown.stdout.contains("ann") && !shown.stdout.contains("1d-of"), "{stdout}{}", shown.stdout);
        assert_eq!((shown.code, &shown.stderr), (0, &stderr));
    }
    assert_shown(&show(&ini, &["--columns", "user", "--format", "plain"], &cookie), "ann\n", &stderr);
    assert_shown(&show(&ini, &["--count"], &cookie), "1\n", &stderr);
    assert_shown(&show(&ini, &["--count", "-t", "100000d"], &cookie), "1\n", &format!("{HOLDS}{ACTIVE}"));
    assert!(show(&ini, &["--show-ids"], &cookie).failed(2).contains("--show-ids"));
    for text in [
        format!("{cookie}\n"),
        format!("\"{cookie}\""),
        format!("Cookie: a=b; beaker.session.id={cookie}; c=d\r\n"),
        format!("Set-Cookie: beaker.session.id=\"{cookie}\"; Path=/"),
        cookie.replace('=', "%3D").replace('+', "%2b"),
    ] {
        assert_shown(&show(&ini, &["--count"], &text), "1\n", &stderr);
    }
}

#[test]
fn what_is_not_signed_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let ini_file = ini(directory.path(), "beaker.session.validate_key = val\n");
    let cookie = carried();
    let forged = format!("{}x{}", &cookie[..50], &cookie[51..]);
    let origin = format!("{}:3, `beaker.session.validate_key`", ini_file.display());
    for cookie in [&forged, &cookie[1..], "short", &"ą".repeat(50)] {
        assert_eq!(
            show(&ini_file, &[], cookie).failed(1),
            format!(
                "error: the signature of the cookie does not hold: Beaker would not take it\n  signed with: {origin}\n\n\
                 hint: it was changed or cut off, or signed by another site, or with another key\n"
            )
        );
    }
    for text in ["", "\n", "Cookie: a=b", "\"\""] {
        assert!(
            show(&ini_file, &[], text).failed(1).starts_with("error: standard input has no cookie `beaker.session.id`")
        );
    }
    let without_key = ini(directory.path(), "");
    assert!(show(&without_key, &[], &cookie).failed(2).contains("`beaker.session.validate_key` is not set"));
}

#[test]
fn a_session_that_the_cookie_names_comes_from_the_store() {
    let keys = "beaker.session.secret = s3cret\nbeaker.session.key = shop\nbeaker.session.timeout = 600\n";
    let shop = Shop::new(keys);
    let session = |age: u32| json!({ "user": "ann", "_accessed_time": 1.0 + f64::from(age) });
    shop.add("1d-of-ann", MINUTE, &session(0));
    let sign = |id: &str| CookieKey::new("s3cret").sign(id);
    let shown = show(&shop.ini(), &["--columns", "user", "--format", "plain"], &format!("shop={}", sign("1d-of-ann")));
    assert_shown(&shown, "ann\n", &format!("{HOLDS}{OLD}"));
    let gone = show(&shop.ini(), &[], &sign("gone"));
    assert_shown(&gone, "No sessions found\n", &format!("{HOLDS}note: the store has no session of this cookie\n"));
    assert!(show(&shop.ini(), &[], "1d-of-ann").failed(1).contains("signature"));

    let unsigned = Shop::new("");
    unsigned.add("ą b", MINUTE, &session(0));
    let cookie = "Cookie: beaker.session.id=\"\\304\\205 b\"";
    let shown = show(&unsigned.ini(), &["--columns", "user", "--format", "plain"], cookie);
    let notes = "note: this site signs no cookies: `beaker.session.secret` is not set\n\
                 note: sessions of this site do not time out\n";
    assert_shown(&shown, "ann\n", notes);
}

#[test]
fn cookies_of_real_beaker() {
    let python = python!();
    let directory = tempfile::tempdir().unwrap();
    for (keys, arguments) in [("", ""), ("beaker.session.encrypt_key = enc\n", ", encrypt_key='enc'")] {
        let ini = ini(directory.path(), &format!("beaker.session.validate_key = val\n{keys}"));
        let header = python.run(&format!(
            "from beaker.session import CookieSession\nrequest = {{}}\n\
             session = CookieSession(request, validate_key='val'{arguments})\nsession['user'] = 'Jonas Žukas'\n\
             session.save()\nprint('Set-Cookie:', request['cookie_out'])\n"
        ));
        let shown = show(&ini, &["-t", "600s", "--columns", "user", "--format", "plain"], &header);
        assert_shown(&shown, "Jonas Žukas\n", &format!("{HOLDS}{ACTIVE}"));
    }
}

#[test]
fn without_a_cookie_there_is_nothing_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let ini = ini(directory.path(), "beaker.session.validate_key = val\nbeaker.session.timeout = 600\n");
    for command in ["sessions", "cleanup"] {
        let said = run([command.as_ref(), ini.as_os_str()]).failed(2);
        assert!(said.contains("the site keeps each session in its visitor's cookie"), "{said}");
        assert!(said.contains("`beakerhelpers sessions --cookie`"), "{said}");
    }
}

#[test]
fn memory_is_the_applications_own() {
    let directory = tempfile::tempdir().unwrap();
    let ini = directory.path().join("site.ini");
    fs::write(&ini, "[app:main]\nbeaker.session.type = memory\n").unwrap();
    let said = run(["sessions".as_ref(), ini.as_os_str()]);
    assert_shown(
        &said,
        "No sessions found\n",
        "note: the store type `memory` keeps sessions in the application's own process, where no other program can see \
         them: this one begins without any\n",
    );
}
