//! Sites that move from one store to another.
#![expect(clippy::print_stdout, reason = "a test that fails says between which databases")]

mod ends;
mod forms;
mod live;
mod objects;
mod stores;
mod switch;

use std::path::Path;

use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{Loaded, Python, python, server};
use serde_json::Value as Json;

use crate::run::{Run, binary, finish};
use crate::servers::place::{Place, without_passwords};

/// What a site has that forgets a visitor after an hour.
const HOURLY: &str = "beaker.session.timeout = 3600";

/// Enough for some seconds at a hundred a second.
const ROWS: u64 = 600;

/// Copies sessions, or counts or compares them.
#[track_caller]
fn copy(from: &Place<'_>, to: &Place<'_>, args: &[&str]) -> Run {
    copy_by(&from.ini(), &to.ini(), args)
}

/// The same with the ini files.
#[track_caller]
fn copy_by(from: &Path, to: &Path, args: &[&str]) -> Run {
    let home = from.parent().expect("it is in a folder");
    without_passwords(finish(binary().arg("copy").arg(from).arg(to).args(args).env("HOME", home)))
}

/// What is new, changed, unchanged, newer in TO, logged out and failed, by the summary of a run that ended well.
#[track_caller]
fn counts(from: &Place<'_>, to: &Place<'_>, args: &[&str]) -> [u64; 6] {
    counts_by(&from.ini(), &to.ini(), args)
}

#[track_caller]
fn counts_by(from: &Path, to: &Path, args: &[&str]) -> [u64; 6] {
    numbers(&copy_by(from, to, &[&["--format", "json"], args].concat()).done())
}

#[track_caller]
fn numbers(summary: &str) -> [u64; 6] {
    let summary: Json = serde_json::from_str(summary).expect("the summary is JSON");
    ["new", "changed", "unchanged", "newer", "logged_out", "failed"]
        .map(|name| summary[name].as_u64().expect("a number"))
}

/// Does something with each sort of database as FROM and as TO, empty ones, both of which belong to the test.
fn between_each(keys: &str, test: impl Fn(&Python, &Place<'_>, &Place<'_>)) {
    let python = python!().with_time_zone("UTC");
    let (postgres, mariadb) = (server!(Kind::Postgres), server!(Kind::MariaDb));
    let sqlite = || Place::sqlite(keys);
    for (name, from, to) in [
        ("SQLite to PostgreSQL", sqlite(), Place::on(&postgres, keys)),
        ("PostgreSQL to MariaDB", Place::on(&postgres, keys), Place::on(&mariadb, keys)),
        ("MariaDB to SQLite", Place::on(&mariadb, keys), sqlite()),
    ] {
        println!("{name}");
        test(&python, &from, &to);
    }
}

/// What Beaker finds of these sessions, without the time of this look at them.
fn loaded(python: &Python, place: &Place<'_>, ids: &[&str]) -> Vec<Option<Loaded>> {
    loaded_by(python, &place.ini(), ids)
}

fn loaded_by(python: &Python, ini: &Path, ids: &[&str]) -> Vec<Option<Loaded>> {
    let mut loaded = python.site(ini).load(ids);
    loaded.iter_mut().flatten().for_each(|session| drop(session.remove("_accessed_time")));
    loaded
}
