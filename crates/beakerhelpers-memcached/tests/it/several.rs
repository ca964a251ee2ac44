//! Several servers.

use beakerhelpers_core::{ErrorKind, Framing, Payload, Query, Record, SaveMode, SessionId};

use crate::support::{Servers, config, open};

fn record(id: &str) -> Record {
    Record::new(SessionId::new(id), Payload::new(Framing::Text, b"gAJ9".to_vec()))
}

fn on(servers: &Servers, key: &str) -> Vec<usize> {
    (0..3).filter(|server| servers.item(*server, key) != "END\r\n").collect()
}

#[test]
fn copies_are_saved_on_all_listed_once_and_deleted_everywhere() {
    let Some(servers) = Servers::take(3) else { return };
    let store = open(&config(&servers.url()).with("memcache_module", "bmemcached"));
    for id in ["a", "b", "c"] {
        store.save(&record(id), SaveMode::Create).expect("it saves");
        assert_eq!(on(&servers, &format!("{id}_session")), [0, 1, 2]);
    }
    // As after a restart of the first.
    servers.ask(0, b"delete b_session\r\n", "DELETED\r\n");
    let error = store.save(&record("b"), SaveMode::Create).expect_err("others have it");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let mut ids: Vec<_> =
        store.iter(Query::ALL).map(|record| record.expect("it lists").id.as_str().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(store.has(&SessionId::new("b")).expect("it answers"));
    for id in ["a", "b"] {
        assert!(store.delete(&SessionId::new(id)).expect("it deletes"));
        assert_eq!(on(&servers, &format!("{id}_session")), [0; 0]);
    }
}

#[test]
fn a_session_on_another_server_is_found_and_deleted() {
    let Some(servers) = Servers::take(3) else { return };
    let store = open(&config(&servers.url()));
    for server in 0..3 {
        servers.ask(server, b"set a_session 16 0 4\r\ngAJ9\r\n", "STORED\r\n");
        assert!(store.has(&SessionId::new("a")).expect("it answers"));
        assert!(store.delete(&SessionId::new("a")).expect("it deletes"));
        assert!(!store.has(&SessionId::new("a")).expect("it answers"));
    }
}

#[test]
fn what_pylibmc_spreads_is_read_and_not_written() {
    let Some(servers) = Servers::take(3) else { return };
    let store = open(&config(&servers.url()).with("memcache_module", "pylibmc"));
    servers.ask(1, b"set a_session 16 0 4\r\ngAJ9\r\n", "STORED\r\n");
    assert!(store.has(&SessionId::new("a")).expect("it answers"));
    assert_eq!(store.iter(Query::ALL).count(), 1);
    let error = store.save(&record("a"), SaveMode::Upsert).expect_err("nobody knows where");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(store.delete(&SessionId::new("a")).expect("it deletes"));
}

#[test]
fn the_configuration_is_checked() {
    let registry = beakerhelpers_core::Registry::linked().expect("no twins");
    let refused = |config| registry.open(&config).map(drop).expect_err("it is wrong").to_string();
    assert_eq!(
        refused(config("a").with("memcache_module", "redis\u{1b}")),
        "Beaker knows no client library `redis\\x1b`"
    );
    assert!(refused(config("a").with("username", "me")).contains("binary protocol"));
}
