//! What is to become of a session, going by what is in both places.

use std::time::Duration;

use beakerhelpers_core::{Capabilities, Expiry, Record, Result, Session, Timestamp};

use crate::Place;
use crate::form::{Forms, Holds};

/// Times in two stores that are closer are the same: MariaDB's have no fraction of a second (`DATETIME`, as Beaker makes
/// it), and a row gets its time when the request ends, the session inside when it begins.
const PRECISION: Duration = Duration::from_secs(1);
/// The store type in which Beaker creates an empty database for each session that it looks for in vain
/// (`beaker/container.py`, `DBMNamespaceManager.do_open`, 1.14.1).
const DBM: &str = "dbm";

/// What is to be done with one.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// TO does not have it.
    New(Record),
    /// TO has an older state of it.
    Changed(Record),
    /// TO has it as it is. `None` where its times are right, too.
    Same(Option<WrongTime>),
    /// TO has a newer state of it, or one of which nobody knows how old it is.
    Newer,
    /// Its visitor has logged out since TO got it.
    LoggedOut,
    /// It is over.
    Over,
    /// Its visitor has logged out, and TO has nothing of it that is not over.
    Gone,
    /// It is no session.
    NoSession,
}

/// A time that TO has and that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongTime;

#[derive(Debug)]
pub(crate) struct Judge<'p, 's> {
    to: &'p Place<'s>,
    /// What TO can do.
    can: Capabilities,
    forms: Forms,
    from_timeout: Option<Duration>,
    /// Whether an empty record of FROM may come of a mere look for a session.
    looking_empties: bool,
    /// What was last used before is over.
    cutoff: Option<Timestamp>,
    now: Timestamp,
    session: Session,
    there: Session,
}

impl<'p, 's> Judge<'p, 's> {
    pub(crate) fn new(from: &Place<'s>, to: &'p Place<'s>, cutoff: Option<Timestamp>, now: Timestamp) -> Result<Self> {
        let forms = Forms::between(from, to)?;
        Ok(Self {
            to,
            can: to.store.info().capabilities,
            forms,
            from_timeout: from.timeout,
            looking_empties: from.store.info().store_type == DBM,
            cutoff,
            now,
            session: Session::new(),
            there: Session::new(),
        })
    }

    pub(crate) fn judge(&mut self, record: Record) -> Result<Verdict> {
        match self.forms.open(&record.payload, &mut self.session)? {
            Holds::Other => Ok(Verdict::NoSession),
            holds @ (Holds::LoggedOut | Holds::Empty) => self.logged_out(&record, holds),
            Holds::Session => self.session(record),
        }
    }

    /// Nothing is left of the session; a copy may be. What cannot be shown to be older than the log-out stays.
    fn logged_out(&mut self, record: &Record, holds: Holds) -> Result<Verdict> {
        let Some(there) = self.to.store.load(&record.id)? else { return Ok(Verdict::Gone) };
        if self.forms.open_there(&there.payload, &mut self.there)? != Holds::Session {
            return Ok(Verdict::Gone);
        }
        let used = self.there.accessed_time().or(there.accessed);
        let (Some(used), Some(end)) = (used, record.accessed.or_else(|| self.saved(record.expiry))) else {
            return Ok(Verdict::Newer);
        };
        if self.is_over(used) {
            return Ok(Verdict::Gone);
        }
        let is_older = if holds == Holds::LoggedOut {
            used < end.later_by(PRECISION)
        } else {
            let begun = self.there.creation_time().or(there.created).unwrap_or(used);
            !self.looking_empties && used.max(begun).later_by(PRECISION) <= end
        };
        Ok(if is_older { Verdict::LoggedOut } else { Verdict::Newer })
    }

    fn is_over(&self, used: Timestamp) -> bool {
        self.cutoff.is_some_and(|cutoff| used < cutoff)
    }

    /// When FROM got it, going by when it will drop it.
    fn saved(&self, expiry: Expiry) -> Option<Timestamp> {
        let (Expiry::At(at), Some(timeout)) = (expiry, self.from_timeout) else { return None };
        let saved = at.earlier_by(timeout.saturating_add(Expiry::AFTER_TIMEOUT));
        // What was saved in the future had another timeout.
        (saved <= self.now.later_by(PRECISION)).then_some(saved)
    }

    fn session(&mut self, record: Record) -> Result<Verdict> {
        let inside = self.session.accessed_time();
        // As Beaker judges it (`beaker/session.py`, `Session.load`, 1.14.1): a file may have been touched by anybody.
        let used = inside.or(record.accessed);
        if used.is_some_and(|used| self.is_over(used)) {
            return Ok(Verdict::Over);
        }
        let payload = self.forms.convert(&record.payload, &self.session)?;
        let expiry = self.expiry(record.expiry, used);
        if matches!(expiry, Expiry::At(at) if at <= self.now) {
            return Ok(Verdict::Over);
        }
        let record = Record::new(record.id, payload)
            .with_times(record.created, record.accessed)
            .with_times_of(&self.session)
            .with_expiry(expiry);
        let Some(there) = self.to.store.load(&record.id)? else { return Ok(Verdict::New(record)) };
        let mut same = there.payload == record.payload;
        if !same {
            let holds = self.forms.open_there(&there.payload, &mut self.there)?;
            // Of objects without attributes nothing says whether they are equal, but their bytes.
            let comparable = holds == Holds::Session && !self.session.is_empty();
            same = comparable && self.forms.same(&self.session, &self.there);
            if !same {
                let is_newer = match (inside, self.there.accessed_time()) {
                    (Some(ours), Some(theirs)) => theirs > ours,
                    (_, theirs) => match (record.accessed, theirs.or(there.accessed)) {
                        (Some(ours), Some(theirs)) => theirs >= ours.later_by(PRECISION),
                        _ => true,
                    },
                };
                return Ok(if is_newer { Verdict::Newer } else { Verdict::Changed(record) });
            }
        }
        Ok(match (record.accessed, there.accessed) {
            (Some(ours), Some(theirs)) if ours >= theirs.later_by(PRECISION) => Verdict::Changed(record),
            _ => Verdict::Same(self.wrong_time(&record, &there)),
        })
    }

    /// When TO is to drop it: when FROM would, or else as long after its last use as Beaker has it there.
    fn expiry(&self, from: Expiry, used: Option<Timestamp>) -> Expiry {
        if !self.can.expiry {
            return Expiry::Usual;
        }
        match (from, self.to.timeout, used) {
            (Expiry::At(at), ..) => Expiry::At(at),
            (_, Some(timeout), Some(used)) => Expiry::At(used.later_by(timeout.saturating_add(Expiry::AFTER_TIMEOUT))),
            (_, Some(_), None) => Expiry::Usual,
            (_, None, _) => Expiry::Never,
        }
    }

    /// Whether TO tells another time, though the session is the same.
    fn wrong_time(&self, record: &Record, there: &Record) -> Option<WrongTime> {
        let differ = |one: Option<Timestamp>, other: Option<Timestamp>| {
            let (Some(one), Some(other)) = (one, other) else { return false };
            let wall = |at| Timestamp::from_micros(self.to.zone.naive_at(at).as_micros());
            let apart = |one: Timestamp, other: Timestamp| one.since(other).max(other.since(one)) >= PRECISION;
            // In the hour that comes twice, a local time stands for two instants.
            apart(one, other) && (!self.can.local_times || apart(wall(one), wall(other)))
        };
        (differ(record.created, there.created) || differ(record.accessed, there.accessed)).then_some(WrongTime)
    }
}
