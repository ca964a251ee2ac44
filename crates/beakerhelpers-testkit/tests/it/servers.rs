//! The database servers, and real Beaker on them.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use beakerhelpers_testkit::servers::{Database, Durability, Home, Kind, User, Via};
use beakerhelpers_testkit::{Request, Server, database_ini, own_server, python, server};
use serde_json::{Value as Json, json};

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
    for kind in Kind::SQL {
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
    for kind in Kind::SQL {
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

/// Python connects as SQLAlchemy would, once for each task: a URL, arguments for the driver, a query. What it gets for
/// it is the last column of the first row, or an error's text.
const CONNECT: &str = "\
import json, sqlalchemy, sys
def attempt(url, arguments, query):
    try:
        with sqlalchemy.create_engine(url, connect_args=arguments).connect() as connection:
            return {'Ok': connection.exec_driver_sql(query).first()[-1]}
    except Exception as error:
        return {'Err': str(error)}
print(json.dumps([attempt(*task) for task in json.loads(sys.argv[1])]))
";

#[test]
fn connections_are_encrypted_for_those_who_ask() {
    let python = python!();
    for kind in Kind::SQL {
        let server = server!(kind);
        let database = server.create_database();
        let query = match kind {
            Kind::Postgres => "select case when ssl then version end from pg_stat_ssl where pid = pg_backend_pid()",
            _ => "show status like 'Ssl_version'",
        };
        let full = |authority: PathBuf| match kind {
            Kind::Postgres => json!({ "sslmode": "verify-full", "sslrootcert": authority }),
            _ => json!({ "ssl": { "ca": authority, "check_hostname": true } }),
        };
        let verified = full(server.certificates().authority());
        let wrong = full(server.certificates().other_authority());
        let none = match kind {
            Kind::Postgres => json!({ "sslmode": "disable" }),
            _ => json!({ "ssl_disabled": true }),
        };
        let task = |user, via, arguments: &Json| json!([database.url_for(scheme(kind), user, via), arguments, query]);
        let tasks = json!([
            task(User::SITE, Via::Tcp, &verified),
            task(User::TLS_ONLY, Via::Tcp, &verified),
            task(User::SITE, Via::Tcp, &none),
            task(User::SITE, Via::Socket, &none),
            task(User::ADMIN, Via::Socket, &none),
            task(User::SITE, Via::Tcp, &wrong),
            task(User::TLS_ONLY, Via::Tcp, &none),
            task(User::ADMIN, Via::Tcp, &none),
        ]);
        let output = python.command().args(["-c", CONNECT, &tasks.to_string()]).output().expect("Python starts");
        let answers: Json = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
        let plain = if kind == Kind::Postgres { Json::Null } else { json!("") };
        let connected = [json!("TLSv1.3"), json!("TLSv1.3"), plain.clone(), plain.clone(), plain];
        for (answer, expected) in answers.as_array().expect("a list").iter().zip(connected) {
            assert_eq!(*answer, json!({ "Ok": expected }), "{kind:?}: {answers}");
        }
        let reasons = [(5, "certificate"), (6, User::TLS_ONLY.name), (7, User::ADMIN.name)];
        for (task, reason) in reasons {
            let refused = answers[task]["Err"].as_str().expect("it is refused");
            assert!(refused.contains(reason), "{kind:?}: {refused}");
        }
    }
}

#[test]
fn beaker_writes_what_it_reads_on_servers() {
    // The second with SQLAlchemy 1.4.
    for python in [python!(), python!("1.11.0")] {
        for kind in Kind::SQL {
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
    for kind in Kind::SQL {
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
    for kind in Kind::SQL {
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

#[test]
fn durability_is_none_or_that_of_the_packages() {
    for kind in Kind::SQL {
        let server = server!(kind);
        let settings = match kind {
            Kind::Postgres => "SHOW fsync; SHOW synchronous_commit; SHOW shared_buffers;",
            _ => {
                "SELECT @@innodb_flush_method; SELECT @@innodb_flush_log_at_trx_commit; \
                 SELECT @@innodb_buffer_pool_size DIV 1048576;"
            }
        };
        let (none, default) = match kind {
            Kind::Postgres => ("off\non\n32MB\n", "on\non\n512MB\n"),
            _ => ("nosync\n2\n64\n", "O_DIRECT\n1\n512\n"),
        };
        assert_eq!(server.run(None, settings), none);
        let home = Home::open(server.home()).expect("it is there");
        let durable = home.start(kind, Durability::Default).expect("it starts");
        assert_eq!(durable.run(None, settings), default);
    }
}

#[test]
fn a_replica_follows_its_primary() {
    for kind in Kind::SQL {
        let primary = own_server!(kind);
        let before = primary.create_database();
        before.run("CREATE TABLE t (n int); INSERT INTO t VALUES (1);");
        let replica = primary.replica();
        before.run("INSERT INTO t VALUES (2);");
        let ask = |sql: &str| {
            let mut client = replica.client(User::READER, Some(before.name())).expect("it is installed");
            let asked = client.args([if kind == Kind::Postgres { "-c" } else { "-e" }, sql]).output().expect("it runs");
            String::from_utf8(asked.stdout).expect("text")
        };
        let patience = Instant::now() + Duration::from_secs(60);
        while ask("SELECT n FROM t ORDER BY n;") != "1\n2\n" {
            assert!(Instant::now() < patience, "{kind:?}: it does not follow\n{}", replica.log());
        }
    }
}

#[test]
fn memcached_answers_until_it_is_stopped_and_forgets_everything() {
    use std::io::Read;
    use std::net::TcpStream;

    fn ask(server: &Server, command: &str, answer: &str) {
        let mut connection = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
        connection.write_all(command.as_bytes()).expect("it reads");
        let mut said = vec![0; answer.len()];
        connection.read_exact(&mut said).expect("it answers");
        assert_eq!(String::from_utf8_lossy(&said), answer);
    }
    let server = own_server!(Kind::Memcached);
    ask(&server, "set a 0 0 1\r\nx\r\n", "STORED\r\n");
    ask(&server, "get a\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n");
    server.stop();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.start();
    ask(&server, "get a\r\n", "END\r\n");
}
