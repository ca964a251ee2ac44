//! The library half: BeakerHelpers' `get_sessions` and `show_sessions`, and BeakerShowSessions' form of them.

use std::path::Path;
use std::time::{Duration, SystemTime};

use beakerhelpers_codec::Settings;
use beakerhelpers_core::{Access, Config, Cutoff, Error, Query, Registry, Result, Session, SessionId, SessionStore};

use crate::listing::{Format, Listing, NOTHING};
use crate::read::{Observer, each_session};

/// The sessions of a store, and what could not be read.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sessions {
    /// The one accessed longest ago first.
    pub sessions: Vec<Session>,
    /// One error for each session that could not be read.
    pub unreadable: Vec<Error>,
}

/// Gets the sessions that were accessed within the timeout, or all without one, the one accessed longest ago first.
///
/// Empty sessions, and what is no session (Beaker caches may share the store), are passed over. All of them are held in
/// memory at once. Encrypted ones need [`get_sessions_with`].
///
/// # Errors
///
/// What the store says. A session that cannot be read is no error: it is in [`Sessions::unreadable`].
pub fn get_sessions(store: &dyn SessionStore, timeout: Option<Duration>) -> Result<Sessions> {
    get_sessions_with(store, timeout, &Settings::new())
}

/// [`get_sessions`] with what the configuration says about the form of the sessions, the keys of encrypted ones first of
/// all.
///
/// # Errors
///
/// As [`get_sessions`].
pub fn get_sessions_with(store: &dyn SessionStore, timeout: Option<Duration>, settings: &Settings) -> Result<Sessions> {
    struct Collect<'u>(&'u mut Vec<Error>);
    impl Observer for Collect<'_> {
        fn unreadable(&mut self, error: Error, _: Option<&SessionId>) {
            self.0.push(error);
        }
    }
    let mut sessions = Vec::new();
    let mut unreadable = Vec::new();
    let take = |record: &beakerhelpers_core::Record, session: &Session| {
        sessions.push((record.accessed, session.clone()));
        Ok(())
    };
    each_session(store, active(timeout), settings, take, &mut Collect(&mut unreadable))?;
    sessions.sort_by_key(|(accessed, _)| *accessed);
    Ok(Sessions { sessions: sessions.into_iter().map(|(_, session)| session).collect(), unreadable })
}

/// The same sessions as the table of the original, or `No sessions found`, without a newline at the end. Times are in
/// this host's zone. What could not be read is left out; [`get_sessions`] tells. Encrypted sessions need
/// [`show_sessions_with`].
///
/// # Errors
///
/// What the store says.
pub fn show_sessions(store: &dyn SessionStore, timeout: Option<Duration>) -> Result<String> {
    show_sessions_with(store, timeout, &Settings::new())
}

/// [`show_sessions`] with what the configuration says about the form of the sessions, the keys of encrypted ones first of
/// all.
///
/// # Errors
///
/// As [`show_sessions`].
pub fn show_sessions_with(store: &dyn SessionStore, timeout: Option<Duration>, settings: &Settings) -> Result<String> {
    struct Ignore;
    impl Observer for Ignore {
        fn unreadable(&mut self, _: Error, _: Option<&SessionId>) {}
    }
    let listing = Listing { settings: settings.clone(), ..Listing::of(active(timeout), Format::Table) };
    let mut out = Vec::new();
    listing.write(store, &mut out, &mut Ignore)?;
    let text = String::from_utf8(out).map_err(|_| Error::corrupt(NOTHING))?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// [`get_sessions`] by the path of a paste.deploy file and the prefix of its session keys, such as `beaker.session`, with
/// the timeout and the keys of the file.
///
/// # Errors
///
/// `Config` for what is wrong with the file, the type of the store not being linked among it; otherwise what the store
/// says.
pub fn get_sessions_from(config: &Path, prefix: &str) -> Result<Sessions> {
    let (store, timeout, settings) = open(config, prefix)?;
    get_sessions_with(&*store, timeout, &settings)
}

/// [`show_sessions`] by the path of a paste.deploy file and the prefix of its session keys, with the timeout and the
/// keys of the file.
///
/// # Errors
///
/// As [`get_sessions_from`].
pub fn show_sessions_from(config: &Path, prefix: &str) -> Result<String> {
    let (store, timeout, settings) = open(config, prefix)?;
    show_sessions_with(&*store, timeout, &settings)
}

fn open(config: &Path, prefix: &str) -> Result<(Box<dyn SessionStore>, Option<Duration>, Settings)> {
    let config = Config::load(config)?.store(prefix)?.with_access(Access::ReadOnly);
    Ok((Registry::linked()?.open(&config)?, config.timeout()?, Settings::from_config(&config)?))
}

fn active(timeout: Option<Duration>) -> Query {
    let now = SystemTime::now().into();
    timeout.map_or(Query::ALL, |timeout| Query::ALL.active_since(Cutoff::ago(now, timeout)))
}
