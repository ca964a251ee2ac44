//! What a terminal gets, and what it never gets.

use beakerhelpers_core::command::{Terminals, exit};
use beakerhelpers_testkit::{Python, python};
use serde_json::json;

use crate::formats::{NOW, shop, show};
use crate::run::{Run, at_terminal, finish};
use crate::shop::{DAY, MINUTE, Shop};

/// Characters that make a terminal do something else than show them.
const ACTIVE: &str = "\u{0}\u{7}\u{8}\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";

#[test]
fn no_character_that_acts_on_a_terminal_is_sent_to_it() {
    let shop = Shop::at(NOW, "");
    let key = format!("k{ACTIVE}");
    shop.add(
        "a",
        MINUTE,
        &json!({ key: format!("v{ACTIVE}"), "list": [ACTIVE], "dict": { ACTIVE: 1 }, "family": "👩\u{200d}👧" }),
    );
    let sent = |text: &str| text.chars().filter(|char| ACTIVE.contains(*char) && !"\n\t".contains(*char)).count();
    for format in ["table", "plain", "markdown", "json", "jsonl"] {
        let text = show(&shop, &["--format", format]);
        assert_eq!(sent(&text), 0, "{format}: {text}");
        assert!(text.contains("👩\u{200d}👧"), "{format}");
    }
    let table = show(&shop, &[]);
    assert_eq!(table.lines().count(), 5);
    assert!(
        table.contains(r"v\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069")
    );
    assert_eq!(show(&shop, &["--format", "plain"]).matches(['\t', '\n']).count(), 4);
    // A file gets what is there, a terminal does not.
    assert!(show(&shop, &["--format", "csv"]).contains(&format!("v{ACTIVE}")));
    let run = on_terminal(&shop, 80, &["--format", "csv"]);
    assert_eq!(sent(&run.done().replace("\r\n", "")), 0);
}

fn on_terminal(shop: &Shop, width: usize, args: &[&str]) -> Run {
    let args = [&["--time-zone", "UTC"], args].concat();
    at_terminal(shop.args("sessions", &args), NOW, Terminals::of(Some(width), true, true), "")
}

#[test]
fn a_table_wider_than_the_terminal_becomes_blocks() {
    let shop = shop();
    let width = show(&shop, &[]).lines().next().unwrap().len();
    assert_eq!(on_terminal(&shop, width, &[]).done(), show(&shop, &[]), "it fits");
    assert_eq!(
        on_terminal(&shop, width - 1, &[]).done(),
        "\
_accessed_time: 2026-01-15 12:00:00
user_name: john@doe.com
visits: 7

Zip: None
user_name: ann, or \"Ann\"
visits: 12

id: own
session: own too
user_name: 日本|\\x1b[31m
"
    );
    assert_eq!(on_terminal(&shop, 10, &["-f", "csv", "-c", "visits"]).done(), "visits\r\n7\r\n12\r\n\"\"\r\n");
}

#[test]
fn a_pipe_gets_the_whole_width() {
    let shop = Shop::at(NOW, "");
    shop.add("a", MINUTE, &json!({ "long": "x".repeat(100_000), "z": 1 }));
    let text = show(&shop, &[]);
    assert!(text.lines().all(|line| line.len() == 100_004), "nothing is cut");
}

/// Runs a command on a terminal of its own, types when it is asked something, and prints what the terminal showed.
const TERMINAL: &str = r"
import os, pty, signal, sys
# A shell that runs the tests in the background ignores it.
signal.signal(signal.SIGINT, signal.SIG_DFL)
pid, terminal = pty.fork()
if pid == 0:
    os.environ['TZ'] = 'UTC'
    os.execv(sys.argv[2], sys.argv[2:])
shown, typed = b'', False
while True:
    try:
        some = os.read(terminal, 4096)
    except OSError:
        break
    shown += some
    if b'[y/N] ' in shown and not typed:
        os.write(terminal, sys.argv[1].encode().decode('unicode_escape').encode())
        typed = True
sys.stdout.write(shown.decode().replace('\r\n', '\n'))
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(128 - status if status < 0 else status)
";

fn on_real_terminal(python: &Python, shop: &Shop, typed: &str, command: &str, args: &[&str]) -> (u8, String) {
    let mut terminal = python.command();
    terminal.args(["-c", TERMINAL, typed, env!("CARGO_BIN_EXE_beakerhelpers"), command]).arg(shop.ini()).args(args);
    let run = finish(&mut terminal);
    assert_eq!(run.stderr, "");
    (run.code, run.stdout)
}

#[test]
fn on_a_real_terminal_questions_wait_for_an_answer_and_ctrl_c_is_one() {
    let python = python!();
    let shop = Shop::new("beaker.session.timeout = 864000");
    shop.add("old", 2 * DAY, &json!({ "user_name": "joe" }));
    shop.add("young", MINUTE, &json!({ "user_name": "ann" }));
    for (command, args, question, done) in [
        ("cleanup", ["-t", "1d"], "Log these people out? [y/N] ", "deleted 1 session older than 1d ("),
        ("delete", ["--where", "user_name=ann"], "Delete 1 session? [y/N] ", "deleted 1 session\n"),
    ] {
        let left = shop.count();
        let (code, shown) = on_real_terminal(&python, &shop, "\\x03", command, &args);
        assert_eq!((code, shop.count()), (exit::INTERRUPTED, left), "{shown}");
        // A terminal may drop what it has not shown yet when the signal comes, its own `^C` among it.
        assert!(shown.trim_end_matches("^C").ends_with(question), "{shown}");
        let (code, shown) = on_real_terminal(&python, &shop, "n\\n", command, &args);
        assert_eq!((code, shop.count()), (exit::DONE, left), "{shown}");
        assert!(shown.ends_with(&format!("{question}n\nnothing was deleted\n")), "{shown}");
        let (code, shown) = on_real_terminal(&python, &shop, "y\\n", command, &args);
        assert_eq!((code, shop.count()), (exit::DONE, left - 1), "{shown}");
        // Progress may be shown between the two.
        assert!(shown.contains(&format!("{question}y\n")) && shown.contains(done), "{shown}");
    }
}
