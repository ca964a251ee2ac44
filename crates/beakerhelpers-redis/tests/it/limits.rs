//! What is in Redis beside usual sessions: large values, other keys, damage.

use std::collections::BTreeSet;

use beakerhelpers_core::{
    Error, ErrorKind, Progress, Query, Record, Result, SessionId, SessionStore, Silent, Timestamp,
};
use beakerhelpers_testkit::servers::{Database, Kind, User, Via};
use beakerhelpers_testkit::{own_server, server};

use crate::support::{Turn, an_hour, cluster_config, config, fill, hours_ago, open, padded, plan, record, save};

/// Remembers why ages could not be read.
#[derive(Default)]
struct Reasons(Vec<String>);

impl Progress for Reasons {
    fn unreadable(&mut self, error: &Error) {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        self.0.push(error.report().to_string());
    }
}

#[test]
fn what_is_no_session_is_told_and_kept() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let store = open(&config(&database.url("redis")));
    save(&*store, &record("old", hours_ago(2)));
    save(&*store, &record("young", hours_ago(0)));
    // A list, a key that is no text, nothing at all, garbage, and a cache of Beaker's.
    database.run(
        "LPUSH beaker_cache:list:session 1\nSET \"beaker_cache:\\xff\\xfe:session\" x\n\
         SET beaker_cache:empty:session \"\"\nSET beaker_cache:garbage:session \"\\x80\\x04garbage\"\n\
         SET beaker_cache:some.module|function:an-argument x\nSET session:of-another-framework x\n",
    );
    let (good, bad): (Vec<_>, Vec<_>) = store.iter(Query::ALL.with_expiry()).partition(Result::is_ok);
    let ids: BTreeSet<_> = good.into_iter().map(|item| item.expect("it is good").id.as_str().to_owned()).collect();
    assert_eq!(ids, ["old", "young", "empty", "garbage"].map(str::to_owned).into());
    assert!(
        bad.len() == 2 && bad.iter().all(|item| item.as_ref().is_err_and(|error| error.kind() == ErrorKind::Corrupt))
    );

    let loaded = store.load(&SessionId::new("list")).map(drop);
    assert_eq!(loaded.err().map(|error| error.kind()), Some(ErrorKind::Corrupt));

    let mut reasons = Reasons::default();
    let done = store.delete_old(an_hour(), &plan(), &mut reasons).expect("it gets through");
    assert_eq!((done.deleted, done.kept), (1, 5));
    assert!(done.unknown == 4 && (3..=4).contains(&reasons.0.len()), "{done:?} {:?}", reasons.0);
    assert!(reasons.0.iter().all(|reason| !reason.contains("garbage")), "{:?}", reasons.0);
    assert_eq!(database.run("DBSIZE\n").trim(), "7");
}

#[test]
fn large_sessions_are_whole_and_go_when_they_are_old() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let store = open(&config(&database.url("redis")));
    // Around the size of what is read at once: the pickle has 45 bytes besides.
    let sizes = [16_300, 16_338, 16_339, 16_340, 16_341, 100_000, 10_000_000];
    let records: Vec<_> = sizes.iter().map(|size| padded(&size.to_string(), hours_ago(2), *size)).collect();
    for record in &records {
        save(&*store, record);
    }
    save(&*store, &padded("young", hours_ago(0), 5_000_000));
    let listed: Vec<_> = store.iter(Query::ALL).map(|item| item.expect("it is listed")).collect();
    assert_eq!(listed.len(), records.len() + 1);
    for record in &records {
        let found = listed.iter().find(|listed| listed.id == record.id).expect("it is there");
        assert!(found.payload == record.payload, "{}", record.payload.bytes().len());
    }
    let done = store.delete_old(an_hour(), &plan(), &mut Silent).expect("it gets through");
    assert_eq!((done.deleted, done.kept, done.unknown), (sizes.len() as u64, 1, 0));
    assert!(store.has(&SessionId::new("young")).expect("it answers"));
}

/// Makes lists of some sessions when one is found old, and remembers why others cannot be read then.
struct Change<'d>(&'d Database<'d>, &'d [&'d str], Reasons);

impl Progress for Change<'_> {
    fn old(&mut self, _: Timestamp) {
        for id in self.1 {
            self.0.run(&format!("DEL beaker_cache:{id}:session\nLPUSH beaker_cache:{id}:session x\n"));
        }
    }

    fn unreadable(&mut self, error: &Error) {
        self.2.unreadable(error);
    }

    fn archive(&mut self, _: &[Record]) -> Result<()> {
        panic!("nothing is what it was");
    }
}

