//! PostgreSQL.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::account::Account;
use super::process::{run, run_with_input};
use super::program::{Place, Program, find, new_name, run_client};
use super::url::encoded;
use super::{Durability, User, Via};

/// Where Debian puts the programs: `15/bin` and the like below it.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Who may come from where, and how they prove who they are.
const HBA: &str = "local all all scram-sha-256\n\
    local replication all scram-sha-256\n\
    host all admin all reject\n\
    hostnossl all tls_only all reject\n\
    host all all 127.0.0.1/32 scram-sha-256\n";

/// As little as starts fast. A commit is still written, though not to the disk: that survives a crash of the server.
const SMALL: [&str; 4] =
    ["fsync=off", "full_page_writes=off", "shared_buffers=32MB", "dynamic_shared_memory_type=mmap"];

/// More than Debian gives.
const LARGE: &str = "shared_buffers=512MB";

pub(super) struct Postgres;

impl Program for Postgres {
    fn slug(&self) -> &'static str {
        "postgres"
    }

    fn variable(&self) -> &'static str {
        "BEAKERHELPERS_TEST_POSTGRES"
    }

    fn version(&self) -> io::Result<String> {
        for program in ["initdb", "psql", "pg_basebackup"] {
            find(program, &folders())?;
        }
        let version = run(Command::new(find("postgres", &folders())?).arg("--version"))?;
        Ok(version.trim().to_owned())
    }

    fn recipe(&self) -> String {
        format!("{HBA}{}", users())
    }

    fn initialise(&self, data: &Path, account: &Account) -> io::Result<()> {
        let initdb = find("initdb", &folders())?;
        let options = ["--no-sync", "--encoding=UTF8", "--locale=C", "--username=postgres", "--auth=trust", "--pgdata"];
        run(account.command(initdb).args(options).arg(data))?;
        let mut single = account.command(find("postgres", &folders())?);
        // In `template1`, so that every database has it.
        single.args(["--single", "-j", "-F", "-c", "exit_on_error=on", "-D"]).arg(data).arg("template1");
        run_with_input(&mut single, &users())?;
        fs::write(data.join("pg_hba.conf"), HBA)
    }

    fn copy_for_replica(&self, primary: &Place, _template: &Path, data: &Path, account: &Account) -> io::Result<()> {
        let mut backup = account.command(find("pg_basebackup", &folders())?);
        backup.args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf", "--username", User::ADMIN.name]);
        backup.arg("--host").arg(&primary.sockets).arg("--port").arg(primary.port.to_string());
        run(backup.arg("--pgdata").arg(data).env("PGPASSWORD", User::ADMIN.password)).map(drop)
    }

    fn server(&self, place: &Place, durability: Durability, account: &Account) -> io::Result<Command> {
        let mut command = account.command(find("postgres", &folders())?);
        let Place { data, sockets, port, certificates, .. } = place;
        command.arg("-D").arg(data).arg("-p").arg(port.to_string());
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", sockets.display()),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", certificates.certificate().display()),
            format!("ssl_key_file={}", certificates.key().display()),
        ];
        let more: &[&str] = match durability {
            Durability::None => &SMALL,
            Durability::Default => &[LARGE],
        };
        for setting in settings.into_iter().chain(more.iter().map(ToString::to_string)) {
            command.arg("-c").arg(setting);
        }
        Ok(command)
    }

    fn stop_signal(&self) -> Signal {
        Signal::INT
    }

    fn abandon_signal(&self) -> Signal {
        // An immediate shutdown: killed, it would leave its shared memory behind.
        Signal::QUIT
    }

    fn socket(&self, place: &Place) -> PathBuf {
        place.sockets.join(format!(".s.PGSQL.{}", place.port))
    }

    fn client(&self, place: &Place, user: User, database: Option<&str>) -> io::Result<Command> {
        let mut command = Command::new(find("psql", &folders())?);
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator=\t"]);
        command.args(["--set=ON_ERROR_STOP=1", "--username", user.name, "--dbname", database.unwrap_or("postgres")]);
        command.arg("--host").arg(&place.sockets).arg("--port").arg(place.port.to_string());
        command.env("PGPASSWORD", user.password).env("PGCLIENTENCODING", "UTF8");
        Ok(command)
    }

    fn address(&self, place: &Place, user: User, database: &str, via: Via) -> String {
        let (name, password, port) = (user.name, encoded(user.password), place.port);
        match via {
            Via::Tcp => format!("://{name}:{password}@127.0.0.1:{port}/{database}"),
            Via::Socket => {
                let sockets = encoded(&place.sockets.to_string_lossy());
                format!("://{name}:{password}@/{database}?host={sockets}&port={port}")
            }
        }
    }

    fn create_database(&self, place: &Place) -> io::Result<String> {
        let name = new_name();
        let client = self.client(place, User::ADMIN, None);
        run_client(client, &format!("CREATE DATABASE {name} OWNER site;")).map(|_| name)
    }

    fn drop_database(&self, place: &Place, name: &str) -> io::Result<()> {
        let client = self.client(place, User::ADMIN, None);
        run_client(client, &format!("DROP DATABASE {name} WITH (FORCE);")).map(drop)
    }
}

/// The folders of Debian's versions, the newest first.
fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|version| Path::new(DEBIAN).join(version.to_string()).join("bin")).collect()
}

/// Makes the users: statements for the single-user mode, each ended by an empty line.
fn users() -> String {
    let role = |user: User, rights: &str| {
        let password = user.password.replace('\'', "''");
        format!("CREATE ROLE {} LOGIN {rights} PASSWORD '{password}';\n\n", user.name)
    };
    [
        "SET password_encryption = 'scram-sha-256';\n\n".to_owned(),
        role(User::ADMIN, "SUPERUSER"),
        role(User::SITE, ""),
        role(User::READER, ""),
        role(User::TLS_ONLY, "IN ROLE site"),
        role(User::STRANGER, ""),
        "ALTER DEFAULT PRIVILEGES FOR ROLE admin, site, tls_only GRANT SELECT ON TABLES TO reader;\n\n".to_owned(),
        "ALTER DEFAULT PRIVILEGES FOR ROLE admin, site, tls_only GRANT USAGE ON SCHEMAS TO reader, site;\n\n"
            .to_owned(),
    ]
    .concat()
}
