//! Sessions of old releases and of other keys, and what cannot be copied.

use std::fs;

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::{Request, corpus, python, recorded_store, sqlite_ini};

use super::{copy, counts, loaded};
use crate::run::{binary, finish, run};
use crate::servers::place::Place;
use crate::shop::Shop;

const KEYS: &str = "beaker.session.encrypt_key = enc\nbeaker.session.validate_key = val\n\
                    beaker.session.crypto_type = cryptography";
const OTHER: &str = "beaker.session.encrypt_key = another\nbeaker.session.validate_key = key\n\
                     beaker.session.crypto_type = cryptography\nbeaker.session.data_serializer = json";

#[test]
fn a_site_gets_other_keys_and_another_serializer_on_its_way() {
    let python = python!().with_time_zone("UTC");
    for (ours, theirs) in [("", KEYS), (KEYS, OTHER), (OTHER, "")] {
        let (from, to) = (Place::sqlite(ours), Place::sqlite(theirs));
        let contents = "{'user_name': 'joe', 'cart': [1, {'n': 1.5}], 'since': None}";
        let tuple = Request::save("tuple", "{'pair': (1, 2)}");
        let requests = [Request::save("joe", contents), Request::save("ann", "{'a': 'b'}"), tuple];
        // The JSON serializer makes a list of it by itself.
        python.site(&from.ini()).answer(&requests);
        to.run("setup", &["--quiet"]).done();
        let run = copy(&from, &to, &["--format", "json"]);
        if theirs == OTHER {
            assert_eq!(run.code, exit::SOME_UNREADABLE);
            let lines: Vec<_> = run.stderr.lines().collect();
            assert!(
                lines[0]
                    .ends_with(" cannot be copied: the session holds values that the serializer of TO would change")
            );
            assert!(lines[1].starts_with("hint: JSON has no tuples"), "{lines:?}");
        } else {
            assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""));
        }
        let ids = if theirs == OTHER { &["joe", "ann"][..] } else { &["joe", "ann", "tuple"] };
        let before = loaded(&python, &from, ids);
        assert!(before.iter().all(Option::is_some), "{before:?}");
        assert_eq!(before, loaded(&python, &to, ids));
        let again = copy(&from, &to, &["--format", "json"]);
        assert_eq!(super::numbers(&again.stdout)[..3], [0, 0, ids.len() as u64]);
    }
}

