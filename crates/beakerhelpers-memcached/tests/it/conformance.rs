//! The contract of stores.

use beakerhelpers_core::{Framing, SessionStore};

use crate::support::{Servers, config, open, relay};

type Opened = Option<(Servers, Box<dyn SessionStore>, Box<dyn SessionStore>)>;

fn opened(servers: Servers, url: &str, module: &str) -> (Servers, Box<dyn SessionStore>, Box<dyn SessionStore>) {
    let config = config(url).with("memcache_module", module);
    (servers, open(&config), open(&config))
}

mod one_server {
    use super::{Framing, Opened, Servers};

    fn opened() -> Opened {
        let servers = Servers::take(1)?;
        let url = servers.url();
        Some(super::opened(servers, &url, "auto"))
    }
    beakerhelpers_testkit::conformance!(opened, Framing::Text);
}

mod three_servers {
    use super::{Framing, Opened, Servers};

    fn opened() -> Opened {
        let servers = Servers::take(3)?;
        let url = servers.url();
        Some(super::opened(servers, &url, "memcache"))
    }
    beakerhelpers_testkit::conformance!(opened, Framing::Text);
}

/// Before 1.6 there was no `mg`. What is read by `gets` a second time may then be missing from lists for a second, as long
/// as the server takes to note it: only behaviours that list nothing right after that are asked for.
mod an_older_server {
    use super::{Framing, Opened, Servers, relay};

    fn opened() -> Opened {
        let servers = Servers::take(1)?;
        let url = relay(&servers, "mg ", "ERROR\r\n");
        Some(super::opened(servers, &url, "bmemcached"))
    }
    beakerhelpers_testkit::__conformance! { opened, Framing::Text;
        records::a_saved_record_loads,
        records::what_is_not_there_is_no_error,
        records::upsert_replaces_all_but_created,
        records::create_refuses_a_taken_id_and_changes_nothing,
        records::deleting_twice_tells_true_then_false,
        records::ids_are_any_text,
        records::an_empty_payload_is_kept,
        records::ten_megabytes_are_kept,
        cleanup::the_exact_cutoff_is_kept_and_older_goes,
        cleanup::batches_of_every_size_delete_the_same,
        archive::every_deleted_record_is_handed_over_first,
        archive::what_is_touched_meanwhile_is_not_handed_over,
        interference::a_session_touched_after_it_was_found_survives,
        interference::a_session_touched_before_its_batch_survives,
        interference::a_session_deleted_meanwhile_is_not_counted,
        interference::threads_use_one_store,
        interference::one_of_many_creates_wins,
    }
}
