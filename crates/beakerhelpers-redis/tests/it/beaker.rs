//! Real Beaker in the same Redis.

use std::collections::BTreeSet;

use beakerhelpers_codec::{Decoded, Decoder, Typed};
use beakerhelpers_core::{Expiry, Query, Record, SaveMode, SessionId, SessionStore};
use beakerhelpers_testkit::servers::{Database, Kind, User};
use beakerhelpers_testkit::{Python, Request, python, server};

use crate::support::{Turn, an_hour, cluster_config, config, hours_ago, ini, open, plan, record, save};

const JOE: &str = "0123456789abcdef0123456789abcdef";
const ANN: &str = "1123456789abcdef0123456789abcdef";

fn milliseconds(database: &Database<'_>, id: &str) -> i64 {
    database.run(&format!("PTTL beaker_cache:{id}:session\n")).trim().parse().expect("it is a number")
}

/// Beaker writes, this reads and writes it again under another id, and Beaker reads that.
pub(crate) fn there_and_back(python: &Python, ini: &std::path::Path, store: &dyn SessionStore) {
    let site = python.site(ini);
    site.answer(&[Request::save(JOE, "{'user_name': 'joe', 'ü': 'Ąžuolas'}"), Request::save(ANN, "{}")]);
    let ids: BTreeSet<_> =
        store.iter(Query::ALL).map(|item| item.expect("it is listed").id.as_str().to_owned()).collect();
    assert_eq!(ids, BTreeSet::from([JOE.to_owned(), ANN.to_owned()]));
    let loaded = store.load(&SessionId::new(JOE)).expect("it answers").expect("it is there");
    let Decoded::Session(session) = Decoder::new().decode(&loaded.payload).expect("it is whole") else {
        panic!("it is a session")
    };
    assert_eq!(session.get::<String>("user_name").expect("it is text").as_deref(), Some("joe"));
    assert!(session.accessed_time().is_some());
    let copy = Record::new(SessionId::new("copy"), loaded.payload);
    store.save(&copy, SaveMode::Create).expect("the id is free");
    let read = site.load(&["copy"]).remove(0).expect("Beaker finds it");
    assert_eq!((read["user_name"].1.as_str(), read["ü"].1.as_str()), ("joe", "Ąžuolas"));
    assert!(store.delete(&SessionId::new(JOE)).expect("it is deleted"));
    assert!(site.load(&[JOE]).remove(0).is_none());
    site.answer(&[Request::touch("copy")]);
    assert!(store.has(&SessionId::new("copy")).expect("it answers"));
}

#[test]
fn both_read_what_the_other_wrote_and_redis_drops_it_when_beaker_says() {
    for python in [python!(), python!("1.11.0")] {
        let server = server!(Kind::Redis);
        for (timeout, lives) in [(None, -1), (Some("600"), 720_000)] {
            let database = server.create_database();
            let url = database.url("redis");
            let folder = tempfile::tempdir().expect("a folder");
            let mut keys = vec![("type", "ext:redis"), ("url", url.as_str())];
            keys.extend(timeout.map(|timeout| ("timeout", timeout)));
            let site = ini(folder.path(), &keys);
            let config = timeout.into_iter().fold(config(&url), |config, timeout| config.with("timeout", timeout));
            let store = open(&config);
            there_and_back(&python, &site, &*store);
            save(&*store, &record("ours", hours_ago(0)));
            for id in [ANN, "copy", "ours"] {
                let left = milliseconds(&database, id);
                assert!(lives - 30_000 <= left && left <= lives, "{timeout:?}: {left}");
                let expiry = store.load(&SessionId::new(id)).expect("it answers").expect("it is there").expiry;
                assert_eq!(matches!(expiry, Expiry::At(_)), timeout.is_some(), "{expiry:?}");
            }
            let listed: Vec<_> =
                store.iter(Query::ALL.with_expiry()).map(|item| item.expect("it is listed").expiry).collect();
            assert!(listed.len() == 3 && listed.iter().all(|expiry| *expiry != Expiry::Usual), "{listed:?}");
        }
    }
}

#[test]
fn a_record_lives_as_long_as_it_says() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let store = open(&config(&database.url("redis")).with("timeout", "600"));
    let at = hours_ago(0).later_by(std::time::Duration::from_secs(3600));
    save(&*store, &record("at", hours_ago(0)).with_expiry(Expiry::At(at)));
    save(&*store, &record("never", hours_ago(0)).with_expiry(Expiry::Never));
    save(&*store, &record("over", hours_ago(0)).with_expiry(Expiry::At(hours_ago(1))));
    let left = milliseconds(&database, "at");
    assert!((3_580_000..=3_600_000).contains(&left), "{left}");
    assert_eq!(milliseconds(&database, "never"), -1);
    assert!(milliseconds(&database, "over") <= 1);
    let Some(Expiry::At(loaded)) = store.load(&SessionId::new("at")).expect("it answers").map(|record| record.expiry)
    else {
        panic!("it ends")
    };
    assert!(loaded.since(at).max(at.since(loaded)).as_secs() < 20);
}

#[test]
fn a_live_site_loses_nothing_while_old_sessions_go() {
    let python = python!();
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let folder = tempfile::tempdir().expect("a folder");
    let url = database.url("redis");
    let site = ini(folder.path(), &[("type", "ext:redis"), ("url", &url)]);
    let store = open(&config(&url));
    let live = python.site(&site).go_live();
    let mut deleted = 0;
    for round in 0..10 {
        (0..200).for_each(|n| save(&*store, &record(&format!("old-{round}-{n}"), hours_ago(2))));
        let done = store.delete_old(an_hour(), &plan().with_batch_size(20), &mut beakerhelpers_core::Silent);
        deleted += done.expect("it gets through").deleted;
    }
    let report = live.end();
    assert_eq!((deleted, report.errors.as_slice()), (2000, &[][..]));
    let ids: Vec<_> = (0..20).map(|n| format!("live-{n}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).take(usize::try_from(report.answered).expect("few")).collect();
    let visits = python.site(&site).load(&ids);
    let visits = visits.into_iter().map(|session| session.expect("it is there")["visits"].1.parse::<u64>());
    assert_eq!(visits.map(|visits| visits.expect("a number")).sum::<u64>(), report.answered);
}

#[test]
fn a_cluster_is_beakers_too() {
    let python = python!();
    let Some(turn) = Turn::take() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let User { name, password, .. } = User::SITE;
    let urls = turn.cluster.url(User::SITE);
    let keys = [("type", "ext:rediscluster"), ("urls", &urls), ("username", name), ("password", password)];
    let site = ini(folder.path(), &keys);
    there_and_back(&python, &site, &*open(&cluster_config(turn.cluster, User::SITE)));
}
