//! Who may log in, how, and what becomes of those who may not.

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::servers::{Kind, User, Via};
use beakerhelpers_testkit::{python, server};

use crate::servers::place::{KEPT, OLD, Place, ROWS, on_each, on_each_own};

/// Everything that SQLAlchemy calls these databases, where the first is a server's own.
const fn schemes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Postgres => &[
            "postgresql",
            "postgres",
            "postgresql+psycopg2",
            "postgresql+psycopg",
            "postgresql+asyncpg",
            "postgresql+pg8000",
        ],
        _ => &["mysql", "mariadb", "mysql+pymysql", "mysql+mysqldb", "mysql+mysqlconnector", "mariadb+pymysql"],
    }
}

#[test]
fn every_url_of_sqlalchemys_is_understood() {
    let python = python!().with_time_zone("UTC");
    for kind in Kind::ALL {
        let server = server!(kind);
        let place = Place::on(&server, "");
        place.fill(&python, 100);
        let database = place.database();
        let mut urls = Vec::new();
        for scheme in schemes(kind) {
            for via in [Via::Tcp, Via::Socket] {
                // The password of this one must be encoded.
                urls.push(database.url_for(scheme, User::SITE, via));
                urls.push(database.url_for(scheme, User::READER, via));
            }
        }
        let tcp = database.url(schemes(kind)[0]);
        urls.push(tcp.replace("127.0.0.1", "localhost"));
        let queries: &[&str] = match kind {
            Kind::Postgres => &["?sslmode=disable", "?sslmode=prefer", "?client_encoding=utf8", "?connect_timeout=10"],
            _ => &["?charset=utf8mb4", "?charset=utf8", "?use_unicode=1", "?ssl_disabled=true"],
        };
        urls.extend(queries.iter().map(|query| format!("{tcp}{query}")));
        if kind == Kind::Postgres {
            let (start, rest) = tcp.split_once("127.0.0.1").expect("it is there");
            let (port, name) = rest.split_once('/').expect("it is there");
            urls.push(format!("{start}/{name}?host=127.0.0.1{}", port.replace(':', "&port=")));
            urls.push(format!("{start}/{name}?host=127.0.0.1{port}"));
        }
        for url in urls {
            place.configure(&url, "");
            let run = place.run("sessions", &["--format", "jsonl"]);
            assert_eq!((run.code, run.stdout.lines().count()), (0, 100), "{url}\n{}", run.stderr);
        }
    }
}

#[test]
fn a_wrong_password_is_tried_once() {
    on_each_own(|place, server| {
        place.configure(&place.url_for(User::SITE.with_password("w7ong-secret"), Via::Tcp), "");
        let refusals = || {
            let log = server.log();
            let of = |text: &str| log.lines().filter(|line| line.contains(text)).count();
            of("password authentication failed for user") + of("Access denied for user")
        };
        for (command, args) in [("sessions", &[][..]), ("cleanup", OLD), ("setup", &["--check"]), ("setup", &[])] {
            let before = refusals();
            let stderr = place.run(command, args).failed(exit::FAILED);
            assert!(stderr.contains("password") && !stderr.contains("w7ong"), "{stderr}");
            assert_eq!(refusals() - before, 1, "{command}: {}", server.log());
        }
        assert_eq!(place.count(), ROWS);
    });
}

#[test]
fn who_may_only_read_deletes_nothing_and_is_told_why() {
    on_each(|place| {
        place.configure(&place.url_for(User::READER, Via::Tcp), "");
        assert_eq!(place.run("sessions", &["--format", "jsonl", "--timeout", "30d"]).done().lines().count(), 600);
        let counted = place.clean(&["--dry-run"]);
        assert_eq!((&counted["deleted"], &counted["kept"]), (&(ROWS - KEPT).into(), &KEPT.into()));
        for (command, args) in [
            ("cleanup", OLD),
            ("setup", &["--index"]),
            ("setup", &["--recreate", "--yes"]),
            ("delete", &["--where", "user_name=joe@doe.com", "--yes"]),
        ] {
            let run = place.run(command, args);
            assert_eq!(run.code, exit::FAILED, "{command}: {run:?}");
            let told = ["may not", "only the owner"].iter().any(|why| run.stderr.contains(why));
            assert!(run.stderr.contains("error: ") && told, "{command}: {run:?}");
        }
        assert_eq!(place.count(), ROWS);
    });
}

/// What the client libraries take down when the process ends must be in nobody's use: this crashed one time in twenty
/// where the thread that reads ahead was still at work.
#[test]
fn a_listing_that_is_given_up_ends_the_process_in_peace() {
    on_each(|place| {
        place.configure(&place.url_for(User::READER, Via::Tcp), "");
        for _ in 0..60 {
            let run = place.run("delete", &["--where", "user_name=joe@doe.com", "--yes"]);
            assert!(run.code == exit::FAILED && run.stderr.contains("may not"), "{run:?}");
        }
    });
}

#[test]
fn who_may_not_even_read_is_told_so() {
    on_each(|place| {
        place.configure(&place.url_for(User::STRANGER, Via::Tcp), "");
        for (command, args) in [("sessions", &[][..]), ("cleanup", OLD)] {
            let stderr = place.run(command, args).failed(exit::FAILED);
            assert!(stderr.contains("may not"), "{command}: {stderr}");
        }
        assert_eq!(place.count(), ROWS);
    });
}

#[test]
fn a_missing_password_is_that_of_the_users_file() {
    on_each(|place| {
        let url = place.url_for(User::READER, Via::Tcp);
        place.configure(&url.replace(&format!(":{}@", User::READER.password), "@"), "");
        place.run("sessions", &["--format", "jsonl"]).failed(exit::FAILED);
        let (name, text) = match place.kind() {
            Some(Kind::Postgres) => {
                (".pgpass", format!("127.0.0.1:*:*:{}:{}\n", User::READER.name, User::READER.password))
            }
            _ => (".my.cnf", format!("[client]\npassword = \"{}\"\n", User::READER.password)),
        };
        let file = place.path().join(name);
        std::fs::write(&file, text).expect("it can be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).expect("it is ours");
        assert_eq!(place.run("sessions", &["--format", "jsonl"]).done().lines().count(), 6_000);
    });
}
