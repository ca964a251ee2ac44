//! Files that are none, or that are hostile.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use beakerhelpers_core::Config;
use proptest::prelude::*;

use crate::site::{Site, options};

#[test]
fn a_file_that_is_not_there_and_one_that_is_a_directory() {
    let site = Site::new(&[("dir/x", "")]);
    assert_eq!(site.error("none.ini"), "there is no such ini file\n  file: none.ini");
    assert_eq!(site.error("none.ini#x"), "there is no such ini file\n  file: none.ini");
    assert_eq!(
        site.error("dir"),
        "this is a directory, not an ini file\n  file: dir\n\nhint: name the file in it, such as `prod.ini`"
    );
    let error = Config::load(Path::new("")).unwrap_err();
    assert_eq!(error.to_string(), "there is no such ini file");
}

#[test]
fn a_file_that_cannot_be_read() {
    let site = Site::prod("[app:main]\nbeaker.session.url = a\n");
    fs::set_permissions(site.path("prod.ini"), fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads everything; there a file that no one can read stands in.
    let path = match fs::read(site.path("prod.ini")) {
        Err(_) => site.path("prod.ini"),
        Ok(_) => Path::new("/proc/self/mem").to_owned(),
    };
    let error = Config::load(&path).unwrap_err();
    assert!(
        ["the ini file is not readable for this user", "cannot read the ini file"].contains(&error.message()),
        "{error:?}"
    );
}

#[test]
fn a_file_that_is_no_text() {
    let mut junk: Vec<u8> = (0..=255).cycle().take(4096).collect();
    assert_eq!(Site::prod(&junk).error("prod.ini"), "this is no ini file: it is binary\n  file: prod.ini");
    junk.retain(|byte| *byte != 0);
    assert!(Site::prod(&junk).error("prod.ini").contains("prod.ini:1"));
    assert_eq!(
        Site::prod(b"[app:main]\nbeaker.session.url = caf\xe9\n").error("prod.ini"),
        "the ini file is not in UTF-8\n  at: prod.ini:2\n\n\
         hint: if it is older than UTF-8, convert it: `iconv -f latin1 -t utf-8`"
    );
    let utf16: Vec<u8> = "\u{feff}[app:main]\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Site::prod(utf16).error("prod.ini"), "this is no ini file: it is binary\n  file: prod.ini");
}

#[test]
fn a_byte_order_mark_and_an_old_comment_do_no_harm() {
    let site = Site::prod(b"\xef\xbb\xbf[app:main]\n# caf\xe9\nbeaker.session.url = a\n");
    assert_eq!(site.store("prod.ini").unwrap().get("url"), Some("a"));
    let site = Site::prod(b"[app:main]\rbeaker.session.url = a\r");
    assert_eq!(site.store("prod.ini").unwrap().get("url"), Some("a"));
}

#[test]
fn a_file_that_is_too_large() {
    let site = Site::prod("");
    fs::File::options().write(true).open(site.path("prod.ini")).unwrap().set_len(16 * 1024 * 1024 + 1).unwrap();
    assert_eq!(site.error("prod.ini"), "this is no ini file: it is larger than 16 MiB\n  file: prod.ini");
}

#[test]
fn what_is_not_needed_may_be_broken() {
    let site = Site::prod(
        "[DEFAULT]\nx = %(y)s\ny = %(x)s\n[app:main]\nuse = egg:App\nother = 100%\nbeaker.session.url = a\n\
         [logger_root]\nformat = %(asctime)s\n",
    );
    assert_eq!(options(&site.store("prod.ini").unwrap()).len(), 1);
}

#[test]
fn a_few_lines_that_stand_for_a_lot_are_refused() {
    for end in ["0123456789", ""] {
        let ten = |name: usize| format!("%(a{name})s").repeat(10);
        let lines = (0..9).map(|name| format!("a{name} = {}", ten(name + 1))).collect::<Vec<_>>().join("\n");
        let text = format!("[app:main]\nbeaker.session.url = %(a0)s\n{lines}\na9 = {end}\n");
        assert_eq!(
            Site::prod(text).error("prod.ini"),
            "cannot interpolate the value of `beaker.session.url`: with all that it refers to it is too large\n  \
             at: prod.ini:2"
        );
    }
}

#[test]
fn what_is_copied_is_paid_for_like_what_is_set() {
    let ten = |name: usize| format!("%(a{name})s").repeat(10);
    let lines = (0..4).map(|name| format!("a{name} = {}", ten(name + 1))).collect::<Vec<_>>().join("\n");
    let text = |copies: usize| {
        let copies: Vec<_> = (0..copies).map(|n| format!("get beaker.session.x{n:02} = g%(a0)s")).collect();
        format!("[DEFAULT]\ng = 1\n[app:main]\n{}\n{lines}\na4 =\n", copies.join("\n"))
    };
    assert_eq!(Site::prod(text(5)).store("prod.ini").unwrap().get("x04"), Some("1"));
    assert_eq!(
        Site::prod(text(20)).error("prod.ini"),
        "cannot interpolate the value of `get beaker.session.x08`: with all that it refers to it is too large\n  \
         at: prod.ini:12"
    );
}

#[test]
fn no_error_shows_a_secret() {
    for value in [
        "%(hunter2)s",
        "postgres://app:hunter2%@db/app",
        "postgres://app:%(hunter2@db/app",
        "%(x)s",
        "hunter2\nhunter2hunter2",
        "a\nx = hunter2",
        "a\n[hunter2",
    ] {
        for key in ["url", "secret", "encrypt_key", "validate_key", "password"] {
            let text = format!("[app:main]\nx = %(hunter2)s\nbeaker.session.{key} = {value}\n");
            let report = Site::prod(text).store("prod.ini").unwrap_err().report().to_string();
            assert!(!report.contains("hunter2"), "{report}");
        }
    }
}

#[test]
fn what_is_nearly_right_is_named() {
    let site = Site::prod("[app:main]\ndatabase_dir = x\nbeaker.session.url = sqlite:///%(databse_dir)s/x\n");
    assert!(site.error("prod.ini").ends_with("hint: did you mean `%(database_dir)s`?"));
    let site = Site::prod("[app:main]\nbeaker.session.url = sqlite:///%(her)s/x\n");
    assert!(site.error("prod.ini").ends_with("hint: did you mean `%(here)s`?"));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let site = Site::prod("[app:\u{1b}[2J]\n[pipeline:\u{7}]\n");
    let report = site.error("prod.ini");
    assert!(!report.contains(['\u{1b}', '\u{7}']) && report.contains("\\x1b"), "{report}");
}

fn ini() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "[",
        "]",
        "app:main",
        "app:x",
        "pipeline:main",
        "composite:main",
        "filter-app:main",
        "filter:f",
        "DEFAULT",
        "beaker.session.",
        "session.",
        "url",
        "type",
        "use",
        "next",
        "pipeline",
        "filter-with",
        "set ",
        "get ",
        "=",
        " = ",
        ":",
        "%(",
        ")s",
        "%",
        "%%",
        "here",
        "x",
        "f",
        "main",
        "config:",
        "prod.ini",
        "#",
        ";",
        "egg:Beaker#beaker_session",
        "\n",
        "\n",
        "\n",
        " ",
        "\t",
        "\r",
        "é",
        "\0",
        "\u{feff}",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_an_error(text in prop_oneof![".*".boxed(), ini().boxed(), ini().prop_map(|text| format!("[app:main]\n{text}")).boxed()]) {
        let site = Site::prod(text);
        if let Ok(config) = site.store("prod.ini") {
            let _ = (options(&config), config.timeout());
        }
    }

    #[test]
    fn any_bytes_are_a_configuration_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Site::prod(bytes).store("prod.ini");
    }
}
