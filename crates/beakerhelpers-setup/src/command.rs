//! `beakerhelpers setup`

use beakerhelpers_core::command::{Context, Outcome, StoreArgs, Subcommand, clap};
use beakerhelpers_core::{
    Access, Error, ErrorKind, Finding, IndexOutcome, Result, SessionStore, SetupMode, SetupOutcome, Severity,
    StoreInfo, answers, escape_controls, register_command,
};

use crate::count_sessions;
use crate::report::{self, Format};

/// Create what the session store needs, or check it
///
/// Creates the table or the folders that sessions are kept in, exactly as Beaker would create them with the first session,
/// and says what it did. What is there already is left alone. Redis, memcached and other stores that need nothing are told
/// so, which is no error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  beakerhelpers setup prod.ini            create what is missing, if anything is
  beakerhelpers setup prod.ini --check    what is missing or odd; exit code 1 where something is missing
  beakerhelpers setup prod.ini --index    the same as without, and an index on the access times")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Setup {
    #[command(flatten)]
    store: StoreArgs,

    /// Change nothing; report what is missing or odd
    ///
    /// The exit code is 1 where something is missing without which the application or this program does not work. At
    /// most some 2,000 rows are looked at, whatever the size of the table. A store that needs nothing is asked for a session
    /// that nobody has, so that it is known whether it answers.
    #[arg(long, conflicts_with_all = ["index", "recreate", "yes"])]
    check: bool,

    /// Add an index on the access times, which Beaker does not make
    ///
    /// It has a price. SQLite: nobody else can write while it is built, some seconds for each million sessions, and a
    /// site gives up after 5 seconds; nothing in this program is faster with it. PostgreSQL: it is built without
    /// blocking writers (CONCURRENTLY), but from then on every save of a session writes this index too, and can no
    /// longer be a HOT update, so that the table and its indexes need more vacuuming. MySQL and MariaDB: it is built
    /// online; every save writes it from then on. Undo it with DROP INDEX.
    #[arg(long)]
    index: bool,

    /// Destroy the table, or the folders, and all sessions in it, and create it anew: every visitor is logged out
    ///
    /// It says how many sessions that are and asks; where nobody can be asked it needs `--yes`. What is no table or folder
    /// of sessions is never destroyed. Indexes that were added to the table are gone as well.
    #[arg(long)]
    recreate: bool,

    /// Ask nothing
    #[arg(short, long, requires = "recreate")]
    yes: bool,

    /// Print nothing unless something goes wrong or is missing
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// How to print what `--check` found [default: text]
    #[arg(short, long, value_enum, requires = "check", help_heading = "Output")]
    format: Option<Format>,
}

register_command!(Setup);

impl Subcommand for Setup {
    const NAME: &'static str = "setup";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let access = if self.check { Access::ReadOnly } else { Access::ReadWrite };
        let opened = self.store.open(cx.registry, access)?;
        if !self.quiet {
            opened.config.notices().for_each(|notice| cx.note(&format!("note: {notice}")));
        }
        let store = &*opened.store;
        if self.check {
            return self.check(store, cx);
        }
        let info = store.info();
        self.refuse_what_cannot_be(&info)?;
        let location = escape_controls(&info.location);
        if !info.capabilities.setup {
            self.say(cx, &format!("nothing is needed: {location} needs no setting up"))?;
            return Ok(Outcome::Done);
        }
        if self.recreate && !self.yes && !(cx.terminals.stdin && cx.terminals.stderr) {
            return Err(Error::config(
                "`--recreate` destroys all sessions, and there is nobody to ask; nothing was done",
            )
            .with_hint("if that is what you want, say `--yes`"));
        }
        let lost = if self.recreate && !self.yes { lost(store)? } else { None };
        if let Some(lost) = lost {
            let count = sessions(lost);
            if !cx.confirm(&format!("Destroy {count} in {location} and log these people out?")) {
                cx.note("nothing was destroyed");
                return Ok(Outcome::Done);
            }
        }
        // Where nobody was asked because there was nothing, the site may have begun meanwhile.
        let agreed = self.yes || lost.is_some();
        let mode = if self.recreate && agreed { SetupMode::Recreate } else { SetupMode::IfMissing };
        let outcome = store.setup(mode)?;
        self.say(
            cx,
            &match outcome {
                SetupOutcome::Created => format!("created {location}"),
                SetupOutcome::Recreated => {
                    let lost = lost.map_or_else(|| "all sessions".to_owned(), sessions);
                    format!("destroyed {lost} and created {location} anew")
                }
                _ if self.index => format!("{location} is there already"),
                _ => format!("{location} is there already; nothing was changed"),
            },
        )?;
        if self.index {
            self.say(
                cx,
                match store.add_index()? {
                    IndexOutcome::Created => "added an index on the access times",
                    _ => "an index on the access times is there already; nothing was changed",
                },
            )?;
        }
        if outcome != SetupOutcome::Existing {
            return Ok(Outcome::Done);
        }
        // What is there already may be anything.
        let mut findings = store.check()?;
        findings.retain(|finding| finding.severity == Severity::Missing);
        cx.note(&report::lines(&findings));
        Ok(outcome_of(&findings))
    }
}

impl Setup {
    /// Refuses what the store cannot do, before half of the work is done.
    fn refuse_what_cannot_be(&self, info: &StoreInfo) -> Result<()> {
        let what = if self.index && !info.capabilities.index {
            "index its access times"
        } else if self.recreate && !info.capabilities.setup {
            "be created anew"
        } else {
            return Ok(());
        };
        let store_type = info.store_type;
        Err(Error::unsupported(format!("a store of type `{store_type}` cannot {what}; nothing was done")))
    }

    fn check(&self, store: &dyn SessionStore, cx: &mut Context<'_>) -> Result<Outcome> {
        let findings = if store.info().capabilities.setup {
            store.check()?
        } else {
            // There is nothing to be missing but the store itself.
            answers(store)?;
            Vec::new()
        };
        if !self.quiet || report::lacks(&findings) {
            report::write(self.format.unwrap_or_default(), &store.info(), &findings, cx.stdout)?;
        }
        Ok(outcome_of(&findings))
    }

    fn say(&self, cx: &mut Context<'_>, line: &str) -> Result<()> {
        if !self.quiet {
            writeln!(cx.stdout, "{line}")?;
            // The next step may take long.
            cx.stdout.flush()?;
        }
        Ok(())
    }
}

fn outcome_of(findings: &[Finding]) -> Outcome {
    if report::lacks(findings) { Outcome::SomethingMissing } else { Outcome::Done }
}

/// How many sessions there are to be lost, `None` where there is nothing yet.
fn lost(store: &dyn SessionStore) -> Result<Option<u64>> {
    match count_sessions(store) {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::NotSetUp => Ok(None),
        Err(error) => Err(error),
    }
}

fn sessions(count: u64) -> String {
    format!("{count} session{}", if count == 1 { "" } else { "s" })
}
