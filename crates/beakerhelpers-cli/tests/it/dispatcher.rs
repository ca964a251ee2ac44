//! The program around the commands, and its exit codes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use beakerhelpers_core::command::exit;
use serde_json::json;

use crate::run::{binary, finish, run};
use crate::shop::{MINUTE, Shop};

const LIST: &str = "\
See and clean the web sessions that Python's Beaker library stores.

Usage: beakerhelpers COMMAND [OPTIONS] [ARGUMENTS]

Sessions:
  cleanup      Delete the old sessions
  copy         Copy the sessions of one store to another
  delete       Delete chosen sessions
  restore      Put archived sessions back
  sessions     Show the active sessions
  setup        Create what the session store needs, or check it

Toolbox:
  completions  Print a completion script for a shell
  man          Print a manual page
  plugins      List every linked command and store type

`beakerhelpers help COMMAND` tells more about one of them.
";

#[test]
fn alone_and_with_help_it_lists_its_commands() {
    for args in [&[][..], &["help"], &["-h"], &["--help"], &["help", "--help"], &["help", "-h"]] {
        assert_eq!(run(args).done(), LIST, "{args:?}");
    }
}

#[test]
fn help_about_a_command() {
    for command in ["cleanup", "copy", "delete", "restore", "sessions", "setup", "completions", "man", "plugins"] {
        let help = run(["help", command]).done();
        assert_eq!(help, run([command, "--help"]).done());
        assert!(help.contains(&format!("Usage: beakerhelpers {command}")), "{help}");
        let summary = LIST.lines().find(|line| line.trim_start().starts_with(command)).unwrap();
        assert!(help.starts_with(summary.trim_start().split_once("  ").unwrap().1.trim_start()), "{help}");
        assert!(run([command, "-h"]).done().lines().count() <= help.lines().count());
    }
    for word in ["ini", "--prefix", "--timeout", "--time-zone", "3s", "14m", "36h", "2d"] {
        assert!(run(["help", "sessions"]).done().contains(word), "{word}");
    }
}

