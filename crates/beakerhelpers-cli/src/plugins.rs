//! `beakerhelpers plugins`

use std::io::Write;

use beakerhelpers_core::command::{Context, Outcome, Subcommand, clap};
use beakerhelpers_core::{Package, Result, register_command};

/// List every linked command and store type
///
/// Prints the commands and store types that were linked into this program, each with the crate that brings it and, for
/// store types, what its stores can do.
#[derive(Debug, clap::Args)]
pub(crate) struct Plugins {}

register_command!(Plugins);

impl Subcommand for Plugins {
    const NAME: &'static str = "plugins";
    const GROUP: &'static str = "Toolbox";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        writeln!(cx.stdout, "Commands:")?;
        let commands = cx.registry.commands().map(|command| (command.name, command.package, String::new()));
        print(cx.stdout, commands.collect())?;
        writeln!(cx.stdout, "\nStore types:")?;
        let stores = cx.registry.stores().map(|store| {
            let can: Vec<_> = store.capabilities.iter().filter(|(_, can)| *can).map(|(name, _)| name).collect();
            (store.name, store.package, can.join(" "))
        });
        print(cx.stdout, stores.collect())?;
        Ok(Outcome::Done)
    }
}

fn print(out: &mut dyn Write, rows: Vec<(&str, Package, String)>) -> Result<()> {
    let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let package = |package: Package| format!("{} {}", package.name, package.version);
    let package_width = rows.iter().map(|row| package(row.1).len()).max().unwrap_or(0);
    for (name, from, can) in rows {
        let line = format!("  {name:width$}  {:package_width$}  {can}", package(from));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
