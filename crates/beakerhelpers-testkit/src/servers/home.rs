//! The folder that all servers are in.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::instance::{self, Instance};
use super::program::{Place, Program};
use super::{Certificates, Durability, Kind, Server, template};

/// On a disk, where nobody but root makes folders.
const ELSEWHERE: &str = "/var/cache/beakerhelpers-servers";

/// A folder for templates and for the data of servers.
#[derive(Clone, Debug)]
pub struct Home {
    folder: PathBuf,
    account: Account,
}

impl Home {
    /// A home in this folder, which is made where it is missing. Servers that are left of processes that were killed
    /// are ended, and their data removed.
    ///
    /// As root, servers run as another account. Where that one cannot reach the folder, the home is
    /// `/var/cache/beakerhelpers-servers` instead.
    ///
    /// # Errors
    ///
    /// The folder cannot be made, or there is no account to run servers as.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let account = Account::find()?;
        let home = Self { folder: prepare(folder, &account)?, account };
        if home.account.reaches(&home.folder) {
            home.clean_up()?;
            return Ok(home);
        }
        let folder = prepare(Path::new(ELSEWHERE), &home.account)?;
        let home = Self { folder, ..home };
        if !home.account.reaches(&home.folder) {
            return Err(io::Error::other(format!(
                "{}: the servers' account cannot write there",
                home.folder.display()
            )));
        }
        home.clean_up()?;
        Ok(home)
    }

    /// Starts a server and waits until it answers. It ends when the [`Server`] is dropped, and whenever this process
    /// ends, in whatever way.
    ///
    /// # Errors
    ///
    /// A program is missing, or the server does not start; what it said then is in the message.
    pub fn start(&self, kind: Kind, durability: Durability) -> io::Result<Server> {
        let template = self.template(kind.program())?;
        self.start_with(kind, durability, |data| template::copy(&template, data, &self.account))
    }

    /// Starts a server that follows another one.
    pub(super) fn start_replica(&self, kind: Kind, primary: &Place) -> io::Result<Server> {
        let program = kind.program();
        let template = self.template(program)?;
        let copy = |data: &Path| program.copy_for_replica(primary, &template, data, &self.account);
        let replica = self.start_with(kind, Durability::None, copy)?;
        replica.run(None, &program.become_replica(primary));
        Ok(replica)
    }

    fn start_with(
        &self,
        kind: Kind,
        durability: Durability,
        make_data: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<Server> {
        let certificates = Certificates::ensure(&self.templates(), &self.account)?;
        let instance = {
            let _lock = self.lock()?;
            Instance::new(&self.folder.join("run"), kind, durability, certificates, self.account.clone())?
        };
        make_data(&instance.place().data)?;
        instance.start()?;
        Ok(Server::started(self.folder.clone(), instance))
    }

    fn templates(&self) -> PathBuf {
        self.folder.join("templates")
    }

    fn template(&self, program: &dyn Program) -> io::Result<PathBuf> {
        let recipe = format!("{}\n{}", program.version()?, program.recipe());
        template::ensure(&self.templates(), program.slug(), &self.account, &recipe, |data| {
            program.initialise(data, &self.account)
        })
    }

    fn clean_up(&self) -> io::Result<()> {
        let _lock = self.lock()?;
        instance::clean_up(&self.folder.join("run"))
    }

    /// Held while the list of servers changes.
    fn lock(&self) -> io::Result<File> {
        let file = File::create(self.folder.join("lock"))?;
        file.lock()?;
        Ok(file)
    }
}

/// Makes the folders, and gives the way to them that has no dots and links in it.
fn prepare(folder: &Path, account: &Account) -> io::Result<PathBuf> {
    for folder in [folder.to_owned(), folder.join("templates"), folder.join("run")] {
        fs::create_dir_all(&folder)?;
        account.give(&folder)?;
    }
    fs::canonicalize(folder)
}
