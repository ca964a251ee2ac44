//! The contract of `SessionStore` as tests: one function per behaviour, and what they share.

pub mod admin;
pub mod archive;
pub mod bare;
pub mod cleanup;
pub mod inside;
pub mod interference;
pub mod listing;
pub mod model;
pub mod others;
mod payload;
mod process;
pub mod records;
mod subject;

pub use process::{Found, OpenPlace, Place, play, run as run_in_place};
pub use subject::{Guarded, OnServer, Open, Plain, Subject, TwoHandles};

use beakerhelpers_core::{Framing, SessionStore};

/// Emits one `#[test]` for each behaviour that the contract of
/// [`SessionStore`](beakerhelpers_core::SessionStore) asks of a store.
///
/// It takes a function without arguments that gives a fresh, empty store that is set up:
///
/// * `fn open() -> impl SessionStore`,
/// * `fn open() -> (guard, store)` where something must outlive the store, a temporary directory,
/// * `fn open() -> (guard, store, other)` where `other` is a second handle on the same place: what the suite does
///   from outside, such as touching a session while a cleanup runs, then goes through it,
/// * `fn open() -> Option<(guard, store, other)>` where a server may be missing, which the function tells.
///
/// A behaviour that a store cannot have by its
/// [`Capabilities`](beakerhelpers_core::Capabilities) is replaced by the test that asking for it is `Unsupported`.
/// Each test runs on the store itself, through `Box<dyn SessionStore>` and through `Arc<dyn SessionStore>`.
/// Payloads are framed as `Framing::Namespace`; a second argument asks for another framing.
#[macro_export]
macro_rules! conformance {
    ($open:path) => {
        $crate::conformance!($open, $crate::__private::Framing::Namespace);
    };
    ($open:path, $framing:expr) => {
        $crate::__conformance! { $open, $framing;
            records::a_saved_record_loads,
            records::what_is_not_there_is_no_error,
            records::upsert_replaces_all_but_created,
            records::create_refuses_a_taken_id_and_changes_nothing,
            records::deleting_twice_tells_true_then_false,
            records::several_are_saved_as_each_would_be,
            records::ids_are_any_text,
            records::ids_that_look_like_patterns_stay_apart,
            records::ids_of_255_bytes_are_whole,
            records::an_empty_payload_is_kept,
            records::ten_megabytes_are_kept,
            records::times_are_kept,
            listing::every_record_appears_once,
            listing::an_empty_store_lists_nothing,
            listing::active_keeps_the_exact_cutoff,
            listing::active_keeps_unknown_times,
            listing::limits_are_exact,
            listing::newest_comes_first,
            listing::an_open_listing_stops_nobody,
            cleanup::the_exact_cutoff_is_kept_and_older_goes,
            cleanup::one_microsecond_decides_where_the_store_keeps_it,
            cleanup::unknown_times_are_listed_and_never_deleted,
            cleanup::an_empty_store_is_clean,
            cleanup::batches_of_every_size_delete_the_same,
            cleanup::a_dry_run_counts_the_same_and_changes_nothing,
            cleanup::a_limit_is_exact,
            cleanup::progress_sees_every_old_one,
            cleanup::whoever_follows_can_stop_it,
            cleanup::its_time_can_be_over,
            inside::either_the_store_or_the_session_tells_the_age,
            inside::what_cannot_be_read_is_kept_where_only_it_tells_its_age,
            inside::without_a_reader_of_ages_it_deletes_by_its_own_or_refuses,
            archive::every_deleted_record_is_handed_over_first,
            archive::batches_of_every_size_hand_over_the_same,
            archive::a_failing_archive_ends_the_run_and_keeps_its_batch,
            archive::a_dry_run_hands_nothing_over,
            archive::without_being_asked_nothing_is_handed_over,
            archive::who_keeps_no_records_loses_none,
            archive::what_is_touched_meanwhile_is_not_handed_over,
            interference::a_session_touched_after_it_was_found_survives,
            interference::a_session_touched_before_its_batch_survives,
            interference::a_session_deleted_meanwhile_is_not_counted,
            interference::saving_while_old_ones_go_loses_nothing,
            interference::threads_use_one_store,
            interference::one_of_many_creates_wins,
            admin::setup_leaves_sessions_alone,
            admin::recreating_empties,
            admin::vacuum_keeps_every_session,
            admin::tidying_keeps_every_session,
            admin::a_fresh_store_lacks_nothing,
            admin::an_index_is_added_once,
            admin::what_it_cannot_do_is_unsupported,
            admin::it_says_what_it_is,
            admin::no_message_holds_a_secret,
            model::random_operations_agree_with_memory,
        }
    };
}

