//! Stores with a fault each: the suite must find every one, or a behaviour is a test that cannot fail.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use beakerhelpers_core::{
    Capabilities, CleanupMode, Cutoff, DeletePlan, Deleted, Error, Finding, Framing, MemoryStore, Payload, Progress,
    Query, Record, Records, Result, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, Severity, Silent,
    StoreInfo, Timestamp,
};
use beakerhelpers_testkit::conformance::{
    Subject, admin, archive, cleanup, interference, listing, model, records, run,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    ArchivesAfterwards,
    ArchivesFound,
    ArchivesNothing,
    ArchivesWithoutTimes,
    ArchivesWithoutBeingAsked,
    ClaimsNothing,
    CleansByPattern,
    CreateReplaces,
    CutsIds,
    CutsPayloads,
    DeletesAllMatching,
    DeletesExactCutoff,
    DeletesUnknown,
    DryRunDeletes,
    FindsAllThenDeletes,
    FindsThenDeletes,
    FindsWhatIsNotSo,
    ForgetsCreated,
    IgnoresActive,
    IgnoresBatchSize,
    IgnoresLimit,
    ListsTwice,
    RefusesOthers,
    RoundsTimes,
    SaysCreated,
    SaysDeletedTwice,
    SetupEmpties,
    ShowsIds,
    ShowsPayloads,
    SwallowsArchiveErrors,
    TellsNobody,
    VacuumEmpties,
}

/// `MemoryStore` with a fault.
struct Faulty(MemoryStore, Fault);

impl Faulty {
    fn ids(&self, matches: impl Fn(&Record) -> bool) -> Vec<SessionId> {
        let records = self.0.iter(Query::ALL).map(|item| item.expect("memory lists"));
        records.filter(matches).map(|record| record.id).collect()
    }

    fn stored(&self, record: &Record) -> Record {
        let mut record = record.clone();
        match self.1 {
            Fault::CutsIds => record.id = cut(&record.id),
            Fault::CutsPayloads => {
                let bytes = record.payload.bytes();
                let kept = bytes[..bytes.len().min(65_535)].to_vec();
                record.payload = Payload::new(record.payload.framing(), kept);
            }
            Fault::RoundsTimes => {
                let up =
                    |time: Timestamp| Timestamp::from_secs((time.as_micros() + 999_999_999) / 1_000_000_000 * 1000);
                (record.created, record.accessed) = (record.created.map(up), record.accessed.map(up));
            }
            _ => {}
        }
        record
    }
}

fn cut(id: &SessionId) -> SessionId {
    SessionId::new(id.as_str().chars().take(250).collect::<String>())
}

/// `LIKE` in SQL, as far as this needs it: `_` and `%` as the last character.
fn like(id: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('%') {
        Some(start) => id.starts_with(start),
        None => {
            id == pattern
                || pattern
                    .strip_suffix('_')
                    .is_some_and(|start| id.strip_prefix(start).is_some_and(|rest| rest.chars().count() == 1))
        }
    }
}

impl SessionStore for Faulty {
    fn info(&self) -> StoreInfo {
        let all = self.0.info().capabilities.with_local_times(true);
        let capabilities = if self.1 == Fault::ClaimsNothing { Capabilities::NONE } else { all };
        StoreInfo::new("faulty", "memory".to_owned(), capabilities)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let found = self.0.load(&if self.1 == Fault::CutsIds { cut(id) } else { id.clone() })?;
        let times = self.1 != Fault::ClaimsNothing;
        Ok(found.map(|record| if times { record } else { record.with_times(None, None) }))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let record = self.stored(record);
        match self.1 {
            Fault::CreateReplaces => self.0.save(&record, SaveMode::Upsert),
            // Whoever shows sessions shows them though he takes nothing else.
            Fault::RefusesOthers | Fault::ShowsPayloads if !record.payload.bytes().starts_with(b"\x80\x02}") => {
                Err(Error::unsupported("it is no session"))
            }
            Fault::ForgetsCreated => {
                if mode == SaveMode::Upsert {
                    self.0.delete(&record.id)?;
                }
                self.0.save(&record, mode)
            }
            _ => self.0.save(&record, mode),
        }
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        match self.1 {
            Fault::SaysDeletedTwice => self.0.delete(id).map(|_| true),
            Fault::DeletesAllMatching => {
                let ids = self.ids(|record| like(record.id.as_str(), id.as_str()));
                Ok(ids.iter().filter(|id| self.0.delete(id).is_ok_and(|deleted| deleted)).count() > 0)
            }
            _ => self.0.delete(id),
        }
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        match self.1 {
            Fault::SetupEmpties => self.0.setup(SetupMode::Recreate).map(|_| SetupOutcome::Existing),
            Fault::SaysCreated => self.0.setup(mode).map(|_| SetupOutcome::Created),
            _ => self.0.setup(mode),
        }
    }

