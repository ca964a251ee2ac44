//! Setting up, capabilities, and what a store says of itself.

use beakerhelpers_core::{
    CleanupMode, ErrorKind, IndexOutcome, Query, SaveMode, SessionId, SetupMode, SetupOutcome, Severity, Silent, Tidied,
};

use super::Subject;
use super::subject::{NOW, before_cutoff, cutoff, plan};

pub fn setup_leaves_sessions_alone(s: &Subject) {
    if !s.can().setup {
        return;
    }
    let record = s.save("a", NOW);
    assert_eq!(s.store().setup(SetupMode::IfMissing).expect("what is there stays"), SetupOutcome::Existing);
    s.assert_stored(&record);
}

pub fn recreating_empties(s: &Subject) {
    if !s.can().setup {
        return;
    }
    s.save("a", NOW);
    assert_eq!(s.store().setup(SetupMode::Recreate).expect("it is created anew"), SetupOutcome::Recreated);
    assert!(!s.has("a"));
    let record = s.record("a", NOW);
    s.store().save(&record, SaveMode::Create).expect("it can be used at once");
    s.assert_stored(&record);
}

pub fn vacuum_keeps_every_session(s: &Subject) {
    if !s.can().vacuum {
        return;
    }
    s.store().vacuum().expect("an empty store has nothing to give back");
    let payload = vec![7; 20_000];
    for n in 0..40 {
        let record = s.opaque(&format!("gone-{n}"), payload.clone());
        s.store().save(&record, SaveMode::Create).expect("a fresh id");
    }
    let kept: Vec<_> = (0..10).map(|n| s.save(&format!("kept-{n}"), NOW)).collect();
    for n in 0..40 {
        s.store().delete(&SessionId::new(format!("gone-{n}"))).expect("it deletes");
    }
    s.store().vacuum().expect("space is given back");
    for record in &kept {
        s.assert_stored(record);
    }
    assert!((0..40).all(|n| !s.has(&format!("gone-{n}"))));
    s.other().save(&s.record("kept-0", NOW), SaveMode::Upsert).expect("others go on");
    s.store().save(&s.record("fresh", NOW), SaveMode::Create).expect("and so does this one");
}

pub fn tidying_keeps_every_session(s: &Subject) {
    if !s.can().tidy {
        return;
    }
    let tidy = |mode| s.store().tidy_offline(mode).expect("nobody is at work");
    let kept: Vec<_> = (0..10).map(|n| s.save(&format!("kept-{n}"), NOW)).collect();
    for n in 0..20 {
        let gone = s.save(&format!("{n}-gone"), NOW);
        s.store().delete(&gone.id).expect("it deletes");
    }
    let counted = tidy(CleanupMode::Count);
    assert_eq!(counted, tidy(CleanupMode::Count), "counting changes nothing");
    assert_eq!(counted, tidy(CleanupMode::Delete));
    assert_eq!(tidy(CleanupMode::Delete), Tidied::default(), "there is nothing left");
    for record in &kept {
        s.assert_stored(record);
    }
    let back = s.record("3-gone", NOW);
    s.other().save(&back, SaveMode::Create).expect("others start again");
    s.assert_stored(&back);
}

pub fn a_fresh_store_lacks_nothing(s: &Subject) {
    if !s.can().setup {
        return;
    }
    let record = s.save("a", NOW);
    let findings = s.store().check().expect("the store looks at itself");
    assert!(findings.iter().all(|finding| finding.severity > Severity::Missing), "{findings:?}");
    s.assert_stored(&record);
}

pub fn an_index_is_added_once(s: &Subject) {
    if !s.can().index {
        return;
    }
    let record = s.save("a", NOW);
    assert_eq!(s.store().add_index().expect("there is none"), IndexOutcome::Created);
    assert_eq!(s.store().add_index().expect("there is one"), IndexOutcome::Existing);
    assert_eq!(s.other().add_index().expect("there is one"), IndexOutcome::Existing);
    s.assert_stored(&record);
    let findings = s.store().check().expect("the store looks at itself");
    assert!(findings.iter().all(|finding| finding.severity > Severity::Missing), "{findings:?}");
    let record = s.save("b", NOW);
    s.assert_stored(&record);
}

/// A flag that is off means `Unsupported`, never a silent nothing.
pub fn what_it_cannot_do_is_unsupported(s: &Subject) {
    let record = s.save("a", NOW);
    let can = s.can();
    if !can.setup {
        for mode in [SetupMode::IfMissing, SetupMode::Recreate] {
            assert_eq!(s.store().setup(mode).map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
        }
        assert_eq!(s.store().check().map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    }
    if !can.index {
        assert_eq!(s.store().add_index().map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    }
    if !can.iter {
        let mut items = s.store().iter(Query::ALL);
        assert_eq!(items.next().map(|item| item.map_err(|error| error.kind())), Some(Err(ErrorKind::Unsupported)));
        assert!(items.next().is_none());
    }
    if !can.delete_old {
        let result = s.store().delete_old(cutoff(), &plan(), &mut Silent);
        assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    }
    if !can.archive {
        s.save("old", before_cutoff(1));
        let result = s.store().delete_old(cutoff(), &plan().with_archive(), &mut Silent);
        assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
        assert!(s.has("old"), "what cannot be kept elsewhere stays");
    }
    if !can.tidy {
        for mode in [CleanupMode::Count, CleanupMode::Delete] {
            assert_eq!(s.store().tidy_offline(mode).map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
        }
    }
    if !can.vacuum {
        assert_eq!(s.store().vacuum().map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    }
    s.assert_stored(&record);
}

pub fn it_says_what_it_is(s: &Subject) {
    let info = s.store().info();
    assert!(!info.store_type.is_empty() && !info.location.is_empty());
    assert_eq!(s.other().info().store_type, info.store_type);
    assert_eq!(s.other().info().capabilities, info.capabilities);
    assert!(!format!("{:?}", s.store()).is_empty());
}

pub fn no_message_holds_a_secret(s: &Subject) {
    let (id, content) = ("5ec2e7-1d-of-a-visitor", "c0ntent-of-a-visitor");
    // A real session: not every store takes other bytes.
    let record = s.long_record(id, NOW, content.as_bytes());
    let is_in_it = record.payload.bytes().windows(content.len()).any(|bytes| bytes == content.as_bytes());
    assert!(is_in_it, "there would be nothing to show");
    s.store().save(&record, SaveMode::Upsert).expect("a fresh store takes a record");
    let loaded = s.store().load(&SessionId::new(id)).expect("the store answers");
    let error = s.store().save(&record, SaveMode::Create).expect_err("the id is taken");
    let messages = [
        format!("{:?}", s.store()),
        format!("{:?}", s.store().info()),
        format!("{loaded:?}"),
        format!("{error}"),
        format!("{error:?}"),
        error.report().to_string(),
    ];
    for message in messages {
        // From the fifth character on: the first four may be shown.
        assert!(!message.contains(&id[4..]), "an id is shown");
        assert!(!message.contains(content), "a payload is shown");
    }
}
