//! Making the folders, emptying them, and looking at them.

use std::fs;
use std::io;
use std::path::Path;

use beakerhelpers_core::{Error, Finding, Result, SetupMode, SetupOutcome, Severity, Timestamp};
use rustix::io::Errno;

use crate::folder::{Facts, give_to};
use crate::{Guard, Place, Sessions, Tree, Walk, failure};

/// A check looks at so many files.
const SAMPLE: usize = 1000;

impl Place {
    /// Makes the folders of sessions and locks where they are missing; with [`SetupMode::Recreate`] removes every session
    /// that is there. Folders and lock files stay: a live process may be about to use them.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the place was opened to be read; `NotSetUp` where something else is there; `PermissionDenied`
    /// and `Unavailable`.
    pub fn setup(&self, sessions: &dyn Sessions, mode: SetupMode) -> Result<SetupOutcome> {
        self.refuse_to_write()?;
        let there = Tree::open(&self.data)?;
        let outcome = match (&there, mode) {
            (None, _) => {
                make(&self.data)?;
                SetupOutcome::Created
            }
            (Some(tree), SetupMode::Recreate) => {
                self.empty(tree, sessions)?;
                SetupOutcome::Recreated
            }
            (Some(_), _) => SetupOutcome::Existing,
        };
        if self.locks().open()?.is_none() {
            make(self.locks().root())?;
        }
        Ok(outcome)
    }

    fn empty(&self, tree: &Tree, sessions: &dyn Sessions) -> Result<()> {
        for spot in Walk::new(tree, sessions.form())? {
            sessions
                .remove(&spot?, Guard::Locked, Timestamp::from_micros(i64::MAX))
                .map_err(|error| self.named(error))?;
        }
        Ok(())
    }

    /// Looks at the folders and at a bounded number of files.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` and `Unavailable`.
    pub fn check(&self, sessions: &dyn Sessions) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let tree = match self.open() {
            Ok(tree) => tree,
            Err(error) if error.kind() == beakerhelpers_core::ErrorKind::NotSetUp => {
                let hint = error.hint().unwrap_or("remove what is there, or correct the configuration");
                let message = format!("{}: `{}`", error.message(), self.location());
                return Ok(vec![Finding::new(Severity::Missing, message).with_hint(hint)]);
            }
            Err(error) => return Err(error),
        };
        let mut walk = Walk::new(&tree, sessions.form())?;
        let (seen, failed) = walk
            .by_ref()
            .take(SAMPLE)
            .fold((0, 0), |(seen, failed), spot| (seen + u64::from(spot.is_ok()), failed + u64::from(spot.is_err())));
        if failed > 0 {
            let message = format!("{failed} of the folders that were looked at cannot be read by this user");
            let hint = "run it as the user that the application runs as";
            findings.push(Finding::new(Severity::Odd, message).with_hint(hint));
        }
        if walk.strange > 0 {
            let message = format!(
                "beside the first {seen} sessions there are {} other things, such as symbolic links or what a crash left \
                 behind, which are passed over",
                walk.strange
            );
            findings.push(Finding::new(Severity::Odd, message));
        }
        if self.locks().open()?.is_none() && seen > 0 {
            let message = "there are sessions, but no folder of lock files: `lock_dir` may be another one";
            findings.push(Finding::new(Severity::Odd, message));
        }
        Ok(findings)
    }
}

/// Makes a folder with all above it that are missing, each for the owner of the one that it is in.
pub(crate) fn make(path: &Path) -> Result<Tree> {
    let cannot = |error: &io::Error, path: &Path| {
        failure("make a folder", Errno::from_io_error(error).unwrap_or(Errno::IO))
            .with_context("path", path.display().to_string())
    };
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.is_dir()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => {
                let parent = Tree::open(folder.parent().unwrap_or(folder))?.ok_or_else(|| gone(folder))?;
                let made = Tree::open(folder)?.ok_or_else(|| gone(folder))?;
                let given = Facts::of(&parent).and_then(|parent| give_to(&made, parent.owner));
                given.map_err(|errno| failure("give a folder to its owner", errno))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(cannot(&error, folder)),
        }
    }
    Tree::open(path)?.ok_or_else(|| gone(path))
}

fn gone(path: &Path) -> Error {
    failure("open a folder that was just made", Errno::NOENT).with_context("path", path.display().to_string())
}
