//! Iterating.

use std::collections::BTreeSet;

use beakerhelpers_core::{Order, Query, SaveMode, SessionId};

use super::Subject;
use super::subject::{NOW, before_cutoff, cutoff};

const MANY: usize = 60;

fn fill(s: &Subject) -> BTreeSet<String> {
    let ids = (0..MANY).map(|n| format!("{:02}-{n}", n * 37 % MANY));
    ids.inspect(|id| drop(s.save(id, NOW))).collect()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

pub fn every_record_appears_once(s: &Subject) {
    if !s.can().iter {
        return;
    }
    let expected = fill(s);
    for order in [Order::Any, Order::Newest] {
        let mut query = Query::ALL;
        query.order = order;
        assert_eq!(sorted(s.ids(query)), expected.iter().cloned().collect::<Vec<_>>(), "{order:?}");
    }
    for item in s.store().iter(Query::ALL) {
        let record = item.expect("the store lists");
        assert!(expected.contains(record.id.as_str()));
        s.assert_stored(&record);
        assert!(record.payload == s.record("any", NOW).payload, "the payload comes with it");
    }
}

pub fn an_empty_store_lists_nothing(s: &Subject) {
    if s.can().iter {
        assert_eq!(s.ids(Query::ALL), [""; 0]);
        assert_eq!(s.ids(Query::newest(3)), [""; 0]);
        assert_eq!(s.ids(Query::ALL.active_since(cutoff())), [""; 0]);
    }
}

pub fn active_keeps_the_exact_cutoff(s: &Subject) {
    if !s.can().iter {
        return;
    }
    for (id, secs) in [("older", 1), ("exact", 0), ("younger", -1), ("ancient", 90_000_000), ("now", -3600)] {
        s.save(id, before_cutoff(secs));
    }
    let active = s.ids(Query::ALL.active_since(cutoff()));
    if s.can().access_times {
        assert_eq!(sorted(active), ["exact", "now", "younger"]);
    } else {
        // Whoever decodes them knows.
        assert_eq!(sorted(active), ["ancient", "exact", "now", "older", "younger"]);
    }
}

pub fn active_keeps_unknown_times(s: &Subject) {
    if s.can().iter && s.save_if_supported(&s.timeless("unknown")) {
        if s.can().access_times {
            s.save("old", before_cutoff(1));
        }
        assert_eq!(s.ids(Query::ALL.active_since(cutoff())), ["unknown"]);
    }
}

pub fn limits_are_exact(s: &Subject) {
    if !s.can().iter {
        return;
    }
    let all = fill(s);
    if s.can().access_times {
        s.save("old", before_cutoff(1));
    }
    for limit in [0, 1, 7, MANY, MANY + 5] {
        let mut query = Query::ALL.active_since(cutoff());
        query.limit = Some(limit as u64);
        let ids = s.ids(query);
        let different: BTreeSet<_> = ids.iter().cloned().collect();
        assert_eq!((ids.len(), different.len()), (limit.min(MANY), limit.min(MANY)));
        assert!(different.is_subset(&all), "the limit counts what the filter lets through");
    }
}

pub fn newest_comes_first(s: &Subject) {
    // Where the times are instants, nobody needs to ask.
    if !s.can().iter || !s.can().local_times {
        return;
    }
    // Neither the order of the ids nor that of the access times.
    for (n, id) in ["d", "a", "c", "e", "b"].into_iter().enumerate() {
        let secs = i64::try_from(n).expect("small");
        let created = before_cutoff(1000 - secs);
        let record = s.record(id, before_cutoff(secs)).with_times(Some(created), Some(before_cutoff(secs)));
        s.store().save(&record, SaveMode::Create).expect("a fresh id");
    }
    assert_eq!(s.ids(Query::newest(3)), ["b", "e", "c"]);
    assert_eq!(s.ids(Query::newest(9)), ["b", "e", "c", "a", "d"]);
}

/// A reader that is slow must never stop the application that owns the sessions.
pub fn an_open_listing_stops_nobody(s: &Subject) {
    if !s.can().iter {
        return;
    }
    let all = fill(s);
    let mut listing = s.store().iter(Query::ALL);
    let first = listing.next().expect("there are many").expect("the store lists").id;
    let doomed = all.iter().find(|id| **id != *first.as_str()).expect("there are many");
    s.other().save(&s.record("new", NOW), SaveMode::Create).expect("a writer gets through");
    s.other().save(&s.record(first.as_str(), NOW), SaveMode::Upsert).expect("a writer gets through");
    assert!(s.other().delete(&SessionId::new(doomed.as_str())).expect("a deleter gets through"));
    let mut seen: Vec<String> = listing.map(|item| item.expect("the store lists").id.as_str().to_owned()).collect();
    seen.push(first.as_str().to_owned());
    // What changed meanwhile may or may not appear.
    seen.retain(|id| id != "new" && id != doomed);
    let expected: Vec<String> = all.iter().filter(|id| *id != doomed).cloned().collect();
    assert_eq!(sorted(seen), expected);
}
