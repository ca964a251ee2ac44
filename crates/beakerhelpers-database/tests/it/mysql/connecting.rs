//! The ways to a server.

use beakerhelpers_core::{Access, ErrorKind, Query, SaveMode, SessionStore, SetupMode};
use beakerhelpers_testkit::servers::{Kind, User, Via};
use beakerhelpers_testkit::{own_server, server};

use crate::servers::{ACTIVE, config, save, with_table};
use crate::support::{assert_error, open, record};

fn ids(store: &dyn SessionStore) -> Result<usize, beakerhelpers_core::Error> {
    store.iter(Query::ALL).try_fold(0, |count, record| record.map(|_| count + 1))
}

#[test]
fn tcp_socket_and_tls() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    save(&*store, "a", ACTIVE);
    let ca = server.certificates().authority();
    let other_ca = server.certificates().other_authority();
    let tcp = |scheme: &str, user| database.url_for(scheme, user, Via::Tcp);
    for url in [
        tcp("mariadb+asyncmy", User::SITE),
        format!("{}?charset=latin1&use_unicode=1&local_infile=1", tcp("mysql", User::SITE)),
        format!("{}?ssl_disabled=true", tcp("mysql+mysqlconnector", User::READER)),
        database.url_for("mysql+mysqldb", User::SITE, Via::Socket),
        tcp("mysql+pymysql", User::TLS_ONLY),
        format!("{}?ssl_ca={}", tcp("mysql+pymysql", User::TLS_ONLY), ca.display()),
        format!("{}?ssl_mode=VERIFY_IDENTITY&ssl_ca={}", tcp("mysql+mysqldb", User::SITE), ca.display()),
        format!("{}?ssl_ca={}&ssl_verify_cert=false", tcp("mysql+pymysql", User::TLS_ONLY), other_ca.display()),
    ] {
        let store = open(&config(&url).with_access(Access::ReadOnly));
        assert_eq!(ids(&*store).map_err(|error| panic!("{}: {error:?}", store.info().location)), Ok(1));
    }
    for (url, kind, part) in [
        (format!("{}?ssl_ca={}", tcp("mysql", User::SITE), other_ca.display()), ErrorKind::Unavailable, "encrypted"),
        (format!("{}?ssl_ca=/nowhere.pem", tcp("mysql", User::SITE)), ErrorKind::Config, "TLS options"),
        (format!("{}?ssl_disabled=1", tcp("mysql", User::TLS_ONLY)), ErrorKind::PermissionDenied, "REQUIRE SSL"),
        (tcp("mysql", User::STRANGER), ErrorKind::PermissionDenied, "may not use the database"),
        (tcp("mysql", User::SITE.with_password("wrong")), ErrorKind::PermissionDenied, "user or password"),
        ("mysql+pymysql://u:p@127.0.0.1:1/x".to_owned(), ErrorKind::Unavailable, "nothing answers"),
    ] {
        let error = ids(&*open(&config(&url))).expect_err("it is refused");
        assert_error(&error, kind, &[part]);
        assert!(!error.report().to_string().contains("p%40ss"), "{error:?}");
    }
}

#[test]
fn what_a_user_may_not_do_is_said() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    save(&*store, "a", ACTIVE);
    let reader = open(&config(&database.url_for("mysql+pymysql", User::READER, Via::Tcp)));
    let error = reader.save(&record("b", ACTIVE), SaveMode::Create).expect_err("it may not");
    assert_error(&error, ErrorKind::PermissionDenied, &["may not do that", "INSERT"]);
    let read_only = open(&config(&database.url("mysql")).with_access(Access::ReadOnly));
    assert_eq!(read_only.setup(SetupMode::IfMissing).map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
}

#[test]
fn a_wrong_password_is_tried_once() {
    let server = own_server!(Kind::MariaDb);
    let (database, _) = with_table(&server);
    let wrong = User::SITE.with_password("wrong");
    let denied = || server.run(None, "SHOW GLOBAL STATUS LIKE 'Access_denied_errors';");
    let before: u32 = denied().split_whitespace().last().expect("a number").parse().expect("a number");
    let store = open(&config(&database.url_for("mysql+pymysql", wrong, Via::Tcp)));
    let error = ids(&*store).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let after: u32 = denied().split_whitespace().last().expect("a number").parse().expect("a number");
    assert_eq!(after - before, 1);
}

#[test]
fn a_file_with_the_password_serves() {
    let server = &server!(Kind::MariaDb);
    let (database, store) = with_table(server);
    save(&*store, "a", ACTIVE);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.cnf");
    let text = format!(
        "[client]\nuser = site # ours\npassword = \"{}\"\nsocket={}\n",
        User::SITE.password,
        server.socket().display()
    );
    std::fs::write(&file, text).expect("it is written");
    let url = format!("mysql+mysqldb:///{}?read_default_file={}", database.name(), file.display());
    assert_eq!(ids(&*open(&config(&url))).expect("it reads"), 1);
}

#[test]
fn what_is_no_server_is_told_at_once() {
    use std::io::Write;
    for greeting in [b"SSH-2.0-OpenSSH_9.2\r\n".as_slice(), b"\x01\x00\x00\x00\x0a", b""] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody comes");
            let _ = stream.write_all(greeting);
        });
        let store = open(&config(&format!("mysql+pymysql://u:p@127.0.0.1:{port}/x?ssl_disabled=1")));
        assert_eq!(ids(&*store).expect_err("it is no server").kind(), ErrorKind::Unavailable);
        server.join().expect("it ends");
    }
}
