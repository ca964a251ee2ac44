//! What the store asks of a client, PostgreSQL's way.

use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{Finding, IndexOutcome, SetupMode, SetupOutcome};

use super::{PgClient, PgTarget, batches, catalog, check, indexes, maintenance, setup};
use crate::Flavor;
use crate::cleanup::{Archive, Found};
use crate::failure::Failure;
use crate::server::client::{Client, Column, Row, Settings};
use crate::server::pages::{Form, record};
use crate::sql::{Age, Dialect, Sql};
use crate::statement::{Statement, TableName};
use crate::times::Clock;

impl Client for PgClient {
    type Target = PgTarget;

    const DIALECT: Dialect = Dialect::Postgres;
    const LOCKS_WHAT_IT_SCANS: bool = false;
    const SKIPS_LOCKED: bool = true;

    fn connect(target: &PgTarget, settings: Settings) -> Result<Self, Failure> {
        Self::open(target, settings)
    }

    fn is_broken(&mut self) -> bool {
        self.broken()
    }

    fn ping(&mut self) -> Result<(), Failure> {
        self.run("SELECT 1")
    }

    fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        match sql {
            "COMMIT" => self.commit(),
            "ROLLBACK" => self.roll_back(),
            _ => self.run(sql),
        }
    }

    fn change(&mut self, statement: &Statement<'_>) -> Result<u64, Failure> {
        self.change_rows(statement)
    }

    fn rows(
        &mut self,
        statement: &Statement<'_>,
        each: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        self.read_rows(statement, each)
    }

    fn columns(&mut self, table: &TableName) -> Result<Option<Vec<Column>>, Failure> {
        catalog::columns(self, table)
    }

    fn tables(&mut self, most: usize) -> Result<Vec<String>, Failure> {
        catalog::tables(self, most)
    }

    fn start_cleanup(&mut self, table: &TableName) -> Result<bool, Failure> {
        batches::start(self, table)
    }

    fn begin_batch(&mut self, table: &TableName) -> Result<bool, Failure> {
        batches::begin(self, table)
    }

    fn begin_saves(&mut self) -> Result<(), Failure> {
        self.begin_to_write()
    }

    fn delete_and_hand_over(
        &mut self,
        sql: Sql<'_>,
        delete: Statement<'_>,
        _: &Found,
        _: &Age,
        clock: &mut Clock,
        mut archive: Archive<'_>,
    ) -> Result<u64, Failure> {
        let form = Form { framing: sql.columns.framing(), room: u64::MAX };
        let mut refused = None;
        self.read_rows(&sql.returning(delete), &mut |row| match archive.push(record(row, form, clock)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                refused = Some(error);
                ControlFlow::Break(())
            }
        })?;
        match refused {
            Some(error) => Err(error.into()),
            None => Ok(archive.finish()?),
        }
    }

    fn setup(&mut self, table: &TableName, flavor: Flavor, mode: SetupMode) -> Result<SetupOutcome, Failure> {
        setup::run(self, table, flavor, mode)
    }

    fn add_index(&mut self, table: &TableName, flavor: Flavor) -> Result<IndexOutcome, Failure> {
        indexes::add(self, table, flavor)
    }

    fn check(&mut self, table: &TableName, flavor: Flavor, prefix: &str) -> Result<Vec<Finding>, Failure> {
        check::findings(self, table, flavor, prefix)
    }

    fn vacuum(&mut self, table: &TableName) -> Result<(), Failure> {
        maintenance::vacuum(self, table)
    }

    fn replication_lag(&mut self) -> Result<Option<Duration>, Failure> {
        maintenance::replication_lag(self)
    }
}
