//! The certificates of the servers, made with `openssl`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::process::run;
use super::template;

/// A certificate authority, a server's certificate that it signed, and an authority that did not.
#[derive(Clone, Debug)]
pub struct Certificates {
    folder: PathBuf,
}

/// What the server's certificate is for.
const NAMES: &str = "subjectAltName = DNS:localhost, IP:127.0.0.1\n";

impl Certificates {
    /// The authority to trust: `sslmode=verify-full` succeeds with it, for 127.0.0.1 and `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Another authority, with which verification must fail.
    pub fn other_authority(&self) -> PathBuf {
        self.folder.join("other-ca.pem")
    }

    /// The server's own.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// Those of the templates, which are made once.
    pub(super) fn ensure(templates: &Path, account: &Account) -> io::Result<Self> {
        let folder = template::ensure(templates, "certificates", account, NAMES, |folder| make(folder, account))?;
        Ok(Self { folder })
    }

    pub(super) const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn make(folder: &Path, account: &Account) -> io::Result<()> {
    let openssl = |words: &str| {
        let mut command = account.command("openssl");
        // Keys that nobody else can read: PostgreSQL refuses others.
        command.current_dir(folder).args(words.split(' '));
        run(&mut command)
    };
    fs::create_dir(folder)?;
    account.give(folder)?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650";
    for name in ["ca", "other-ca"] {
        openssl(&format!("req -x509 {key} -subj /CN=beakerhelpers-{name} -keyout {name}.key -out {name}.pem"))?;
    }
    fs::write(folder.join("names"), NAMES)?;
    openssl(&format!("req {key} -subj /CN=localhost -keyout server.key -out server.csr"))?;
    let sign = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile names";
    openssl(&format!("{sign} -out server.pem"))?;
    Ok(())
}
