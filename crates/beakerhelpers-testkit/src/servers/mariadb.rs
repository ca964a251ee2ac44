//! MariaDB.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::account::Account;
use super::process::{run, run_with_input};
use super::program::{Place, Program, find, new_name, run_client};
use super::url::encoded;
use super::{Durability, User, Via, template};

/// What Debian's configuration says, too.
const CHARACTERS: [&str; 2] = ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"];

/// As little as starts fast. A commit is still written, though not to the disk: that survives a crash of the server.
const SMALL: [&str; 6] = [
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--skip-innodb-doublewrite",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
    // Containers often forbid it, and then the log complains.
    "--skip-innodb-use-native-aio",
];

/// More than Debian gives. It cannot be made larger while the server runs.
const LARGE: &str = "--innodb-buffer-pool-size=512M";

/// What its binary log is called.
const BINLOG: &str = "binlog";

/// What `create_database` names: `\_` is an underscore that is none of LIKE's.
const DATABASES: &str = r"`t\_%`.*";

pub(super) struct MariaDb;

impl Program for MariaDb {
    fn slug(&self) -> &'static str {
        "mariadb"
    }

    fn variable(&self) -> &'static str {
        "BEAKERHELPERS_TEST_MARIADB"
    }

    fn version(&self) -> io::Result<String> {
        for program in ["mariadb-install-db", "mariadb"] {
            find(program, &[])?;
        }
        let version = run(Command::new(find("mariadbd", &[])?).args(["--no-defaults", "--version"]))?;
        Ok(version.trim().to_owned())
    }

    fn recipe(&self) -> String {
        format!("{SMALL:?}{}", users())
    }

    fn initialise(&self, data: &Path, account: &Account) -> io::Result<()> {
        let mut install = account.command(find("mariadb-install-db", &[])?);
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        run(install.arg(format!("--datadir={}", data.display())).args(SMALL))?;
        let mut bootstrap = account.command(find("mariadbd", &[])?);
        bootstrap.args(["--no-defaults", "--bootstrap"]).arg(format!("--datadir={}", data.display())).args(SMALL);
        run_with_input(&mut bootstrap, &users()).map(drop)
    }

    fn copy_for_replica(&self, _primary: &Place, template: &Path, data: &Path, account: &Account) -> io::Result<()> {
        template::copy(template, data, account)
    }

    fn become_replica(&self, primary: &Place) -> String {
        let User { name, password } = User::FOLLOWER;
        let port = primary.port;
        // All that happened since the primary was a copy of the same template.
        format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = '{name}', \
             MASTER_PASSWORD = '{password}', MASTER_LOG_FILE = '{BINLOG}.000001', MASTER_LOG_POS = 4;\n\
             START SLAVE;"
        )
    }

    fn server(&self, place: &Place, durability: Durability, account: &Account) -> io::Result<Command> {
        let mut command = account.command(find("mariadbd", &[])?);
        let Place { data, certificates, port, .. } = place;
        command.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"]).args(CHARACTERS);
        command.arg(format!("--datadir={}", data.display())).arg(format!("--port={port}"));
        command.arg(format!("--socket={}", self.socket(place).display()));
        command.arg(format!("--pid-file={}", data.join("server.pid").display()));
        command.arg(format!("--ssl-ca={}", certificates.authority().display()));
        command.arg(format!("--ssl-cert={}", certificates.certificate().display()));
        command.arg(format!("--ssl-key={}", certificates.key().display()));
        // Its temporary tables are on the same disk as everything else, and go with it.
        fs::create_dir_all(data.join("tmp"))?;
        account.give(&data.join("tmp"))?;
        command.arg(format!("--tmpdir={}", data.join("tmp").display()));
        match durability {
            // Sites with replicas have the log, and it forbids statements that would be allowed without.
            Durability::None => {
                command.args(SMALL).arg(format!("--log-bin={BINLOG}")).arg(format!("--server-id={port}"))
            }
            Durability::Default => command.arg(LARGE),
        };
        Ok(command)
    }

    fn stop_signal(&self) -> Signal {
        Signal::TERM
    }

    fn abandon_signal(&self) -> Signal {
        Signal::KILL
    }

    fn socket(&self, place: &Place) -> PathBuf {
        place.sockets.join("mysqld.sock")
    }

    fn client(&self, place: &Place, user: User, database: Option<&str>) -> io::Result<Command> {
        let mut command = Command::new(find("mariadb", &[])?);
        command.args(["--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]);
        command.arg(format!("--socket={}", self.socket(place).display())).arg(format!("--user={}", user.name));
        command.env("MYSQL_PWD", user.password).args(database);
        Ok(command)
    }

    fn address(&self, place: &Place, user: User, database: &str, via: Via) -> String {
        let (name, password) = (user.name, encoded(user.password));
        match via {
            Via::Tcp => format!("://{name}:{password}@127.0.0.1:{}/{database}", place.port),
            Via::Socket => {
                let socket = encoded(&self.socket(place).to_string_lossy());
                format!("://{name}:{password}@/{database}?unix_socket={socket}")
            }
        }
    }

    fn create_database(&self, place: &Place) -> io::Result<String> {
        let name = new_name();
        let client = self.client(place, User::ADMIN, None);
        run_client(client, &format!("CREATE DATABASE {name};")).map(|_| name)
    }

    fn drop_database(&self, place: &Place, name: &str) -> io::Result<()> {
        run_client(self.client(place, User::ADMIN, None), &format!("DROP DATABASE {name};")).map(drop)
    }
}

/// Makes the users: a statement a line, as the bootstrap mode wants them.
fn users() -> String {
    let user_at = |host: &str, user: User, rights: &str, options: &str| {
        let password = user.password.replace('\\', "\\\\").replace('\'', "''");
        let identified = format!("IDENTIFIED VIA mysql_native_password USING PASSWORD('{password}')");
        let account = format!("'{}'@'{host}'", user.name);
        format!("CREATE USER {account} {identified};\nGRANT {rights} TO {account} {options};\n")
    };
    let user = |user: User, rights: &str, options: &str| user_at("%", user, rights, options);
    [
        // Until then there are no users.
        "FLUSH PRIVILEGES;\n".to_owned(),
        // Where names are not resolved, only the socket is `localhost`.
        user_at("localhost", User::ADMIN, "ALL ON *.*", "WITH GRANT OPTION"),
        user(User::SITE, &format!("ALL ON {DATABASES}"), ""),
        user(User::READER, &format!("SELECT ON {DATABASES}"), ""),
        user(User::TLS_ONLY, &format!("ALL ON {DATABASES}"), "REQUIRE SSL"),
        user(User::STRANGER, "USAGE ON *.*", ""),
        user(User::FOLLOWER, "REPLICATION SLAVE ON *.*", ""),
        // Nobody comes without a password: these would match before the others.
        "DELETE FROM mysql.global_priv WHERE User IN ('', 'root');\n".to_owned(),
        "FLUSH PRIVILEGES;\n".to_owned(),
    ]
    .concat()
}
