//! What other processes do in the same place at the same time, where a store is
//! [`multiprocess_safe`](beakerhelpers_core::Capabilities::multiprocess_safe).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use beakerhelpers_core::{
    DeletePlan, Deleted, ErrorKind, Progress, Query, Record, SaveMode, SessionId, SessionStore, Silent, Timestamp,
};

use super::process::{Other, Place, say};
use super::subject::{before_cutoff, cutoff, plan};

/// How many processes there are beside this one.
const OTHERS: usize = 2;
/// How many sessions each of them saves, and how often.
const EACH: usize = 4;
const ROUNDS: usize = 25;
/// How many sessions all of them want to create or delete.
const CONTESTED: usize = 24;

/// What another process does: the first word of its role, and what it is given.
pub(super) fn play(place: &Place, role: &str) -> Vec<String> {
    let (what, name) = role.split_once(' ').expect("a role has a name");
    match what {
        "save" => save_again_and_again(place, name),
        "touch" => touch_again_and_again(place, name),
        "create" => create_all(place, name),
        "delete" => delete_all(place),
        "clean" => vec![clean(place.store()).deleted.to_string()],
        "obey" => touch_what_is_told(place, name),
        "scribble" => scribble(place, name),
        other => panic!("no role {other}"),
    }
}

/// Starts others in this role, which all begin at once, and does something until all are done. Gives what they say.
fn beside(place: &Place, role: &str, mut work: impl FnMut(&dyn Fn() -> bool)) -> Vec<Vec<String>> {
    let mut others: Vec<Other> = (0..OTHERS).map(|n| place.start(&format!("{role} other{n}"))).collect();
    others.iter_mut().for_each(Other::go);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let said = scope.spawn(|| {
            let said: Vec<_> = others.into_iter().map(Other::finish).collect();
            done.store(true, Ordering::Relaxed);
            said
        });
        work(&|| !done.load(Ordering::Relaxed));
        said.join().expect("listening does not panic")
    })
    .into_iter()
    .map(|said| said.expect("another process failed, which it told above"))
    .collect()
}

fn names() -> impl Iterator<Item = String> {
    (0..OTHERS).map(|n| format!("other{n}"))
}

fn save_again_and_again(place: &Place, name: &str) -> Vec<String> {
    for round in 0..ROUNDS {
        for n in 0..EACH {
            place.save(&place.tagged(&format!("{name}-{n}"), name, round));
        }
    }
    Vec::new()
}

pub fn readers_see_whole_records_while_others_save(place: &Place) {
    let still: BTreeSet<String> = (0..20).map(|n| format!("still-{n}")).collect();
    for id in &still {
        place.save(&place.tagged(id, "nobody", 0));
    }
    let can = place.store().info().capabilities;
    let mut round = 0;
    beside(place, "save", |going| {
        while going() {
            place.save(&place.tagged("mine", "this", round));
            round += 1;
            for id in names().map(|name| format!("{name}-0")) {
                place.load(&id).iter().for_each(|record| place.assert_whole(record));
            }
            if can.iter {
                let mut seen = Vec::new();
                for item in place.store().iter(Query::ALL) {
                    let record = item.expect("the store lists while others save");
                    place.assert_whole(&record);
                    seen.push(record.id.as_str().to_owned());
                }
                seen.retain(|id| still.contains(id));
                seen.sort();
                assert_eq!(seen, still.iter().cloned().collect::<Vec<_>>(), "what nobody changes is listed once");
            }
        }
    });
    for (name, n) in names().flat_map(|name| (0..EACH).map(move |n| (name.clone(), n))) {
        place.assert_stored(&place.tagged(&format!("{name}-{n}"), &name, ROUNDS - 1));
    }
    if round > 0 {
        place.assert_stored(&place.tagged("mine", "this", round - 1));
    }
}

/// First old, so that a cleanup wants it, then in use: from there on it must stay.
fn touch_again_and_again(place: &Place, name: &str) -> Vec<String> {
    for n in 0..EACH * 4 {
        let id = format!("{name}-{n}");
        place.save(&place.aged(&id, before_cutoff(1)));
        place.save(&place.tagged(&id, name, n));
        assert!(place.has(&id), "a session in use is gone");
    }
    Vec::new()
}

fn clean(store: &dyn SessionStore) -> Deleted {
    // It rests as it does by default.
    let plan = plan().with_rest(DeletePlan::default().rest).with_batch_size(5);
    store.delete_old(cutoff(), &plan, &mut Silent).expect("a cleanup gets through")
}

pub fn a_cleanup_leaves_what_others_touch(place: &Place) {
    if !place.store().info().capabilities.delete_old {
        return;
    }
    beside(place, "touch", |going| {
        while going() {
            clean(place.store());
        }
    });
    for (name, n) in names().flat_map(|name| (0..EACH * 4).map(move |n| (name.clone(), n))) {
        place.assert_stored(&place.tagged(&format!("{name}-{n}"), &name, n));
    }
}

/// Each line of standard input is an id.
fn touch_what_is_told(place: &Place, name: &str) -> Vec<String> {
    for id in io::stdin().lines() {
        place.save(&place.tagged(&id.expect("it is text"), name, 0));
        say("touched");
    }
    Vec::new()
}

