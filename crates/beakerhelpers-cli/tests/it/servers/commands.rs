//! Every command on a server.

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{Request, own_server, python, server};
use serde_json::{Value as Json, json};

use crate::servers::place::{KEPT, OLD, Place, ROWS, on_each};

/// The id of a visitor.
const JOE: &str = "0123456789abcdef0123456789abcdef";
const ANN: &str = "1123456789abcdef0123456789abcdef";

#[test]
fn a_table_that_was_set_up_is_beakers() {
    let python = python!().with_time_zone("UTC");
    for kind in Kind::SQL {
        let server = server!(kind);
        let place = Place::on(&server, "");
        let missing = place.run("setup", &["--check"]);
        assert_eq!(missing.code, exit::FAILED, "{missing:?}");
        assert!(missing.stdout.starts_with("missing: "), "{missing:?}");
        let no_table = place.run("sessions", &[]);
        assert_eq!(no_table.code, exit::FAILED, "{no_table:?}");
        assert!(place.run("setup", &[]).done().starts_with("created "));
        assert!(place.run("setup", &[]).done().ends_with(" is there already; nothing was changed\n"));
        let ini = place.ini();
        let site = python.site(&ini);
        site.answer(&[Request::save(JOE, "{'user_name': 'joe'}"), Request::save(ANN, "{'user_name': 'ann'}")]);
        assert!(place.run("setup", &["--check"]).done().contains("nothing is missing: "));
        let indexed = place.run("setup", &["--index"]).done();
        assert!(indexed.ends_with("added an index on the access times\n"), "{indexed}");
        let again = place.run("setup", &["--index"]).done();
        assert!(again.ends_with("an index on the access times is there already; nothing was changed\n"), "{again}");
        site.answer(&[Request::touch(JOE)]);

        let table = place.run("sessions", &[]).done();
        assert!(table.contains("joe") && table.contains("ann") && !table.contains(JOE), "{table}");
        let lines = place.run("sessions", &["-f", "jsonl", "--show-ids", "--where", "user_name=joe"]).done();
        let joe: Json = serde_json::from_str(&lines).expect("one line of JSON");
        assert_eq!((&joe["id"], &joe["user_name"]), (&json!(JOE), &json!("joe")), "{joe}");

        let deleted = place.run("delete", &["--where", "user_name=joe", "--yes"]);
        assert_eq!((deleted.code, deleted.stdout.as_str()), (exit::DONE, "deleted 1 session\n"), "{deleted:?}");
        assert!(site.load(&[JOE])[0].is_none() && site.load(&[ANN])[0].is_some());
        // Letters count, whatever the server's collation makes of them.
        place.run("delete", &["--id", &ANN.to_uppercase(), "--yes"]);
        assert!(site.load(&[ANN])[0].is_some());
        assert_eq!(place.run("delete", &["--id", ANN, "--yes"]).done(), "deleted 1 session\n");
        assert_eq!(place.count(), 0);
        let destroyed = place.run("setup", &["--recreate", "--yes"]).done();
        assert!(destroyed.starts_with("destroyed all sessions and created "), "{destroyed}");
        site.answer(&[Request::save(JOE, "{'user_name': 'joe'}")]);
    }
}

#[test]
fn a_dry_run_tells_what_a_cleanup_does() {
    on_each(|place| {
        let dry = place.clean(&["--dry-run"]);
        assert_eq!(place.count(), ROWS);
        let done = place.clean(&["--vacuum"]);
        for key in ["deleted", "kept", "unknown_age", "ages", "ended"] {
            assert_eq!(dry[key], done[key], "{key}");
        }
        assert_eq!((&done["deleted"], &done["kept"]), (&(ROWS - KEPT).into(), &KEPT.into()));
        assert_eq!((place.count(), place.old()), (KEPT, 0));
        let listed =
            |args: &[&str]| place.run("sessions", &[&["--format", "jsonl"], args].concat()).done().lines().count();
        // Sixty are older than twenty days, and not older than thirty.
        assert_eq!((listed(&[]), listed(&["--timeout", "20d"])), (600, 540));
        assert_eq!(place.clean(&[])["deleted"], 0);
    });
}

#[test]
fn the_time_zone_of_the_server_does_not_matter() {
    let python = python!().with_time_zone("UTC");
    for kind in Kind::SQL {
        let server = own_server!(kind);
        let place = Place::on(&server, "");
        place.fill(&python, 100);
        place.sql(&format!("UPDATE beaker_cache SET accessed = {};", place.ago(70 * crate::shop::MINUTE)));
        let young = format!("accessed = {} WHERE namespace LIKE '%7%'", place.ago(50 * crate::shop::MINUTE));
        place.sql(&format!("UPDATE beaker_cache SET {young};"));
        let youngest = place.number("SELECT count(*) AS n FROM beaker_cache WHERE namespace LIKE '%7%'");
        let listing = || place.run("sessions", &["--format", "csv", "--show-ids", "--columns", "id,accessed"]).stdout;
        let before = listing();
        place.sql(&match kind {
            Kind::Postgres => format!("ALTER DATABASE {} SET timezone = 'Asia/Tokyo';", place.database().name()),
            _ => "SET GLOBAL time_zone = '+09:00';".to_owned(),
        });
        assert_eq!(listing(), before);
        let args = ["-t", "1h", "-f", "json", "--skip-clock-check"];
        let done: Json = serde_json::from_str(&place.run("cleanup", &args).done()).expect("the summary is JSON");
        assert_eq!((&done["deleted"], &done["kept"]), (&(100 - youngest).into(), &youngest.into()), "{kind:?}");
        assert_eq!(place.count(), youngest);
    }
}

#[test]
fn sessions_of_another_zone_are_noticed() {
    let python = python!().with_time_zone("Asia/Tokyo");
    for kind in Kind::SQL {
        let server = server!(kind);
        let place = Place::on(&server, "");
        let ini = place.ini();
        let requests: Vec<_> = (0..20).map(|n| Request::save(&format!("visitor-{n}"), "{'a': 1}")).collect();
        python.site(&ini).answer(&requests);
        let refused = place.run("cleanup", OLD).failed(exit::USAGE);
        assert!(refused.starts_with("error: the access times in the store are of another time zone"), "{refused}");
        let zone = [OLD, &["--time-zone", "Asia/Tokyo"]].concat();
        assert!(place.run("cleanup", &zone).done().starts_with("deleted 0 sessions "), "{kind:?}");
    }
}
