//! What servers may answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{
    Cutoff, DeletePlan, ErrorKind, Expiry, Framing, Payload, Progress, Query, Record, SaveMode, SessionId,
    SessionStore, Silent, TimeReader, Timestamp,
};

use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{Server, own_server};

use crate::support::{Servers, config, open, relay};

fn record(id: &str, bytes: &[u8]) -> Record {
    Record::new(SessionId::new(id), Payload::new(Framing::Text, bytes.to_vec()))
}

/// A server that says the same to whoever connects.
fn says(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one").to_string();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.write_all(answer).and_then(|()| client.read(&mut [0; 1000]));
            let _ = client.write_all(answer);
            thread::sleep(Duration::from_millis(20));
        }
    });
    address
}

#[derive(Debug)]
struct Ancient;

impl TimeReader for Ancient {
    fn accessed(&self, _: &Payload) -> beakerhelpers_core::Result<Option<Timestamp>> {
        Ok(Some(Timestamp::from_secs(1)))
    }
}

fn clean(url: &str) -> beakerhelpers_core::Result<u64> {
    let plan = DeletePlan::default().with_times(std::sync::Arc::new(Ancient));
    let cutoff = Cutoff::ago(Timestamp::from_secs(1_000_000_000), Duration::from_secs(60));
    open(&config(url)).delete_old(cutoff, &plan, &mut Silent).map(|done| done.deleted)
}

#[test]
fn a_server_that_lists_nothing_says_so() {
    let Some(servers) = Servers::take(1) else { return };
    for answer in ["ERROR\r\n", "CLIENT_ERROR lru crawler disabled\r\n", "ERROR metadump not allowed\r\n"] {
        let url = relay(&servers, "lru_crawler", answer);
        let store = open(&config(&url));
        store
            .save(&record("a", b"gAJ9"), SaveMode::Create)
            .or_else(|_| store.save(&record("a", b"gAJ9"), SaveMode::Upsert))
            .expect("it saves");
        let errors: Vec<_> = store.iter(Query::ALL).map(|item| item.expect_err("it lists nothing")).collect();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].kind(), ErrorKind::Unsupported);
        let report = errors[0].report().to_string();
        assert!(report.contains(answer.trim()) && report.contains("lru_crawler"), "{report}");
        assert_eq!(clean(&url).map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    }
}

#[test]
fn a_server_that_is_busy_is_waited_for() {
    let Some(servers) = Servers::take(1) else { return };
    let url = relay(&servers, "lru_crawler", "BUSY currently processing crawler request\r\n");
    let began = Instant::now();
    let store = open(&config(&url).with_wait(Duration::from_millis(200)));
    let error = store.iter(Query::ALL).next().expect("an item").expect_err("it is busy");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(began.elapsed() >= Duration::from_millis(200));
}

/// Without `cas` nobody can tell whether a session was saved again: all are compared with 0.
#[test]
fn a_server_without_cas_is_not_cleaned() {
    let Some(servers) = Servers::take(1) else { return };
    open(&config(&servers.url())).save(&record("a", b"gAJ9"), SaveMode::Create).expect("it saves");
    let url = relay(&servers, "mg a_session u f", "VA 4 f16 c0\r\ngAJ9\r\n");
    let error = clean(&url).expect_err("it cannot compare");
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Unsupported, Some("start it without `-C`")));
    assert_eq!(clean(&servers.url()).expect("this one can"), 1);
}

/// A server that starts again counts from 1 again: a session that was saved since then can have the number of another.
#[test]
fn what_is_saved_after_a_restart_survives() {
    struct Restart<'s>(&'s Server, &'s dyn SessionStore);
    impl Progress for Restart<'_> {
        fn old(&mut self, _: Timestamp) {
            self.0.kill();
            self.0.start();
            self.1.save(&record("a", b"live"), SaveMode::Create).expect("it saves");
        }
    }
    let server = own_server!(Kind::Memcached);
    let url = format!("127.0.0.1:{}", server.port());
    let (store, other) = (open(&config(&url)), open(&config(&url)));
    store.save(&record("a", b"gAJ9"), SaveMode::Create).expect("it saves");
    let plan = DeletePlan::default().with_times(std::sync::Arc::new(Ancient));
    let cutoff = Cutoff::ago(Timestamp::from_secs(1_000_000_000), Duration::from_secs(60));
    let error = store.delete_old(cutoff, &plan, &mut Restart(&server, &*other)).expect_err("the connection is gone");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let there = other.load(&SessionId::new("a")).expect("it answers").expect("it is there");
    assert_eq!(there.payload.bytes(), b"live");
}

