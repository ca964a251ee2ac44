//! A real Beaker application goes on saving while nine of ten sessions are deleted.

use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{Python, python, server};

use crate::servers::place::Place;
use crate::shop::DAY;

/// What BASELINE's sites have.
const MILLION: u64 = 1_000_000;
const FEW: u64 = 30_000;

/// Visitors come meanwhile, some of them to sessions that are about to be deleted.
fn clean_a_live_site(place: &Place<'_>, python: &Python, rows: u64, order: &str) {
    let (old, active) = (place.ago(30 * DAY), place.ago(26 * DAY));
    let ids = |which: &str, like: &str| {
        place.texts(&format!(
            "SELECT namespace AS t FROM beaker_cache WHERE accessed {which} AND namespace LIKE '{like}' ORDER BY {order} DESC"
        ))
    };
    // From the end of the table, so that many are back before it is their turn.
    let expired = ids(&format!("< {old}"), "%77");
    let kept = ids(&format!(">= {old}"), "%7");
    assert!(!expired.is_empty() && !kept.is_empty());
    let ini = place.ini();
    let visitors = python.site(&ini).let_visitors_come(&expired, &kept);
    let summary = place.clean(&[]);
    let visits = visitors.leave();
    println!("{summary} {visits:?}");

    assert_eq!(visits.errors, [""; 0]);
    assert_eq!(visits.lost, [""; 0], "nothing that was saved is lost");
    assert!(visits.back > 0 && visits.answered > 4 * visits.back, "{visits:?}");
    assert_eq!(place.old(), 0, "all that nobody came back to is gone");
    let count = |condition: &str| {
        u64::try_from(place.number(&format!("SELECT count(*) AS n FROM beaker_cache WHERE {condition}"))).unwrap()
    };
    let began = place.ago(std::time::Duration::ZERO);
    assert_eq!(
        count(&format!("created >= {active} AND created < {began}")),
        rows / 10,
        "all that were active are there"
    );
    let back = count(&format!("created < {old}"));
    // Those that came back are there, and no other.
    assert_eq!(back, visits.back, "{visits:?}");
    assert_eq!(summary["deleted"].as_u64().unwrap(), rows * 9 / 10 - back);
    assert_eq!(summary["ended"], "completed");
    let kept = summary["kept"].as_u64().unwrap();
    // Of the new ones it saw those that came before its last batch, or none where numbers decide.
    let new = count(&format!("created >= {began}"));
    assert!((rows / 10 + back..=rows / 10 + back + new).contains(&kept), "{kept} {back} {new}");
}

#[test]
fn a_million_sessions_in_sqlite() {
    let python = python!().with_time_zone("UTC");
    let place = Place::sqlite("");
    place.fill(&python, MILLION);
    clean_a_live_site(&place, &python, MILLION, "id");
}

#[test]
fn a_million_sessions_in_postgresql() {
    let python = python!().with_time_zone("UTC");
    let server = server!(Kind::Postgres);
    let place = Place::on(&server, "");
    place.fill(&python, MILLION);
    clean_a_live_site(&place, &python, MILLION, "id");
}

#[test]
fn a_million_sessions_in_mariadb() {
    let python = python!().with_time_zone("UTC");
    let server = server!(Kind::MariaDb);
    let place = Place::on(&server, "");
    place.fill(&python, MILLION);
    clean_a_live_site(&place, &python, MILLION, "id");
}

#[test]
fn with_an_index_on_the_access_times() {
    let python = python!().with_time_zone("UTC");
    for kind in Kind::SQL {
        let server = server!(kind);
        let place = Place::on(&server, "");
        place.fill(&python, FEW);
        place.run("setup", &["--index", "--quiet"]).done();
        clean_a_live_site(&place, &python, FEW, "id");
    }
}

#[test]
fn in_the_table_of_ext_sqla() {
    let python = python!().with_time_zone("UTC");
    for kind in Kind::SQL {
        let server = server!(kind);
        let place = Place::on(&server, "");
        place.use_ext_sqla();
        place.fill(&python, FEW);
        clean_a_live_site(&place, &python, FEW, "namespace");
    }
}