pub fn what_another_touches_after_it_was_found_survives(place: &Place) {
    /// Has the other process touch one session as soon as it is found.
    struct Touch<'o>(&'o mut Other);
    impl Progress for Touch<'_> {
        fn old(&mut self, accessed: Timestamp) {
            if accessed == before_cutoff(4) {
                self.0.tell("s4");
                assert_eq!(self.0.line().as_deref(), Some("touched"), "another process saves while a cleanup runs");
            }
        }
    }
    if !place.store().info().capabilities.delete_old {
        return;
    }
    let mut other = place.start("obey other");
    other.go();
    for plan in [plan().with_batch_size(1), plan().with_batch_size(100), plan()] {
        for n in 1..=7 {
            place.save(&place.aged(&format!("s{n}"), before_cutoff(n)));
        }
        let done = place.store().delete_old(cutoff(), &plan, &mut Touch(&mut other)).expect("it cleans");
        assert_eq!((done.deleted, done.kept), (6, 1), "{plan:?}");
        place.assert_stored(&place.tagged("s4", "other", 0));
        assert!([1, 2, 3, 5, 6, 7].iter().all(|n| !place.has(&format!("s{n}"))));
    }
}

fn contested() -> impl Iterator<Item = String> {
    (0..CONTESTED).map(|n| format!("contested-{n}"))
}

fn create_all(place: &Place, name: &str) -> Vec<String> {
    let won = |id: &String| match place.store().save(&place.tagged(id, name, 0), SaveMode::Create) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        Err(error) => panic!("only `AlreadyExists` refuses one that another process creates: {error:?}"),
    };
    contested().filter(won).collect()
}

pub fn one_of_many_processes_creates(place: &Place) {
    let mut winners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut mine = Vec::new();
    let theirs = beside(place, "create", |_| mine = create_all(place, "this"));
    for (name, won) in names().chain(["this".to_owned()]).zip(theirs.into_iter().chain([mine])) {
        for id in won {
            winners.entry(id).or_default().push(name.clone());
        }
    }
    for id in contested() {
        let [winner] = &winners[&id][..] else { panic!("{:?} created one session", winners[&id]) };
        place.assert_stored(&place.tagged(&id, winner, 0));
    }
}

fn delete_all(place: &Place) -> Vec<String> {
    contested().filter(|id| place.store().delete(&SessionId::new(id.as_str())).expect("it deletes")).collect()
}

pub fn one_of_many_processes_deletes(place: &Place) {
    contested().for_each(|id| place.save(&place.tagged(&id, "this", 0)));
    let mut mine = Vec::new();
    let theirs = beside(place, "delete", |_| mine = delete_all(place));
    let mut deleted: Vec<String> = theirs.into_iter().flatten().chain(mine).collect();
    deleted.sort();
    let mut expected: Vec<String> = contested().collect();
    expected.sort();
    assert_eq!(deleted, expected, "each is deleted by one");
    assert!(contested().all(|id| !place.has(&id)));
}

pub fn cleanups_at_once_delete_each_session_once(place: &Place) {
    const OLD: u64 = 60;
    if !place.store().info().capabilities.delete_old {
        return;
    }
    for n in 0..OLD {
        place.save(&place.aged(&format!("old-{n}"), before_cutoff(1)));
        place.save(&place.tagged(&format!("active-{n}"), "this", 0));
    }
    let mut mine = 0;
    let theirs = beside(place, "clean", |_| mine = clean(place.store()).deleted);
    let theirs: u64 = theirs.iter().flatten().map(|count| count.parse::<u64>().expect("a number")).sum();
    // Each may have left the last ones to another.
    let rest = clean(place.store()).deleted;
    assert_eq!(theirs + mine + rest, OLD);
    for n in 0..OLD {
        assert!(!place.has(&format!("old-{n}")));
        place.assert_stored(&place.tagged(&format!("active-{n}"), "this", 0));
    }
}

/// Until it is killed.
fn scribble(place: &Place, name: &str) -> Vec<String> {
    for round in 0.. {
        for n in 0..EACH {
            place.save(&place.tagged(&format!("scribbled-{n}"), name, round));
            say("saved");
        }
    }
    Vec::new()
}

pub fn a_killed_process_leaves_whole_records_and_no_lock(place: &Place) {
    for kill in 0..8 {
        let mut other = place.start(&format!("scribble other{kill}"));
        other.go();
        for _ in 0..EACH + kill {
            assert_eq!(other.line().as_deref(), Some("saved"));
        }
        // At some point of its next one, each time at another.
        thread::sleep(Duration::from_micros(500) * u32::try_from(kill).expect("a few"));
        drop(other);
        for id in (0..EACH).map(|n| format!("scribbled-{n}")) {
            place.assert_whole(&place.load(&id).expect("it was saved before"));
            place.save(&place.tagged(&id, "this", kill));
            place.assert_stored(&place.tagged(&id, "this", kill));
        }
        if place.store().info().capabilities.iter {
            let listed: Vec<Record> =
                place.store().iter(Query::ALL).map(|item| item.expect("the store lists")).collect();
            assert_eq!(listed.len(), EACH, "what is half written is no session");
        }
    }
}