    fn check(&self) -> Result<Vec<Finding>> {
        let findings = self.0.check()?;
        let missing = (self.1 == Fault::FindsWhatIsNotSo).then(|| Finding::new(Severity::Missing, "all"));
        Ok(findings.into_iter().chain(missing).collect())
    }

    fn iter(&self, mut query: Query) -> Records<'_> {
        match self.1 {
            Fault::IgnoresActive => query.active = None,
            Fault::IgnoresLimit => query.limit = None,
            Fault::ListsTwice => {
                return Box::new(self.0.iter(query).flat_map(|item| {
                    let again = item.as_ref().ok().cloned().map(Ok);
                    [Some(item), again].into_iter().flatten()
                }));
            }
            _ => {}
        }
        self.0.iter(query)
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        let mut plan = plan.clone();
        match self.1 {
            Fault::CleansByPattern => self.ids(|record| record.id.as_str().contains("old")).iter().for_each(|id| {
                let _ = self.0.delete(id);
            }),
            Fault::DeletesExactCutoff => {
                for id in self.ids(|record| record.accessed == Some(cutoff.at())) {
                    self.0.delete(&id)?;
                }
            }
            Fault::DeletesUnknown => {
                for id in self.ids(|record| record.accessed.is_none()) {
                    self.0.delete(&id)?;
                }
            }
            Fault::DryRunDeletes => plan.mode = CleanupMode::Delete,
            Fault::FindsAllThenDeletes | Fault::FindsThenDeletes => {
                return self.delete_found(cutoff, &plan, progress);
            }
            Fault::ArchivesAfterwards
            | Fault::ArchivesFound
            | Fault::ArchivesWithoutBeingAsked
            | Fault::ArchivesWithoutTimes
            | Fault::SwallowsArchiveErrors => {
                return self.archive(cutoff, &plan, progress);
            }
            Fault::ArchivesNothing => plan.archive = false,
            Fault::IgnoresBatchSize => plan.batch_size = Some(1000),
            Fault::IgnoresLimit => plan.limit = plan.limit.map(|limit| limit + 1),
            Fault::TellsNobody => return self.0.delete_old(cutoff, &plan, &mut Silent),
            _ => {}
        }
        self.0.delete_old(cutoff, &plan, progress)
    }

    fn vacuum(&self) -> Result<()> {
        if self.1 == Fault::VacuumEmpties { self.0.setup(SetupMode::Recreate).map(|_| ()) } else { self.0.vacuum() }
    }
}

/// Hands on what a store tells, with a fault.
struct Between<'p>(&'p mut dyn Progress, Fault);

impl Progress for Between<'_> {
    fn old(&mut self, accessed: Timestamp) {
        self.0.old(accessed);
    }

    fn batch(&mut self, so_far: &Deleted) -> ControlFlow<()> {
        self.0.batch(so_far)
    }

    fn archive(&mut self, records: &[Record]) -> Result<()> {
        match self.1 {
            Fault::ArchivesWithoutTimes => {
                let records: Vec<_> = records.iter().map(|record| record.clone().with_times(None, None)).collect();
                self.0.archive(&records)
            }
            Fault::SwallowsArchiveErrors => self.0.archive(records).or(Ok(())),
            // They were handed over before.
            _ => Ok(()),
        }
    }
}

