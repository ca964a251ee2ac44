//! Loading, saving and deleting by id.

use beakerhelpers_core::{ErrorKind, Framing, Record, SaveMode, SessionId, Timestamp};

use super::Subject;
use super::subject::NOW;

pub fn a_saved_record_loads(s: &Subject) {
    for mode in [SaveMode::Upsert, SaveMode::Create] {
        let record = s.record(&format!("{mode:?}"), NOW);
        s.store().save(&record, mode).expect("a fresh id can be saved");
        s.assert_stored(&record);
        assert!(s.store().has(&record.id).expect("the store answers"));
    }
}

pub fn what_is_not_there_is_no_error(s: &Subject) {
    s.save("there", NOW);
    for id in ["missing", "", "ther", "ther_", "%", "there "] {
        assert!(s.load(id).is_none(), "{id:?}");
        assert!(!s.has(id), "{id:?}");
        assert!(!s.store().delete(&SessionId::new(id)).expect("nothing to delete is no error"), "{id:?}");
    }
    assert!(s.has("there"));
}

pub fn upsert_replaces_all_but_created(s: &Subject) {
    let first = s.save("a", NOW);
    let bystander = s.save("b", NOW);
    let later = Timestamp::from_micros(NOW.as_micros() + 60_000_000);
    let mut second = s.record("a", later);
    second.created = Some(later);
    s.store().save(&second, SaveMode::Upsert).expect("it replaces");
    s.assert_stored(&second.with_times(first.created, Some(later)));
    s.assert_stored(&bystander);
}

pub fn create_refuses_a_taken_id_and_changes_nothing(s: &Subject) {
    let first = s.save("a", NOW);
    let second = s.record("a", Timestamp::from_micros(NOW.as_micros() + 60_000_000));
    let error = s.store().save(&second, SaveMode::Create).expect_err("the id is taken");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    s.assert_stored(&first);
}

pub fn deleting_twice_tells_true_then_false(s: &Subject) {
    let record = s.save("a", NOW);
    s.save("b", NOW);
    assert!(s.store().delete(&record.id).expect("it deletes"));
    assert!(!s.store().delete(&record.id).expect("it finds nothing"));
    assert!(!s.has("a") && s.has("b"));
    s.store().save(&record, SaveMode::Create).expect("the id is free again");
    s.assert_stored(&record);
}

pub fn several_are_saved_as_each_would_be(s: &Subject) {
    let later = Timestamp::from_micros(NOW.as_micros() + 60_000_000);
    let (first, bystander) = (s.save("a", NOW), s.save("b", NOW));
    let all: Vec<_> = ["c", "a", "d", "e"].map(|id| s.record(id, later)).into();
    let kinds = |results: Vec<beakerhelpers_core::Result<()>>| -> Vec<_> {
        results.into_iter().map(|result| result.map_err(|error| error.kind())).collect()
    };
    let created = kinds(s.store().save_all(&all, SaveMode::Create));
    assert_eq!(created, [Ok(()), Err(ErrorKind::AlreadyExists), Ok(()), Ok(())]);
    s.assert_stored(&first);
    s.assert_stored(&all[0]);

    let again = Timestamp::from_micros(NOW.as_micros() + 120_000_000);
    let upserts: Vec<_> = ["a", "f", "f", "d"].map(|id| s.record(id, again)).into();
    assert_eq!(kinds(s.store().save_all(&upserts, SaveMode::Upsert)), [Ok(()); 4]);
    s.assert_stored(&upserts[0].clone().with_times(first.created, Some(again)));
    s.assert_stored(&upserts[2]);
    s.assert_stored(&upserts[3].clone().with_times(all[2].created, Some(again)));
    s.assert_stored(&all[3]);
    s.assert_stored(&bystander);
    assert_eq!(s.store().save_all(&[], SaveMode::Create).len(), 0);
}

pub fn ids_are_any_text(s: &Subject) {
    let ids = [
        "79b4837b1d4148dcb98329c795314f78",
        "100%",
        "a_b",
        "beaker:session:1",
        "it's",
        "say \"hello\"",
        "`back` \\ slash",
        "'; DROP TABLE beaker_cache; --",
        "%s %(here)s ${x} ?1 :id @id $1",
        "with  inner spaces",
        "Ąžuolas-日本語-😀-ü",
        "[brackets] {braces} <tags>",
    ];
    let records: Vec<Record> = ids.iter().map(|id| s.save(id, NOW)).collect();
    for record in &records {
        s.assert_stored(record);
    }
    for (n, id) in ids.iter().enumerate() {
        assert!(s.store().delete(&SessionId::new(*id)).expect("it deletes"), "{id:?}");
        for (m, other) in ids.iter().enumerate() {
            assert_eq!(s.has(other), m > n, "after deleting {id:?}: {other:?}");
        }
    }
}

pub fn ids_that_look_like_patterns_stay_apart(s: &Subject) {
    // Each would match some of the others in a pattern.
    let ids = ["a%", "a_", "ab", "abc", "a*", "a?", "a.", "a[b]", "%", "_", "*"];
    // Beaker drops dots from the names of files, so that a store that keeps some refuses them.
    let saved = ids.map(|id| s.save_if_supported(&s.record(id, NOW)));
    assert!(ids.iter().zip(saved).all(|(id, saved)| saved || *id == "a."), "{saved:?}");
    let dots = s.has("a.");
    for id in ["a%", "a_", "%", "_", "*", "a?"] {
        assert!(s.store().delete(&SessionId::new(id)).expect("it deletes"), "{id:?}");
    }
    let left = ids.map(|id| ["ab", "abc", "a*", "a[b]"].contains(&id) || id == "a." && dots);
    assert_eq!(ids.map(|id| s.has(id)), left);
}

pub fn ids_of_255_bytes_are_whole(s: &Subject) {
    let stem = "x".repeat(254);
    let (one, two) = (s.record(&format!("{stem}1"), NOW), s.record(&format!("{stem}2"), NOW));
    if s.save_if_supported(&one) {
        assert!(!s.has(two.id.as_str()), "the last byte counts");
        s.store().save(&two, SaveMode::Create).expect("another id");
        s.assert_stored(&one);
        s.assert_stored(&two);
    }
}

pub fn an_empty_payload_is_kept(s: &Subject) {
    let record = s.opaque("empty", Vec::new());
    // A store that takes objects apart keeps nothing else. Beaker's payloads no store looks into.
    let may_refuse = record.payload.framing() == Framing::Object;
    if s.save_if_supported(&record) {
        s.assert_stored(&record);
    } else {
        assert!(may_refuse, "bytes are bytes");
    }
}

/// A store that cannot hold so much says so; it never cuts.
pub fn ten_megabytes_are_kept(s: &Subject) {
    let bytes: Vec<u8> = (0u32..10_000_000).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let record = s.opaque("large", bytes);
    if s.save_if_supported(&record) {
        s.assert_stored(&record);
    }
}

pub fn times_are_kept(s: &Subject) {
    if !s.can().access_times {
        s.save("a", NOW);
        let loaded = s.load("a").expect("it is there");
        assert_eq!((loaded.created, loaded.accessed), (None, None), "a store without times must not invent them");
        return;
    }
    // 2001-09-09, 2026-07-01 (daylight saving in half of the world), 2037.
    for secs in [1_000_000_000, 1_782_864_000, 2_114_380_800] {
        let record = s.save(&format!("{secs}"), Timestamp::from_secs(secs));
        s.assert_stored(&record);
    }
}
