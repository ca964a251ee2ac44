//! The account that servers run as.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::process::run;

/// Of these accounts the first that exists: PostgreSQL does not run as root.
const FOR_ROOT: [&str; 2] = ["postgres", "nobody"];

/// Who servers run as: root's stand-in, or whoever this is.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// `None`: nothing is to be changed.
    ids: Option<(u32, u32)>,
}

impl Account {
    pub(super) fn find() -> io::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { ids: None });
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        let ids = FOR_ROOT.into_iter().find_map(|name| ids(&accounts, name));
        match ids {
            Some(ids) => Ok(Self { ids: Some(ids) }),
            None => Err(io::Error::other(format!("no account to run servers as: none of {FOR_ROOT:?} exists"))),
        }
    }

    /// A command that this account runs. It is in no folder that the account could not enter.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        forget_settings(&mut command);
        command
    }

    /// Gives a folder to the account, which others may enter.
    pub(super) fn give(&self, folder: &Path) -> io::Result<()> {
        self.give_with(folder, 0o755)
    }

    /// Gives a folder to the account, which nobody else may enter.
    pub(super) fn give_alone(&self, folder: &Path) -> io::Result<()> {
        self.give_with(folder, 0o700)
    }

    fn give_with(&self, folder: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
        self.ids.map_or(Ok(()), |(user, group)| chown(folder, Some(user), Some(group)))
    }

    /// Whether the account may write there. Everybody can where they made the folder; root's stand-in may not reach it.
    pub(super) fn reaches(&self, folder: &Path) -> bool {
        run(self.command("test").arg("-w").arg(folder)).is_ok()
    }
}

/// Takes away what the environment may say about another server; messages are in English.
pub(super) fn forget_settings(command: &mut Command) {
    for name in ["PGHOST", "PGPORT", "PGDATA", "PGOPTIONS", "PGSERVICE", "PGUSER", "PGDATABASE", "MYSQL_HOME"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
}

/// The user and the group of a line such as `nobody:x:65534:65534:…`.
fn ids(accounts: &str, name: &str) -> Option<(u32, u32)> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let (_password, user, group) = (fields.next()?, fields.next()?, fields.next()?);
        Some((user.parse().ok()?, group.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let accounts = "root:x:0:0:root:/:/bin/sh\nnobody2:x:7:8::/:\nbroken\nnobody:x:65534:65533:n:/:/bin/false\n";
        assert_eq!(ids(accounts, "nobody"), Some((65534, 65533)));
        assert_eq!(ids(accounts, "postgres"), None);
    }
}
