//! `beakerhelpers completions`

use beakerhelpers_core::command::{Context, Outcome, Subcommand, clap};
use beakerhelpers_core::{Error, Result, register_command};
use clap_complete::Shell;

use crate::dispatch::program;

/// Print a completion script for a shell
///
/// For bash: `beakerhelpers completions bash > /etc/bash_completion.d/beakerhelpers`
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// `bash`, `elvish`, `fish`, `powershell` or `zsh`
    shell: String,
}

register_command!(Completions);

impl Subcommand for Completions {
    const NAME: &'static str = "completions";
    const GROUP: &'static str = "Toolbox";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let shell: Shell = self.shell.parse().map_err(|_| {
            Error::config(format!("there are no completions for the shell `{}`", self.shell))
                .with_hint("give `bash`, `elvish`, `fish`, `powershell` or `zsh`")
        })?;
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut program(cx.registry), "beakerhelpers", &mut script);
        cx.stdout.write_all(&script)?;
        Ok(Outcome::Done)
    }
}