#[test]
fn whatever_answers_there_is_no_panic_and_no_wait() {
    let answers: &[&'static [u8]] = &[
        b"",
        b"\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"VALUE a_session 16 99999999999999999999 1\r\nx",
        b"VALUE a_session 16 999999999 1\r\nx",
        b"VA 999999999999 f16 c1\r\nx",
        b"VA 3 f99999999999 c1\r\nabc\r\n",
        b"VA 1 f16 c1\r\nabc\r\n",
        b"EN\r\nVA\r\n",
        b"EN\r\nVA 3 f8 c1\r\nabc\r\n",
        b"VALUE b_session 16 3 1\r\nabc\r\nEND\r\n",
        b"SERVER_ERROR out of memory storing object\r\n",
        b"key=a_session exp=x size=y\nkey=%_session\nEND\r\n",
        b"\xff\xfe\x00\x01",
        &[b'x'; 10_000],
    ];
    for answer in answers {
        let url = says(answer);
        let store = open(&config(&url).with_wait(Duration::from_millis(100)));
        let id = SessionId::new("a");
        let _ = store.load(&id).map_err(|error| error.report().to_string());
        let _ = store.delete(&id);
        let _ = store.save(&record("a", b"gAJ9"), SaveMode::Create);
        let _ = store.save(&record("a", &vec![b'x'; 600_000]), SaveMode::Upsert);
        assert!(store.iter(Query::ALL).take(10).count() < 10);
        let _ = clean(&url);
    }
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    for url in [format!("127.0.0.1:{port}"), "unix:/nonexistent/memcached.sock".to_owned()] {
        let error = open(&config(&url)).load(&SessionId::new("a")).expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.report().to_string().contains(&url), "{}", error.report());
    }
}

#[test]
fn what_is_too_long_is_refused_and_what_was_there_stays() {
    let Some(servers) = Servers::take(1) else { return };
    let store = open(&config(&servers.url()));
    store.save(&record("a", b"gAJ9"), SaveMode::Create).expect("it saves");
    let error = store.save(&record("a", &vec![b'x'; 17 << 20]), SaveMode::Upsert).expect_err("it takes 16 MiB");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().expect("there is one").contains("`-I`"));
    let stored = store.load(&SessionId::new("a")).expect("it answers").expect("it is there");
    assert_eq!(stored.payload.bytes(), b"gAJ9");
}

#[test]
fn items_expire_when_they_are_told_to() {
    let Some(servers) = Servers::take(1) else { return };
    let store = open(&config(&servers.url()));
    let expiries = [Expiry::Usual, Expiry::Never, Expiry::At(Timestamp::from_secs(2_000_000_000))];
    for (n, expiry) in expiries.into_iter().enumerate() {
        store.save(&record(&n.to_string(), b"gAJ9").with_expiry(expiry), SaveMode::Create).expect("it saves");
    }
    let gone = record("gone", b"gAJ9").with_expiry(Expiry::At(Timestamp::from_secs(1_000_000_000)));
    store.save(&gone, SaveMode::Create).expect("it saves");
    assert!(!store.has(&gone.id).expect("it answers"));
    let mut listed: Vec<_> = store
        .iter(Query::ALL.with_expiry())
        .map(|record| record.map(|record| (record.id.as_str().to_owned(), record.expiry)).expect("it lists"))
        .collect();
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        listed,
        [("0", Expiry::Never), ("1", Expiry::Never), ("2", expiries[2])].map(|(id, at)| (id.to_owned(), at))
    );
}

/// memcached drops what was not read for longest: looking at sessions must not look like visitors.
#[test]
fn reading_leaves_no_trace() {
    let Some(servers) = Servers::take(1) else { return };
    let store = open(&config(&servers.url()));
    store.save(&record("a", b"gAJ9"), SaveMode::Create).expect("it saves");
    assert_eq!(store.iter(Query::ALL).count(), 1);
    assert!(store.has(&SessionId::new("a")).expect("it answers"));
    let fetched = |servers: &Servers| servers.ask(0, b"lru_crawler metadump all\r\n", "END\r\n");
    assert!(fetched(&servers).contains("fetch=no"), "{}", fetched(&servers));
    servers.item(0, "a_session");
    assert!(fetched(&servers).contains("fetch=yes"), "the server tells");
}

#[test]
fn ids_that_no_client_can_save_are_refused() {
    let Some(servers) = Servers::take(1) else { return };
    let store = open(&config(&servers.url()));
    for id in ["a\r\nflush_all", "a\tb", &"ą".repeat(200)] {
        let error = store.save(&record(id, b"gAJ9"), SaveMode::Upsert).expect_err("it has no key");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(store.load(&SessionId::new(id)).expect("it is not there").is_none());
        assert!(!store.delete(&SessionId::new(id)).expect("it is not there"));
    }
}