/// As [`conformance!`](crate::conformance!), for a store that is *not* set up yet and has the capability
/// [`setup`](beakerhelpers_core::Capabilities::setup): each function that opens one gives an untouched place.
#[macro_export]
macro_rules! bare_conformance {
    ($open:path) => {
        $crate::bare_conformance!($open, $crate::__private::Framing::Namespace);
    };
    ($open:path, $framing:expr) => {
        $crate::__conformance! { $open, $framing;
            bare::setup_creates_once,
            bare::recreating_nothing_creates,
            bare::a_check_finds_what_is_missing,
            bare::what_needs_a_setup_says_so,
        }
    };
}

/// Emits one `#[test]` for each behaviour that
/// [`multiprocess_safe`](beakerhelpers_core::Capabilities::multiprocess_safe) promises. The other processes are this test
/// program itself, started again.
///
/// It takes two functions:
///
/// * `fn place() -> (guard, String)` makes a fresh, empty place that is set up, and says where it is in words of its own
///   choice: a path, a URL; or `fn place() -> Option<(guard, String)>` where something may be missing, which it tells.
/// * `fn open(place: &str) -> Box<dyn SessionStore>` opens the store there, in this process and in the others.
///
/// A store without that capability fails all of them. Payloads are framed as `Framing::Namespace`; a third argument
/// asks for another framing. The macro must stand in a module of its own.
#[macro_export]
macro_rules! process_conformance {
    ($place:path, $open:path) => {
        $crate::process_conformance!($place, $open, $crate::__private::Framing::Namespace);
    };
    ($place:path, $open:path, $framing:expr) => {
        /// Does nothing but in a process that another test has started.
        #[test]
        fn plays_its_role() {
            $crate::conformance::play(&$open, $framing);
        }
        $crate::__process_conformance! { $place, $open, $framing;
            others::readers_see_whole_records_while_others_save,
            others::a_cleanup_leaves_what_others_touch,
            others::what_another_touches_after_it_was_found_survives,
            others::one_of_many_processes_creates,
            others::one_of_many_processes_deletes,
            others::cleanups_at_once_delete_each_session_once,
            others::a_killed_process_leaves_whole_records_and_no_lock,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __process_conformance {
    ($place:path, $open:path, $framing:expr; $($module:ident :: $behaviour:ident,)*) => { $(
        #[test]
        fn $behaviour() {
            let player = concat!(module_path!(), "::plays_its_role");
            let behaviour = $crate::conformance::$module::$behaviour;
            $crate::conformance::run_in_place(player, &$place, &$open, $framing, behaviour);
        }
    )* };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance {
    ($open:path, $framing:expr; $($module:ident :: $behaviour:ident,)*) => { $(
        #[test]
        fn $behaviour() {
            $crate::conformance::run(&$open, $framing, $crate::conformance::$module::$behaviour);
        }
    )* };
}

type Wrap = fn(Box<dyn SessionStore>) -> Box<dyn SessionStore>;

/// Runs one behaviour on fresh stores: as they are and through both forwarding implementations.
#[expect(clippy::print_stderr, reason = "the test harness shows it where the test fails")]
pub fn run<Form, O: Open<Form>>(open: &O, framing: Framing, behaviour: fn(&Subject)) {
    let forms: [(&str, Wrap); 3] = [
        ("the store itself", |store| store),
        ("Box<dyn SessionStore>", |store| Box::new(store)),
        ("Arc<dyn SessionStore>", |store| Box::new(std::sync::Arc::<dyn SessionStore>::from(store))),
    ];
    for (name, wrap) in forms {
        eprintln!("through {name}");
        let Some(subject) = open.open(framing) else { return };
        behaviour(&subject.wrapped(wrap));
    }
}

#[cfg(test)]
mod tests {
    /// A behaviour that the macro forgets would never run.
    #[test]
    fn the_macro_names_every_behaviour() {
        let (this, _) = include_str!("conformance.rs").split_once("#[cfg(test)]").expect("the lists come first");
        for (module, source) in [
            ("admin", include_str!("conformance/admin.rs")),
            ("archive", include_str!("conformance/archive.rs")),
            ("bare", include_str!("conformance/bare.rs")),
            ("cleanup", include_str!("conformance/cleanup.rs")),
            ("inside", include_str!("conformance/inside.rs")),
            ("interference", include_str!("conformance/interference.rs")),
            ("listing", include_str!("conformance/listing.rs")),
            ("model", include_str!("conformance/model.rs")),
            ("others", include_str!("conformance/others.rs")),
            ("records", include_str!("conformance/records.rs")),
        ] {
            for line in source.lines() {
                if let Some((name, _)) = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('(')) {
                    assert!(this.contains(&format!(" {module}::{name},")), "{module}::{name} is not in the list");
                }
            }
        }
    }
}
