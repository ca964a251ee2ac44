//! Who may come in, by which way, and what is said to those who may not.

use std::time::{Duration, Instant};

use beakerhelpers_core::{ErrorKind, Query, SessionId};
use beakerhelpers_testkit::servers::{Kind, User, Via};
use beakerhelpers_testkit::{own_server, server};

use crate::servers::{ACTIVE, config, listed, save, url_of, with_table};
use crate::support::{assert_error, open};

#[test]
fn every_scheme_and_both_ways_lead_to_the_same_sessions() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    save(&*store, "a", ACTIVE);
    for scheme in ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg", "postgresql+pg8000"] {
        for via in [Via::Tcp, Via::Socket] {
            let store = open(&config(&database.url_for(scheme, User::SITE, via)));
            assert!(store.has(&SessionId::new("a")).expect("it connects"), "{scheme} {via:?}");
        }
    }
    // One of two hosts is not there.
    let port = server.port();
    let url = database.url("postgresql");
    let (start, _) = url.split_once("127.0.0.1").expect("the host");
    let several = format!("{start}/{}?host=127.0.0.1:1,127.0.0.1:{port}", database.name());
    assert!(open(&config(&several)).has(&SessionId::new("a")).expect("it connects to the second"));
}

#[test]
fn a_wrong_password_is_tried_once() {
    let server = own_server!(Kind::Postgres);
    let database = server.create_database();
    let store = open(&config(&url_of(&database, User::SITE.with_password("wrong"))));
    let error = store.has(&SessionId::new("a")).expect_err("the password is wrong");
    assert_error(&error, ErrorKind::PermissionDenied, &["password", "database: postgresql://site:****@"]);
    assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    let refusals = || server.log().matches("password authentication failed").count();
    assert_eq!(refusals(), 1);
    let listed = store.iter(Query::ALL).next().expect("an error").expect_err("the password is wrong");
    assert_eq!((listed.kind(), refusals()), (ErrorKind::PermissionDenied, 2));
    let preferring = format!("{}?sslmode=prefer", url_of(&database, User::SITE.with_password("wrong")));
    open(&config(&preferring)).has(&SessionId::new("a")).expect_err("the password is wrong");
    assert_eq!(refusals(), 3);
}

#[test]
fn what_is_missing_is_named() {
    let server = &server!(Kind::Postgres);
    let (database, _store) = with_table(server);
    let error = |url: &str| open(&config(url)).has(&SessionId::new("a")).expect_err("it cannot be opened");
    let url = database.url("postgresql");
    assert_error(&error(&format!("{url}_not")), ErrorKind::NotSetUp, &["no such database"]);
    let nobody = User::SITE.with_password("x");
    let stranger = url_of(&database, nobody).replace("site:", "nobody_here:");
    assert_eq!(error(&stranger).kind(), ErrorKind::PermissionDenied);
    assert_error(
        &error("postgresql://site:x@127.0.0.1:1/x"),
        ErrorKind::Unavailable,
        &["nothing listens", "127.0.0.1"],
    );
    assert_error(&error("postgresql://site:x@/x?host=/nonexistent"), ErrorKind::Unavailable, &["no socket"]);
    let other = open(&config(&url).with("table_name", "sessions"));
    let missing = other.has(&SessionId::new("a")).expect_err("there is no such table");
    assert_error(&missing, ErrorKind::NotSetUp, &["no table `sessions`", "tables: `beaker_cache`", "table_name"]);
}

#[test]
fn a_host_that_does_not_answer_is_not_waited_for_forever() {
    // An address for documentation, behind which there is nobody.
    let store = open(&config("postgresql://u:p@192.0.2.1/d").with_wait(Duration::from_secs(1)));
    let started = Instant::now();
    let error = store.has(&SessionId::new("a")).expect_err("nobody is there");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::PermissionDenied), "{error:?}");
}

#[test]
fn readers_read_and_strangers_do_not() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    save(&*store, "a", ACTIVE);
    let reader = open(&config(&url_of(&database, User::READER)));
    assert_eq!(listed(&*reader, Query::ALL).len(), 1);
    let error = reader.delete(&SessionId::new("a")).expect_err("it may not");
    assert_error(&error, ErrorKind::PermissionDenied, &["DELETE"]);
    let stranger = open(&config(&url_of(&database, User::STRANGER)));
    let error = stranger.has(&SessionId::new("a")).expect_err("it may not");
    assert_error(&error, ErrorKind::PermissionDenied, &["SELECT"]);
    assert!(store.has(&SessionId::new("a")).expect("it answers"));
}

#[test]
fn encrypted_connections_are_made_where_this_build_can() {
    let server = &server!(Kind::Postgres);
    let (database, store) = with_table(server);
    save(&*store, "a", ACTIVE);
    let has = |user: User, options: &str| {
        let url = format!("{}?{options}", url_of(&database, user));
        beakerhelpers_core::Registry::default()
            .with_store(&beakerhelpers_database::DATABASE)
            .open(&config(&url))
            .and_then(|store| store.has(&SessionId::new("a")))
    };
    let root = |file: std::path::PathBuf| file.display().to_string().replace('/', "%2F");
    let certificates = server.certificates();
    let full = format!("sslmode=verify-full&sslrootcert={}", root(certificates.authority()));
    let wrong = format!("sslmode=verify-full&sslrootcert={}", root(certificates.other_authority()));
    if cfg!(feature = "postgres-tls") {
        for options in ["sslmode=require", "sslmode=prefer", "application_name=x", full.as_str()] {
            assert!(has(User::TLS_ONLY, options).expect("it connects"), "{options}");
        }
        assert_error(&has(User::TLS_ONLY, &wrong).expect_err("not signed"), ErrorKind::Unavailable, &["certificate"]);
        let plain = has(User::TLS_ONLY, "sslmode=disable").expect_err("it must be encrypted");
        assert_error(&plain, ErrorKind::PermissionDenied, &["pg_hba.conf"]);
    } else {
        for options in ["sslmode=require", full.as_str()] {
            assert_eq!(has(User::TLS_ONLY, options).expect_err("it cannot").kind(), ErrorKind::Unsupported);
        }
        let plain = has(User::TLS_ONLY, "sslmode=prefer").expect_err("it must be encrypted");
        assert_error(&plain, ErrorKind::PermissionDenied, &["pg_hba.conf", "encryption"]);
    }
}
