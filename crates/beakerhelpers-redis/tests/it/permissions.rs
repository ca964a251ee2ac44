//! Users who may do what the guide says that they need, and nothing else.

use beakerhelpers_core::{ErrorKind, Progress, Query, Record, Result, SaveMode, SessionId, SessionStore, Silent};
use beakerhelpers_testkit::own_server;
use beakerhelpers_testkit::servers::{Kind, User, Via};

use crate::support::{Turn, an_hour, cluster_config, config, hours_ago, list, open, padded, plan, record, save, told};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/stores/redis.md");

/// The guide's lines that make users: those for every server, and those for clusters besides.
fn lines() -> [String; 2] {
    let guide = std::fs::read_to_string(GUIDE).expect("the guide is there");
    let lines = guide.lines().filter(|line| line.starts_with("ACL SETUSER "));
    let (all, cluster): (Vec<_>, Vec<_>) = lines.partition(|line| line.contains(" on >password "));
    assert_eq!((all.len(), cluster.len()), (3, 3));
    [all, cluster].map(|lines| lines.join("\n") + "\n")
}

/// Some that are old, longer than what is read at once, and a young one.
fn fill(store: &dyn SessionStore) {
    (0..31).for_each(|n| save(store, &padded(&format!("old-{n}"), hours_ago(2), 20_000 + 9_000 * n)));
    save(store, &record("young", hours_ago(0)));
}

/// Keeps nothing.
struct Archive;

impl Progress for Archive {
    fn archive(&mut self, _: &[Record]) -> Result<()> {
        Ok(())
    }
}

fn suffices(lister: &dyn SessionStore, cleaner: &dyn SessionStore, writer: &dyn SessionStore) {
    let young = SessionId::new("young");
    let new = record("new", hours_ago(0));
    for mode in [SaveMode::Create, SaveMode::Upsert] {
        writer.save(&new, mode).expect("it may");
        assert_eq!(writer.load(&new.id).expect("it may").expect("it is there").payload, new.payload);
    }
    assert!(writer.delete(&new.id).expect("it may") && !writer.has(&new.id).expect("it may"));
    assert_eq!(list(lister, Query::ALL.with_expiry()).len(), 32);
    assert!(lister.load(&young).expect("it may").is_some());
    assert!(lister.has(&young).expect("it may"));
    assert_eq!(told(lister.delete(&young)).0, ErrorKind::PermissionDenied);
    assert_eq!(told(lister.delete_old(an_hour(), &plan(), &mut Silent)).0, ErrorKind::PermissionDenied);
    let mut archiving = plan();
    archiving.archive = true;
    archiving.limit = Some(10);
    assert_eq!(cleaner.delete_old(an_hour(), &archiving, &mut Archive).expect("it may").deleted, 10);
    let done = cleaner.delete_old(an_hour(), &plan(), &mut Silent).expect("it may");
    assert_eq!((done.deleted, done.kept), (21, 1), "{done:?}");
}

#[test]
fn what_the_guide_allows_suffices_and_what_is_missing_is_named() {
    let server = own_server!(Kind::Redis);
    fill(&*open(&config(&server.url("redis", User::SITE, "2", Via::Tcp))));
    let [all, _] = lines();
    server.run(None, &all);
    let of = |user: &str| open(&config(&format!("redis://{user}:password@127.0.0.1:{}/2", server.port())));
    suffices(&*of("lister"), &*of("cleaner"), &*of("writer"));
    for (missing, user) in [("select", "lister"), ("scan", "lister"), ("select", "cleaner"), ("del", "cleaner")] {
        server.run(None, &format!("{all}ACL SETUSER {user} -{missing}\n"));
        save(&*open(&config(&server.url("redis", User::SITE, "2", Via::Tcp))), &record("old", hours_ago(2)));
        let (kind, report) = told(match user {
            "lister" => of(user).iter(Query::ALL).next().expect("it says something").map(drop),
            _ => of(user).delete_old(an_hour(), &plan(), &mut Silent).map(drop),
        });
        assert_eq!(kind, ErrorKind::PermissionDenied, "{report}");
        let (_, hint) = report.split_once(&format!("ACL SETUSER {user} ")).expect("it says what to allow");
        assert!(hint.contains(&format!("+{missing}")), "{report}");
    }
}

#[test]
fn what_the_guide_allows_suffices_in_a_cluster_too() {
    let Some(turn) = Turn::take() else { return };
    fill(&*open(&cluster_config(turn.cluster, User::SITE)));
    let of = |user: &str| {
        let config = cluster_config(turn.cluster, User::SITE);
        open(&config.with("username", user).with("password", "password"))
    };
    let [all, besides] = lines();
    let each = |lines: &str| lines.lines().for_each(|line| drop(turn.cluster.run(&format!("{line}\n"))));
    each(&all);
    each(&besides);
    suffices(&*of("lister"), &*of("cleaner"), &*of("writer"));
    for missing in ["ping", "cluster|slots"] {
        each(&format!("ACL SETUSER lister -{missing}"));
        let (kind, report) = told(of("lister").load(&SessionId::new("young")));
        assert!(kind == ErrorKind::PermissionDenied && report.contains(&format!("`{missing}`")), "{report}");
        each(&format!("ACL SETUSER lister +{missing}"));
    }
}
