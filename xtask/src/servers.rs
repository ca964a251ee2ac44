//! The servers of the tests and the benchmarks.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Durability, Home, Kind, User, Via};

use crate::ci::{members, name};
use crate::packages::bring;
use crate::run::{Result, output, say, target};
use crate::test::{Skips, chosen};

/// What packages ask for in their manifests, under `[package.metadata.tests]`.
const NAMES: [(&str, Kind); 4] =
    [("postgres", Kind::Postgres), ("mariadb", Kind::MariaDb), ("memcached", Kind::Memcached), ("redis", Kind::Redis)];

/// Starts what the tests of the packages need that arguments of cargo choose. What cannot be had is told, and the tests
/// that need it are skipped, unless this is forbidden.
pub(crate) fn for_tests(args: &[String], skips: Skips) -> Result<Vec<Server>> {
    let kinds = needed(args)?;
    if skips == Skips::Forbidden {
        return start(&kinds, Durability::None);
    }
    let there: Vec<Kind> = kinds
        .into_iter()
        .filter(|kind| bring_programs(*kind).inspect_err(|why| say(&format!("warning: {why}"))).is_ok())
        .collect();
    start(&there, Durability::None)
}

/// Starts servers, all at once, and installs what they need where this may be done. They end when they are dropped.
pub(crate) fn start(kinds: &[Kind], durability: Durability) -> Result<Vec<Server>> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    for kind in kinds {
        bring_programs(*kind)?;
    }
    let began = Instant::now();
    let home = Home::open(&target().join("servers")).map_err(|error| error.to_string())?;
    let servers: Result<Vec<_>> = thread::scope(|scope| {
        let home = &home;
        let starting: Vec<_> = kinds.iter().map(|kind| scope.spawn(move || home.start(*kind, durability))).collect();
        let all = starting.into_iter().map(|one| one.join().expect("starting does not panic"));
        all.map(|server| server.map_err(|error| error.to_string())).collect()
    });
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    say(&format!("{} started in {:.1} s", names.join(" and "), began.elapsed().as_secs_f64()));
    servers
}

/// `cargo xtask serve`.
pub(crate) fn serve() -> Result {
    // Not in the head of the loop: they are to outlive it.
    let servers = start(&Kind::ALL, Durability::None)?;
    for server in &servers {
        let kind = server.kind();
        let (scheme, database) = match kind {
            Kind::Postgres => ("postgresql", "postgres"),
            Kind::Memcached => {
                say(&format!("\n{}, port {}", kind.name(), server.port()));
                continue;
            }
            Kind::Redis => ("redis", "0"),
            _ => ("mysql", "mysql"),
        };
        say(&format!("\n{}, port {}", kind.name(), server.port()));
        let socket_scheme = if kind == Kind::Redis { "unix" } else { scheme };
        say(&format!("  {:<9} {}", User::ADMIN.name, server.url(socket_scheme, User::ADMIN, database, Via::Socket)));
        let tls_only = Some(User::TLS_ONLY).filter(|_| kind != Kind::Redis);
        for user in [User::SITE, User::READER, User::STRANGER].into_iter().chain(tls_only) {
            say(&format!("  {:<9} {}", user.name, server.url(scheme, user, database, Via::Tcp)));
        }
        say(&format!("  CA        {}", server.certificates().authority().display()));
        let (variable, facts) = server.environment();
        say(&format!("  for tests {variable}='{facts}'"));
    }
    say("\nCtrl-C ends them and removes their data");
    loop {
        // A signal ends this process, and with it the servers.
        thread::park();
    }
}

/// What the chosen packages ask for; everything where a choice is not to be understood.
fn needed(args: &[String]) -> Result<Vec<Kind>> {
    let chosen = chosen(args);
    let mut names = BTreeSet::new();
    let mut known = 0;
    for member in members()? {
        if chosen.is_empty() || chosen.contains(&Some(name(&member)?)) {
            known += 1;
            let wanted = member["metadata"]["tests"]["servers"].as_array().into_iter().flatten();
            names.extend(wanted.filter_map(|name| name.as_str().map(str::to_owned)));
        }
    }
    if let Some(unknown) = names.iter().find(|name| !NAMES.iter().any(|(known, _)| known == name)) {
        return Err(format!("a manifest asks for the server `{unknown}`, which nobody knows"));
    }
    let all = !chosen.is_empty() && known < chosen.len();
    Ok(NAMES.into_iter().filter(|(name, _)| all || names.contains(*name)).map(|(_, kind)| kind).collect())
}

/// Installs what makes the server: of Debian's packages those that start no server of the system's.
fn bring_programs(kind: Kind) -> Result {
    bring("openssl", "there is no `openssl` to make certificates with", || {
        output(Command::new("openssl").arg("version")).is_ok()
    })?;
    let lacks = format!("{} is missing", kind.name());
    let there = || kind.find().is_ok();
    match kind {
        _ if there() => Ok(()),
        Kind::Postgres => without_system_cluster(|| bring("postgresql", &lacks, there)),
        Kind::Memcached => without_services(|| bring("memcached", &lacks, there)),
        // The program is in there, and the package of the server would only start one.
        Kind::Redis => bring("redis-tools", &lacks, there),
        _ => bring("mariadb-server-core mariadb-client-core", &lacks, there),
    }
}

/// Debian's package makes a cluster for the system and starts it, unless a file of postgresql-common says otherwise.
fn without_system_cluster(install: impl FnOnce() -> Result) -> Result {
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    let file = folder.join("beakerhelpers.conf");
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || !Path::new("/etc/debian_version").is_file() {
        return install();
    }
    let made = fs::create_dir_all(folder).and_then(|()| fs::write(&file, "create_main_cluster = false\n"));
    made.map_err(|error| format!("{}: {error}", file.display()))?;
    let installed = install();
    fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    installed
}

/// Debian's packages start what they bring, unless this program of the system's administrator forbids it.
fn without_services(install: impl FnOnce() -> Result) -> Result {
    let file = Path::new("/usr/sbin/policy-rc.d");
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || !Path::new("/etc/debian_version").is_file() || file.exists() {
        return install();
    }
    let made = fs::write(file, "#!/bin/sh\nexit 101\n")
        .and_then(|()| fs::set_permissions(file, fs::Permissions::from_mode(0o755)));
    made.map_err(|error| format!("{}: {error}", file.display()))?;
    let installed = install();
    fs::remove_file(file).map_err(|error| format!("{}: {error}", file.display()))?;
    installed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_started_for_those_who_ask() {
        let needed = |words: &str| needed(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(needed("-p beakerhelpers-codec"), Ok(vec![]));
        assert_eq!(needed("-p beakerhelpers-codec --package=beakerhelpers-testkit"), Ok(Kind::ALL.to_vec()));
        assert_eq!(needed(""), Ok(Kind::ALL.to_vec()));
        assert_eq!(needed("--test it -- -p"), Ok(Kind::ALL.to_vec()));
        // A pattern: cargo knows what it stands for.
        assert_eq!(needed("-p beakerhelpers-c*"), Ok(Kind::ALL.to_vec()));
    }
}
