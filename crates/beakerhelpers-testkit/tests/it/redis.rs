//! Redis, by itself and as a cluster.

use std::process::Command;

use beakerhelpers_testkit::servers::{Cluster, Kind, User, Via};
use beakerhelpers_testkit::{Server, own_server, server};

/// What somebody is answered, whether it is an error or not.
fn ask(server: &Server, user: User, database: Option<&str>, command: &[&str]) -> String {
    let mut client = server.client(user, database).expect("it is installed");
    let output = client.args(command).output().expect("it runs");
    String::from_utf8([output.stdout, output.stderr].concat()).expect("text").trim().to_owned()
}

#[test]
fn everybody_may_do_what_they_may() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    let ask = |user, command: &[&str]| ask(&server, user, Some(database.name()), command);
    assert_eq!(ask(User::SITE, &["SETEX", "k", "600", "v"]), "OK");
    assert_eq!(ask(User::READER, &["GET", "k"]), "v");
    for (user, command) in [
        (User::READER, ["DEL", "k"].as_slice()),
        (User::SITE, &["CONFIG", "GET", "dir"]),
        (User::STRANGER, &["GET", "k"]),
    ] {
        let refused = ask(user, command);
        assert!(refused.contains("NOPERM"), "{user:?}: {refused}");
    }
    assert!(ask(User::STRANGER.with_password("wrong"), &["PING"]).contains("WRONGPASS"));
    assert_eq!(ask(User::ADMIN, &["DBSIZE"]), "1");
}

#[test]
fn databases_are_apart_and_go_with_their_guards() {
    let server = server!(Kind::Redis);
    let (one, other) = (server.create_database(), server.create_database());
    assert_ne!(one.name(), other.name());
    other.run("SET k v\n");
    assert_eq!(one.run("DBSIZE\n").trim(), "0");
    let name = other.name().to_owned();
    drop(other);
    assert_eq!(server.run(Some(&name), "DBSIZE\n").trim(), "0");
}

#[test]
fn it_is_there_by_every_way() {
    let server = server!(Kind::Redis);
    let database = server.create_database();
    for url in [database.url("redis"), database.url_for("redis", User::READER, Via::Tcp)] {
        let answer = Command::new("redis-cli").args(["--no-auth-warning", "-u", &url, "PING"]).output();
        assert_eq!(String::from_utf8(answer.expect("it runs").stdout).expect("text").trim(), "PONG");
    }
    let tls = |authority: std::path::PathBuf| {
        let mut client = Command::new("redis-cli");
        client.args(["-h", "127.0.0.1", "-p", &server.tls_port().to_string(), "--tls", "--no-auth-warning"]);
        client.arg("--cacert").arg(authority).args(["--user", User::SITE.name, "PING"]);
        client.env("REDISCLI_AUTH", User::SITE.password);
        let output = client.output().expect("it runs");
        String::from_utf8(output.stdout).expect("text").trim() == "PONG"
    };
    assert!(tls(server.certificates().authority()));
    assert!(!tls(server.certificates().other_authority()));
}

#[test]
fn data_survive_a_crash() {
    let server = own_server!(Kind::Redis);
    server.run(None, "SET k v\n");
    server.kill();
    server.start();
    assert_eq!(server.run(None, "GET k\n").trim(), "v");
    server.stop();
    server.start();
    assert_eq!(server.run(None, "GET k\n").trim(), "v");
}

#[test]
fn a_cluster_comes_together() {
    let Some(cluster) = Cluster::own() else { return };
    assert_eq!(cluster.nodes().len(), 3);
    for n in 0..30 {
        // It answers where the key is, and names the node elsewhere.
        let answers: Vec<_> =
            cluster.nodes().iter().map(|node| ask(node, User::SITE, None, &["SET", &format!("k{n}"), "v"])).collect();
        let ok = answers.iter().filter(|answer| *answer == "OK").count();
        let moved = answers.iter().filter(|answer| answer.starts_with("MOVED ")).count();
        assert_eq!((ok, moved), (1, 2), "{answers:?}");
    }
    assert!(cluster.run("DBSIZE\n").iter().all(|size| size.trim() != "0"), "each has a part");
    assert_eq!(cluster.url(User::READER).matches("redis://reader:").count(), 3);
}
