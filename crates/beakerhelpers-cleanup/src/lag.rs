//! How far replicas are behind.

use std::time::Duration;

use beakerhelpers_core::command::Opened;
use beakerhelpers_core::{Access, Error, ErrorKind, Registry, Result, SessionStore};

/// Who is asked.
#[derive(Debug)]
pub(crate) struct Lag<'s> {
    max: Duration,
    /// The store itself, which sees its replicas; none where the replicas are asked.
    primary: Option<&'s dyn SessionStore>,
    replicas: Vec<Box<dyn SessionStore>>,
}

impl<'s> Lag<'s> {
    /// Opens the replicas, and asks everybody once. The answer is `None` where the store has no replicas.
    ///
    /// # Errors
    ///
    /// `Config` for a replica that is none; `Unsupported` where nobody can tell; what the stores say.
    pub(crate) fn open(
        max: Duration,
        urls: &[String],
        opened: &'s Opened,
        registry: &Registry,
    ) -> Result<Option<Self>> {
        let open = |url: &String| {
            let config = opened.config.clone().with("url", url).with_access(Access::ReadOnly);
            registry.open(&config).map_err(|error| error.with_context("from", "`--replica`"))
        };
        let replicas = urls.iter().map(open).collect::<Result<Vec<_>>>()?;
        Self::of(max, &*opened.store, replicas)
    }

    fn of(max: Duration, store: &'s dyn SessionStore, replicas: Vec<Box<dyn SessionStore>>) -> Result<Option<Self>> {
        let primary = replicas.is_empty().then_some(store);
        let lag = Self { max, primary, replicas };
        match lag.worst() {
            Ok(Some(_)) => Ok(Some(lag)),
            Ok(None) => Ok(None),
            Err(error) if error.kind() == ErrorKind::Unsupported && lag.primary.is_some() => {
                Err(error.with_hint("name the replicas, each with `--replica URL`, or leave `--max-lag` out"))
            }
            Err(error) => Err(error),
        }
    }

    /// How far behind the replicas are, if that is too far.
    ///
    /// # Errors
    ///
    /// What the stores say; `Unavailable` where replicas that were there are not any more.
    pub(crate) fn too_far(&self) -> Result<Option<Duration>> {
        let worst = self.worst()?.ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "the store does not see its replicas any more, nor how far they are behind",
            )
        })?;
        Ok((worst > self.max).then_some(worst))
    }

    fn worst(&self) -> Result<Option<Duration>> {
        if let Some(primary) = self.primary {
            return primary.replication_lag();
        }
        let mut worst = Duration::ZERO;
        for replica in &self.replicas {
            let at = |error: Error| error.with_context("replica", replica.info().location);
            let lag = replica.replication_lag().map_err(at)?.ok_or_else(|| {
                at(Error::config("the server is no replica, or does not replicate")
                    .with_hint("`--replica` takes the URL of a replica, not of the server that the site writes to"))
            })?;
            worst = worst.max(lag);
        }
        Ok(Some(worst))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use beakerhelpers_core::{Capabilities, MemoryStore, Record, SaveMode, SessionId, StoreInfo};

    use super::*;

    /// Answers what it was given, one after the other.
    #[derive(Debug)]
    struct Replicated(Mutex<Vec<Option<u64>>>);

    impl SessionStore for Replicated {
        fn info(&self) -> StoreInfo {
            StoreInfo::new("replicated", "somewhere".to_owned(), Capabilities::NONE)
        }
        fn load(&self, _: &SessionId) -> Result<Option<Record>> {
            Ok(None)
        }
        fn save(&self, _: &Record, _: SaveMode) -> Result<()> {
            Ok(())
        }
        fn delete(&self, _: &SessionId) -> Result<bool> {
            Ok(false)
        }
        fn replication_lag(&self) -> Result<Option<Duration>> {
            Ok(self.0.lock().unwrap().remove(0).map(Duration::from_secs))
        }
    }

    fn replicated(answers: &[Option<u64>]) -> Replicated {
        Replicated(Mutex::new(answers.to_vec()))
    }

    const MAX: Duration = Duration::from_secs(5);

    #[test]
    fn the_store_is_asked_where_no_replica_is_named() {
        let store = replicated(&[Some(9), Some(5), Some(6), None]);
        let lag = Lag::of(MAX, &store, Vec::new()).unwrap().unwrap();
        assert_eq!(lag.too_far().unwrap(), None, "exactly so far is not too far");
        assert_eq!(lag.too_far().unwrap(), Some(Duration::from_secs(6)));
        assert_eq!(lag.too_far().unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(Lag::of(MAX, &replicated(&[None]), Vec::new()).unwrap().is_none());
    }

    #[test]
    fn the_replica_that_is_furthest_behind_counts() {
        let store = MemoryStore::new();
        let replicas: Vec<Box<dyn SessionStore>> =
            vec![Box::new(replicated(&[Some(0), Some(1)])), Box::new(replicated(&[Some(0), Some(7)]))];
        let lag = Lag::of(MAX, &store, replicas).unwrap().unwrap();
        assert_eq!(lag.too_far().unwrap(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn who_cannot_tell_is_refused_with_a_way_out() {
        let error = Lag::of(MAX, &MemoryStore::new(), Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.hint().unwrap().contains("--replica"));
        let error = Lag::of(MAX, &MemoryStore::new(), vec![Box::new(replicated(&[None]))]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.report().to_string().contains("replica: somewhere"));
    }
}
