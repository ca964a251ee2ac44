//! A cluster that takes encrypted connections alone.

use beakerhelpers_core::{ErrorKind, Query, SessionId, SessionStore, Silent, StoreConfig};
use beakerhelpers_testkit::python;
use beakerhelpers_testkit::servers::{Cluster, User};

use crate::beaker::there_and_back;
use crate::support::{an_hour, cluster_config, hours_ago, ini, list, open, plan, record, save, told};

/// Lists, saves, deletes and cleans: by the nodes that keys are on, and by connections to all masters.
fn works(store: &dyn SessionStore) {
    (0..30).for_each(|n| save(store, &record(&format!("old-{n}"), hours_ago(2))));
    save(store, &record("young", hours_ago(0)));
    assert_eq!(list(store, Query::ALL.with_expiry()).len(), 31);
    assert!(store.delete(&SessionId::new("old-0")).expect("it deletes"));
    let done = store.delete_old(an_hour(), &plan(), &mut Silent).expect("it gets through");
    assert_eq!((done.deleted, done.kept), (29, 1));
    assert!(store.delete(&SessionId::new("young")).expect("it deletes"));
    // Masters that have no session at all.
    assert!(list(store, Query::ALL).is_empty());
}

#[test]
fn an_encrypted_cluster_is_reached_as_beaker_reaches_it_and_by_its_urls() {
    let python = python!();
    let Some(cluster) = Cluster::own_encrypted() else { return };
    let certificates = cluster.nodes()[0].certificates();
    let (authority, other) = (certificates.authority(), certificates.other_authority());
    let [authority, other] = [&authority, &other].map(|path| path.to_str().expect("it is text"));
    let urls = cluster.url(User::SITE);
    assert_eq!(urls.matches("rediss://").count(), 3);
    let plain = urls.replace("rediss://", "redis://");

    // Beaker takes host and port alone from the URLs, so that `ssl` says it.
    let User { name, password, .. } = User::SITE;
    let (kind, login) = (("type", "ext:rediscluster"), [("username", name), ("password", password)]);
    let keys = [kind, ("urls", &plain), login[0], login[1], ("ssl", "true"), ("ssl_ca_certs", authority)];
    let as_beaker =
        keys.iter().fold(StoreConfig::new("beaker.session"), |config, (key, value)| config.with(key, *value));
    let folder = tempfile::tempdir().expect("a folder");
    there_and_back(&python, &ini(folder.path(), &keys), &*open(&as_beaker));
    cluster.run("FLUSHALL\n");

    let config = cluster_config(&cluster, User::SITE);
    let trusting = config.clone().with("ssl_cert_reqs", "none");
    let in_url = config.clone().with("urls", urls.replacen(',', &format!("?ssl_ca_certs={authority},"), 1));
    works(&*open(&as_beaker));
    save(&*open(&in_url), &record("young", hours_ago(0)));
    for config in [config.clone().with("ssl_ca_certs", authority), trusting, in_url] {
        assert_eq!(list(&*open(&config), Query::ALL).len(), 1);
    }
    for (config, why) in [
        (config.clone().with("ssl_ca_certs", other), "certificate"),
        (config.clone(), "certificate"),
        (config.with("urls", plain), "the connection to Redis"),
    ] {
        let store = open(&config);
        for refused in [
            store.load(&SessionId::new("a")).map(drop),
            store.iter(Query::ALL).next().expect("it says something").map(drop),
        ] {
            let (kind, report) = told(refused);
            assert!(kind == ErrorKind::Unavailable && report.contains(why), "{report}");
        }
    }
}
