//! `sessions --classes`: what the pickles of a store refer to.

use beakerhelpers_core::command::exit;
use beakerhelpers_core::{FingerprintKey, SessionId, Timestamp};
use beakerhelpers_testkit::{Request, python, sqlite_ini};
use serde_json::{Value as Json, json};

use crate::run::binary;
use crate::run::finish;
use crate::shop::{DAY, Shop};

const NOW: Timestamp = Timestamp::from_micros(1_768_478_400_000_000);

/// Visitors with a cart, one of them twice, and an attack that is a session.
fn shop() -> Shop {
    let shop = Shop::at(NOW, "");
    let accessed = shop.local_time(DAY);
    let carts = b"}Vsession\n}(Vuser\nVjoe\nVcart\ncshop\nCart\nq\0)\x81Vother\nh\0)\x81us.";
    shop.add_row("a", &accessed, carts);
    shop.add_row(
        "b",
        &accessed,
        b"}Vsession\n}(Vcart\ncshop\nCart\n)\x81Vwhen\ncdatetime\ndate\n(C\x04\x07\xda\x01\x01tRus.",
    );
    shop.add_row("c", &accessed, b"}Vsession\n}Vpwned\ncos\nsystem\n(Vtouch PWNED\ntRss.");
    shop
}

fn fingerprint(id: &str) -> String {
    SessionId::new(id).fingerprint(&FingerprintKey::new(None)).to_string()
}

#[test]
fn the_dangerous_come_first() {
    let attacker = fingerprint("c");
    let table = format!(
        "\
--------------------------------------------------------------
        class | sessions | uses |        danger |      session
--------------------------------------------------------------
    os.system |        1 |    1 | runs programs | {attacker}
    shop.Cart |        2 |    3 |          None |         None
datetime.date |        1 |    1 |          None |         None
--------------------------------------------------------------
"
    );
    let shop = shop();
    assert_eq!(shop.run("sessions", &["--classes"]).done(), table);
    assert_eq!(
        shop.run("sessions", &["--classes", "--format", "csv", "--limit", "2"]).done(),
        format!("class,sessions,uses,danger,session\r\nos.system,1,1,runs programs,{attacker}\r\nshop.Cart,2,3,,\r\n")
    );
    assert_eq!(shop.run("sessions", &["--classes", "-f", "plain", "-w", "user=joe"]).done(), "shop.Cart\t1\t2\t\t\n");
    let all: Json = serde_json::from_str(&shop.run("sessions", &["--classes", "-f", "json"]).done()).unwrap();
    assert_eq!(
        all[0],
        json!({ "class": "os.system", "sessions": 1, "uses": 1, "danger": "runs programs", "session": attacker })
    );
    assert_eq!(all[1], json!({ "class": "shop.Cart", "sessions": 2, "uses": 3 }));
    let lines = shop.run("sessions", &["--classes", "-f", "jsonl"]).done();
    assert_eq!(lines.lines().count(), 3);
    assert!(!shop.path().join("PWNED").exists());
    shop.run("delete", &["--fingerprint", &attacker]).done();
    assert_eq!(shop.ids(), ["a", "b"]);
}

#[test]
fn an_attack_that_is_no_session_is_found_too() {
    let shop = Shop::at(NOW, "");
    shop.add_row("a", &shop.local_time(DAY), b"csubprocess\ncall\n(Vid\ntR.");
    shop.add_row("b", &shop.local_time(DAY), b"}Vkey\n(F1.5\nNcposix\nsystem\n(Vid\ntRts.");
    shop.add_row("c", &shop.local_time(DAY), b"}Vkey\n(F1.5\nNcshop\nCached\n)\x81ts.");
    let run = shop.run("sessions", &["--classes", "-f", "plain"]);
    let [first, second] = ["a", "b"].map(fingerprint);
    let expected =
        format!("posix.system\t1\t1\truns programs\t{second}\nsubprocess.call\t1\t1\truns programs\t{first}\n");
    assert_eq!((run.code, run.stdout), (exit::SOME_UNREADABLE, expected));
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    // Whether it meets a condition, nobody can tell.
    let run = shop.run("sessions", &["--classes", "--not-anonymous"]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::SOME_UNREADABLE, "No classes found\n"));
}

#[test]
fn names_cannot_command_a_terminal() {
    let shop = Shop::at(NOW, "");
    let long = "x".repeat(300);
    let row = format!("}}Vsession\n}}(Va\ncm\nA\u{1b}[31m\u{202e}B\nVb\nc{long}\nC\nus.");
    shop.add_row("a", &shop.local_time(DAY), row.as_bytes());
    let shown = shop.run("sessions", &["--classes", "-f", "plain"]).done();
    assert_eq!(shown, format!("m.A\\x1b[31m\\u202eB\t1\t1\t\t\n{}…\t1\t1\t\t\n", "x".repeat(200)));
}

#[test]
fn what_beaker_stores_is_named_by_its_class() {
    let python = python!();
    let directory = tempfile::tempdir().unwrap();
    let ini = sqlite_ini(directory.path(), "");
    let contents = "{'user': Opaque(name='joe'), 'list': [Opaque()], 'when': date(2026, 1, 2)}";
    python.site(&ini).answer(&[Request::save("joe", contents), Request::save("ann", "{'user': Opaque()}")]);
    let shown = finish(binary().arg("sessions").arg(&ini).args(["--classes", "--format", "plain"])).done();
    let shown: Vec<_> = shown.lines().collect();
    // Beaker pickles in protocol 2, where the bytes of a date are made of text.
    let expected = ["values.Opaque\t2\t3\t\t", "_codecs.encode\t1\t1\t\t", "datetime.date\t1\t1\t\t"];
    assert_eq!(shown, expected);
}

#[test]
fn other_forms_of_output_do_not_go_with_it() {
    for other in [["--count", "--hide-deleted"], ["--columns", "a"], ["--sort", "a"], ["--show-ids", "--hide-deleted"]]
    {
        let shop = Shop::at(NOW, "");
        let run = shop.run("sessions", &["--classes", other[0], other[1]]);
        assert!(run.failed(exit::USAGE).contains("cannot be used with"));
    }
}
