//! What a store does before it is set up.

use beakerhelpers_core::{ErrorKind, SaveMode, SessionId, SetupMode, SetupOutcome, Severity};

use super::Subject;
use super::subject::NOW;

pub fn setup_creates_once(s: &Subject) {
    assert_eq!(s.store().setup(SetupMode::IfMissing).expect("there is nothing yet"), SetupOutcome::Created);
    let record = s.save("a", NOW);
    for store in [s.store(), s.other()] {
        assert_eq!(store.setup(SetupMode::IfMissing).expect("what is there stays"), SetupOutcome::Existing);
    }
    s.assert_stored(&record);
}

/// Nothing is destroyed, so it is not said to be.
pub fn recreating_nothing_creates(s: &Subject) {
    assert_eq!(s.store().setup(SetupMode::Recreate).expect("there is nothing yet"), SetupOutcome::Created);
    let record = s.save("a", NOW);
    s.assert_stored(&record);
    assert_eq!(s.store().setup(SetupMode::Recreate).expect("it is created anew"), SetupOutcome::Recreated);
    assert!(!s.has("a"));
}

/// And changes nothing by looking.
pub fn a_check_finds_what_is_missing(s: &Subject) {
    let missing = || {
        let findings = s.store().check().expect("that it is not set up is no failure");
        let severities: Vec<_> = findings.iter().map(|finding| finding.severity).collect();
        assert!(severities.is_sorted(), "the worst does not come first: {findings:?}");
        findings.into_iter().filter(|finding| finding.severity == Severity::Missing).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let missing = missing();
        assert!(!missing.is_empty() && missing.iter().all(|finding| finding.hint.is_some()), "{missing:?}");
    }
    assert_eq!(s.store().setup(SetupMode::IfMissing).expect("there is nothing yet"), SetupOutcome::Created);
    assert_eq!(missing(), []);
}

pub fn what_needs_a_setup_says_so(s: &Subject) {
    let record = s.record("a", NOW);
    let errors = [
        s.store().load(&record.id).map(drop),
        s.store().has(&SessionId::new("a")).map(drop),
        s.store().save(&record, SaveMode::Upsert),
        s.store().delete(&record.id).map(drop),
    ];
    for error in errors.into_iter().chain(s.can().index.then(|| s.store().add_index().map(drop))) {
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::NotSetUp));
    }
    assert_eq!(s.store().setup(SetupMode::IfMissing).expect("nothing was created"), SetupOutcome::Created);
}
