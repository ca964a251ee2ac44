//! From arguments to a command and its exit code, without a process.

use std::io;
use std::sync::Arc;

use beakerhelpers_core::command::clap::error::ErrorKind as ClapErrorKind;
use beakerhelpers_core::command::clap::{self, ArgMatches};
use beakerhelpers_core::command::{Context, Outcome, exit};
use beakerhelpers_core::{Command, Error, Registry, Result, near_first};

use crate::help;
use crate::output::{self, Output};

/// Runs the command that `args` name, the first of which is the program's own name, and returns the exit code.
///
/// Data go to the context's standard output, everything else to its standard error.
pub fn dispatch(args: &[String], cx: &mut Context<'_>) -> u8 {
    let mut stdout = Output::new(&mut *cx.stdout);
    let mut inner = Context::new(cx.registry, cx.now, &mut *cx.stdin, &mut stdout, &mut *cx.stderr);
    inner.terminals = cx.terminals;
    inner.signal = Arc::clone(&cx.signal);
    inner.catch = cx.catch;
    let outcome = run(args, &mut inner);
    // A command may leave its last words in the buffer; that they cannot be written counts like any other failure.
    let flushed = inner.stdout.flush();
    let outcome = match (outcome, flushed) {
        (Ok(code), Ok(())) => Ok(code),
        (Ok(_), Err(error)) => Err(output::after_work(error)),
        (Err(error), _) => Err(output::explain(error)),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => exit::DONE,
        Err(error) => {
            cx.note(&format!("error: {}", error.report()));
            exit::of_error(&error)
        }
    }
}

fn run(args: &[String], cx: &mut Context<'_>) -> Result<u8> {
    let name = args.get(1).map(String::as_str);
    let wants_help = |text: &str| matches!(text, "-h" | "--help");
    match (name, args.get(2).map(String::as_str)) {
        (None, _) | (Some("help"), None) => return help::list(cx),
        (Some(flag), _) if wants_help(flag) => return help::list(cx),
        (Some("help"), Some(word)) if wants_help(word) || word == "help" => return help::list(cx),
        (Some("help"), Some(command)) => {
            find(cx.registry, command)?;
            return parse_and_run(&[args[0].clone(), command.to_owned(), "--help".to_owned()], cx);
        }
        (Some(word), _) if !word.starts_with('-') => {
            find(cx.registry, word)?;
        }
        _ => {}
    }
    parse_and_run(args, cx)
}

fn parse_and_run(args: &[String], cx: &mut Context<'_>) -> Result<u8> {
    match program(cx.registry).try_get_matches_from(args) {
        Ok(matches) => run_matched(&matches, cx).map(exit::of_outcome),
        Err(error) => {
            let text = error.render().to_string();
            let asked_for = matches!(error.kind(), ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion);
            if asked_for {
                cx.stdout.write_all(text.as_bytes())?;
                return Ok(exit::DONE);
            }
            cx.note(text.trim_end());
            Ok(exit::USAGE)
        }
    }
}

fn run_matched(matches: &ArgMatches, cx: &mut Context<'_>) -> Result<Outcome> {
    let (name, matches) = matches.subcommand().expect("clap insists on a subcommand");
    (find(cx.registry, name)?.run)(matches, cx)
}

/// The whole program as clap sees it.
pub(crate) fn program(registry: &Registry) -> clap::Command {
    let program = clap::Command::new("beakerhelpers")
        .version(env!("CARGO_PKG_VERSION"))
        .about("See and clean the web sessions that Python's Beaker library stores")
        .subcommand_required(true)
        .disable_help_subcommand(true);
    registry.commands().fold(program, |program, command| program.subcommand(subcommand(command)))
}

/// One command as clap sees it.
pub(crate) fn subcommand(command: &Command) -> clap::Command {
    let subcommand = (command.augment)(clap::Command::new(command.name));
    // A value may begin with a hyphen, `-t -5m`: it is the command that refuses it, in words that fit.
    subcommand.max_term_width(100)
}

fn find(registry: &Registry, name: &str) -> Result<&'static Command> {
    registry.commands().find(|command| command.name == name).ok_or_else(|| unknown(registry, name))
}

/// The error about a command that is not linked.
pub(crate) fn unknown(registry: &Registry, name: &str) -> Error {
    let linked = near_first(name, registry.commands().map(|command| command.name));
    Error::config(format!("there is no command `{name}`"))
        .with_context("linked", format!("`{}`", linked.join("`, `")))
        .with_hint("`beakerhelpers help` lists the commands; a plugin crate adds more")
}

fn is_closed_pipe(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_no_fault_in_the_program() {
        let registry = Registry::linked().expect("the plugins agree");
        assert!(registry.commands().any(|command| command.name == "sessions"), "the plugins are linked");
        program(&registry).debug_assert();
    }
}