impl Faulty {
    /// Hands records over at the wrong time, or without need.
    fn archive(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        let old = |record: &Record| record.accessed.is_some_and(|accessed| accessed < cutoff.at());
        let found: Vec<_> = self.0.iter(Query::ALL).map(|item| item.expect("memory lists")).filter(old).collect();
        let asked = plan.archive && plan.mode == CleanupMode::Delete;
        if self.1 == Fault::ArchivesWithoutBeingAsked || (self.1 == Fault::ArchivesFound && asked) {
            progress.archive(&found)?;
        }
        let done = self.0.delete_old(cutoff, plan, &mut Between(progress, self.1))?;
        if self.1 == Fault::ArchivesAfterwards && asked {
            let gone: Vec<_> =
                found.into_iter().filter(|record| self.0.has(&record.id).is_ok_and(|has| !has)).collect();
            progress.archive(&gone)?;
        }
        Ok(done)
    }

    /// Trusts the list of what was found: what is touched meanwhile goes too.
    fn delete_found(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        let mut done = Deleted::default();
        let found: Vec<_> = self.0.iter(Query::ALL).map(|item| item.expect("memory lists")).collect();
        // All at once, or batch by batch with the age of each batch as it is now.
        for batch in found.chunks(plan.batch_size.unwrap_or(found.len().max(1))) {
            let mut doomed = Vec::new();
            for record in batch {
                let now = self.0.load(&record.id)?;
                let record = if self.1 == Fault::FindsThenDeletes { now.as_ref() } else { Some(record) };
                match record.and_then(|record| record.accessed.map(|accessed| (record, accessed))) {
                    Some((record, accessed)) if accessed < cutoff.at() => {
                        progress.old(accessed);
                        doomed.push(record.id.clone());
                    }
                    _ => done.kept += 1,
                }
            }
            for id in doomed {
                self.0.delete(&id)?;
                done.deleted += 1;
            }
            if progress.batch(&done) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(done)
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.ids(|_| self.1 == Fault::ShowsIds).iter().map(|id| id.as_str().to_owned()).collect();
        write!(f, "Faulty{ids:?}")?;
        if self.1 == Fault::ShowsPayloads {
            let records = self.0.iter(Query::ALL).filter_map(Result::ok);
            records
                .map(|record| String::from_utf8_lossy(record.payload.bytes()).into_owned())
                .try_for_each(|text| f.write_str(&text))?;
        }
        Ok(())
    }
}

type Behaviour = fn(&Subject);

fn finds(fault: Fault, behaviour: Behaviour) -> bool {
    let open = || Faulty(MemoryStore::new(), fault);
    catch_unwind(AssertUnwindSafe(|| run(&open, Framing::Namespace, behaviour))).is_err()
}

#[test]
fn the_suite_finds_every_fault() {
    let table: &[(Fault, &[Behaviour])] = &[
        (
            Fault::ArchivesAfterwards,
            &[archive::a_failing_archive_ends_the_run_and_keeps_its_batch, archive::who_keeps_no_records_loses_none],
        ),
        (
            Fault::ArchivesFound,
            &[archive::batches_of_every_size_hand_over_the_same, archive::what_is_touched_meanwhile_is_not_handed_over],
        ),
        (
            Fault::ArchivesNothing,
            &[
                archive::every_deleted_record_is_handed_over_first,
                archive::a_failing_archive_ends_the_run_and_keeps_its_batch,
                archive::who_keeps_no_records_loses_none,
            ],
        ),
        (
            Fault::ArchivesWithoutBeingAsked,
            &[archive::a_dry_run_hands_nothing_over, archive::without_being_asked_nothing_is_handed_over],
        ),
        (Fault::ArchivesWithoutTimes, &[archive::every_deleted_record_is_handed_over_first]),
        (
            Fault::SwallowsArchiveErrors,
            &[archive::a_failing_archive_ends_the_run_and_keeps_its_batch, archive::who_keeps_no_records_loses_none],
        ),
        (Fault::VacuumEmpties, &[admin::vacuum_keeps_every_session]),
        (Fault::ClaimsNothing, &[admin::what_it_cannot_do_is_unsupported]),
        (
            Fault::CleansByPattern,
            &[
                cleanup::a_dry_run_counts_the_same_and_changes_nothing,
                cleanup::a_limit_is_exact,
                cleanup::whoever_follows_can_stop_it,
                cleanup::its_time_can_be_over,
            ],
        ),
        (
            Fault::CreateReplaces,
            &[
                records::create_refuses_a_taken_id_and_changes_nothing,
                interference::one_of_many_creates_wins,
                model::random_operations_agree_with_memory,
            ],
        ),
        (Fault::CutsIds, &[records::ids_of_255_bytes_are_whole]),
        (Fault::CutsPayloads, &[records::ten_megabytes_are_kept]),
        (
            Fault::DeletesAllMatching,
            &[records::ids_that_look_like_patterns_stay_apart, records::what_is_not_there_is_no_error],
        ),
        (
            Fault::DeletesExactCutoff,
            &[cleanup::the_exact_cutoff_is_kept_and_older_goes, model::random_operations_agree_with_memory],
        ),
        (Fault::DeletesUnknown, &[cleanup::unknown_times_are_listed_and_never_deleted]),
        (Fault::DryRunDeletes, &[cleanup::a_dry_run_counts_the_same_and_changes_nothing]),
        (Fault::FindsAllThenDeletes, &[interference::a_session_touched_before_its_batch_survives]),
        (
            Fault::FindsThenDeletes,
            &[
                interference::a_session_touched_after_it_was_found_survives,
                interference::a_session_deleted_meanwhile_is_not_counted,
            ],
        ),
        (Fault::FindsWhatIsNotSo, &[admin::a_fresh_store_lacks_nothing]),
        (Fault::ForgetsCreated, &[records::upsert_replaces_all_but_created]),
        (Fault::IgnoresActive, &[listing::active_keeps_the_exact_cutoff, listing::active_keeps_unknown_times]),
        (Fault::IgnoresBatchSize, &[cleanup::batches_of_every_size_delete_the_same]),
        (Fault::IgnoresLimit, &[listing::limits_are_exact, listing::newest_comes_first, cleanup::a_limit_is_exact]),
        (Fault::ListsTwice, &[listing::every_record_appears_once, listing::an_open_listing_stops_nobody]),
        (Fault::RefusesOthers, &[records::an_empty_payload_is_kept]),
        (Fault::RoundsTimes, &[records::times_are_kept, cleanup::the_exact_cutoff_is_kept_and_older_goes]),
        (Fault::SaysCreated, &[admin::setup_leaves_sessions_alone, admin::recreating_empties]),
        (
            Fault::SaysDeletedTwice,
            &[records::deleting_twice_tells_true_then_false, records::what_is_not_there_is_no_error],
        ),
        (Fault::SetupEmpties, &[admin::setup_leaves_sessions_alone]),
        (Fault::ShowsIds, &[admin::no_message_holds_a_secret]),
        (Fault::ShowsPayloads, &[admin::no_message_holds_a_secret]),
        (Fault::TellsNobody, &[cleanup::progress_sees_every_old_one, cleanup::whoever_follows_can_stop_it]),
    ];
    for (fault, behaviours) in table {
        for (n, behaviour) in behaviours.iter().enumerate() {
            assert!(!finds(Fault::None, *behaviour), "behaviour {n} of {fault:?} fails without a fault");
            assert!(finds(*fault, *behaviour), "behaviour {n} does not find {fault:?}");
        }
    }
}
