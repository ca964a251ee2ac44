//! Rows that no Beaker wrote, or wrote and lost.

use beakerhelpers_core::{
    DeletePlan, Error, ErrorKind, NaiveTime, Query, Record, Rest, Result, SaveMode, SessionId, Silent, Zone,
};

use crate::support::{Place, assert_error, at, cutoff, record};

const GOOD: &str = "'2026-11-20 11:30:00.000000'";

/// A table without constraints, with rows of namespace, accessed, created and data.
fn table(rows: &str) -> Place {
    let place = Place::new();
    place.sql("CREATE TABLE beaker_cache (id INTEGER PRIMARY KEY, namespace VARCHAR(255), accessed DATETIME, created DATETIME, data BLOB)");
    place.sql(&format!("INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES {rows}"));
    place
}

fn list(place: &Place, query: Query) -> Vec<Result<Record>> {
    place.reader().iter(query).collect()
}

#[test]
fn contents_of_every_kind_are_handed_on() {
    let place = table(&format!(
        "('null', {GOOD}, {GOOD}, NULL), ('empty', {GOOD}, {GOOD}, x''), ('text', {GOOD}, {GOOD}, 'žaba'),
         ('number', {GOOD}, {GOOD}, 42), ('nul', {GOOD}, {GOOD}, x'00ff00')"
    ));
    let records: Vec<Record> = list(&place, Query::ALL).into_iter().map(|record| record.expect("it is read")).collect();
    let contents: Vec<&[u8]> = records.iter().map(|record| record.payload.bytes()).collect();
    assert_eq!(contents, [b"".as_slice(), b"", "žaba".as_bytes(), b"42", b"\x00\xff\x00"]);
    for record in records {
        assert_eq!(place.reader().load(&record.id).expect("it loads"), Some(record));
    }
}

#[test]
fn huge_contents_are_an_error_of_their_own() {
    let place = table(&format!(
        "('a', {GOOD}, {GOOD}, x''), ('huge', {GOOD}, {GOOD}, zeroblob(67108865)), ('z', {GOOD}, {GOOD}, x'')"
    ));
    let items = list(&place, Query::ALL);
    assert_eq!(items.len(), 3);
    let error = items[1].as_ref().expect_err("it is too large");
    assert_error(error, ErrorKind::Corrupt, &["67108865 bytes"]);
    assert!(items[0].is_ok() && items[2].is_ok());
    let error = place.reader().load(&SessionId::new("huge")).expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(!format!("{error:?}").contains("huge"), "an id is shown");
}

#[test]
fn ids_that_are_no_text_are_errors_of_their_own() {
    let place = table(&format!(
        "(NULL, {GOOD}, {GOOD}, x''), (CAST(x'ff41' AS TEXT), {GOOD}, {GOOD}, x''), ('', {GOOD}, {GOOD}, x''), ('a', {GOOD}, {GOOD}, x'')"
    ));
    let items = list(&place, Query::ALL);
    let kinds: Vec<_> =
        items.iter().map(|item| item.as_ref().map(|record| record.id.as_str()).map_err(Error::kind)).collect();
    assert_eq!(kinds, [Err(ErrorKind::Corrupt), Err(ErrorKind::Corrupt), Ok(""), Ok("a")]);
}

