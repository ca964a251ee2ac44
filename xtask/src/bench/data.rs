//! The sessions to list and to clean.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::backend::Set;
use crate::run::{Result, output, root, target};

/// Where the data sets are, and what is made of them.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The one under `target`.
    pub(crate) fn make() -> Result<Self> {
        let folder = Self { path: target().join("bench") };
        folder.make_part("out")?;
        folder.make_part("tmp")?;
        Ok(folder)
    }

    fn make_part(&self, name: &str) -> Result {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Removes what the programs printed. The data sets stay for the next time.
    pub(crate) fn clear(&self) -> Result {
        ["out", "tmp"]
            .iter()
            .map(|name| self.path.join(name))
            .try_for_each(|path| fs::remove_dir_all(&path).map_err(|error| format!("{}: {error}", path.display())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the programs put their temporary files: on the disk of the data sets.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// The file for what a program prints.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.path.join("out").join(name)
    }

    /// The sessions of a database, and a configuration that names it, made anew: servers change their addresses.
    pub(crate) fn set(&self, name: String, url: String) -> Result<Set> {
        let ini = self.path.join(format!("{name}.ini"));
        fs::write(&ini, configuration(&url)).map_err(|error| format!("{}: {error}", ini.display()))?;
        Ok(Set { name, ini, url })
    }

    /// The folder with the payloads, a file for each kind, made unless it is there.
    pub(crate) fn payloads(&self) -> Result<PathBuf> {
        self.make_part("payloads")?;
        let path = self.path.join("payloads");
        self.make_once("payloads", &["payloads.py", "data_set.py", "shop.py"], |script| output(script.arg(&path)))?;
        Ok(path)
    }

    /// Lets the first one of some scripts make something, unless the same ones did before.
    pub(crate) fn make_once(
        &self,
        name: &str,
        scripts: &[&str],
        make: impl FnOnce(&mut Command) -> Result<String>,
    ) -> Result {
        let scripts = scripts.iter().map(|script| root().join("xtask/bench").join(script)).collect::<Vec<_>>();
        let mut digest = Sha256::new();
        for script in &scripts {
            digest.update(fs::read(script).map_err(|error| format!("{}: {error}", script.display()))?);
        }
        let wanted = format!("{:02x?}", digest.finalize());
        let stamp = self.path.join(format!("{name}.stamp"));
        if !fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            make(Command::new("python3").args(scripts.first()).env("PYTHONDONTWRITEBYTECODE", "1"))?;
            // Last: one that was interrupted is made anew.
            fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
        }
        Ok(())
    }
}

/// What a configuration says of such a URL.
fn configuration(url: &str) -> String {
    let url = url.replace('%', "%%");
    format!("[app:main]\nbeaker.session.type = ext:database\nbeaker.session.url = {url}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_keeps_what_a_url_encodes() {
        let text = configuration("postgresql://site:p%40ss@/bench");
        assert!(text.ends_with("beaker.session.url = postgresql://site:p%%40ss@/bench\n"), "{text}");
    }
}
