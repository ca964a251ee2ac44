//! Beside real Beaker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use beakerhelpers_codec::{AccessedTime, Decoded, Decoder, Encoder, Settings};
use beakerhelpers_core::{
    Config, Cutoff, DeletePlan, Framing, Query, Record, SaveMode, SessionId, SessionStore, Silent, Timestamp,
};
use beakerhelpers_testkit::{Python, Request, python};

use crate::support::{Servers, open};

/// Contents as Python writes them, long enough that libraries which compress do so.
const CONTENTS: &str = "{'user': 'ann', 'n': 7, 'long': 'x' * 1000}";

pub(crate) fn ini(directory: &Path, servers: &Servers, keys: &str) -> PathBuf {
    let ini = directory.join("site.ini");
    let text = format!(
        "[app:main]\nbeaker.session.type = ext:memcached\nbeaker.session.url = {}\nbeaker.session.lock_dir = %(here)s/lock\n{keys}\n",
        servers.url()
    );
    std::fs::write(&ini, text).expect("an ini file can be written");
    ini
}

pub(crate) fn store(ini: &Path) -> (Box<dyn SessionStore>, Settings) {
    let config = Config::load(ini).and_then(|config| config.store("beaker.session")).expect("it is right");
    (open(&config), Settings::from_config(&config).expect("it is right"))
}

pub(crate) fn ids(store: &dyn SessionStore) -> Vec<String> {
    let mut ids: Vec<_> =
        store.iter(Query::ALL).map(|record| record.expect("it lists").id.as_str().to_owned()).collect();
    ids.sort();
    ids
}

/// What Beaker saves is read, what is saved here Beaker reads, and what is deleted here is gone for Beaker.
pub(crate) fn both_ways(python: &Python, servers: &Servers, keys: &str) {
    let directory = tempfile::tempdir().expect("a folder");
    let ini = ini(directory.path(), servers, keys);
    let site = python.site(&ini);
    let names = ["79b4837b1d4148dcb98329c795314f78", "with space", "ąžuolas", "100%", &"l".repeat(300)];
    site.answer(&names.map(|id| Request::save(id, CONTENTS)));
    let (store, settings) = store(&ini);
    let mut listed: Vec<_> = names[..4].iter().map(ToString::to_string).collect();
    listed.sort();
    assert_eq!(ids(&*store), listed, "{keys}: the key of the last is a digest, which tells no id");
    let mut decoder = Decoder::with_settings(settings.clone());
    let mut encoder = Encoder::with_settings(settings);
    let mut copies = Vec::new();
    for id in names {
        let record = store.load(&SessionId::new(id)).expect("it answers").expect("it is there");
        let session = decoder.decode(&record.payload).unwrap_or_else(|error| panic!("{keys}, {id}: {error:?}"));
        let Decoded::Session(session) = session else { panic!("{keys}, {id}: no session") };
        assert_eq!(session.len(), 7, "{keys}: three of its own, and Beaker's four");
        // The other way: under another id, and over itself.
        let payload = encoder.encode(&session, Framing::Text).expect("it is encoded");
        for copy in [format!("{}-copy", copies.len()), id.to_owned()] {
            let record = Record::new(SessionId::new(copy.as_str()), payload.clone());
            store.save(&record, SaveMode::Upsert).expect("it saves");
            copies.push(copy);
        }
    }
    let copies: Vec<&str> = copies.iter().map(String::as_str).collect();
    for (copy, loaded) in copies.iter().zip(site.load(&copies)) {
        let loaded = loaded.unwrap_or_else(|| panic!("{keys}: Beaker finds no {copy:?}"));
        assert_eq!(loaded["user"], ("str".to_owned(), "ann".to_owned()), "{keys}");
        assert_eq!(loaded["long"].1.len(), 1000);
    }
    for copy in &copies {
        assert!(store.delete(&SessionId::new(*copy)).expect("it deletes"));
    }
    assert!(site.load(&copies).iter().all(Option::is_none), "{keys}");
    assert_eq!(ids(&*store), [""; 0]);
}

pub(crate) const SECRETS: &str = "beaker.session.encrypt_key = k\nbeaker.session.validate_key = v\n";

#[test]
fn python_memcached() {
    let python = python!();
    for number in [1, 3] {
        let Some(servers) = Servers::take(number) else { return };
        for more in ["", "beaker.session.data_serializer = json\n", SECRETS] {
            both_ways(&python, &servers, &format!("beaker.session.memcache_module = memcache\n{more}"));
        }
        both_ways(&python, &servers, "");
    }
}

