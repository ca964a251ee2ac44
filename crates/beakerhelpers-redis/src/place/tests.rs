use beakerhelpers_core::ErrorKind;

use super::*;

fn server(url: &str) -> Place {
    Place::of_server(&StoreConfig::new("beaker.session").with("url", url)).unwrap_or_else(|error| panic!("{error:?}"))
}

fn refused(config: &StoreConfig, open: fn(&StoreConfig) -> Result<Place>) -> String {
    let error = open(config).err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::Config);
    error.report().to_string()
}

fn host(name: &str, port: u16) -> Vec<Address> {
    vec![Address::Tcp(name.to_owned(), port)]
}

#[test]
fn urls_say_what_they_say_to_redis_py() {
    for (url, addresses, user, password, database) in [
        ("redis://", host("localhost", 6379), None, None, 0),
        ("redis://db.example:7000/3", host("db.example", 7000), None, None, 3),
        ("redis://[::1]:7000/", host("::1", 7000), None, None, 0),
        ("redis://:p%40ss%2Fw@h", host("h", 6379), None, Some("p@ss/w"), 0),
        ("redis://u%3A:p@h/1?db=2", host("h", 6379), Some("u:"), Some("p"), 2),
        ("redis://h?username=u&password=p+q", host("h", 6379), Some("u"), Some("p q"), 0),
        ("redis://h/none", host("h", 6379), None, None, 0),
        ("unix:///run/r.sock?db=5", vec![Address::Unix("/run/r.sock".into())], None, None, 5),
        ("unix://u:p@/run/r%20s.sock", vec![Address::Unix("/run/r s.sock".into())], Some("u"), Some("p"), 0),
    ] {
        let place = server(url);
        assert_eq!(place.addresses, addresses, "{url}");
        assert_eq!((place.username.as_deref(), place.password.as_deref()), (user, password), "{url}");
        assert_eq!((place.database, place.tls.is_some()), (database, false), "{url}");
        assert!(!password.is_some_and(|password| place.location.contains(password)), "{}", place.location);
    }
}

#[test]
fn encryption_is_as_the_url_says() {
    let tls = |url| server(url).tls.expect("it is encrypted");
    assert!(!tls("rediss://h").trusts_all && !tls("rediss://h?ssl_cert_reqs=required").trusts_all);
    assert!(tls("rediss://h?ssl_cert_reqs=none").trusts_all);
    assert!(tls("rediss://h?ssl_check_hostname=False").ignores_names);
    let config = StoreConfig::new("shop").with("url", "rediss://u:secret@h?ssl_ca_certs=/nowhere/ca.pem");
    let said = refused(&config, Place::of_server);
    assert!(said.contains("`ssl_ca_certs`") && said.contains("/nowhere/ca.pem") && !said.contains("secret"), "{said}");
}

#[test]
fn what_is_no_url_is_refused_without_showing_it() {
    for url in ["secret", "http://u:secret@h", "redis://u:secret@h:port", "redis+x://u:secret@h", "unix://u:secret@"] {
        let said = refused(&StoreConfig::new("shop").with("url", url), Place::of_server);
        assert!(said.contains("`shop.url`") && !said.contains("secret"), "{said}");
    }
    assert!(refused(&StoreConfig::new("shop"), Place::of_server).contains("`shop.url` is not set"));
}

#[test]
fn clusters_have_nodes_and_one_login() {
    let config = StoreConfig::new("shop").with("urls", "redis://a:7001, redis://u:p@b:7002/").with("username", "site");
    let config = config.with("password", "secret");
    let place = Place::of_cluster(&config).expect("it is one");
    assert_eq!(place.addresses, [host("a", 7001), host("b", 7002)].concat());
    assert_eq!((place.username.as_deref(), place.password.as_deref()), (Some("site"), Some("secret")));
    assert_eq!(place.location, "redis://a:7001,redis://u:****@b:7002/");
    assert!(place.tls.is_none());
    for (ssl, encrypted) in [("true", true), ("false", true), ("", false)] {
        let place = Place::of_cluster(&config.clone().with("ssl", ssl));
        assert!(place.is_ok_and(|place| place.tls.is_some() == encrypted), "{ssl:?}");
    }
}

#[test]
fn clusters_have_no_databases_and_their_option_has_another_name() {
    for urls in ["redis://a/1", "redis://a,redis://b?db=0", "unix:///a.sock"] {
        refused(&StoreConfig::new("shop").with("urls", urls), Place::of_cluster);
    }
    let said = refused(&StoreConfig::new("shop").with("url", "redis://a"), Place::of_cluster);
    assert!(said.contains("`shop.urls` is not set") && said.contains("rename `url`"), "{said}");
}
