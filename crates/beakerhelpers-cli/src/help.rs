//! The list of commands.

use beakerhelpers_core::Result;
use beakerhelpers_core::command::{Context, exit};

use crate::dispatch::subcommand;

/// Prints the linked commands with their summaries, grouped.
pub(crate) fn list(cx: &mut Context<'_>) -> Result<u8> {
    let mut groups: Vec<&str> = cx.registry.commands().map(|command| command.group).collect();
    // The sessions first, whatever else plugins bring, the toolbox itself last.
    groups.sort_by_key(|group| (*group == "Toolbox", *group != "Sessions", *group));
    groups.dedup();
    writeln!(cx.stdout, "See and clean the web sessions that Python's Beaker library stores.\n")?;
    writeln!(cx.stdout, "Usage: beakerhelpers COMMAND [OPTIONS] [ARGUMENTS]")?;
    let width = cx.registry.commands().map(|command| command.name.len()).max().unwrap_or(0);
    for group in groups {
        writeln!(cx.stdout, "\n{group}:")?;
        for command in cx.registry.commands().filter(|command| command.group == group) {
            let about = subcommand(command).get_about().map(ToString::to_string).unwrap_or_default();
            writeln!(cx.stdout, "  {:width$}  {about}", command.name)?;
        }
    }
    writeln!(cx.stdout, "\n`beakerhelpers help COMMAND` tells more about one of them.")?;
    Ok(exit::DONE)
}
