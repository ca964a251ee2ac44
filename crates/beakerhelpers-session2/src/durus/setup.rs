//! Making the dict of sessions, and looking for it.

use beakerhelpers_codec::ObjectDict;
use beakerhelpers_core::{Access, Error, ErrorKind, Finding, Result, SetupMode, SetupOutcome, Severity};

use super::dict::{self, Object, SESSIONS};
use super::storage::{Commit, Oid, ROOT, Storage};
use super::{DurusStore, Place, busy, file, record};

pub(super) fn run(store: &DurusStore, mode: SetupMode) -> Result<SetupOutcome> {
    let recreate = match mode {
        SetupMode::IfMissing => false,
        SetupMode::Recreate => true,
        _ => return Err(Error::unsupported("this version knows no such way to set up")),
    };
    if let Place::File(path) = &store.place
        && !path.exists()
    {
        let records = with_root(ObjectDict::new(), 1_u64.to_be_bytes())?;
        return file::create(path, &records).map(|()| SetupOutcome::Created);
    }
    // A file that is there need not be locked to see that all is.
    let access = if recreate { Access::ReadWrite } else { Access::ReadOnly };
    let mut storage = store.storage(access)?;
    match dict::read(&mut *storage) {
        Ok(Some(_)) if !recreate => Ok(SetupOutcome::Existing),
        Ok(Some(sessions)) => {
            let empty = record::of_dict(sessions.oid, &ObjectDict::new())?;
            commit(&mut *storage, &[(sessions.oid, empty)])?;
            Ok(SetupOutcome::Recreated)
        }
        Ok(None) => Err(busy()),
        Err(error) if error.kind() == ErrorKind::NotSetUp => {
            drop(storage);
            add(&mut *store.storage(Access::ReadWrite)?)
        }
        Err(error) => Err(error),
    }
}

/// Adds the dict to the root, and that to the storage where it has none.
fn add(storage: &mut dyn Storage) -> Result<SetupOutcome> {
    let root = match dict::object(storage, ROOT)? {
        Object::Dict(root) => *root,
        Object::Conflict => return Err(busy()),
        Object::Missing if storage.new_oid()? == ROOT => ObjectDict::new(),
        Object::Missing => return Err(Error::corrupt("the database has objects, and no root")),
    };
    if root.keys().any(|key| key == SESSIONS) {
        return Err(Error::new(
            ErrorKind::NotSetUp,
            "the database is left alone: its `sessions` are no `PersistentDict`",
        ));
    }
    let oid = storage.new_oid()?;
    let records = with_root(root, oid)?;
    commit(storage, &records).map(|()| SetupOutcome::Created)
}

/// The records of a root and of the empty dict that it refers to.
fn with_root(mut root: ObjectDict, oid: Oid) -> Result<[(Oid, Vec<u8>); 2]> {
    root.set(SESSIONS, &ObjectDict::reference_to(oid))?;
    Ok([(ROOT, record::of_dict(ROOT, &root)?), (oid, record::of_dict(oid, &ObjectDict::new())?)])
}

fn commit(storage: &mut dyn Storage, records: &[(Oid, Vec<u8>)]) -> Result<()> {
    match storage.commit(records)? {
        Commit::Done => Ok(()),
        Commit::Conflict => Err(busy()),
    }
}

pub(super) fn findings(store: &DurusStore) -> Result<Vec<Finding>> {
    match store.read() {
        Ok(_) => Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::NotSetUp => {
            let finding = Finding::new(Severity::Missing, format!("{}: {}", error.message(), store.place));
            Ok(vec![finding.with_hint(error.hint().unwrap_or("`beakerhelpers setup` makes the dict of sessions"))])
        }
        Err(error) => Err(error),
    }
}
