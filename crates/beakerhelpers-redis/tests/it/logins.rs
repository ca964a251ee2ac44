//! Who may come in, by which way, and what they may do there.

use std::path::Path;

use beakerhelpers_core::{Error, ErrorKind, Query, SaveMode, SessionId, SessionStore, Silent};
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::server;
use beakerhelpers_testkit::servers::{Database, Kind, User, Via};

use crate::support::{Turn, an_hour, cluster_config, config, hours_ago, list, open, plan, record, save, told};

fn works(url: &str) -> Result<(), Error> {
    let store = open(&config(url));
    store.save(&record("a", hours_ago(0)), SaveMode::Upsert)?;
    assert_eq!(store.iter(Query::ALL).collect::<Result<Vec<_>, _>>()?.len(), 1);
    assert!(store.delete(&SessionId::new("a"))?);
    assert_eq!(store.iter(Query::ALL).collect::<Result<Vec<_>, _>>()?.len(), 0);
    Ok(())
}

fn tls(server: &Server, database: &Database<'_>, options: &str) -> String {
    let port = |port: u16| format!(":{port}/");
    let url = database.url("rediss").replace(&port(server.port()), &port(server.tls_port()));
    format!("{url}?{options}")
}

#[test]
fn every_way_leads_in() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let of_default_user = database.url("redis").replace(&format!("://{}:", User::SITE.name), "://:");
    let socket = database.url_for("unix", User::SITE, Via::Socket);
    let authority = |path: &Path| format!("ssl_ca_certs={}", path.display());
    let encrypted = tls(&server, &database, &authority(&server.certificates().authority()));
    let trusting = tls(&server, &database, "ssl_cert_reqs=none");
    for url in [database.url("redis"), of_default_user, socket, encrypted, trusting] {
        works(&url).unwrap_or_else(|error| panic!("{error:?}"));
    }
    for options in [authority(&server.certificates().other_authority()), String::new()] {
        let (kind, report) = told(works(&tls(&server, &database, &options)));
        assert!(kind == ErrorKind::Unavailable && report.contains("certificate"), "{report}");
    }
}

#[test]
fn who_may_not_come_in_is_told_at_once() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let wrong = database.url_for("redis", User::SITE.with_password("wrong-password"), Via::Tcp);
    let none = format!("redis://127.0.0.1:{}", server.port());
    for (url, why) in [(&wrong, "refuses the user or the password"), (&none, "asks for a password")] {
        let store = open(&config(url));
        for refused in [
            store.load(&SessionId::new("a")).map(drop),
            store.iter(Query::ALL).next().expect("it says something").map(drop),
            store.delete_old(an_hour(), &plan(), &mut Silent).map(drop),
        ] {
            let (kind, report) = told(refused);
            assert!(kind == ErrorKind::PermissionDenied && report.contains(why), "{report}");
            assert!(!report.contains("wrong-password"), "{report}");
        }
    }
    let elsewhere = database.url("redis").replace(&format!("/{}", database.name()), "/123456");
    let (kind, report) = told(works(&elsewhere));
    assert!(kind == ErrorKind::Config && report.contains("no database of this number"), "{report}");
}

fn may_read_and_not_delete(store: &dyn SessionStore) {
    assert_eq!(list(store, Query::ALL.with_expiry()).len(), 1);
    assert!(store.load(&SessionId::new("old")).expect("it may").is_some());
    let (kind, report) = told(store.delete_old(an_hour(), &plan(), &mut Silent));
    assert!(kind == ErrorKind::PermissionDenied && report.contains("`eval`"), "{report}");
    assert!(report.contains("ACL SETUSER reader +eval"), "{report}");
    assert_eq!(told(store.delete(&SessionId::new("old"))).0, ErrorKind::PermissionDenied);
    assert!(store.has(&SessionId::new("old")).expect("it may"));
}

#[test]
fn who_may_only_read_lists_and_deletes_nothing() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    save(&*open(&config(&database.url("redis"))), &record("old", hours_ago(2)));
    may_read_and_not_delete(&*open(&config(&database.url_for("redis", User::READER, Via::Tcp))));
    let stranger = open(&config(&database.url_for("redis", User::STRANGER, Via::Tcp)));
    let (kind, report) = told(stranger.iter(Query::ALL).next().expect("it says something"));
    assert!(kind == ErrorKind::PermissionDenied && report.contains("`scan`"), "{report}");
}

#[test]
fn a_cluster_asks_who_comes_too() {
    let Some(turn) = Turn::take() else { return };
    save(&*open(&cluster_config(turn.cluster, User::SITE)), &record("old", hours_ago(2)));
    may_read_and_not_delete(&*open(&cluster_config(turn.cluster, User::READER)));
    let stranger = open(&cluster_config(turn.cluster, User::SITE.with_password("wrong-password")));
    for refused in [
        stranger.load(&SessionId::new("a")).map(drop),
        stranger.iter(Query::ALL).next().expect("it says something").map(drop),
    ] {
        let (kind, report) = told(refused);
        assert!(kind == ErrorKind::PermissionDenied && !report.contains("wrong-password"), "{report}");
    }
}
