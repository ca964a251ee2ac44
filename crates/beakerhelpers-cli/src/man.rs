//! `beakerhelpers man`

use beakerhelpers_core::command::{Context, Outcome, Subcommand, clap};
use beakerhelpers_core::{Result, register_command};

use crate::dispatch::{program, unknown};

/// Print a manual page
///
/// Without a command, the page of the program. To read it: `beakerhelpers man sessions | man -l -`
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// The command that the page is about
    command: Option<String>,
}

register_command!(Man);

impl Subcommand for Man {
    const NAME: &'static str = "man";
    const GROUP: &'static str = "Toolbox";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let mut program = program(cx.registry);
        program.build();
        let page = match &self.command {
            None => program,
            Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| unknown(cx.registry, name))?,
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text)?;
        cx.stdout.write_all(&text)?;
        Ok(Outcome::Done)
    }
}
