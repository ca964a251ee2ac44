//! Creating the table as Beaker would, and rebuilding it.

use beakerhelpers_core::{Error, ErrorKind, SetupMode, SetupOutcome};

use super::connection::MySqlClient;
use super::{info, text};
use crate::Flavor;
use crate::failure::Failure;
use crate::server::client::Client;
use crate::server::layout;
use crate::sql::Dialect;
use crate::statement::{Piece, Statement, TableName};

// What SQLAlchemy makes of the tables in `beaker/ext/database.py` and `beaker/ext/sqla.py` (1.14.1), to the letter.
const DATABASE_COLUMNS: &str = " (\n\tid INTEGER NOT NULL AUTO_INCREMENT, \n\tnamespace VARCHAR(255) NOT NULL, \n\
     \taccessed DATETIME NOT NULL, \n\tcreated DATETIME NOT NULL, \n\tdata BLOB NOT NULL, \n\
     \tPRIMARY KEY (id), \n\tUNIQUE (namespace)\n)";
const SQLA_COLUMNS: &str = " (\n\tnamespace VARCHAR(255) NOT NULL, \n\
     \taccessed DATETIME NOT NULL, \n\tcreated DATETIME NOT NULL, \n\tdata BLOB NOT NULL, \n\
     \tPRIMARY KEY (namespace)\n)";
// What `setup` of `session2/store/MySQLSessionStore.py` (0.6) says, and what the server made of that in its time: the
// first TIMESTAMP changed with every row. MySQL since 8.0 does that only where it is told to.
const SESSION2_COLUMNS: &str = " (\n\tid VARCHAR(255) NOT NULL PRIMARY KEY, \n\tpickle BLOB NOT NULL, \n\
     \tmodify_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP\n)";

pub(super) fn run(
    client: &mut MySqlClient,
    table: &TableName,
    flavor: Flavor,
    mode: SetupMode,
) -> Result<SetupOutcome, Failure> {
    match (mode, info::exists(client, table)?) {
        (SetupMode::IfMissing, true) => Ok(SetupOutcome::Existing),
        (SetupMode::IfMissing | SetupMode::Recreate, false) => {
            create(client, table, flavor)?;
            Ok(SetupOutcome::Created)
        }
        (SetupMode::Recreate, true) => {
            // What another program keeps there is not ours to destroy, be the name a slip or not.
            let columns = client.columns(table)?.unwrap_or_default();
            layout::of_columns(&columns, table, (flavor, Dialect::MySql), "")
                .map_err(|why| layout::left_alone(&why, table))?;
            client.change(&Statement::new([Piece::Sql("DROP TABLE "), Piece::Table(table)]))?;
            create(client, table, flavor)?;
            Ok(SetupOutcome::Recreated)
        }
        _ => Err(Error::unsupported("this version knows no such way to set up").into()),
    }
}

fn create(client: &mut MySqlClient, table: &TableName, flavor: Flavor) -> Result<(), Failure> {
    let columns = match flavor {
        Flavor::Database => DATABASE_COLUMNS,
        Flavor::Sqla => SQLA_COLUMNS,
        Flavor::Session2 => SESSION2_COLUMNS,
    };
    client.change(&Statement::new([Piece::Sql("CREATE TABLE "), Piece::Table(table), Piece::Sql(columns)]))?;
    Ok(())
}

/// Rebuilds the table while others go on writing.
pub(super) fn rebuild(client: &mut MySqlClient, table: &TableName) -> Result<(), Failure> {
    alter(client, table, "FORCE", "be rebuilt")
}

/// Changes the table while others go on writing, or not at all.
pub(super) fn alter(client: &mut MySqlClient, table: &TableName, how: &str, what: &str) -> Result<(), Failure> {
    // All who want the table wait behind whoever waits for it as a whole, and that is to be short.
    client.execute("SET SESSION lock_wait_timeout = 1")?;
    let mut sql = "ALTER TABLE ".to_owned();
    text::push_table(&mut sql, table);
    let done = client.execute(&format!("{sql} {how}, ALGORITHM=INPLACE, LOCK=NONE"));
    done.map_err(|failure| match failure.error.kind() {
        ErrorKind::Other => {
            let error = Error::unsupported(format!("the table cannot {what} while others write to it"))
                .with_context("the server says", failure.error.message())
                .with_hint(format!("in a quiet hour an administrator can run `{sql} {how}`, which keeps writers out"));
            Failure { error, ..failure }
        }
        _ => failure,
    })
}
