//! `beakerhelpers sessions`

mod cookie;

use std::collections::BTreeSet;
use std::io::Write;
use std::str::FromStr;
use std::time::{Duration, Instant};

use beakerhelpers_codec::{Condition, SeenZone, Settings};
use beakerhelpers_core::command::{Context, Outcome, StoreArgs, Subcommand, Unreadable, clap};
use beakerhelpers_core::{
    Access, Cutoff, Error, FingerprintKey, Query, Result, SessionId, SessionStore, StoreConfig, Zone, escape_controls,
    parse_timeout, register_command,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::census;
use crate::listing::{Format, ID, Listing, Selection};
use crate::read::Observer;
use crate::sort::Sort;

/// Show the active sessions
///
/// Shows the sessions that were accessed within the timeout, the one accessed longest ago first, as a table with a column
/// for each key that occurs. The store is only read, in short steps: a pager left open keeps nothing from the site.
///
/// Sessions are decoded without running any of their pickles. One that cannot be read is reported on standard error and
/// passed over; the exit code is 3 then.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  beakerhelpers sessions prod.ini                        who was there within the site's timeout
  beakerhelpers sessions prod.ini -t 36h                 who was there within 36 hours
  beakerhelpers sessions prod.ini -t 0 --count           how many sessions there are at all
  beakerhelpers sessions prod.ini --where user_name=ann  the sessions of ann
  beakerhelpers sessions prod.ini --format jsonl         for scripts
  beakerhelpers sessions prod.ini -t 0 --classes         what is in the pickles, attacks among it
  beakerhelpers sessions prod.ini --cookie < cookie.txt  whose cookie that is")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Sessions {
    #[command(flatten)]
    store: StoreArgs,

    /// Leave out sessions older than this: `3s`, `14m`, `36h`, `2d`; `0` shows all [default: <PREFIX>.timeout of the file]
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true)]
    timeout: Option<String>,

    /// How to print them
    #[arg(short, long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,

    /// Print these keys only, in this order; `session` is the fingerprint. May be repeated
    #[arg(short, long, value_name = "KEY,KEY…", help_heading = "Output")]
    columns: Vec<Names>,

    /// Print the session ids too. Whoever knows one can take that session over
    #[arg(long, help_heading = "Output")]
    show_ids: bool,

    /// Sort by this key, `-KEY` for the other direction [default: the time of the last access]
    #[arg(short, long, value_name = "KEY", allow_hyphen_values = true, help_heading = "Output")]
    sort: Option<Sort>,

    /// Print the first N only
    #[arg(short = 'n', long, value_name = "N", help_heading = "Output")]
    limit: Option<u64>,

    /// Print only how many there are; one that is too long to be shown counts
    #[arg(long, help_heading = "Output")]
    count: bool,

    /// Print instead which Python classes and functions the pickles refer to, the dangerous ones first, each
    /// with the fingerprint of a session that has it
    #[arg(long, conflicts_with_all = ["count", "columns", "sort", "show_ids"], help_heading = "Output")]
    classes: bool,

    /// Show the session of one cookie instead: its value, or the line `Cookie: …` that has it, is read from standard
    /// input, and shown if its signature holds
    #[arg(long, conflicts_with = "show_ids", help_heading = "Selection")]
    cookie: bool,

    /// Only sessions in which Python's `str` of this key's value is this; may be repeated
    #[arg(short = 'w', long = "where", value_name = "KEY=VALUE", help_heading = "Selection")]
    conditions: Vec<Condition>,

    /// Only sessions that hold nothing but Beaker's own keys
    #[arg(long, conflicts_with = "not_anonymous", help_heading = "Selection")]
    anonymous: bool,

    /// Only sessions that hold more than Beaker's own keys
    #[arg(long, help_heading = "Selection")]
    not_anonymous: bool,

    /// Leave out what is left of sessions that the application deleted
    #[arg(long, help_heading = "Selection")]
    hide_deleted: bool,
}

register_command!(Sessions);

impl Subcommand for Sessions {
    const NAME: &'static str = "sessions";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let given = self.timeout.as_deref().map(timeout).transpose()?;
        let opened = self.store.open(cx.registry, Access::ReadOnly)?;
        opened.config.notices().for_each(|notice| cx.note(&format!("note: {notice}")));
        let timeout = given.map_or_else(|| opened.config.timeout(), Ok)?;
        let settings = Settings::from_config(&opened.config)?;
        let cutoff = timeout.map(|timeout| Cutoff::ago(cx.now, timeout));
        let of_cookie = if self.cookie { Some(cookie::read(cx, &opened, &settings, cutoff)?) } else { None };
        let store: &dyn SessionStore = of_cookie.as_ref().map_or(&*opened.store, |store| store);
        if timeout.is_some() && !self.cookie {
            warn_of_zone(cx, &*opened.store, opened.config.zone(), &settings);
        }
        let (count, classes) = (self.count, self.classes);
        // The one that was asked for is shown, however old.
        let cutoff = cutoff.filter(|_| !self.cookie);
        let listing = self.listing(cx, &opened.config, settings, cutoff);
        let mut report = Report::new(cx.terminals.stderr, &mut *cx.stderr, &listing.fingerprints);
        if count {
            let sessions = listing.count(store, &mut report)?;
            writeln!(cx.stdout, "{sessions}")?;
        } else if classes {
            let left_out = census::write(&listing, store, cx.stdout, &mut report)?;
            if left_out > 0 {
                report.note(&format!("note: {left_out} references to further classes are not shown"));
            }
        } else {
            listing.write(store, cx.stdout, &mut report)?;
        }
        Ok(if report.unreadable.count() == 0 { Outcome::Done } else { Outcome::SomeUnreadable })
    }
}

