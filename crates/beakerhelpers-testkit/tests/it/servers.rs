//! The database servers, and real Beaker on them.

use std::io::Write;
use std::process::{Output, Stdio};

use beakerhelpers_testkit::servers::{Database, Kind, User, Via};
use beakerhelpers_testkit::{Request, database_ini, own_server, python, server};

/// The scheme that Beaker's site names for the driver that the environments have.
fn scheme(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgresql+psycopg2",
        _ => "mysql+pymysql",
    }
}

/// What somebody gets for a statement.
fn attempt(database: &Database<'_>, user: User, sql: &str) -> Result<String, String> {
    let mut client = database.server().client(user, Some(database.name())).expect("it is installed");
    let mut client =
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // It may have ended before it reads.
    let _ = client.stdin.take().expect("it is piped").write_all(sql.as_bytes());
    let Output { status, stdout, stderr } = client.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text").trim().to_owned();
    if status.success() { Ok(text(stdout)) } else { Err(text(stderr)) }
}

#[test]
fn everybody_may_do_what_they_may() {
    for kind in Kind::ALL {
        let server = server!(kind);
        let database = server.create_database();
        let made = attempt(&database, User::SITE, "CREATE TABLE t (n int); INSERT INTO t VALUES (7);");
        assert_eq!(made, Ok(String::new()), "{kind:?}");
        for user in [User::SITE, User::READER, User::ADMIN] {
            assert_eq!(attempt(&database, user, "SELECT n FROM t;"), Ok("7".to_owned()), "{user:?}");
        }
        for (user, sql) in [
            (User::READER, "DELETE FROM t;"),
            (User::READER, "CREATE TABLE u (n int);"),
            (User::STRANGER, "SELECT n FROM t;"),
        ] {
            let refused = attempt(&database, user, sql).expect_err("this is not allowed");
            assert!(refused.to_lowercase().contains("denied"), "{kind:?}, {user:?}: {refused}");
        }
        let nobody = User::STRANGER.with_password("wrong");
        let refused = attempt(&database, nobody, "SELECT 1;").expect_err("the password is wrong");
        assert!(refused.contains("password"), "{kind:?}: {refused}");
        assert_eq!(database.run("SELECT count(*) FROM t;").trim(), "1");
    }
}

#[test]
fn a_database_goes_with_its_guard() {
    for kind in Kind::ALL {
        let server = server!(kind);
        let (one, other) = (server.create_database(), server.create_database());
        assert_ne!(one.name(), other.name());
        let (there, gone) = (one.name().to_owned(), other.name().to_owned());
        drop(other);
        let query = match kind {
            Kind::Postgres => "SELECT datname FROM pg_database;",
            _ => "SHOW DATABASES;",
        };
        let listed = server.run(None, query);
        assert!(listed.lines().any(|name| name == there) && !listed.lines().any(|name| name == gone), "{listed}");
    }
}

/// Python connects as SQLAlchemy would, with these arguments, and asks.
const CONNECT: &str = "\
import json, sqlalchemy, sys
engine = sqlalchemy.create_engine(sys.argv[1], connect_args=json.loads(sys.argv[2]))
with engine.connect() as connection:
    print(connection.exec_driver_sql(sys.argv[3]).first()[-1])
";

#[test]
fn connections_are_encrypted_for_those_who_ask() {
    let python = python!();
    for kind in Kind::ALL {
        let server = server!(kind);
        let database = server.create_database();
        let query = match kind {
            Kind::Postgres => "select case when ssl then version end from pg_stat_ssl where pid = pg_backend_pid()",
            _ => "show status like 'Ssl_version'",
        };
        let connect = |user: User, via: Via, arguments: serde_json::Value| {
            let url = database.url_for(scheme(kind), user, via);
            let output = python.command().args(["-c", CONNECT, &url, &arguments.to_string(), query]).output();
            let Output { status, stdout, stderr } = output.expect("Python starts");
            let text = |bytes| String::from_utf8(bytes).expect("text").trim().to_owned();
            if status.success() { Ok(text(stdout)) } else { Err(text(stderr)) }
        };
        let (verified, wrong, none) = match kind {
            Kind::Postgres => {
                let full = |ca| serde_json::json!({ "sslmode": "verify-full", "sslrootcert": ca });
                let (right, wrong) = (server.certificates().authority(), server.certificates().other_authority());
                (full(right), full(wrong), serde_json::json!({ "sslmode": "disable" }))
            }
            _ => {
                let full = |ca| serde_json::json!({ "ssl": { "ca": ca, "check_hostname": true } });
                let (right, wrong) = (server.certificates().authority(), server.certificates().other_authority());
                (full(right), full(wrong), serde_json::json!({ "ssl_disabled": true }))
            }
        };
        for user in [User::SITE, User::TLS_ONLY] {
            assert_eq!(connect(user, Via::Tcp, verified.clone()), Ok("TLSv1.3".to_owned()), "{kind:?}");
        }
        let refused = connect(User::SITE, Via::Tcp, wrong).expect_err("nobody knows this authority");
        assert!(refused.contains("certificate"), "{kind:?}: {refused}");
        assert!(connect(User::TLS_ONLY, Via::Tcp, none.clone()).is_err(), "{kind:?}: it must be encrypted");
        for via in [Via::Tcp, Via::Socket] {
            let plain = connect(User::SITE, via, none.clone()).expect("nothing is said against it");
            assert!(plain.is_empty() || plain == "None", "{kind:?}: {plain}");
        }
    }
}