#[test]
fn what_becomes_something_else_meanwhile_is_kept_and_ends_nothing() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let store = open(&config(&database.url("redis")));
    // Small ones are deleted by a script. Of large ones the first fills a batch, and the others are read after that.
    let sizes: [(&[&str], usize, u64); 2] = [(&["a"], 10, 0), (&["a", "b", "c"], 1_200_000, 2)];
    for (ids, bytes, unknown) in sizes {
        for archive in [false, true] {
            for id in ids {
                save(&*store, &padded(id, hours_ago(2), bytes));
            }
            let mut plan = plan();
            plan.archive = archive;
            let mut change = Change(&database, ids, Reasons::default());
            let done = store.delete_old(an_hour(), &plan, &mut change).expect("it gets through");
            assert_eq!((done.deleted, done.kept, done.unknown), (0, ids.len() as u64, unknown), "{ids:?} {archive}");
            assert_eq!(change.2.0.len() as u64, unknown);
        }
    }
}

/// Saves a session when it is found old.
struct Touch<'s>(&'s dyn SessionStore, &'s Record);

impl Progress for Touch<'_> {
    fn old(&mut self, _: Timestamp) {
        save(self.0, self.1);
    }
}

#[test]
fn a_large_session_that_is_touched_meanwhile_stays() {
    let Some(turn) = Turn::take() else { return };
    let server = server!(Kind::Redis);
    let database = server.create_database();
    for config in [config(&database.url("redis")), cluster_config(turn.cluster, User::SITE)] {
        let store = open(&config);
        save(&*store, &padded("large", hours_ago(2), 1_000_000));
        let touched = padded("large", hours_ago(0), 1_000_000);
        let done = store.delete_old(an_hour(), &plan(), &mut Touch(&*store, &touched)).expect("it gets through");
        assert_eq!((done.deleted, done.kept), (0, 1));
        assert!(store.load(&touched.id).expect("it answers").is_some_and(|record| record.payload == touched.payload));
        save(&*store, &padded("large", hours_ago(2), 1_000_000));
        assert_eq!(store.delete_old(an_hour(), &plan(), &mut Silent).expect("it gets through").deleted, 1);
    }
}

/// Without a right to watch, the script does it.
#[test]
fn a_large_session_goes_without_the_right_to_watch() {
    let server = own_server!(Kind::Redis);
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    for denied in ["-watch", "+watch -multi"] {
        save(&*store, &padded("old", hours_ago(2), 1_000_000));
        server.run(None, &format!("ACL SETUSER {} {denied}\n", User::SITE.name));
        let done = store.delete_old(an_hour(), &plan(), &mut Silent).expect("it gets through");
        assert_eq!((done.deleted, done.kept), (1, 0));
    }
}

#[test]
fn nothing_is_listed_twice_where_the_table_shrinks_meanwhile() {
    let server = own_server!(Kind::Redis);
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    for (keys, rest) in [(30_000, 500), (20_000, 10)] {
        server.run(None, "FLUSHALL\n");
        fill(&server, None, keys);
        let mut listing = store.iter(Query::ALL);
        let mut ids = vec![listing.next().expect("there are many").expect("it is listed").id];
        let delete = format!(
            "EVAL \"for n = {}, {keys} do redis.call('DEL', 'beaker_cache:s' .. n .. ':session') end\" 0\n",
            rest + 1
        );
        server.run(None, &delete);
        // Its table becomes smaller in the background.
        std::iter::repeat_n((), 200).for_each(|()| drop(server.log()));
        ids.extend(listing.map(|item| item.expect("it is listed").id));
        let different: BTreeSet<_> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        assert_eq!(different.len(), ids.len());
        assert!((1..=rest).all(|n| different.contains(&format!("s{n}"))));
    }
}

/// After many short values whole ones are asked for, until one is long: here many become so at once.
#[test]
fn values_that_become_long_in_the_middle_of_a_listing_are_read_whole() {
    let server = own_server!(Kind::Redis);
    let set = |step: usize, text: &str| {
        let keys = format!("for n = 1, 40000, {step} do redis.call('SET', 'beaker_cache:s' .. n .. ':session', ");
        server.run(
            None,
            &format!("EVAL \"{keys}'s' .. n .. ' {text}' .. string.rep('x', #ARGV[1] * 1000)) end\" 0 {text}\n"),
        );
    };
    set(1, "x");
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    let (mut all, mut long) = (0, 0);
    for item in store.iter(Query::ALL) {
        if all == 20_000 {
            set(20, &"x".repeat(30));
        }
        let record = item.expect("it is listed");
        let text = String::from_utf8_lossy(record.payload.bytes());
        let (id, rest) = text.split_once(' ').expect("it is one of these");
        assert!(id == record.id.as_str() && [1_001, 30_030].contains(&rest.len()), "{id}: {}", rest.len());
        all += 1;
        long += usize::from(rest.len() > 20_000);
    }
    assert!(all == 40_000 && long > 500, "{all} {long}");
}