/// Values of `accessed` as SQL, each with whether it is a time before the cutoff, 2026-11-20 11:00:00.
const TIMES: &[(&str, Option<bool>)] = &[
    ("'2026-11-20 10:59:59.999999'", Some(true)),
    ("'2026-11-20 11:00:00.000000'", Some(false)),
    ("'2026-11-20 11:00:00.0'", Some(false)),
    ("'2026-11-20 11:00:00'", Some(false)),
    ("'2026-11-20 10:59:59'", Some(true)),
    ("'2026-11-20 10:59:59.9'", Some(true)),
    ("'2026-11-20 11:00:00.1'", Some(false)),
    ("'0001-01-01 00:00:00.000000'", Some(true)),
    ("'2024-02-29 00:00:00.000000'", Some(true)),
    ("'9999-12-31 23:59:59.999999'", Some(false)),
    ("NULL", None),
    ("''", None),
    ("0", None),
    ("1700000000", None),
    ("17e8", None),
    ("x'323032362d31312d32302031303a30303a3030'", None),
    ("'0000-01-01 00:00:00.000000'", None),
    ("'2025-02-29 00:00:00.000000'", None),
    ("'2026-13-01 00:00:00.000000'", None),
    ("'2026-00-10 00:00:00.000000'", None),
    ("'2026-11-20 24:00:00.000000'", None),
    ("'2026-10-20 10:60:00.000000'", None),
    ("'2026-10-20 10:00:60.000000'", None),
    ("'2026-10-20 10:00:00.'", None),
    ("'2026-10-20 10:00:00.1234567'", None),
    ("'2026-10-20 10:00:00.12345x'", None),
    ("'2026-10-20 10:00:00,123456'", None),
    ("'2026-10-20 10:00:00Z'", None),
    ("'2026-10-20 10:00:00+02:00'", None),
    ("'2026-10-20T10:00:00.000000'", None),
    ("'2026-10-20'", None),
    ("'2026-10-20 10:00'", None),
    ("' 2026-10-20 10:00:00'", None),
    ("'2026-10-20 10:00:00' || char(0)", None),
    ("'2026-10-20 10:00:00.5' || char(0, 0)", None),
    ("'2026-10-20 10:00:00.5' || CAST(x'ff' AS TEXT)", None),
    ("'-026-10-20 10:00:00'", None),
    ("'2026-1O-20 10:00:00'", None),
    ("'now'", None),
    ("'２026-10-20 10:00:0'", None),
];

fn times() -> Place {
    let rows: Vec<_> =
        TIMES.iter().enumerate().map(|(n, (sql, _))| format!("('s{n}', {sql}, {GOOD}, x'41')")).collect();
    table(&rows.join(", "))
}

fn names(items: Vec<Result<Record>>) -> Vec<String> {
    items.into_iter().map(|item| item.expect("it is read").id.as_str().to_owned()).collect()
}

fn expected(keep: impl Fn(Option<bool>) -> bool) -> Vec<String> {
    TIMES.iter().enumerate().filter(|(_, (_, old))| keep(*old)).map(|(n, _)| format!("s{n}")).collect()
}

#[test]
fn what_is_no_time_is_listed_and_unknown() {
    let place = times();
    let records = list(&place, Query::ALL);
    for (item, (sql, old)) in records.into_iter().zip(TIMES) {
        let record = item.expect("it is read");
        assert_eq!(record.accessed.map(|accessed| accessed < cutoff().at()), *old, "{sql}");
        assert_eq!(record.created, Some(at("2026-11-20 11:30:00")));
    }
    let active = list(&place, Query::ALL.active_since(cutoff()));
    assert!(active.iter().all(|item| item.as_ref().is_ok_and(|record| record.payload.bytes() == b"A")));
    assert_eq!(names(active), expected(|old| old != Some(true)));
}

#[test]
fn what_is_no_time_is_never_deleted() {
    let old = expected(|old| old == Some(true)).len() as u64;
    let unknown = expected(|old| old.is_none()).len() as u64;
    for size in [1, 3, 1000] {
        let place = times();
        let plan = DeletePlan::default().with_batch_size(size).with_rest(Rest::For(std::time::Duration::ZERO));
        let mut dry = plan.clone();
        dry.mode = beakerhelpers_core::CleanupMode::Count;
        let counted = place.reader().delete_old(cutoff(), &dry, &mut Silent).expect("it counts");
        let done = place.store().delete_old(cutoff(), &plan, &mut Silent).expect("it cleans");
        assert_eq!(done, counted);
        assert_eq!((done.deleted, done.unknown, done.scanned()), (old, unknown, TIMES.len() as u64));
        assert_eq!(names(list(&place, Query::ALL)), expected(|old| old != Some(true)));
    }
}

