//! A Quixote site with the sessions of session3, which is session2 for Python 3.

use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{Query, Record, Session, SessionStore};
use beakerhelpers_testkit::{CURRENT_RELEASE, Python};

/// A request as the site sees it, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) count: String,
}

/// A Python that has this dbm, and session3.
pub(crate) fn with_dbm(module: &str) -> Option<Python> {
    let current = Python::current()?;
    Some(Python::with_dbm(CURRENT_RELEASE, module)?.with_packages_of(&current))
}

/// Lets visitors come to a site with this store: `USER` logs in, `=ID` comes back, `-ID` logs out.
pub(crate) fn visit(python: &Python, store: &str, place: &str, visits: &[&str]) -> Vec<Visit> {
    attempt(python, store, place, visits).unwrap_or_else(|said| panic!("the site failed: {said}"))
}

/// The same where the site may fail: what it says then.
pub(crate) fn attempt(python: &Python, store: &str, place: &str, visits: &[&str]) -> Result<Vec<Visit>, String> {
    let mut command = python.command();
    command.args(["-c", include_str!("../python/site.py"), store, place]).args(visits);
    let output = command.output().expect("Python runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8(output.stdout).expect("the site prints text");
    let visit = |line: &str| {
        let [id, user, count] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        Visit { id: id.to_owned(), user: user.to_owned(), count: count.to_owned() }
    };
    Ok(text.lines().map(visit).collect())
}

/// What a record holds.
pub(crate) fn decode(record: &Record) -> Session {
    match Decoder::new().decode(&record.payload).expect("session3 wrote it") {
        Decoded::Session(session) => session,
        other => panic!("{other:?}"),
    }
}

/// Ids and users of what a store lists, in the order of the ids.
pub(crate) fn listed(store: &dyn SessionStore) -> Vec<(String, String)> {
    let mut listed: Vec<_> = store
        .iter(Query::ALL)
        .map(|item| {
            let record = item.expect("the store lists");
            let session = decode(&record);
            let user =
                session.value("user").and_then(beakerhelpers_core::Value::as_str).expect("it has a user").to_owned();
            assert_eq!(session.value("id").and_then(beakerhelpers_core::Value::as_str), Some(record.id.as_str()));
            assert!(session.accessed_time().is_some() && session.creation_time().is_some());
            (record.id.as_str().to_owned(), user)
        })
        .collect();
    listed.sort();
    listed
}

/// What [`listed`] gives for these.
pub(crate) fn expected(visits: &[Visit]) -> Vec<(String, String)> {
    let mut expected: Vec<_> = visits.iter().map(|visit| (visit.id.clone(), visit.user.clone())).collect();
    expected.sort();
    expected
}
