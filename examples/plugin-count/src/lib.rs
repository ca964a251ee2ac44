//! `beakerhelpers count`
use beakerhelpers_core::command::{Context, Outcome, StoreArgs, Subcommand, clap};
use beakerhelpers_core::{Access, Query, Result, register_command};

/// Count what a store holds
#[derive(Debug, clap::Args)]
struct Count {
    #[command(flatten)]
    store: StoreArgs,
}
register_command!(Count);

impl Subcommand for Count {
    const NAME: &'static str = "count";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let opened = self.store.open(cx.registry, Access::ReadOnly)?;
        let records = opened.store.iter(Query::ALL).try_fold(0_u64, |sum, record| record.map(|_| sum + 1))?;
        writeln!(cx.stdout, "{records}")?;
        Ok(Outcome::Done)
    }
}
