//! What a terminal gets, and what it never gets.

use beakerhelpers_core::command::Terminals;
use serde_json::json;

use crate::formats::{NOW, shop, show};
use crate::run::{Run, at_terminal};
use crate::shop::{MINUTE, Shop};

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
