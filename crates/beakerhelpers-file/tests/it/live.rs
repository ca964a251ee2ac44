//! A live application on the same files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_codec::Decoder;
use beakerhelpers_core::{DeletePlan, Query, Record, SaveMode, SessionId, SessionStore, Silent};
use beakerhelpers_testkit::{Request, file_ini, python};

use crate::support::{HOUR, Place, cutoff, now};

const OLD: usize = 1500;

/// Visitors come while others clean, list and save: nobody loses a thing, and nobody sees half of a session.
#[test]
fn cleaning_listing_and_saving_beside_a_live_site() {
    let python = python!();
    let place = Place::bare();
    let ini = file_ini(place.path(), "");
    let site = python.site(&ini);
    site.answer(&[Request::save("model", "{'number': -1, 'filler': 'x' * 5000}")]);
    let store = place.store();
    let model = store.load(&SessionId::new("model")).expect("it answers").expect("Beaker saved it");
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
    let (listed, saved) = thread::scope(|scope| {
        let listing = scope.spawn(|| {
            let (mut decoder, mut listed) = (Decoder::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                for record in store.iter(Query::ALL) {
                    let record = record.expect("every file can be read");
                    decoder.decode(&record.payload).expect("every session is whole");
                    listed += 1;
                }
            }
            listed
        });
        let saving = scope.spawn(|| {
            let mut saved = 0;
            while !stop.load(Ordering::Relaxed) {
                let record = session(&format!("ours-{}", saved % 30), Duration::ZERO);
                store.save(&record, SaveMode::Upsert).expect("it saves");
                saved += 1;
            }
            saved
        });
        // Slowly, so that some are back before it is their turn.
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            let plan = DeletePlan::default().with_limit(20);
            store.delete_old(cutoff(), &plan, &mut Silent).expect("it cleans");
            thread::sleep(Duration::from_millis(15));
        }
        store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans");
        stop.store(true, Ordering::Relaxed);
        (listing.join().expect("no panic"), saving.join().expect("no panic"))
    });
    let visits = visitors.leave();
    assert_eq!(visits.errors, [""; 0]);
    assert_eq!(visits.lost, [""; 0], "nothing that was saved is lost");
    assert!(visits.answered > 100 && visits.back + visits.gone > 0 && visits.between == 0, "{visits:?}");
    assert!(listed > 0 && saved > 30);
    assert!(kept.iter().all(|id| place.has(id)), "whoever is active stays");
    assert_eq!(place.count(".temp"), 0);
    let ours: Vec<String> = (0..30).map(|n| format!("ours-{n}")).collect();
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    assert!(site.load(&ours).iter().all(Option::is_some), "Beaker loads what was saved meanwhile");
}
