//! Real Beaker on the same files.

use std::time::Duration;

use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{DeletePlan, Query, SaveMode, SessionId, SessionStore, Silent, Value};
use beakerhelpers_testkit::{OLDER_RELEASES, Python, Request, file_ini, python};

use crate::support::{HOUR, Place, counts, cutoff, now};

fn both_ways(python: &Python) {
    let place = Place::bare();
    let ini = file_ini(place.path(), "");
    let site = python.site(&ini);
    let big = "{'big': 'ą' * 300000, 'user': 'ona'}";
    site.answer(&[Request::save("first", "{'user': 'ann', 'n': 1}"), Request::save("žė-%_", big)]);
    let before = place.everything();
    let store = place.read_only();
    let mut decoder = Decoder::new();
    for (id, user) in [("first", "ann"), ("žė-%_", "ona")] {
        let record = store.load(&SessionId::new(id)).expect("it answers").expect("it is there");
        let Decoded::Session(session) = decoder.decode(&record.payload).expect("it decodes") else {
            panic!("it is no session")
        };
        assert_eq!(session.value("user").and_then(Value::as_str), Some(user));
        let off = now().since(record.accessed.expect("a time"));
        assert!(off < HOUR, "{off:?}");
    }
    assert!(store.load(&SessionId::new("unknown")).expect("it answers").is_none());
    assert_eq!(place.listed().0, ["first", "žė-%_"]);
    assert_eq!(place.everything(), before, "reading changes nothing, and creates nothing");

    let store = place.store();
    let mut copy = store.load(&SessionId::new("first")).expect("it answers").expect("it is there");
    copy.id = SessionId::new("copy");
    store.save(&copy, SaveMode::Create).expect("it saves");
    copy.accessed = Some(now().earlier_by(2 * HOUR));
    store.save(&copy, SaveMode::Upsert).expect("it saves");
    copy.id = SessionId::new("touched");
    store.save(&copy, SaveMode::Create).expect("it saves");
    let loaded = site.load(&["copy", "touched", "unknown"]);
    assert_eq!(loaded[0].as_ref().expect("Beaker loads it")["user"].1, "ann");
    site.answer(&[Request::touch("touched")]);
    assert_eq!(counts(store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans")), (1, 3));
    let loaded = site.load(&["copy", "touched"]);
    assert!(loaded[0].is_none());
    assert_eq!(loaded[1].as_ref().expect("it was touched")["n"].1, "1");
}

#[test]
fn what_beaker_saves_is_read_and_what_is_saved_beaker_loads() {
    both_ways(&python!());
}

#[test]
fn so_it_was_with_older_releases() {
    for release in OLDER_RELEASES {
        both_ways(&python!(release));
    }
}

#[test]
fn beaker_finds_what_was_set_up() {
    let python = python!();
    let place = Place::new();
    let before = place.everything();
    let ini = file_ini(place.path(), "");
    python.site(&ini).answer(&[Request::save("abc", "{'n': 1}")]);
    let after = place.everything();
    assert!(before.iter().all(|(path, _)| after.iter().any(|(there, _)| there == path)));
    assert!(place.file("a/ab/abc.cache").is_file());
}

#[test]
fn folders_of_their_own_are_where_beaker_has_them() {
    let python = python!();
    let place = Place::bare();
    let keys = "beaker.session.file_dir = %(here)s/f\nbeaker.session.lock_dir = %(here)s/l";
    let ini = file_ini(place.path(), keys);
    python.site(&ini).answer(&[Request::save("abc", "{'n': 1}")]);
    let path = |name: &str| place.path().join(name).display().to_string();
    let config = beakerhelpers_core::StoreConfig::new("beaker.session")
        .with("file_dir", path("f"))
        .with("lock_dir", path("l"))
        .with_wait(Duration::from_millis(200));
    let store = beakerhelpers_file::FileStore::new(&config).expect("it says where");
    assert_eq!(store.iter(Query::ALL).count(), 1);
    assert_eq!(place.count(".lock"), 1);
    assert!(store.delete(&SessionId::new("abc")).expect("it deletes"));
    assert_eq!(place.count(".lock"), 1, "the lock file is the one that Beaker made");
}
