//! What is made once and copied from then on.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use super::account::Account;
use super::process::run;

/// The template of this name and recipe, which is made where it is missing.
pub(super) fn ensure(
    templates: &Path,
    name: &str,
    account: &Account,
    recipe: &str,
    make: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    recipe.hash(&mut hasher);
    let finished = templates.join(format!("{name}-{:016x}", hasher.finish()));
    if finished.is_dir() {
        return Ok(finished);
    }
    // Beside it: what was interrupted is not taken for a template.
    let making = tempfile::Builder::new().prefix(&format!("making-{name}-{}-", process::id())).tempdir_in(templates)?;
    account.give(making.path())?;
    let new = making.path().join("it");
    make(&new)?;
    match fs::rename(&new, &finished) {
        // Somebody else was faster.
        Err(_) if finished.is_dir() => Ok(finished),
        renamed => renamed.map(|()| finished),
    }
}

/// Copies a template to a folder that does not exist.
pub(super) fn copy(template: &Path, to: &Path, account: &Account) -> io::Result<()> {
    run(account.command("cp").arg("-a").arg(template).arg(to)).map(drop)
}
