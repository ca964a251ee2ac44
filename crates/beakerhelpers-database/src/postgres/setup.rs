//! Creating the table as Beaker would.

use beakerhelpers_core::{Error, ErrorKind, SetupMode, SetupOutcome, escape_controls};

use super::connection::{Mode, quoted};
use super::{PgClient, catalog};
use crate::Flavor;
use crate::failure::Failure;
use crate::server::layout;
use crate::sql::Dialect;
use crate::statement::{Piece, Statement, TableName};

// What SQLAlchemy makes of the tables in `beaker/ext/database.py` and `beaker/ext/sqla.py` (1.14.1), to the letter.
const DATABASE_COLUMNS: &str = " (\n\tid SERIAL NOT NULL, \n\tnamespace VARCHAR(255) NOT NULL, \n\
     \taccessed TIMESTAMP WITHOUT TIME ZONE NOT NULL, \n\tcreated TIMESTAMP WITHOUT TIME ZONE NOT NULL, \n\
     \tdata BYTEA NOT NULL, \n\tPRIMARY KEY (id), \n\tUNIQUE (namespace)\n)";
const SQLA_COLUMNS: &str = " (\n\tnamespace VARCHAR(255) NOT NULL, \n\
     \taccessed TIMESTAMP WITHOUT TIME ZONE NOT NULL, \n\tcreated TIMESTAMP WITHOUT TIME ZONE NOT NULL, \n\
     \tdata BYTEA NOT NULL, \n\tPRIMARY KEY (namespace)\n)";
// `setup` of `session2/store/PostgresSessionStore.py` (0.6).
const SESSION2_COLUMNS: &str = " (\n   id TEXT PRIMARY KEY NOT NULL,\n   pickle TEXT NOT NULL,\n   \
     modify_time TIMESTAMP NOT NULL DEFAULT now()\n)";

/// Creates the table. Its schema must be there: neither SQLAlchemy nor Beaker makes one.
pub(super) fn run(
    client: &mut PgClient,
    table: &TableName,
    flavor: Flavor,
    mode: SetupMode,
) -> Result<SetupOutcome, Failure> {
    let recreate = match mode {
        SetupMode::IfMissing => false,
        SetupMode::Recreate => true,
        _ => return Err(Error::unsupported("this version knows no such way to set up").into()),
    };
    let done = client.within(Mode::Write, |client| {
        let there = match catalog::columns(client, table)? {
            None => false,
            Some(_) if !recreate => return Ok(SetupOutcome::Existing),
            Some(columns) => {
                // What another program keeps there is not ours to destroy, be the name a slip or not.
                layout::of_columns(&columns, table, (flavor, Dialect::Postgres), "")
                    .map_err(|why| layout::left_alone(&why, table))?;
                true
            }
        };
        if there {
            client.change_rows(&Statement::new([Piece::Sql("DROP TABLE "), Piece::Table(table)]))?;
        }
        need_schema(client, table)?;
        create(client, table, flavor)?;
        Ok(if there { SetupOutcome::Recreated } else { SetupOutcome::Created })
    });
    match done {
        // Somebody else created it meanwhile, the application perhaps.
        Err(_) if !recreate && !client.broken() && catalog::columns(client, table)?.is_some() => {
            Ok(SetupOutcome::Existing)
        }
        Err(failure) if failure.error.kind() == ErrorKind::PermissionDenied => Err(may_not_create(table).into()),
        done => done,
    }
}

fn create(client: &mut PgClient, table: &TableName, flavor: Flavor) -> Result<(), Failure> {
    let columns = match flavor {
        Flavor::Database => DATABASE_COLUMNS,
        Flavor::Sqla => SQLA_COLUMNS,
        Flavor::Session2 => SESSION2_COLUMNS,
    };
    client.change_rows(&Statement::new([Piece::Sql("CREATE TABLE "), Piece::Table(table), Piece::Sql(columns)]))?;
    Ok(())
}

fn need_schema(client: &mut PgClient, table: &TableName) -> Result<(), Failure> {
    let Some(schema) = &table.schema else { return Ok(()) };
    let there = Statement::new([Piece::Sql("SELECT count(*) FROM pg_namespace WHERE nspname = "), Piece::Text(schema)]);
    if client.number(&there)? == Some(0) {
        return Err(Error::new(ErrorKind::NotSetUp, format!("there is no schema `{}`", escape_controls(schema)))
            .with_hint(format!("create it: CREATE SCHEMA {}", escape_controls(&quoted(schema))))
            .into());
    }
    Ok(())
}

fn may_not_create(table: &TableName) -> Error {
    let schema = table.schema.as_deref().unwrap_or("public");
    Error::new(ErrorKind::PermissionDenied, format!("the user may not create the table `{table}`")).with_hint(format!(
        "as its owner run GRANT CREATE ON SCHEMA {} TO the user, or set up as another user",
        escape_controls(&quoted(schema))
    ))
}
