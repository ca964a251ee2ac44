//! Cleanups of `session2:directory` beside others.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{Cutoff, DeletePlan, Progress, Record, Result, Timestamp};

use crate::directory::ready;

const PICKLE: &[u8] = b"\x80\x02cshop\nSession\n)\x81}U\x04userU\x03joesb.";

pub(crate) fn save_an_hour_ago(path: &Path) {
    let mut file = File::create(path).expect("it is made");
    file.write_all(PICKLE).expect("there is room");
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("it is ours");
}

pub(crate) fn cutoff() -> Cutoff {
    Cutoff::ago(Timestamp::from(SystemTime::now()), Duration::from_secs(60))
}

/// While sessions are being archived, one of them is saved and another is made anew, as session3 does it.
struct Busy {
    directory: PathBuf,
    saving: Option<File>,
    archived: usize,
}

impl Progress for Busy {
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        self.archived += records.len();
        // It is empty now, and its writer waits for the lock.
        self.saving = Some(File::create(self.directory.join("joe")).expect("it is there"));
        fs::remove_file(self.directory.join("ann")).expect("it is there");
        fs::write(self.directory.join("ann"), PICKLE).expect("it is made");
        Ok(())
    }
}

#[test]
fn what_is_saved_while_it_is_archived_is_kept() {
    let (place, store, _) = ready();
    let directory = place.path().join("sessions");
    for id in ["joe", "ann", "eve"] {
        save_an_hour_ago(&directory.join(id));
    }
    let mut busy = Busy { directory: directory.clone(), saving: None, archived: 0 };
    let done = store.delete_old(cutoff(), &DeletePlan::default().with_archive(), &mut busy).expect("it cleans");
    assert_eq!((done.deleted, done.kept, busy.archived), (1, 2, 3));
    let mut saving = busy.saving.expect("it was archived");
    saving.lock().expect("the cleanup is over");
    saving.write_all(b"(isaved\nNow\n.").expect("there is room");
    assert_eq!(fs::read(directory.join("joe")).expect("it is there"), b"(isaved\nNow\n.");
    assert_eq!(fs::read(directory.join("ann")).expect("it is there"), PICKLE);
    assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 2, "and nothing is left behind");
}
