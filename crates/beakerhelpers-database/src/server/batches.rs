//! Deleting old sessions from a server.

use std::ops::ControlFlow;
use std::time::Instant;

use beakerhelpers_core::{CleanupMode, Cutoff, DeletePlan, Deleted, Ended, NaiveTime, Pace, Progress, Result};

use super::ServerStore;
use super::client::Client;
use super::layout::Layout;
use super::pages::key;
use super::transaction::transaction;
use crate::cleanup::{self, Archive, Batch, Found, Table, Want};
use crate::failure::{Failure, Trouble};
use crate::sql::{Age, Form, Sql};
use crate::statement::KeyColumn;
use crate::times::Clock;

/// Finds and deletes, batch by batch.
pub(crate) fn run<C: Client>(
    store: &ServerStore<C>,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let deletes = plan.mode != CleanupMode::Count;
    if deletes {
        store.refuse_to_write()?;
    }
    let naive = store.zone.naive_cutoff(cutoff);
    let mut batches = Batches { store, cutoff: naive, connection: None, deletes, archive: plan.archive };
    if deletes && !batches.connect().map_err(|failure| failure.error)? {
        let mut nothing = Deleted::default();
        nothing.ended = Ended::AnotherCleanup;
        return Ok(nothing);
    }
    let pace = Pace::start_shared(plan);
    let done = cleanup::run(&mut batches, store.zone, store.settings.wait, cutoff, plan, pace, progress);
    if let Some((client, _)) = batches.connection.as_mut().filter(|_| deletes) {
        // If that fails, the connection ends all the same.
        let _ = client.end_cleanup(&store.table);
    }
    done
}

/// A connection of its own for the time of a cleanup: it has settings, and may have a lock, that no other use is to get.
struct Batches<'s, C: Client> {
    store: &'s ServerStore<C>,
    cutoff: NaiveTime,
    connection: Option<(C, Layout)>,
    deletes: bool,
    archive: bool,
}

impl<'s, C: Client> Batches<'s, C> {
    /// Connects, and tells whether no other cleanup is at work.
    fn connect(&mut self) -> Result<bool, Failure> {
        let mut client = C::connect(&self.store.target, self.store.settings)?;
        let layout = self.store.layout(&mut client)?;
        let free = !self.deletes || client.start_cleanup(&self.store.table)?;
        self.connection = Some((client, layout));
        Ok(free)
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut C, Sql<'s>, Layout) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.connection.as_mut().is_none_or(|(client, ..)| client.is_broken()) {
            self.connection = None;
            self.connect()?;
        }
        let (client, layout) = self.connection.as_mut().expect("it was just made");
        let done = work(client, self.store.sql(*layout), *layout);
        if done.as_ref().is_err_and(|failure| failure.trouble == Trouble::Gone) {
            self.connection = None;
        }
        done
    }
}

impl<C: Client> Table for Batches<'_, C> {
    fn look(&mut self, want: &Want<'_>, clock: &mut Clock) -> Result<Found, Failure> {
        self.with(|client, sql, layout| {
            let want = Want { cutoff: layout.cutoff(want.cutoff), ..*want };
            let (mut found, mut unreadable) = (Found::default(), None);
            // The application finds a session by its id, and locks the index on it first: whoever locks what it scans has
            // to do so in the same order, or gets into a deadlock with it.
            let by_ids = C::LOCKS_WHAT_IT_SCANS && layout.unique;
            let statement = sql.times(want.after, i64::try_from(want.rows).unwrap_or(i64::MAX), want.archive);
            client.rows(&statement, &mut |row| {
                let enough = key(row, 0, sql.key).and_then(|key_of_row| {
                    let enough = found.push(&want, key_of_row, row.time(1), || row.int(2), clock);
                    if by_ids && found.ids.len() < found.old.len() {
                        found.ids.push(key(row, 3, KeyColumn::Namespace)?);
                    }
                    Ok(enough)
                });
                let enough = enough.unwrap_or_else(|error| {
                    unreadable = Some(error);
                    true
                });
                if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            unreadable.map_or(Ok(found), |error| Err(error.into()))
        })
    }

    fn delete(&mut self, found: &Found, progress: &mut dyn Progress) -> Result<Batch, Failure> {
        let (store, cutoff, archive) = (self.store, self.cutoff, self.archive);
        // Whether to go round what somebody else has locked, whom nobody waits for then.
        let mut attempt = |skip_locked| {
            self.with(|client, sql, layout| {
                let (first, last) = found.range.as_ref().expect("something was found");
                let cutoff = Age::Time(layout.cutoff(cutoff));
                let started = Instant::now();
                let begin = |client: &mut C| client.begin_batch(&store.table);
                let deleted = transaction(client, begin, |client, free| {
                    if !free {
                        return Ok(None);
                    }
                    if C::LOCKS_WHAT_IT_SCANS && !archive {
                        return client.delete_found(sql, found, &cutoff, skip_locked).map(Some);
                    }
                    let statement = if skip_locked {
                        sql.delete_old_unlocked(first, last, &cutoff)
                    } else {
                        sql.delete_old(first, last, &cutoff, Form::Text)
                    };
                    let deleted = if archive {
                        let mut clock = Clock::new(store.zone);
                        client.delete_and_hand_over(sql, statement, found, &cutoff, &mut clock, Archive::new(progress))
                    } else {
                        client.change(&statement)
                    };
                    deleted.map(Some)
                })?;
                Ok(deleted.map_or(Batch::Taken, |deleted| Batch::Done { deleted, held: started.elapsed() }))
            })
        };
        let done = attempt(false);
        let goes_round = C::SKIPS_LOCKED || (C::LOCKS_WHAT_IT_SCANS && !archive);
        if goes_round && in_the_way(&done) { attempt(true) } else { done }
    }

    fn count(&mut self, found: &Found) -> Result<u64, Failure> {
        let Some((first, last)) = &found.range else { return Ok(0) };
        self.with(|client, sql, _| {
            let mut count = 0;
            client.rows(&sql.count(first, last), &mut |row| {
                count = row.int(0).and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
                ControlFlow::Continue(())
            })?;
            Ok(count)
        })
    }
}

fn in_the_way(done: &Result<Batch, Failure>) -> bool {
    done.as_ref().is_err_and(|failure| failure.trouble == Trouble::InTheWay)
}
