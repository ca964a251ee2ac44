//! Deleting by age.

use std::time::Duration;

use beakerhelpers_core::{DeletePlan, Error, Progress, Record, SaveMode, SessionStore, Silent, Timestamp};

use crate::support::{HOUR, Place, counts, cutoff, now, record};

/// Saves a session in the very moment in which it is handed over: its lock is held, and it does not get through.
struct SaveMeanwhile<'p> {
    place: &'p Place,
    refused: Option<Error>,
}

impl Progress for SaveMeanwhile<'_> {
    fn archive(&mut self, records: &[Record]) -> beakerhelpers_core::Result<()> {
        let id = records[0].id.as_str();
        self.refused = self.place.store().save(&record(id, Duration::ZERO), SaveMode::Upsert).err();
        Ok(())
    }
}

#[test]
fn records_are_handed_over_under_their_locks() {
    let place = Place::new();
    place.save("abc", 2 * HOUR);
    let mut meanwhile = SaveMeanwhile { place: &place, refused: None };
    let plan = DeletePlan::default().with_archive();
    assert_eq!(counts(place.store().delete_old(cutoff(), &plan, &mut meanwhile).expect("it cleans")), (1, 0));
    assert!(meanwhile.refused.is_some() && !place.has("abc"));
}

#[test]
fn folders_of_one_file_each_are_no_burden() {
    let place = Place::new();
    for n in 0..300_u32 {
        let id = format!("{}-{n}", char::from_u32(0x4e00 + n).expect("a character"));
        place.save(&id, if n % 3 == 0 { Duration::ZERO } else { 2 * HOUR });
    }
    for plan in [DeletePlan::dry_run(), DeletePlan::default().with_archive(), DeletePlan::default()] {
        let mut notes = crate::support::Notes::default();
        let done = place.store().delete_old(cutoff(), &plan, &mut notes).expect("it cleans");
        assert_eq!(done.kept, 100);
        assert_eq!(notes.archived.len() as u64, if plan.archive { 200 } else { 0 });
    }
    assert_eq!(place.listed().0.len(), 100);
}

/// A time before 1970, and one with nanoseconds.
#[test]
fn times_are_rounded_down() {
    let place = Place::new();
    let mut early = record("early", HOUR);
    early.accessed = Some(Timestamp::from_micros(-1_500_000));
    place.store().save(&early, SaveMode::Create).expect("it saves");
    let loaded = place.store().load(&early.id).expect("it answers").expect("it is there");
    assert_eq!(loaded.accessed, early.accessed);
    place.save("abc", HOUR);
    let limit = cutoff();
    let at = std::time::UNIX_EPOCH
        + Duration::from_nanos(u64::try_from(limit.at().as_micros()).expect("after 1970") * 1000 - 1);
    let file = std::fs::File::options().write(true).open(place.file("a/ab/abc.cache")).expect("it is there");
    file.set_modified(at).expect("it is ours");
    assert!(now() > limit.at());
    assert_eq!(
        counts(place.store().delete_old(limit, &DeletePlan::default(), &mut Silent).expect("it cleans")),
        (2, 0)
    );
}