/// The test of a time's form stands twice: in Rust, which counts, and in the SQL of the DELETE.
#[test]
fn the_sql_and_the_rust_agree_on_every_mutation_of_a_time() {
    let good = b"2026-10-20 10:00:59.123450";
    let mut texts: Vec<Vec<u8>> = (0..=good.len()).map(|length| good[..length].to_vec()).collect();
    for place in 0..good.len() {
        for byte in *b"0139 -:.xT\x01\x7f" {
            let mut text = good.to_vec();
            text[place] = byte;
            texts.push(text.clone());
            texts.push(text[..text.len().min(19)].to_vec());
            text.insert(place, byte);
            texts.push(text);
        }
    }
    texts.retain(|text| text.as_slice() < b"2026-11-20 11:00:00".as_slice());
    let hex = |text: &[u8]| text.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let rows: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| format!("('s{n}', CAST(x'{}' AS TEXT), {GOOD}, x'')", hex(text)))
        .collect();
    let place = table(&rows.join(", "));
    let plan = DeletePlan::default().with_batch_size(100_000);
    place.store().delete_old(cutoff(), &plan, &mut Silent).expect("it cleans");
    let kept: Vec<_> = texts
        .iter()
        .enumerate()
        .filter(|(_, text)| NaiveTime::parse(text).is_none())
        .map(|(n, _)| format!("s{n}"))
        .collect();
    assert!(kept.len() > 300 && texts.len() - kept.len() > 50, "both kinds are among them");
    assert_eq!(names(list(&place, Query::ALL)), kept);
}

#[test]
fn times_are_those_of_the_zone() {
    let place = Place::with_table();
    let zone = Zone::parse("Europe/Vilnius").expect("a zone");
    let store = crate::support::open(&place.config().with_zone(zone));
    store.save(&record("a", "2026-07-01 12:00:00"), SaveMode::Create).expect("it saves");
    assert_eq!(place.text("SELECT accessed FROM beaker_cache"), "2026-07-01 15:00:00.000000");
    let loaded = store.load(&SessionId::new("a")).expect("it loads").expect("it is there");
    assert_eq!(loaded, record("a", "2026-07-01 12:00:00"));
}

#[test]
fn a_record_without_an_access_time_is_not_saved_and_one_without_a_creation_time_is() {
    let place = Place::with_table();
    let whole = record("a", "2026-11-20 11:30:00");
    let timeless = whole.clone().with_times(None, None);
    let error = place.store().save(&timeless, SaveMode::Upsert).expect_err("the column wants one");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let uncreated = whole.clone().with_times(None, whole.accessed);
    place.store().save(&uncreated, SaveMode::Upsert).expect("it saves");
    let loaded = place.store().load(&whole.id).expect("it loads").expect("it is there");
    assert_eq!(loaded.created, whole.accessed);
}

#[test]
fn a_constraint_of_the_site_is_an_error_without_contents() {
    let place = Place::with_table();
    place.sql("CREATE TRIGGER t BEFORE INSERT ON beaker_cache BEGIN SELECT RAISE(ABORT, NEW.namespace); END");
    let error =
        place.store().save(&record("s3cret-id", "2026-11-20 11:30:00"), SaveMode::Upsert).expect_err("it is refused");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn what_old_releases_wrote_is_read() {
    let mut stores = 0;
    for recorded in beakerhelpers_testkit::corpus() {
        if recorded.backend != "sqlite" {
            continue;
        }
        stores += 1;
        let copy = recorded.copy();
        let config =
            beakerhelpers_core::Config::load(&copy.config()).expect("an ini").store("beaker.session").expect("keys");
        let store = crate::support::open(&config.with_access(beakerhelpers_core::Access::ReadOnly));
        let ids: Vec<_> = store.iter(Query::ALL).map(|item| item.expect("it is read")).collect();
        for session in &recorded.sessions {
            let record = ids.iter().find(|record| record.id.as_str() == session.id);
            assert!(
                record.is_some_and(|record| record.accessed.is_some() && record.created.is_some()),
                "{}",
                session.name
            );
        }
    }
    assert!(stores >= 3, "the corpus has {stores} databases");
}
