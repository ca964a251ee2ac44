//! Creating the table as Beaker would.

use beakerhelpers_core::{Error, Result, SetupMode};

use super::connection::Opener;
use super::errors;
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
pub(crate) fn run(opener: &Opener, table: &TableName, flavor: Flavor, mode: SetupMode) -> Result<()> {
    let mut connection = opener.create()?;
    let columns = match flavor {
        Flavor::Database => DATABASE_COLUMNS,
        Flavor::Sqla => SQLA_COLUMNS,
    };
    let create = |sql| Statement::new([Piece::Sql(sql), Piece::Table(table), Piece::Sql(columns)]);
    let done = connection.transaction(|connection| {
        match mode {
            SetupMode::IfMissing => connection.change(&create("CREATE TABLE IF NOT EXISTS "))?,
            SetupMode::Recreate => {
                connection.change(&Statement::new([Piece::Sql("DROP TABLE IF EXISTS "), Piece::Table(table)]))?;
                connection.change(&create("CREATE TABLE "))?
            }
            _ => return Ok(Err(Error::unsupported("this version knows no such way to set up"))),
        };
        Ok(Ok(()))
    });
    done.map_err(|error| errors::explain(&error, &opener.files, opener.access))?
}