#[test]
fn the_version() {
    let version = format!("beakerhelpers {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(["--version"]).done(), version);
    assert_eq!(run(["-V"]).done(), version);
}

#[test]
fn an_unknown_command_is_answered_with_the_known_ones_near_names_first() {
    for args in [&["sesions", "prod.ini"][..], &["help", "sesions"], &["man", "sesions"]] {
        assert_eq!(
            run(args).failed(exit::USAGE),
            "error: there is no command `sesions`\n  \
               linked: `sessions`, `cleanup`, `completions`, `copy`, `delete`, `man`, `plugins`, `restore`, `setup`\n\n\
             hint: `beakerhelpers help` lists the commands; a plugin crate adds more\n"
        );
    }
    assert!(run(["clean"]).failed(2).contains("linked: `cleanup`"));
    let hostile = run(["\u{1b}[2J"]).failed(2);
    assert!(hostile.starts_with("error: there is no command `\\x1b[2J`\n"), "{hostile}");
    assert!(run(["--sessions"]).failed(2).contains("unexpected argument '--sessions'"));
}

#[test]
fn plugins_are_listed_with_crate_version_and_capabilities() {
    assert_eq!(
        run(["plugins"]).done(),
        "\
Commands:
  cleanup      beakerhelpers-cleanup V
  completions  beakerhelpers-cli V
  copy         beakerhelpers-copy V
  delete       beakerhelpers-delete V
  man          beakerhelpers-cli V
  plugins      beakerhelpers-cli V
  restore      beakerhelpers-cleanup V
  sessions     beakerhelpers-sessions V
  setup        beakerhelpers-setup V

Store types:
  cookie              beakerhelpers-cookie V
  dbm                 beakerhelpers-dbm V        setup iter delete_old archive tidy access_times multiprocess_safe
  ext:database        beakerhelpers-database V   setup index iter delete_old archive vacuum access_times local_times multiprocess_safe
  ext:memcached       beakerhelpers-memcached V  iter delete_old archive expiry multiprocess_safe
  ext:redis           beakerhelpers-redis V      iter delete_old archive expiry multiprocess_safe
  ext:rediscluster    beakerhelpers-redis V      iter delete_old archive expiry multiprocess_safe
  ext:sqla            beakerhelpers-database V   setup index iter delete_old archive vacuum access_times local_times multiprocess_safe
  file                beakerhelpers-file V       setup iter delete_old archive tidy access_times multiprocess_safe
  memory              beakerhelpers-memory V     setup iter delete_old archive vacuum access_times
  session2:directory  beakerhelpers-session2 V   setup iter delete_old archive access_times multiprocess_safe
  session2:durus      beakerhelpers-session2 V   setup iter delete_old archive multiprocess_safe
  session2:mysql      beakerhelpers-session2 V   setup index iter delete_old archive vacuum access_times multiprocess_safe
  session2:postgres   beakerhelpers-session2 V   setup index iter delete_old archive vacuum access_times multiprocess_safe
  session2:shelve     beakerhelpers-session2 V   setup iter delete_old archive
"
        .replace(" V", concat!(" ", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(["completions", shell]).done();
        for word in ["cleanup", "copy", "delete", "restore", "sessions", "time-zone", "batch-size", "fingerprint"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(
        run(["completions", "tcsh"]).failed(2),
        "error: there are no completions for the shell `tcsh`\n\n\
         hint: give `bash`, `elvish`, `fish`, `powershell` or `zsh`\n"
    );
    let syntax = finish(std::process::Command::new("bash").args(["-n", "-c", &run(["completions", "bash"]).done()]));
    assert_eq!(syntax.done(), "", "bash reads it");
}

#[test]
fn manual_pages() {
    assert!(run(["man"]).done().contains(".TH beakerhelpers 1"));
    for command in ["cleanup", "copy", "delete", "restore", "sessions"] {
        let page = run(["man", command]).done();
        assert!(page.contains(&format!(".TH beakerhelpers-{command} 1")), "{page}");
        assert!(page.contains("time\\-zone") && page.contains("Examples:"), "{page}");
    }
}

#[test]
fn arguments_that_are_no_text() {
    let refused = finish(binary().arg("sessions").arg(OsStr::from_bytes(b"caf\xe9.ini"))).failed(2);
    assert_eq!(refused, "error: an argument is not UTF-8: `caf\u{fffd}.ini`\n");
}

#[test]
fn bad_usage() {
    let missing = run(["sessions"]).failed(2);
    assert!(missing.contains("required arguments were not provided:\n  <PROJECT.INI>"), "{missing}");
    assert!(run(["sessions", "a.ini", "b.ini"]).failed(2).contains("unexpected argument 'b.ini'"));
    assert!(run(["cleanup", "a.ini", "--frobnicate"]).failed(2).contains("unexpected argument '--frobnicate'"));
    assert!(run(["cleanup", "a.ini", "--batch-size", "0"]).failed(2).contains("0 is not in 1.."));
    assert!(run(["cleanup", "a.ini", "--limit", "0"]).failed(2).contains("0 is not in 1.."));
    assert!(
        run(["cleanup", "a.ini", "--sleep", "soon"]).failed(2).contains("invalid value 'soon' for '--sleep <TIME>'")
    );
}

/// The exit codes are part of the interface.
mod exit_code {
    use rustix::process::Signal;

    use super::*;
    use crate::interrupted::interrupt;

    #[test]
    fn done() {
        assert_eq!(exit::DONE, 0);
        let shop = Shop::new("");
        assert_eq!(shop.run("sessions", &[]).code, 0, "nothing is found");
        assert_eq!(shop.run("cleanup", &["-t", "1d"]).code, 0, "nothing is old");
        assert_eq!(shop.run("delete", &["--id", "nobody"]).code, 0, "nothing is there");
        assert_eq!(shop.run("setup", &[]).code, 0, "it is there");
        assert_eq!(shop.run("setup", &["--check"]).code, 0, "nothing is missing");
    }

    #[test]
    fn failed() {
        assert_eq!(exit::FAILED, 1);
        let shop = Shop::new("");
        shop.sql("DROP TABLE beaker_cache");
        for (command, args) in [("sessions", &[][..]), ("cleanup", &["-t", "1d"]), ("delete", &["--id", "x"])] {
            assert_eq!(shop.run(command, args).code, 1, "{command}");
        }
        assert_eq!(shop.run("setup", &["--check"]).code, 1, "something is missing");
    }

    #[test]
    fn usage() {
        assert_eq!(exit::USAGE, 2);
        for (command, args) in
            [("sessions", &[][..]), ("cleanup", &["-t", "1d"]), ("delete", &["--id", "x"]), ("setup", &[])]
        {
            assert_eq!(run([&[command, "nowhere.ini"], args].concat()).code, 2, "{command}");
        }
    }

    #[test]
    fn some_unreadable() {
        assert_eq!(exit::SOME_UNREADABLE, 3);
        let shop = Shop::new("");
        shop.add("good", MINUTE, &json!({ "a": 1 }));
        shop.add_row("bad", &shop.local_time(MINUTE), b"junk");
        for args in [&[][..], &["--count"], &["-f", "json"]] {
            let run = shop.run("sessions", args);
            assert_eq!((run.code, run.stderr.lines().count()), (3, 1), "{run:?}");
            assert!(!run.stdout.is_empty(), "the rest is shown");
        }
        assert_eq!(shop.run("delete", &["--where", "a=2"]).code, 3);
    }

    #[test]
    fn interrupted() {
        assert_eq!(exit::INTERRUPTED, 130);
        assert_eq!(interrupt(Signal::INT, "text").1.code, 130);
    }

    #[test]
    fn terminated() {
        assert_eq!(exit::TERMINATED, 143);
        assert_eq!(interrupt(Signal::TERM, "text").1.code, 143);
    }
}
