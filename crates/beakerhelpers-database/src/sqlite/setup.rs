//! Creating the table as Beaker would.

use beakerhelpers_core::{Error, ErrorKind, Result, SetupMode, SetupOutcome};

use diesel::result::QueryResult;

use super::connection::{Connection, Opener};
use super::errors;
use super::layout::{self, Missing};
use crate::Flavor;
use crate::statement::{Piece, Statement, TableName};

// What SQLAlchemy makes of the tables in `beaker/ext/database.py` and `beaker/ext/sqla.py` (1.14.1), to the letter.
const DATABASE_COLUMNS: &str = " (\n\tid INTEGER NOT NULL, \n\tnamespace VARCHAR(255) NOT NULL, \n\
     \taccessed DATETIME NOT NULL, \n\tcreated DATETIME NOT NULL, \n\tdata BLOB NOT NULL, \n\
     \tPRIMARY KEY (id), \n\tUNIQUE (namespace)\n)";
const SQLA_COLUMNS: &str = " (\n\tnamespace VARCHAR(255) NOT NULL, \n\
     \taccessed DATETIME NOT NULL, \n\tcreated DATETIME NOT NULL, \n\tdata BLOB NOT NULL, \n\
     \tPRIMARY KEY (namespace)\n)";

/// Creates the table, and the file if need be.
pub(crate) fn run(opener: &Opener, table: &TableName, flavor: Flavor, mode: SetupMode) -> Result<SetupOutcome> {
    let mut connection = opener.create()?;
    let explain = |error| errors::explain(&error, &opener.files, opener.access);
    if mode == SetupMode::IfMissing {
        // Where there is nothing to do, a site that writes need not wait, nor be waited for.
        match layout::detect(&mut connection, table).map_err(explain)? {
            Err(Missing::Table(_)) => {}
            Err(missing @ Missing::Utf8) => return Err(missing.into_error(table, "")),
            Ok(_) | Err(_) => return Ok(SetupOutcome::Existing),
        }
    }
    let done = connection.transaction(|connection| {
        let there = match layout::detect(connection, table)? {
            Err(Missing::Table(_)) => false,
            Err(missing @ Missing::Utf8) => return Ok(Err(missing.into_error(table, ""))),
            // What another program keeps there is not ours to destroy, be the name a slip or not.
            Err(missing) if mode == SetupMode::Recreate => {
                return Ok(Err(kept(table, missing.into_error(table, "").message())));
            }
            Ok(_) if mode == SetupMode::Recreate && layout::is_view(connection, table)? => {
                return Ok(Err(kept(table, "it is a view")));
            }
            Ok(_) | Err(_) => true,
        };
        Ok(Ok(match (mode, there) {
            (SetupMode::IfMissing, true) => SetupOutcome::Existing,
            (SetupMode::IfMissing | SetupMode::Recreate, false) => {
                create(connection, table, flavor)?;
                SetupOutcome::Created
            }
            (SetupMode::Recreate, true) => {
                connection.change(&Statement::new([Piece::Sql("DROP TABLE "), Piece::Table(table)]))?;
                create(connection, table, flavor)?;
                SetupOutcome::Recreated
            }
            _ => return Ok(Err(Error::unsupported("this version knows no such way to set up"))),
        }))
    });
    done.map_err(explain)?
}

fn create(connection: &mut Connection, table: &TableName, flavor: Flavor) -> QueryResult<()> {
    let columns = match flavor {
        Flavor::Database => DATABASE_COLUMNS,
        Flavor::Sqla | Flavor::Session2 => SQLA_COLUMNS,
    };
    connection.change(&Statement::new([Piece::Sql("CREATE TABLE "), Piece::Table(table), Piece::Sql(columns)]))?;
    Ok(())
}

fn kept(table: &TableName, why: &str) -> Error {
    Error::new(ErrorKind::NotSetUp, format!("`{table}` is left alone: {why}"))
        .with_hint("only a table of sessions is destroyed here; if this one shall go, drop it yourself")
}
