//! Beside pylibmc, which Beaker has up to 1.13.

use beakerhelpers_core::{ErrorKind, Record, SaveMode, SessionId};
use beakerhelpers_testkit::{Python, Request, python, skip};

use crate::beaker::{SECRETS, both_ways, dicts, ids, ini, store};
use crate::support::Servers;

const KEY: &str = "beaker.session.memcache_module = pylibmc\n";

fn or_skip(python: Python) -> Option<Python> {
    let has = python.imports("pylibmc");
    if !has {
        skip("no Python with pylibmc: PyPI has it for Python 3.10 and 3.11 — have one of them as `python3`");
    }
    has.then_some(python)
}

#[test]
fn both_read_what_the_other_wrote() {
    let Some(python) = or_skip(python!("1.13.0")) else { return };
    let Some(servers) = Servers::take(1) else { return };
    // By default another library encrypts since 1.14.
    let secrets = format!("{SECRETS}beaker.session.crypto_type = pycrypto\n");
    for more in ["", "beaker.session.data_serializer = json\n", &secrets] {
        both_ways(&python, &servers, &format!("{KEY}{more}"));
    }
    // It is the first that this Beaker looks for.
    both_ways(&python, &servers, "");
}

#[test]
fn beaker_1_11() {
    let Some(python) = or_skip(python!("1.11.0")) else { return };
    dicts(&python, "pylibmc");
}

#[test]
fn sessions_on_several_servers_are_found_wherever_they_are() {
    let Some(python) = or_skip(python!("1.13.0")) else { return };
    let Some(servers) = Servers::take(3) else { return };
    let directory = tempfile::tempdir().expect("a folder");
    let ini = ini(directory.path(), &servers, KEY);
    let site = python.site(&ini);
    let names: Vec<_> = (10..30).map(|n| format!("s{n}")).collect();
    site.answer(&names.iter().map(|id| Request::save(id, "{'user': 'ann'}")).collect::<Vec<_>>());
    let items = |server| servers.ask(server, b"stats items\r\n", "END\r\n");
    assert!((0..3).filter(|server| items(*server).contains("number")).count() > 1, "they are spread");
    let (store, _) = store(&ini);
    assert_eq!(ids(&*store), names);
    for id in &names {
        let id = SessionId::new(id.as_str());
        let record = store.load(&id).expect("it answers").expect("it is there");
        let copy = Record::new(SessionId::new("copy"), record.payload);
        let error = store.save(&copy, SaveMode::Upsert).expect_err("nobody knows where");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(store.delete(&id).expect("it deletes"));
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert!(site.load(&names).iter().all(Option::is_none));
}
