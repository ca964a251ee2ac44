//! Every linked store, opened for reading only by an ini file: a plugin that forgets it would change what a dry run shows.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use beakerhelpers_codec::{AccessedTime, Settings};
use beakerhelpers_core::{
    Access, CleanupMode, Cutoff, DeletePlan, ErrorKind, Payload, Record, Registry, Result, SaveMode, SessionId,
    SetupMode, Silent, Timestamp,
};
use beakerhelpers_testkit::servers::{Cluster, User};

use crate::processes::{self, ini, open_for};

fn is_refused<T>(what: &str, result: Result<T>) {
    let kind = result.err().map(|error| error.kind());
    assert_eq!(kind, Some(ErrorKind::Unsupported), "{what}");
}

/// Asks a place that is empty and set up for everything that changes it, and for what does not. `None`: the server is
/// missing.
fn refuses<G>(store_type: &str, place: Option<(G, String)>) {
    let Some((_guard, ini)) = place else { return };
    let (store, readonly) = (open_for(&ini, Access::ReadWrite), open_for(&ini, Access::ReadOnly));
    let info = readonly.info();
    assert_eq!(info.store_type, store_type);
    let id = SessionId::new("0123456789abcdef");
    let now = Timestamp::from(SystemTime::now());
    let record = |payload: &[u8]| {
        let payload = Payload::new(info.framing, payload.to_vec());
        Record::new(id.clone(), payload).with_times(Some(now), Some(now))
    };
    let there = record(b"ccopy_reg\n_reconstructor\n(cshop\nSession\nc__builtin__\nobject\nNtR(db.");
    store.save(&there, SaveMode::Create).expect("it is saved");
    // Durus keeps no pickles as they were written.
    let there = store.load(&id).expect("it loads").expect("it is there");

    for mode in [SaveMode::Create, SaveMode::Upsert] {
        is_refused(
            "save",
            readonly
                .save(&record(b"ccopy_reg\n_reconstructor\n(cshop\nSession\nc__builtin__\nobject\nNtRp1\n(db."), mode),
        );
    }
    is_refused("delete", readonly.delete(&id));
    if info.capabilities.setup {
        is_refused("setup", readonly.setup(SetupMode::IfMissing));
    }
    let cutoff = Cutoff::ago(now, Duration::from_secs(3600));
    let mut plan = DeletePlan::default().with_times(Arc::new(AccessedTime::new(Settings::new())));
    is_refused("delete_old", readonly.delete_old(cutoff, &plan, &mut Silent));
    plan.mode = CleanupMode::Count;
    let counted = readonly.delete_old(cutoff, &plan, &mut Silent).expect("it counts");
    assert_eq!(counted.deleted, 0, "{store_type}");

    assert!(readonly.has(&id).expect("it answers"), "{store_type}");
    let found = readonly.load(&id).expect("it loads").map(|record| record.payload);
    assert_eq!(found, Some(there.payload), "{store_type}");
}

fn shelve() -> (tempfile::TempDir, String) {
    ini("type = session2:shelve\nfilename = %(here)s/sessions")
}

fn cluster() -> Option<((tempfile::TempDir, Cluster), String)> {
    let cluster = Cluster::own()?;
    let urls = cluster.url(User::SITE).replace('%', "%%");
    let (directory, ini) = ini(&format!("type = ext:rediscluster\nurls = {urls}"));
    Some(((directory, cluster), ini))
}

#[test]
fn a_store_that_was_opened_to_be_read_is_not_written() {
    type Try = fn(&str);
    let tries: [(&str, Try); 12] = [
        ("dbm", |name| refuses(name, Some(processes::dbm::place()))),
        ("ext:database", |name| {
            refuses(name, Some(processes::sqlite::place()));
            refuses(name, processes::postgresql::place());
            refuses(name, processes::mariadb::place());
        }),
        ("ext:memcached", |name| refuses(name, processes::memcached::place())),
        ("ext:redis", |name| refuses(name, processes::redis::place())),
        ("ext:rediscluster", |name| refuses(name, cluster())),
        ("ext:sqla", |name| refuses(name, Some(processes::sqla::place()))),
        ("file", |name| refuses(name, Some(processes::file::place()))),
        ("session2:directory", |name| refuses(name, Some(processes::session2_directory::place()))),
        ("session2:durus", |name| {
            refuses(name, Some(processes::ini("type = session2:durus\nfile = %(here)s/sessions.durus")));
        }),
        ("session2:mysql", |name| refuses(name, processes::session2_mysql::place())),
        ("session2:postgres", |name| refuses(name, processes::session2_postgres::place())),
        ("session2:shelve", |name| refuses(name, Some(shelve()))),
    ];
    for (name, refuses) in tries {
        refuses(name);
    }
    // One has nothing to write to, the other is in the memory of a process, which nobody else can look at.
    let nowhere = ["cookie", "memory"];
    let registry = Registry::linked().expect("the plugins agree");
    let untried = registry.stores().map(|store| store.name).filter(|name| !nowhere.contains(name));
    let untried: Vec<_> = untried.filter(|name| tries.iter().all(|(tried, _)| tried != name)).collect();
    assert_eq!(untried, [""; 0], "add them here");
}