#[test]
fn python_binary_memcached() {
    let python = python!();
    for number in [1, 2] {
        let Some(servers) = Servers::take(number) else { return };
        for more in ["", "beaker.session.data_serializer = json\n", SECRETS] {
            both_ways(&python, &servers, &format!("beaker.session.memcache_module = bmemcached\n{more}"));
        }
    }
}

/// A session that the other library has saved keeps its form, though nothing says which library it is.
#[test]
fn what_is_there_tells_the_library() {
    let python = python!();
    let Some(servers) = Servers::take(1) else { return };
    let directory = tempfile::tempdir().expect("a folder");
    let with_module = ini(directory.path(), &servers, "beaker.session.memcache_module = bmemcached\n");
    let site = python.site(&with_module);
    site.answer(&[Request::save("a", "{'user': 'ann'}")]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (store, _) = store(&ini(elsewhere.path(), &servers, ""));
    let record = store.load(&SessionId::new("a")).expect("it answers").expect("it is there");
    store.save(&record, SaveMode::Upsert).expect("it saves");
    assert!(site.load(&["a"])[0].is_some());
}

/// python-memcached pickles by protocol 0.
#[test]
fn beaker_1_11() {
    dicts(&python!("1.11.0"), "memcache");
}

/// Up to 1.11 a session is a dict, which the client library pickles.
pub(crate) fn dicts(python: &Python, module: &str) {
    let Some(servers) = Servers::take(1) else { return };
    let directory = tempfile::tempdir().expect("a folder");
    let ini = ini(directory.path(), &servers, &format!("beaker.session.memcache_module = {module}\n"));
    let site = python.site(&ini);
    site.answer(&[Request::save("a", CONTENTS)]);
    assert!(servers.item(0, "a_session").starts_with("VALUE a_session 1 "));
    let (store, settings) = store(&ini);
    let record = store.load(&SessionId::new("a")).expect("it answers").expect("it is there");
    let decoded = Decoder::with_settings(settings).decode(&record.payload).expect("it is read");
    assert!(matches!(decoded, Decoded::Session(session) if session.len() == 7));
    for id in ["a", "b"] {
        let copy = Record::new(SessionId::new(id), record.payload.clone());
        store.save(&copy, SaveMode::Upsert).expect("it saves");
        let loaded = site.load(&[id]).remove(0).expect("Beaker finds it");
        assert_eq!(loaded["user"], ("str".to_owned(), "ann".to_owned()));
    }
    assert_eq!(ids(&*store), ["a", "b"]);
}

#[test]
fn a_cleanup_beside_a_live_site_loses_nothing() {
    let python = python!();
    let Some(servers) = Servers::take(2) else { return };
    let directory = tempfile::tempdir().expect("a folder");
    let ini = ini(directory.path(), &servers, "");
    let site = python.site(&ini);
    let now = Timestamp::from(std::time::SystemTime::now());
    let before = |secs| now.earlier_by(Duration::from_secs(secs));
    let old: Vec<String> = (0..150).map(|n| format!("old-{n}")).collect();
    let kept: Vec<String> = (0..20).map(|n| format!("live-{n}")).collect();
    // Those of visitors who come back are old, too, until they come.
    let requests = old.iter().chain(&kept).map(|id| Request::save(id, "{'visits': 0}").at(before(90_000)));
    site.answer(&requests.collect::<Vec<_>>());
    let live = site.go_live();
    let (store, settings) = store(&ini);
    let plan = DeletePlan::default().with_times(Arc::new(AccessedTime::new(settings))).with_batch_size(10);
    let mut deleted = 0;
    for _ in 0..20 {
        let done = store.delete_old(Cutoff::ago(now, Duration::from_secs(3600)), &plan, &mut Silent);
        deleted += done.expect("it gets through").deleted;
        std::thread::sleep(Duration::from_millis(20));
    }
    let report = live.end();
    assert_eq!(report.errors, [""; 0]);
    assert!(report.answered > 20, "{} answered", report.answered);
    assert!((150..=170).contains(&deleted), "{deleted} deleted");
    assert!(old.iter().all(|id| !store.has(&SessionId::new(id.as_str())).expect("it answers")));
    let visits: u64 = site
        .load(&kept.iter().map(String::as_str).collect::<Vec<_>>())
        .into_iter()
        .map(|session| session.expect("its visitor was there")["visits"].1.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(visits, report.answered, "each visit is counted: none began anew");
}
