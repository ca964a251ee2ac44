//! Cleanups and listings of the same table at the same time.

use beakerhelpers_testkit::python;
use beakerhelpers_testkit::servers::Kind;
use serde_json::Value as Json;

use crate::servers::child::{Running, wait_until};
use crate::servers::place::{KEPT, OLD, Place, ROWS, SLOWLY, on_all, on_each, on_each_own, on_sqlite};

/// How many deadlocks the server has seen.
fn deadlocks(place: &Place<'_>) -> i64 {
    place.number(match place.kind() {
        Some(Kind::Postgres) => "SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()",
        _ => {
            "SELECT variable_value AS n FROM information_schema.global_status WHERE variable_name = 'INNODB_DEADLOCKS'"
        }
    })
}

/// Starts several at once, and makes sure that together they do all of it once.
fn clean_from(hosts: usize, place: &Place<'_>) {
    place.refill(ROWS.unsigned_abs());
    let args = [OLD, &["--batch-size", "200", "--sleep", "0", "--format", "json"]].concat();
    let cleanups: Vec<_> = (0..hosts).map(|_| Running::start(place.command("cleanup", &args))).collect();
    let mut deleted = 0;
    for cleanup in cleanups {
        let run = cleanup.end();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        let summary: Json = serde_json::from_str(&run.stdout).expect("the summary is JSON");
        assert!(["completed", "another-cleanup"].contains(&summary["ended"].as_str().expect("a text")), "{summary}");
        deleted += summary["deleted"].as_i64().expect("a number");
    }
    assert_eq!((deleted, place.count(), place.old()), (ROWS - KEPT, KEPT, 0));
}

#[test]
fn cleanups_of_several_hosts_share_the_work_or_step_aside() {
    on_each_own(|place, _| {
        clean_from(2, place);
        clean_from(4, place);
        assert_eq!(deadlocks(place), 0);
    });
}

#[test]
fn several_cleanups_of_a_file_share_the_work() {
    let place = on_sqlite(&python!().with_time_zone("UTC"));
    clean_from(2, &place);
    clean_from(4, &place);
}

#[test]
fn a_cleanup_that_finds_another_at_work_says_so() {
    on_each(|place| {
        let mut cleanup = Running::start(place.command("cleanup", &[OLD, SLOWLY].concat()));
        // Where both work on the same table it need not be in this one's rest that the other one looks.
        cleanup.wait_until("something was deleted", || place.count() < ROWS);
        let other = place.run("cleanup", OLD).done();
        let first: Json = serde_json::from_str(&cleanup.end().done()).expect("the summary is JSON");
        assert!(["completed", "another-cleanup"].contains(&first["ended"].as_str().expect("a text")), "{first}");
        assert!(other.starts_with("deleted ") || other.starts_with("another cleanup is at work on "), "{other}");
        assert_eq!((place.count(), place.old()), (KEPT, 0));
    });
}

/// The ids of a listing.
fn listed(place: &Place<'_>) -> Vec<String> {
    let lines = place.run("sessions", &["--format", "jsonl", "--show-ids", "--timeout", "0"]).done();
    let ids = lines.lines().map(|line| {
        let session: Json = serde_json::from_str(line).expect("each line is JSON");
        session["id"].as_str().expect("a text").to_owned()
    });
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_listing_of_a_table_that_is_being_cleaned_has_all_that_stay() {
    on_all(|place| {
        let old = place.ago(30 * crate::shop::DAY);
        let query = format!("SELECT namespace AS t FROM beaker_cache WHERE accessed >= {old}");
        let mut stay = place.texts(&query);
        stay.sort_unstable();
        let mut cleanup = Running::start(place.command("cleanup", &[OLD, SLOWLY].concat()));
        cleanup.wait_until("something was deleted", || place.count() < ROWS);
        let mut listings = 0;
        while listings == 0 || cleanup.try_wait().expect("it is ours").is_none() {
            let ids = listed(place);
            assert!(stay.iter().all(|id| ids.binary_search(id).is_ok()), "somebody is missing");
            assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "somebody is there twice");
            listings += 1;
        }
        assert_eq!(cleanup.end().code, 0);
        assert_eq!(listed(place), stay);
    });
}

/// How many transactions are open in the database, besides that of who asks.
fn transactions(place: &Place<'_>) -> i64 {
    place.number(&match place.kind() {
        Some(Kind::Postgres) => "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() \
                                 AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            .to_owned(),
        _ => format!(
            "SELECT count(*) AS n FROM information_schema.innodb_trx t \
             JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.db = '{}'",
            place.database().name()
        ),
    })
}

#[test]
fn a_pager_that_is_left_open_holds_no_transaction() {
    use std::io::Read as _;
    on_each(|place| {
        for format in ["table", "plain", "jsonl", "csv"] {
            let mut listing = Running::start(place.command("sessions", &["--format", format]));
            let mut byte = [0];
            listing.stdout.as_mut().expect("it is piped").read_exact(&mut byte).expect("it writes");
            // Its first byte is there, the rest waits for the reader.
            assert!(listing.try_wait().expect("it is ours").is_none(), "{format}: it is still there");
            wait_until("no transaction is open", || transactions(place) == 0);
            let alter = "ALTER TABLE beaker_cache ADD COLUMN extra int; ALTER TABLE beaker_cache DROP COLUMN extra;";
            place.sql(alter);
            assert_eq!(listing.end().code, 0, "{format}");
        }
    });
}
