//! `beakerhelpers delete`

use std::io::Read;
use std::ops::ControlFlow;

use beakerhelpers_codec::{Condition, Settings};
use beakerhelpers_core::command::{Context, Outcome, Signal, StoreArgs, Subcommand, Unreadable, clap};
use beakerhelpers_core::{Access, Error, Fingerprint, FingerprintKey, Result, SessionId, register_command};

use crate::delete::{Mode, Observer, go};
use crate::selection::Selection;

/// Delete chosen sessions
///
/// Deletes the sessions that you name, whatever their age: their visitors are logged out. Sessions that satisfy every kind
/// of condition given are meant; without any condition nothing is done. On a terminal it asks first.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_help = "\
Examples:
  beakerhelpers delete prod.ini --where user_name=ann          log ann out everywhere
  beakerhelpers delete prod.ini --fingerprint 3f2a90c1d4e7     one that a listing names so
  beakerhelpers delete prod.ini --logged-out                   what log-outs leave behind
  cat stolen.txt | beakerhelpers delete prod.ini --id -        ids from standard input, one a line")]
pub(crate) struct Delete {
    #[command(flatten)]
    store: StoreArgs,

    /// What stands where no argument belongs: an id, most likely, which clap would repeat.
    #[arg(hide = true)]
    stray: Vec<String>,

    /// Delete the session of this id; `-` reads ids from standard input, one a line. May be repeated
    #[arg(long = "id", value_name = "ID", allow_hyphen_values = true)]
    ids: Vec<String>,

    /// Delete the session of this fingerprint, the column `session` of `beakerhelpers sessions`. May be repeated
    #[arg(long = "fingerprint", value_name = "HEX")]
    fingerprints: Vec<String>,

    /// Delete sessions in which Python's `str` of this key's value is this. May be repeated
    #[arg(short = 'w', long = "where", value_name = "KEY=VALUE")]
    conditions: Vec<Condition>,

    /// Delete what is left of sessions whose visitors have logged out: nothing but `_domain` and `_path`, and no time by
    /// which `cleanup` could tell its age
    #[arg(long)]
    logged_out: bool,

    /// Delete nothing; print the fingerprints of the sessions that are meant
    #[arg(long)]
    dry_run: bool,

    /// Ask nothing
    #[arg(short, long)]
    yes: bool,

    /// Print nothing unless something goes wrong
    #[arg(short, long)]
    quiet: bool,
}

register_command!(Delete);

impl Subcommand for Delete {
    const NAME: &'static str = "delete";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let reads_stdin = self.ids.iter().any(|id| id == "-");
        if !self.stray.is_empty() {
            return Err(Error::config("there is an argument too many").with_hint("session ids go behind `--id`"));
        }
        if reads_stdin && !self.quiet {
            cx.note_reading_stdin("session ids, one a line,");
        }
        let mut selection = self.selection(cx.stdin)?;
        selection.check()?;
        let access = if self.dry_run { Access::ReadOnly } else { Access::ReadWrite };
        let opened = self.store.open(cx.registry, access)?;
        if !self.quiet {
            opened.config.notices().for_each(|notice| cx.note(&format!("note: {notice}")));
        }
        if selection.looks_inside() {
            selection.settings = Settings::from_config(&opened.config)?;
        }
        let key = FingerprintKey::new(opened.config.get("secret"));
        let store = &*opened.store;
        let asks = cx.terminals.stdin && cx.terminals.stderr && !reads_stdin && !self.yes && !self.dry_run;
        if asks {
            let mut report = Report::new(cx, &key);
            report.lacking = self.lacking();
            let meant = go(store, &selection, &key, Mode::Count, &mut report)?;
            report.finish();
            let question = format!("Delete {}?", sessions(meant.sessions));
            if meant.sessions > 0 && !cx.confirm(&question) {
                cx.note("nothing was deleted");
                return Ok(Outcome::Done);
            }
        }
        // Until here nothing was done, and a signal just ends the process, at the question too.
        cx.catch_signals()?;
        let mode = if self.dry_run { Mode::Count } else { Mode::Delete };
        let mut report = Report::new(cx, &key);
        report.prints = self.dry_run && !self.quiet;
        // What cannot be read, and what is missing, was told before the question.
        report.tells = !asks;
        report.lacking = self.lacking().filter(|_| !asks);
        let condemned = go(store, &selection, &key, mode, &mut report)?;
        report.finish();
        if !self.quiet {
            let verb = if self.dry_run { "would delete" } else { "deleted" };
            let missing = match condemned.missing {
                0 => String::new(),
                missing => format!("; {missing} of the given ids are not in the store"),
            };
            writeln!(cx.stdout, "{verb} {}{missing}", sessions(condemned.sessions))?;
        }
        if let Some(signal) = Signal::caught(&cx.signal) {
            return Ok(Outcome::Interrupted(signal));
        }
        Ok(if condemned.unreadable == 0 { Outcome::Done } else { Outcome::SomeUnreadable })
    }
}

