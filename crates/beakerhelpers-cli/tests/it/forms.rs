//! Every command on what Beaker encrypts, and on what it keeps as JSON.

use std::time::SystemTime;

use beakerhelpers_core::Timestamp;
use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::{Python, Request, python};

use crate::shop::{DAY, MINUTE, Shop};

const NOW: Timestamp = Timestamp::from_micros(1_768_478_400_250_000);
const KEYS: &str = "beaker.session.encrypt_key = enigma-1\nbeaker.session.validate_key = enigma-2";
const JSON: &str = "beaker.session.data_serializer = json";

/// Two visitors of now and one of three days ago, stored by Beaker.
fn site(python: &Python, form: &str, joes: &str) -> Shop {
    let shop = Shop::without_table(NOW, &format!("beaker.session.timeout = 86400\n{form}"));
    let now = Timestamp::from(SystemTime::now());
    python.site(&shop.ini()).answer(&[
        Request::save("old", "{'user_name': 'old'}").at(now.earlier_by(3 * DAY)),
        Request::save("ann", "{'user_name': 'ann', 'visits': 3}").at(now.earlier_by(2 * MINUTE)),
        Request::save("joe", joes).at(now.earlier_by(MINUTE)),
    ]);
    shop
}

#[test]
fn every_command_reads_every_form() {
    let python = python!().with_time_zone("UTC");
    let pickled = "{'user_name': 'joe', 'cart': [Opaque()], 'when': date(2026, 1, 2)}";
    let classes = "values.Opaque\t1\t1\t\t\n_codecs.encode\t1\t1\t\t\ndatetime.date\t1\t1\t\t\n";
    let plain = "{'user_name': 'joe', 'cart': [1]}";
    for (form, joes, classes, cart) in [
        (KEYS.to_owned(), pickled, classes, "[<values.Opaque object>]\n"),
        (JSON.to_owned(), plain, "", "[1]\n"),
        (format!("{KEYS}\n{JSON}"), plain, "", "[1]\n"),
    ] {
        let shop = site(&python, &form, joes);
        let mut found: Vec<_> =
            shop.run("sessions", &["--classes", "-f", "plain"]).done().lines().map(str::to_owned).collect();
        let mut expected: Vec<_> = classes.lines().map(str::to_owned).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{form}");
        assert_eq!(shop.run("sessions", &["-w", "user_name=joe", "-c", "cart", "-f", "plain"]).done(), cart, "{form}");
        let elsewhere = shop.run("cleanup", &["--timeout", "1d", "--time-zone", "Asia/Tokyo"]).failed(exit::USAGE);
        assert!(elsewhere.contains("3 of the 3 newest sessions are 09:00 h behind"), "{form}: {elsewhere}");
        assert!(shop.run("delete", &["--where", "user_name=joe"]).done().starts_with("deleted 1 session"), "{form}");
        assert_eq!(shop.ids(), ["ann", "old"], "{form}");
        assert!(shop.run("cleanup", &["--timeout", "1d"]).done().starts_with("deleted 1 session older"), "{form}");
        assert_eq!(shop.ids(), ["ann"], "{form}");
    }
}

#[test]
fn without_the_right_keys_nobody_is_logged_out_by_contents() {
    let python = python!().with_time_zone("UTC");
    let shop = site(&python, KEYS, "{'user_name': 'joe'}");
    let text = std::fs::read_to_string(shop.ini()).unwrap();
    let without = |line: &str| !line.contains("_key");
    let lines: String = text.lines().filter(|line| without(line)).fold(String::new(), |all, line| all + line + "\n");
    for (ini, why) in [
        (text.replace("enigma-1", "other-key"), "the session cannot be decrypted"),
        (text.replace("enigma-2", "other-key"), "the session cannot be decrypted"),
        (lines, "`beaker.session.encrypt_key` is not set"),
    ] {
        std::fs::write(shop.ini(), ini).unwrap();
        for (command, args) in [
            ("sessions", ["--where", "user_name=joe"]),
            ("sessions", ["--classes", "-n9"]),
            ("delete", ["-w", "user_name=joe"]),
        ] {
            let run = shop.run(command, &args);
            assert_eq!(run.code, exit::SOME_UNREADABLE, "{run:?}");
            assert!(run.stderr.contains(why) && run.stderr.contains(" more session"), "{run:?}");
            assert!(!run.stderr.contains("enigma") && !run.stderr.contains("other-key"), "{run:?}");
        }
        assert_eq!(shop.ids(), ["ann", "joe", "old"]);
        // The access times are not encrypted, and nothing tells whether the zone is right.
        let cleanup = |args: &[&str]| shop.run("cleanup", &[&["--dry-run"], args].concat());
        let run = cleanup(&["--time-zone", "+00:15"]);
        let note = "note: the clock check could read none of the newest sessions, so that it cannot tell whether the time \
                    zone is right: the session ";
        assert!(run.stderr.starts_with(note) && run.stderr.matches("note:").count() == 1, "{run:?}");
        assert!(run.stderr.contains(why) && run.stderr.contains("\nhint: "), "{run:?}");
        assert!(run.code == exit::DONE && run.stdout.contains("\nwould delete 1 session "), "{run:?}");
        for silent in ["--quiet", "--skip-clock-check"] {
            let run = cleanup(&[silent]);
            assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""), "{silent}");
        }
        // A shorter timeout is counted for first, and the check is not told twice.
        assert_eq!(cleanup(&["-t", "1h"]).stderr.matches("note:").count(), 1);
    }
}
