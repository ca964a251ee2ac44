#![doc = include_str!("../README.md")]

use beakerhelpers_core::{
    Capabilities, Cutoff, DeletePlan, Deleted, Error, Framing, OptionSpec, Progress, Query, Record, Records, Result,
    SaveMode, SessionId, SessionStore, StoreConfig, StoreInfo, StoreType, package, register_store,
};

/// The store type `cookie`.
pub static COOKIE: StoreType =
    StoreType::new("cookie", "sessions in the visitors' cookies: nothing is stored", open, package!()).with_options(&[
        OptionSpec::secret("validate_key", "what cookies are signed with"),
        OptionSpec::new("key", "name of the cookie; `beaker.session.id` otherwise"),
    ]);
register_store!(COOKIE);

#[expect(clippy::unnecessary_wraps, reason = "it is an `OpenStore`")]
fn open(_: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    Ok(Box::new(Cookies))
}

/// What is nowhere but in browsers: everything that a store does is `Unsupported`.
#[derive(Debug)]
struct Cookies;

fn elsewhere<T>(what: &str) -> Result<T> {
    Err(Error::unsupported(format!("the site keeps each session in its visitor's cookie: there is nothing to {what}"))
        .with_hint("`beakerhelpers sessions --cookie` shows the session of a cookie that it reads from standard input"))
}

impl SessionStore for Cookies {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(COOKIE.name, "cookies of the visitors".to_owned(), Capabilities::NONE)
            .with_framing(Framing::Text)
    }

    fn load(&self, _: &SessionId) -> Result<Option<Record>> {
        elsewhere("load")
    }

    fn save(&self, _: &Record, _: SaveMode) -> Result<()> {
        elsewhere("save to")
    }

    fn delete(&self, _: &SessionId) -> Result<bool> {
        elsewhere("delete")
    }

    fn iter(&self, _: Query) -> Records<'_> {
        Box::new(std::iter::once(elsewhere("list")))
    }

    fn delete_old(&self, _: Cutoff, _: &DeletePlan, _: &mut dyn Progress) -> Result<Deleted> {
        elsewhere("delete")
    }
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{ErrorKind, Payload, Registry, Silent, Timestamp};

    use super::*;

    #[test]
    fn whatever_is_asked_it_says_where_sessions_are() {
        let config = StoreConfig::new("beaker.session").with("type", "cookie").with("validate_key", "v");
        let store = Registry::linked().and_then(|registry| registry.open(&config)).expect("it is linked");
        let id = SessionId::new("a");
        let record = Record::new(id.clone(), Payload::new(Framing::Text, Vec::new()));
        let cutoff = Cutoff::ago(Timestamp::from_secs(1), std::time::Duration::ZERO);
        let mut items = store.iter(Query::ALL);
        let errors = [
            store.load(&id).expect_err("nothing"),
            store.has(&id).expect_err("nothing"),
            store.save(&record, SaveMode::Upsert).expect_err("nothing"),
            store.delete(&id).expect_err("nothing"),
            items.next().expect("an error").expect_err("nothing"),
            store.delete_old(cutoff, &DeletePlan::default(), &mut Silent).expect_err("nothing"),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.hint().is_some_and(|hint| hint.contains("sessions --cookie")));
        }
        assert!(items.next().is_none());
        assert_eq!(store.info().capabilities, Capabilities::NONE);
    }
}