impl Delete {
    /// Who has no key that is asked for, if that is to be told.
    fn lacking(&self) -> Option<&'static str> {
        let all = self.ids.is_empty() && self.fingerprints.is_empty();
        (!self.quiet).then_some(if all { "no session has" } else { "none of the chosen sessions has" })
    }

    fn selection(&self, stdin: &mut dyn Read) -> Result<Selection> {
        let fingerprints = self.fingerprints.iter().map(|text| fingerprint(text)).collect::<Result<_>>()?;
        let conditions = self.conditions.clone();
        let logged_out = self.logged_out;
        let mut selection = Selection { fingerprints, conditions, logged_out, ..Selection::default() };
        for id in &self.ids {
            if id == "-" {
                read_ids(stdin, &mut selection.ids)?;
            } else {
                selection.ids.push(SessionId::new(id));
            }
        }
        Ok(selection)
    }
}

/// More bytes of ids than this are a slip: the wrong file, or a device.
const MOST_IDS: u64 = 64 << 20;

/// Reads ids, one a line.
fn read_ids(stdin: &mut dyn Read, ids: &mut Vec<SessionId>) -> Result<()> {
    let mut text = String::new();
    let read = stdin.take(MOST_IDS + 1).read_to_string(&mut text);
    read.map_err(|error| Error::config("cannot read session ids from standard input").with_source(error))?;
    if text.len() as u64 > MOST_IDS {
        return Err(Error::config("standard input holds more than 64 MiB: that is no list of session ids"));
    }
    let before = ids.len();
    // A file from Windows ends its lines otherwise; an id may begin or end with anything else.
    let lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
    ids.extend(lines.filter(|id| !id.is_empty()).map(SessionId::new));
    if ids.len() == before {
        return Err(Error::config("standard input holds no session id"));
    }
    Ok(())
}

fn sessions(count: u64) -> String {
    format!("{count} session{}", if count == 1 { "" } else { "s" })
}

/// Reads a fingerprint. What is none is not repeated, as clap would do: it may be an id.
fn fingerprint(text: &str) -> Result<Fingerprint> {
    Fingerprint::parse(text).ok_or_else(|| {
        Error::config("what `--fingerprint` got is no fingerprint").with_hint(
            "a fingerprint is 12 hex digits, the column `session` of `beakerhelpers sessions --columns session,…`; \
             `--id` takes session ids",
        )
    })
}

/// Tells the user, and ends the run where a signal says so.
struct Report<'r, 'c> {
    cx: &'r mut Context<'c>,
    key: &'r FingerprintKey,
    /// The fingerprints of the sessions that are meant.
    prints: bool,
    /// What cannot be read.
    tells: bool,
    /// What is not there: who lacks it.
    lacking: Option<&'static str>,
    unreadable: Unreadable,
}

impl<'r, 'c> Report<'r, 'c> {
    fn new(cx: &'r mut Context<'c>, key: &'r FingerprintKey) -> Self {
        Self { cx, key, prints: false, tells: true, lacking: None, unreadable: Unreadable::default() }
    }

    /// Tells what was only counted until now.
    fn finish(&mut self) {
        for line in self.unreadable.rest() {
            self.cx.note(&line);
        }
    }
}

impl Observer for Report<'_, '_> {
    fn next(&mut self) -> ControlFlow<()> {
        if Signal::caught(&self.cx.signal).is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn found(&mut self, session: Fingerprint) -> Result<()> {
        if self.prints {
            writeln!(self.cx.stdout, "{session}")?;
        }
        Ok(())
    }

    fn unreadable(&mut self, error: &Error, id: Option<&SessionId>) {
        if self.tells
            && let Some(lines) = self.unreadable.add(error, id, self.key)
        {
            self.cx.note(&lines);
        }
    }

    fn missing(&mut self, keys: &mut dyn Iterator<Item = &str>, fingerprints: u64) {
        let Some(lacking) = self.lacking else { return };
        for key in keys {
            self.cx.note(&format!("note: {lacking} a key `{key}`"));
        }
        if fingerprints > 0 {
            let is = if fingerprints == 1 { "is" } else { "are" };
            self.cx.note(&format!("note: {fingerprints} of the given fingerprints {is} not in the store"));
        }
    }
}