impl Sessions {
    fn listing(self, cx: &Context<'_>, config: &StoreConfig, settings: Settings, active: Option<Cutoff>) -> Listing {
        let anonymous = match (self.anonymous, self.not_anonymous) {
            (false, false) => None,
            (anonymous, _) => Some(anonymous),
        };
        let mut columns: Vec<_> = self.columns.into_iter().flat_map(|Names(names)| names).collect();
        if self.show_ids && !columns.is_empty() {
            // The id is shown, and comes first, whether it is among the columns that were asked for or not.
            columns.retain(|column| column != ID);
            columns.insert(0, ID.to_owned());
        }
        Listing {
            query: active.map_or(Query::ALL, |cutoff| Query::ALL.active_since(cutoff)),
            selection: Selection { conditions: self.conditions, anonymous, hide_deleted: self.hide_deleted },
            format: self.format,
            columns,
            sort: self.sort.unwrap_or_default(),
            limit: self.limit.unwrap_or(u64::MAX),
            show_ids: self.show_ids,
            fingerprints: FingerprintKey::new(config.get("secret")),
            zone: config.zone(),
            terminal: cx.terminals.stdout_width,
            settings,
        }
    }
}

/// The names between commas, without the spaces around those. What has no comma is one name, spaces and all: a key may have
/// some.
#[derive(Clone, Debug)]
struct Names(Vec<String>);

impl FromStr for Names {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names: Vec<_> = match text.split_once(',') {
            Some(_) => text.split(',').map(|name| name.trim().to_owned()).collect(),
            None => vec![text.to_owned()],
        };
        if names.iter().any(String::is_empty) {
            return Err(Error::config("a key is missing"));
        }
        Ok(Self(names))
    }
}

/// Warns where the newest sessions show that another zone wrote the times that a timeout is compared with.
fn warn_of_zone(cx: &mut Context<'_>, store: &dyn SessionStore, zone: Zone, settings: &Settings) {
    // What goes wrong here goes wrong again when the sessions are read, and is told then.
    if let Ok(SeenZone::Other(seen)) = SeenZone::of(store, zone, settings) {
        cx.note(&format!(
            "warning: the access times in the store are of another time zone, so the timeout counts from the wrong time: \
             {seen}\nhint: give the zone of the host that runs the application with `--time-zone`"
        ));
    }
}

/// `0` alone shows all, whatever the file says.
fn timeout(text: &str) -> Result<Option<Duration>> {
    if text == "0" { Ok(None) } else { parse_timeout(text).map(Some) }
}

/// Tells the user what cannot be read, and that reading goes on.
struct Report<'r> {
    stderr: &'r mut dyn Write,
    fingerprints: &'r FingerprintKey,
    bar: ProgressBar,
    started: Instant,
    read: u64,
    unreadable: Unreadable,
    /// Keys that no session has, and that were told.
    missing: BTreeSet<String>,
}

/// Work that is done sooner needs no progress.
const NOTICED: Duration = Duration::from_millis(500);

impl<'r> Report<'r> {
    fn new(terminal: bool, stderr: &'r mut dyn Write, fingerprints: &'r FingerprintKey) -> Self {
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(
            ProgressStyle::with_template("{spinner} read {human_pos} records [{elapsed}]").expect("it is well formed"),
        );
        Self {
            stderr,
            fingerprints,
            bar,
            started: Instant::now(),
            read: 0,
            unreadable: Unreadable::default(),
            missing: BTreeSet::new(),
        }
    }
}

impl Report<'_> {
    fn note(&mut self, line: &str) {
        // That it cannot be written is no reason to stop.
        let _ = self.bar.suspend(|| writeln!(self.stderr, "{line}"));
    }
}

impl Observer for Report<'_> {
    fn read(&mut self, records: usize) {
        self.read += u64::try_from(records).unwrap_or(0);
        if self.started.elapsed() > NOTICED {
            self.bar.set_position(self.read);
        }
    }

    fn done(&mut self) {
        self.bar.finish_and_clear();
        for line in self.unreadable.rest() {
            // That it cannot be written is no reason to stop.
            let _ = writeln!(self.stderr, "{line}");
        }
    }

    fn missing(&mut self, key: &str) {
        // It may be asked for twice, to be shown and to select by.
        if !self.missing.insert(key.to_owned()) {
            return;
        }
        self.note(&format!("note: no session has a key `{}`", escape_controls(key)));
    }

    fn unreadable(&mut self, error: Error, id: Option<&SessionId>) {
        if let Some(lines) = self.unreadable.add(&error, id, self.fingerprints) {
            self.note(&lines);
        }
    }
}
