//! Reading ahead: while somebody works on the sessions of one page, the server is busy with the next.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use beakerhelpers_core::{Query, Records, read_ahead};

use super::ServerStore;
use super::client::Client;
use crate::pages::Pages;

/// Iterates over the records of a query. Where no thread can be had, each page is read when it is asked for.
///
/// Giving it up takes as long as what the reader is at: the statement for one page, one attempt to connect, or one of the
/// waits between two attempts, two seconds at most. Nothing is begun after that.
pub(super) fn records<C: Client>(store: &ServerStore<C>, query: Query) -> Records<'_> {
    let abandoned = Arc::new(AtomicBool::new(false));
    let behind = ServerStore { abandoned: Arc::clone(&abandoned), ..store.clone() };
    match read_ahead(abandoned, move |hand_over| hand_over.all(Pages::new(&behind, query))) {
        Ok(ahead) => ahead,
        Err(_) => Box::new(Pages::new(store, query)),
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use std::sync::atomic::Ordering;

    use beakerhelpers_core::{DatabaseUrl, SessionId, SessionStore as _, StoreConfig};

    use super::*;

    #[test]
    fn a_handle_that_is_abandoned_asks_the_server_nothing() {
        let url = DatabaseUrl::parse("postgresql://nobody@127.0.0.1:1/nothing").expect("a URL");
        let target = crate::postgres::PgTarget::new(&url).expect("a place");
        let config = StoreConfig::new("beaker.session");
        let store = ServerStore::<crate::postgres::PgClient>::new(&config, crate::Flavor::Database, target);
        let store = store.expect("nothing is asked yet");
        let failure = || store.has(&SessionId::new("a")).expect_err("nobody listens there").message().to_owned();
        assert!(!failure().contains("nobody waits"));
        store.abandoned.store(true, Ordering::Relaxed);
        assert!(failure().contains("nobody waits"));
    }
}
