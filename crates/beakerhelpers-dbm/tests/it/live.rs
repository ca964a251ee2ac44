//! A live application on the same databases.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_codec::Decoder;
use beakerhelpers_core::{Cutoff, DeletePlan, Query, Record, SaveMode, SessionId, SessionStore, Silent, Timestamp};
use beakerhelpers_dbm::DbmStore;
use beakerhelpers_testkit::{CURRENT_RELEASE, Python, Request, python};

use crate::support::{Place, load};

const OLD: usize = 300;
const HOUR: Duration = Duration::from_secs(3600);

fn now() -> Timestamp {
    let micros = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970").as_micros();
    Timestamp::from_micros(i64::try_from(micros).expect("it is not that late"))
}

/// Visitors come while others clean, list and save: nobody loses a thing, and nobody sees half of a session.
fn use_it_together(python: &Python, module: &str) {
    let place = Place::new();
    let ini = place.ini(&format!("beaker.session.dbmmodule = {module}\n"));
    let site = python.site(&ini);
    site.answer(&[Request::save("model", "{'number': -1, 'filler': 'x' * 5000}")]);
    let store = DbmStore::new(&place.config()).expect("a store");
    let model = load(&store, "model").expect("Beaker saved it");
    let session = |id: &str, age: Duration| {
        Record::new(SessionId::new(id), model.payload.clone()).with_times(None, Some(now().earlier_by(age)))
    };
    let expired: Vec<String> = (0..OLD).map(|n| format!("{n}-expired")).collect();
    let kept: Vec<String> = (0..50).map(|n| format!("{n}-kept")).collect();
    for (ids, age) in [(&expired, 2 * HOUR), (&kept, Duration::ZERO)] {
        for id in ids {
            store.save(&session(id, age), SaveMode::Create).expect("a fresh id");
        }
    }
    let visitors = site.let_visitors_come(&expired, &kept);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut decoder = Decoder::new();
            while !stop.load(Ordering::Relaxed) {
                for record in store.iter(Query::ALL) {
                    let record = record.expect("every database can be read");
                    decoder.decode(&record.payload).expect("every session is whole");
                }
            }
        });
        scope.spawn(|| {
            for n in (0..30).cycle().take_while(|_| !stop.load(Ordering::Relaxed)) {
                let record = session(&format!("ours-{n}"), Duration::ZERO);
                store.save(&record, SaveMode::Upsert).expect("it saves");
            }
        });
        // Slowly, so that some are back before it is their turn.
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            let plan = DeletePlan::default().with_limit(5);
            store.delete_old(Cutoff::ago(now(), HOUR), &plan, &mut Silent).expect("it cleans");
            thread::sleep(Duration::from_millis(15));
        }
        store.delete_old(Cutoff::ago(now(), HOUR), &DeletePlan::default(), &mut Silent).expect("it cleans");
        stop.store(true, Ordering::Relaxed);
    });
    let visits = visitors.leave();
    assert_eq!((visits.errors.as_slice(), visits.lost.as_slice()), (&[][..], &[][..]), "{visits:?}");
    assert!(visits.answered > 20 && visits.back + visits.gone > 0 && visits.between == 0, "{visits:?}");
    assert!(kept.iter().all(|id| load(&store, id).is_some()), "whoever is active stays");
    assert!(place.files().iter().all(|name| !name.contains(".temp")));
}

/// Beaker writes again to a database that is old, in a place in memory, where its time stays as it was.
#[test]
#[cfg(target_os = "linux")]
fn what_hides_its_age_is_kept() {
    let memory = std::path::Path::new("/dev/shm");
    let Some(python) = Python::with_dbm(CURRENT_RELEASE, "dbm.gnu") else { return };
    let place = Place(tempfile::tempdir_in(memory).expect("Linux has a tmpfs there"));
    let store = DbmStore::new(&place.config()).expect("a store");
    for id in ["gnu", "dumb"] {
        let ini = place.ini(&format!("beaker.session.dbmmodule = dbm.{id}\n"));
        let site = python.site(&ini);
        site.answer(&[Request::save(id, "{'number': 1}")]);
        let record = load(&store, id).expect("Beaker saved it");
        let old = now().earlier_by(2 * HOUR);
        store.save(&record.with_times(None, Some(old)), SaveMode::Upsert).expect("it is written");
        site.answer(&[Request::save(id, "{'number': 2}")]);
    }
    assert_eq!(load(&store, "gnu").expect("it is there").accessed, None);
    assert!(load(&store, "dumb").expect("it is there").accessed > Some(now().earlier_by(HOUR)));
    let done = store.delete_old(Cutoff::ago(now(), HOUR), &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.kept, done.unknown), (0, 2, 1));
    assert_eq!(store.iter(Query::ALL.active_since(Cutoff::ago(now(), HOUR))).count(), 2);
}

#[test]
fn dumb_databases() {
    use_it_together(&python!(), "dbm.dumb");
}

#[test]
fn gnu_databases() {
    let Some(python) = Python::with_dbm(CURRENT_RELEASE, "dbm.gnu") else { return };
    use_it_together(&python, "dbm.gnu");
}