#[test]
fn beaker_writes_what_it_reads_on_servers() {
    // The second with SQLAlchemy 1.4.
    for python in [python!(), python!("1.11.0")] {
        for kind in Kind::ALL {
            let server = server!(kind);
            let database = server.create_database();
            let directory = tempfile::tempdir().expect("a directory");
            let ini = database_ini(directory.path(), &database.url(scheme(kind)), "beaker.session.timeout = 600");
            let site = python.site(&ini);
            site.answer(&[
                Request::save("joe", "{'user_name': 'ąžuolas', 'since': datetime(2026, 1, 2)}"),
                Request::save("gone", "{'a': 1}"),
                Request::delete("gone"),
            ]);
            let loaded = site.load(&["joe", "nobody"]);
            assert_eq!(loaded[0].as_ref().expect("it is there")["user_name"].1, "ąžuolas");
            assert!(loaded[1].is_none());
            let names = database.run("SELECT namespace FROM beaker_cache ORDER BY namespace;");
            assert_eq!(names, "gone\njoe\n", "{kind:?}");
        }
    }
}

#[test]
fn the_table_is_the_one_that_is_written_down() {
    let python = python!();
    let columns = |kind| match kind {
        Kind::Postgres => {
            "id\tinteger\tNO\t\n\
             namespace\tcharacter varying\tNO\t255\n\
             accessed\ttimestamp without time zone\tNO\t\n\
             created\ttimestamp without time zone\tNO\t\n\
             data\tbytea\tNO\t\n"
        }
        _ => {
            "id\tint\tNO\tNULL\n\
             namespace\tvarchar\tNO\t255\n\
             accessed\tdatetime\tNO\tNULL\n\
             created\tdatetime\tNO\tNULL\n\
             data\tblob\tNO\t65535\n"
        }
    };
    for kind in Kind::ALL {
        let server = server!(kind);
        let database = server.create_database();
        let directory = tempfile::tempdir().expect("a directory");
        let ini = database_ini(directory.path(), &database.url(scheme(kind)), "");
        python.site(&ini).answer(&[Request::save("joe", "{}")]);
        let query = "SELECT column_name, data_type, is_nullable, character_maximum_length \
                     FROM information_schema.columns WHERE table_name = 'beaker_cache' \
                     AND table_schema IN ('public', database()) ORDER BY ordinal_position;";
        let query = match kind {
            Kind::Postgres => query.replace("database()", "''"),
            _ => query.to_owned(),
        };
        assert_eq!(database.run(&query), columns(kind), "{kind:?}");
        let indexes = match kind {
            Kind::Postgres => "SELECT indexname FROM pg_indexes WHERE tablename = 'beaker_cache' ORDER BY 1;",
            _ => {
                "SELECT index_name FROM information_schema.statistics WHERE table_name = 'beaker_cache' \
                 AND table_schema = database() ORDER BY 1;"
            }
        };
        let names = match kind {
            Kind::Postgres => "beaker_cache_namespace_key\nbeaker_cache_pkey\n",
            _ => "namespace\nPRIMARY\n",
        };
        assert_eq!(database.run(indexes), names, "{kind:?}");
    }
}

#[test]
fn a_server_of_ones_own_keeps_its_data_through_stops_and_crashes() {
    for kind in Kind::ALL {
        let server = own_server!(kind);
        assert_ne!(server.port(), server!(kind).port());
        let database = server.create_database();
        database.run("CREATE TABLE t (n int); INSERT INTO t VALUES (1);");
        server.stop();
        assert!(attempt(&database, User::SITE, "SELECT 1;").is_err(), "{kind:?}: it is stopped");
        server.start();
        database.run("INSERT INTO t VALUES (2);");
        server.kill();
        assert!(attempt(&database, User::SITE, "SELECT 1;").is_err(), "{kind:?}: it is dead");
        server.start();
        assert_eq!(database.run("SELECT n FROM t ORDER BY n;"), "1\n2\n", "{kind:?}\n{}", server.log());
        let (socket, port) = (server.socket(), server.port());
        drop(database);
        drop(server);
        assert!(!socket.exists() && !socket.parent().expect("a folder").exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "{kind:?}: nobody listens any more");
    }
}
