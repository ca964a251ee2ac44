//! Servers that go away, and those that refuse.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Deleted, ErrorKind, Progress, Query, SessionId, Silent};
use beakerhelpers_testkit::own_server;
use beakerhelpers_testkit::servers::{Kind, User, Via};

use crate::support::{Turn, an_hour, config, fill, hours_ago, is_own, list, open, plan, record, save, told};

const MANY: usize = 12_000;

#[test]
fn a_listing_goes_on_where_its_connection_broke() {
    let server = own_server!(Kind::Redis);
    fill(&server, None, MANY);
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    let mut ids: Vec<_> = store
        .iter(Query::ALL)
        .enumerate()
        .map(|(n, item)| {
            if n % 2000 == 0 {
                server.run(None, "CLIENT KILL TYPE normal\n");
            }
            let record = item.expect("it goes on");
            assert!(is_own(&record), "it has another's value");
            record.id.as_str().to_owned()
        })
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), MANY);
}

#[test]
fn a_listing_does_not_pretend_to_be_whole_where_the_server_was_started_anew() {
    let server = own_server!(Kind::Redis);
    fill(&server, None, MANY);
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    let mut listing = store.iter(Query::ALL);
    listing.next().expect("there are many").expect("it is listed");
    server.stop();
    server.start();
    let failed = listing.find_map(Result::err).expect("it does not end as if nothing were");
    assert_eq!(failed.kind(), ErrorKind::Unavailable);
    assert!(failed.report().to_string().contains("started anew"), "{}", failed.report());
    assert!(listing.next().is_none());
    assert_eq!(list(&*store, Query::ALL).len(), MANY, "the next one is whole");
}

/// Does something to the server after the first batch that deleted something.
struct Disturb<F: FnMut()>(bool, F);

impl<F: FnMut()> Progress for Disturb<F> {
    fn batch(&mut self, so_far: &Deleted) -> ControlFlow<()> {
        if so_far.deleted > 0 && !std::mem::replace(&mut self.0, true) {
            (self.1)();
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn a_cleanup_goes_on_where_its_connection_broke_and_ends_where_the_server_did() {
    let server = own_server!(Kind::Redis);
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    let fill = || (0..2000).for_each(|n| save(&*store, &record(&format!("old-{n}"), hours_ago(2))));
    fill();
    save(&*store, &record("young", hours_ago(0)));
    let mut disturb = Disturb(false, || drop(server.run(None, "CLIENT KILL TYPE normal\nSCRIPT FLUSH\n")));
    let done = store.delete_old(an_hour(), &plan(), &mut disturb).expect("it goes on");
    assert_eq!((done.deleted, done.kept), (2000, 1));

    fill();
    let mut disturb = Disturb(false, || {
        server.kill();
        server.start();
    });
    let (kind, report) = told(store.delete_old(an_hour(), &plan(), &mut disturb));
    assert!(kind == ErrorKind::Unavailable && report.contains("run it again"), "{report}");
    let done = store.delete_old(an_hour(), &plan(), &mut Silent).expect("the next one gets through");
    assert!(done.deleted < 2000 && done.kept == 1, "{done:?}");
    assert!(store.has(&SessionId::new("young")).expect("it answers"));
}

#[test]
fn what_is_not_there_is_told_at_once_and_silence_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = silent.local_addr().expect("it has one").port();
    let store = open(&config(&format!("redis://127.0.0.1:{port}")).with_wait(Duration::from_millis(300)));
    let began = Instant::now();
    let (kind, report) = told(store.load(&SessionId::new("x")));
    assert!(kind == ErrorKind::Unavailable && report.contains("in time"), "{report}");
    assert!(began.elapsed() < Duration::from_secs(10));
    drop(silent);
    let (kind, report) = told(store.iter(Query::ALL).next().expect("it says something"));
    assert!(kind == ErrorKind::Unavailable && report.contains("cannot be reached"), "{report}");
    let missing = open(&config("unix:///nowhere/redis.sock"));
    assert_eq!(told(missing.load(&SessionId::new("x"))).0, ErrorKind::Unavailable);
}

/// What is left of an answer that nobody understands is nobody's answer.
#[test]
fn a_connection_that_says_nonsense_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let store = open(&config(&format!("redis://{}", listener.local_addr().expect("it has one"))));
    let server = std::thread::spawn(move || {
        let connections = listener.incoming().take(3).map(|connection| {
            let mut connection = connection.expect("it connects");
            let _ = connection.read(&mut [0; 1024]).expect("it asks something");
            connection.write_all(b"?nonsense\r\n:1\r\n:1\r\n").expect("it listens");
            connection
        });
        connections.collect::<Vec<_>>().len()
    });
    for _ in 0..3 {
        let (kind, report) = told(store.has(&SessionId::new("x")));
        assert!(kind == ErrorKind::Other && report.contains("nobody understands"), "{report}");
    }
    assert_eq!(server.join().expect("it answered"), 3);
}

#[test]
fn a_replica_is_listed_and_not_changed() {
    let server = own_server!(Kind::Redis);
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    save(&*store, &record("old", hours_ago(2)));
    server.run(None, "REPLICAOF 127.0.0.1 1\n");
    assert_eq!(list(&*store, Query::ALL).len(), 1);
    for refused in
        [store.delete(&SessionId::new("old")).map(drop), store.delete_old(an_hour(), &plan(), &mut Silent).map(drop)]
    {
        let (kind, report) = told(refused);
        assert!(kind == ErrorKind::Unsupported && report.contains("replica"), "{report}");
    }
}

#[test]
fn old_sessions_go_where_the_memory_is_full() {
    let server = own_server!(Kind::Redis);
    let store = open(&config(&server.url("redis", User::SITE, "0", Via::Tcp)));
    (0..100).for_each(|n| save(&*store, &record(&format!("old-{n}"), hours_ago(2))));
    server.run(None, "CONFIG SET maxmemory 1\n");
    let full = store.save(&record("new", hours_ago(0)), beakerhelpers_core::SaveMode::Upsert);
    let (kind, report) = told(full);
    assert!(kind == ErrorKind::Unavailable && report.contains("full"), "{report}");
    assert_eq!(store.delete_old(an_hour(), &plan(), &mut Silent).expect("it cleans").deleted, 100);
}

#[test]
fn the_wrong_type_of_store_is_told() {
    let Some(turn) = Turn::take() else { return };
    let node = open(&config(&turn.cluster.nodes()[0].url("redis", User::SITE, "", Via::Tcp)));
    let mut of_node: Vec<_> = (0..20).map(|n| node.load(&SessionId::new(format!("s{n}")))).collect();
    of_node.retain(Result::is_err);
    let (kind, report) = told(of_node.remove(0));
    assert!(kind == ErrorKind::Config && report.contains("`ext:rediscluster`"), "{report}");
    let server = own_server!(Kind::Redis);
    let config = beakerhelpers_core::StoreConfig::new("shop").with("type", "ext:rediscluster");
    let url = server.url("redis", User::SITE, "", Via::Tcp);
    let alone = open(&config.with("urls", url.trim_end_matches('/')));
    let (kind, report) = told(alone.iter(Query::ALL).next().expect("it says something"));
    assert!(kind == ErrorKind::Config && report.contains("`ext:redis`"), "{report}");
}