#[test]
fn recorded_tables_are_copied_row_by_row() {
    let mut seen = 0;
    for store in corpus().into_iter().filter(|store| store.backend == "sqlite") {
        let copied = store.copy();
        let to = Place::sqlite("");
        // The same keys and serializer, another file.
        let text = fs::read_to_string(copied.config()).unwrap();
        let keys: Vec<_> = text.lines().filter(|line| line.starts_with("beaker.session.")).collect();
        let keys = keys.into_iter().filter(|line| !line.contains(".url") && !line.contains(".type"));
        sqlite_ini(to.path(), &keys.collect::<Vec<_>>().join("\n"));
        to.run("setup", &["--quiet"]).done();
        let mut command = binary();
        command.arg("copy").arg(copied.config()).arg(to.ini()).args([
            "--all",
            "--skip-clock-check",
            "--format",
            "json",
        ]);
        let done = finish(&mut command);
        assert!([exit::DONE, exit::SOME_UNREADABLE].contains(&done.code), "{}: {done:?}", store.name);
        let listed = |ini: &std::path::Path| {
            let args = ["--timeout", "0", "--format", "jsonl", "--show-ids", "--sort", "session_id"].map(str::to_owned);
            let listing = run([&["sessions".to_owned(), ini.display().to_string()][..], &args].concat());
            let mut lines: Vec<_> = listing.stdout.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        let (before, after) = (listed(&copied.config()), listed(&to.ini()));
        // What its visitors have left is listed, and not copied.
        assert!(after.iter().all(|line| before.contains(line)), "{}", store.name);
        assert_eq!(super::numbers(&done.stdout)[0], to.count().unsigned_abs(), "{}", store.name);
        assert!(after.len() > 3, "{}", store.name);
        seen += after.len();
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn what_cannot_be_copied_is_told_without_its_id() {
    let store = recorded_store("sqlite-mixed");
    let (copied, to) = (store.copy(), Place::sqlite(""));
    to.run("setup", &["--quiet"]).done();
    let mut command = binary();
    let run = finish(command.arg("copy").arg(copied.config()).arg(to.ini()).args(["--all", "--skip-clock-check"]));
    assert_eq!(run.code, exit::SOME_UNREADABLE, "{run:?}");
    assert!(run.stderr.lines().all(|line| line.starts_with("warning: ") || line.starts_with("hint: ")), "{run:?}");
    for session in &store.sessions {
        assert!(!run.stderr.contains(&session.id) && !run.stdout.contains(&session.id), "{}", session.name);
    }
}

#[test]
fn places_that_cannot_be_are_refused_and_named() {
    let (from, to) = (Place::sqlite(""), Place::sqlite(""));
    from.run("setup", &["--quiet"]).done();
    let same = copy(&from, &from, &[]).failed(exit::USAGE);
    assert!(same.starts_with("error: FROM and TO are the same place\n"), "{same}");
    let missing = copy(&from, &to, &[]).failed(exit::FAILED);
    assert!(missing.contains("  of: TO\n") || missing.contains("hint: "), "{missing}");
    fs::remove_file(to.ini()).unwrap();
    let missing = copy(&to, &from, &[]).failed(exit::USAGE);
    assert!(missing.contains("  of: FROM"), "{missing}");
    assert_eq!(copy(&from, &from, &["--dry-run", "--verify"]).code, exit::USAGE);
}

#[test]
fn sessions_that_no_store_has_are_refused_on_either_side() {
    let sqlite = Place::sqlite("");
    sqlite.run("setup", &["--quiet"]).done();
    let folder = tempfile::tempdir().unwrap();
    let ini = folder.path().join("site.ini");
    for (store_type, why) in [("memory", "the application's own process, where"), ("cookie", "its visitors' cookies:")]
    {
        let keys = "beaker.session.validate_key = v\n";
        fs::write(&ini, format!("[app:main]\nbeaker.session.type = {store_type}\n{keys}")).unwrap();
        for (from, to, of) in [(&ini, &sqlite.ini(), "FROM"), (&sqlite.ini(), &ini, "TO")] {
            for args in [&[][..], &["--dry-run"], &["--verify"]] {
                let run = super::copy_by(from, to, args);
                assert_eq!((run.code, run.stdout.as_str()), (exit::USAGE, ""));
                let error = format!("error: a site with the store type `{store_type}` keeps its sessions in {why}");
                assert!(run.stderr.starts_with(&error) && run.stderr.contains(&format!("of: {of}\n")), "{run:?}");
            }
        }
    }
}

#[test]
fn a_place_of_another_zone_is_refused() {
    let python = python!().with_time_zone("Asia/Tokyo");
    let (from, to) = (Place::sqlite(""), Place::sqlite(""));
    python.site(&from.ini()).answer(&[Request::save("joe", "{'a': 1}"), Request::save("ann", "{'a': 1}")]);
    to.run("setup", &["--quiet"]).done();
    let refused = copy(&from, &to, &[]).failed(exit::USAGE);
    assert!(refused.starts_with("error: the access times in FROM are of another time zone: nothing was copied\n"));
    assert!(refused.contains("`--from-time-zone`"), "{refused}");
    // A site that moves to another zone has its times as that one shows them.
    assert_eq!(counts(&from, &to, &["--from-time-zone", "Asia/Tokyo"]), [2, 0, 0, 0, 0, 0]);
    let wall = |place: &Place<'_>| place.texts("SELECT substr(accessed, 1, 16) AS t FROM beaker_cache ORDER BY id");
    assert_ne!(wall(&from), wall(&to));
    let refused = copy(&to, &from, &[]).failed(exit::USAGE);
    assert!(refused.starts_with("error: the access times in TO are of another"), "{refused}");
    assert_eq!(counts(&to, &from, &["--to-time-zone", "Asia/Tokyo"]), [0, 0, 2, 0, 0, 0]);
}

#[test]
fn sections_and_prefixes_are_told_apart() {
    let shop = Shop::new("");
    shop.add("joe", std::time::Duration::ZERO, &serde_json::json!({ "a": 1 }));
    let more = "\n[app:new]\nshop.type = ext:database\nshop.url = sqlite:///%(here)s/new.db\n";
    fs::write(shop.ini(), fs::read_to_string(shop.ini()).unwrap() + more).unwrap();
    let new = format!("{}#new", shop.ini().display());
    run(["setup", &new, "--prefix", "shop", "--quiet"]).done();
    let done = run(["copy", shop.ini().to_str().unwrap(), &new, "--to-prefix", "shop"]).done();
    assert!(done.starts_with("copied 1 session (1 new, 0 changed), 0 unchanged, in "), "{done}");
    let back = run(["copy", &new, shop.ini().to_str().unwrap(), "--from-prefix", "shop"]).done();
    assert!(back.starts_with("copied 0 sessions (0 new, 0 changed), 1 unchanged, in "), "{back}");
}
