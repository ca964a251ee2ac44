//! A site whose sessions are in SQLite, in PostgreSQL or in MariaDB.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{Timestamp, Zone};
use beakerhelpers_testkit::servers::{Database, Kind, User, Via};
use beakerhelpers_testkit::{Python, Request, Server, database_ini, own_server, python, server};

use crate::run::{Run, binary, finish};
use crate::shop::{DAY, Shop};

/// A site that is in a database of its own. Its host's clock shows UTC.
#[derive(Debug)]
pub(crate) struct Place<'s> {
    /// The ini file, and where there is no server the database too.
    shop: Shop,
    database: Option<Database<'s>>,
    now: Timestamp,
}

/// Cleanups delete what is older: `-t 20d --grace 10d`.
pub(crate) const OLD: &[&str] = &["-t", "20d", "--grace", "10d"];

/// How many sessions [`on_each`] has, and how many of them a cleanup of what is [`OLD`] keeps.
pub(crate) const ROWS: i64 = 6_000;
pub(crate) const KEPT: i64 = 600;
/// Forty batches, and a rest after each of them.
pub(crate) const SLOWLY: &[&str] = &["--batch-size", "150", "--sleep", "100ms", "--format", "json"];

/// Does something on each server, which all tests share, with a table of [`ROWS`] sessions.
pub(crate) fn on_each(test: impl Fn(&Place<'_>)) {
    let python = python!().with_time_zone("UTC");
    for kind in Kind::SQL {
        let server = server!(kind);
        test(&Place::filled(&server, &python));
    }
}

/// Does something with SQLite, and on each server, which all tests share, with a table of [`ROWS`] sessions.
pub(crate) fn on_all(test: impl Fn(&Place<'_>)) {
    test(&on_sqlite(&python!().with_time_zone("UTC")));
    on_each(test);
}

/// An SQLite file with a table of [`ROWS`] sessions.
pub(crate) fn on_sqlite(python: &Python) -> Place<'static> {
    println!("SQLite");
    let place = Place::sqlite("");
    place.fill(python, ROWS.unsigned_abs());
    place
}

/// Does something on each server, one that the test has for itself.
pub(crate) fn on_each_own(test: impl Fn(&Place<'_>, &Server)) {
    let python = python!().with_time_zone("UTC");
    for kind in Kind::SQL {
        let server = own_server!(kind);
        test(&Place::filled(&server, &python), &server);
    }
}

/// How Beaker's site calls the driver.
pub(crate) const fn scheme(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgresql+psycopg2",
        _ => "mysql+pymysql",
    }
}

impl<'s> Place<'s> {
    /// An empty directory for an SQLite file.
    pub(crate) fn sqlite(keys: &str) -> Self {
        let now: Timestamp = SystemTime::now().into();
        // Ages are in whole seconds.
        let now = Timestamp::from_secs(now.as_micros() / 1_000_000);
        Self { shop: Shop::in_memory(now, keys), database: None, now }
    }

    /// An empty database on a server.
    pub(crate) fn on(server: &'s Server, keys: &str) -> Self {
        let place = Self { database: Some(server.create_database()), ..Self::sqlite(keys) };
        place.configure(&place.url_for(User::SITE, Via::Tcp), keys);
        place
    }

    fn filled(server: &'s Server, python: &Python) -> Self {
        // Where the test fails this is shown.
        println!("{}", server.kind().name());
        let place = Self::on(server, "");
        place.fill(python, ROWS.unsigned_abs());
        place
    }

    /// Writes the ini file anew.
    pub(crate) fn configure(&self, url: &str, keys: &str) {
        database_ini(self.shop.path(), url, keys);
    }

    /// Has the sessions in a table of `ext:sqla`, which has no numbers.
    pub(crate) fn use_ext_sqla(&self) {
        let text = fs::read_to_string(self.ini()).expect("it was written");
        // Without a folder for locks Beaker (1.14.1) fails on it.
        let locks = self.path().join("locks").display().to_string();
        let text = text.replace("ext:database", "ext:sqla") + &format!("beaker.session.lock_dir = {locks}\n");
        fs::write(self.ini(), text).expect("it was written");
    }

    /// The URL of the database on its server.
    pub(crate) fn url_for(&self, user: User, via: Via) -> String {
        self.database().url_for(scheme(self.database().server().kind()), user, via)
    }

    pub(crate) fn database(&self) -> &Database<'s> {
        self.database.as_ref().expect("it is on a server")
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        self.database.as_ref().map(|database| database.server().kind())
    }

    pub(crate) fn path(&self) -> &Path {
        self.shop.path()
    }

    pub(crate) fn ini(&self) -> PathBuf {
        self.shop.ini()
    }

    /// A command of the binary with the ini file.
    pub(crate) fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = binary();
        // No file of whoever runs the tests.
        command.arg(name).arg(self.ini()).args(args).env("HOME", self.path());
        command
    }

    /// Runs a command of the binary with the ini file. Whatever it prints, no password is in it.
    #[track_caller]
    pub(crate) fn run(&self, name: &str, args: &[&str]) -> Run {
        without_passwords(finish(&mut self.command(name, args)))
    }

    /// Runs a cleanup of what is [`OLD`], and gives its summary. It must end well.
    #[track_caller]
    pub(crate) fn clean(&self, args: &[&str]) -> serde_json::Value {
        let run = self.run("cleanup", &[OLD, &["--format", "json"], args].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        serde_json::from_str(&run.stdout).expect("the summary is JSON")
    }

    pub(crate) fn sql(&self, script: &str) {
        match &self.database {
            Some(database) => drop(database.run(script)),
            None => self.shop.sql(script),
        }
    }

    /// A number that SQL gives under the name `n`.
    pub(crate) fn number(&self, query: &str) -> i64 {
        match &self.database {
            Some(database) => {
                let answer = database.run(&format!("{query};"));
                answer.trim().parse().unwrap_or_else(|_| panic!("{query}: {answer}"))
            }
            None => self.shop.number(query),
        }
    }

    /// The texts that SQL gives under the name `t`. They hold no line feeds.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        match &self.database {
            Some(database) => database.run(&format!("{query};")).lines().map(str::to_owned).collect(),
            None => self.shop.texts(query),
        }
    }

    pub(crate) fn count(&self) -> i64 {
        self.number("SELECT count(*) AS n FROM beaker_cache")
    }

    /// What the site's clock showed so long ago, as SQL compares `accessed` with it.
    pub(crate) fn ago(&self, age: Duration) -> String {
        let mut text = Zone::UTC.naive_at(self.now.earlier_by(age)).to_string();
        if self.kind().is_some() {
            text.truncate(19);
        }
        format!("'{text}'")
    }

    /// Every row but its number, contents by their digest, sorted.
    pub(crate) fn rows(&self) -> Vec<String> {
        let digest = if self.kind().is_some() { "md5" } else { "hex" };
        let mut rows = self.texts(&format!(
            "SELECT concat(namespace, ' ', accessed, ' ', created, ' ', {digest}(data)) AS t FROM beaker_cache"
        ));
        rows.sort_unstable();
        rows
    }

    /// How many are older than a cleanup leaves.
    pub(crate) fn old(&self) -> i64 {
        let old = self.ago(30 * DAY);
        self.number(&format!("SELECT count(*) AS n FROM beaker_cache WHERE accessed < {old}"))
    }

    /// Lets Beaker create its table, and puts so many sessions into it, all with contents that Beaker wrote. Nine of ten
    /// are older than 40 days; one of a hundred is older than 20 days and younger than 30; the others are active, and no
    /// younger than a day: the time inside of all of them is that of the one that Beaker wrote. Ages are shuffled over
    /// numbers and ids.
    pub(crate) fn fill(&self, python: &Python, rows: u64) {
        let contents = "{'user_name': 'joe@doe.com', 'cart': [1, 2, 3], 'seen': datetime(2026, 1, 2)}";
        python.site(&self.ini()).answer(&[Request::save("model", contents)]);
        self.sql(&self.insert(rows));
        self.sql("DELETE FROM beaker_cache WHERE namespace = 'model';");
    }

    /// Fills the table anew as [`fill`](Self::fill) does, with contents that are in it.
    pub(crate) fn refill(&self, rows: u64) {
        let one = self.texts("SELECT min(namespace) AS t FROM beaker_cache").remove(0);
        self.sql(&format!("DELETE FROM beaker_cache WHERE namespace <> '{one}';"));
        self.sql("UPDATE beaker_cache SET namespace = 'model';");
        self.sql(&self.insert(rows));
        self.sql("DELETE FROM beaker_cache WHERE namespace = 'model';");
    }

    fn insert(&self, rows: u64) -> String {
        let base = self.ago(Duration::ZERO);
        let (before, zero, id, time) = match self.kind() {
            None => (
                "",
                "0",
                "printf('%016x%016x', n * 2654435761 % 4294967296, n)",
                format!("datetime({base}, '-' || age || ' seconds') || '.000000'"),
            ),
            Some(Kind::Postgres) => {
                ("", "0::bigint", "md5(n::text)", format!("timestamp {base} - age * interval '1 second'"))
            }
            Some(_) => (
                "SET max_recursive_iterations = 4294967295;",
                "0",
                "md5(n)",
                format!("timestamp {base} - INTERVAL age SECOND"),
            ),
        };
        format!(
            "{before} INSERT INTO beaker_cache (namespace, accessed, created, data) \
             WITH RECURSIVE numbers(n) AS (SELECT {zero} UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows} - 1), \
             ages AS (SELECT n, CASE WHEN n * 7919 % {rows} < {old} THEN 3456000 + n * 7919 % {rows} * 20 \
             WHEN n * 7919 % {rows} < {graced} THEN 2160000 ELSE 86400 + n * 7919 % {rows} * 10007 % 700000 END AS age FROM numbers) \
             SELECT {id}, {time}, {time}, (SELECT data FROM beaker_cache WHERE namespace = 'model') FROM ages;",
            old = rows * 9 / 10,
            graced = rows * 91 / 100,
        )
    }
}

/// Makes sure that nobody's password is in what was printed, in whatever form.
#[track_caller]
pub(crate) fn without_passwords(run: Run) -> Run {
    for user in [User::SITE, User::READER, User::TLS_ONLY, User::STRANGER] {
        for form in [user.password.to_owned(), user.password.replace('%', "%25"), "p%40ss".to_owned()] {
            assert!(!run.stdout.contains(&form) && !run.stderr.contains(&form), "a password is in it: {run:?}");
        }
    }
    run
}
