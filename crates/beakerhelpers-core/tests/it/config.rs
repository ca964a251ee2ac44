//! Files that are right.

use std::fs;

use beakerhelpers_core::Config;

use crate::site::Site;

#[test]
fn a_store_is_described_with_lines() {
    let site = Site::prod(
        "[app:main]\nuse = egg:App\n\nbeaker.session.type = ext:database\n# the database\n\
         beaker.session.url = sqlite:///%(here)s/s.db\nbeaker.session.timeout = 3600\nbeaker.session.table_name =\n",
    );
    let config = site.store("prod.ini").unwrap();
    assert_eq!(config.store_type(), "ext:database");
    assert_eq!(
        config.require("url").unwrap(),
        format!("sqlite:///{}/s.db", site.path("").display().to_string().trim_end_matches('/'))
    );
    assert_eq!(site.short(&config.origin("url")), "prod.ini:6, `beaker.session.url`");
    assert_eq!(config.timeout().unwrap().unwrap().as_secs(), 3600);
    assert_eq!(config.get("table_name"), None);
    assert_eq!(config.base_dir(), site.path("prod.ini").parent());
    assert_eq!(config.notices().count(), 0);
}

#[test]
fn what_is_missing_is_named_with_its_section() {
    let site = Site::prod("[app:main]\nbeaker.session.timeout = 1h\n");
    let config = site.store("prod.ini").unwrap();
    assert_eq!(config.store_type(), "ext:database");
    assert_eq!(
        site.short(&config.require("url").unwrap_err().report().to_string()),
        "`beaker.session.url` is not set\n  in: `[app:main]` of prod.ini"
    );
    assert_eq!(
        site.short(&config.timeout().unwrap_err().report().to_string()),
        "the session timeout must be a whole number of seconds, not `1h`\n  at: prod.ini:2, `beaker.session.timeout`"
    );
}

#[test]
fn the_default_section_alone_may_hold_the_timeout() {
    let site = Site::prod("[DEFAULT]\nbeaker.session.timeout = 5\n[app:main]\nuse = egg:App\n");
    let config = site.store("prod.ini").unwrap();
    assert_eq!(config.timeout().unwrap().unwrap().as_secs(), 5);
    assert!(config.require("url").is_err());
}

#[test]
fn a_section_is_picked_by_name() {
    let site = Site::prod(
        "[app:main]\nbeaker.session.url = a\n[app:b]\nbeaker.session.url = b\n[odd]\nbeaker.session.url = c\n",
    );
    let url = |name: &str| site.store(name).unwrap().get("url").map(str::to_owned).unwrap();
    for (name, expected) in [
        ("prod.ini", "a"),
        ("prod.ini#", "a"),
        ("prod.ini#main", "a"),
        ("prod.ini#b", "b"),
        ("prod.ini#app:b", "b"),
        ("prod.ini#odd", "c"),
    ] {
        assert_eq!(url(name), expected, "{name}");
    }
    assert_eq!(
        site.error("prod.ini#c"),
        "there is no section `[app:c]`\n  file: prod.ini\n  sections: `[app:main]`, `[app:b]`, `[odd]`"
    );
}

#[test]
fn a_file_may_have_a_number_sign_in_its_name() {
    let site = Site::prod("[app:main]\nbeaker.session.url = a\n[app:2]\nbeaker.session.url = b\n");
    fs::rename(site.path("prod.ini"), site.path("prod#2")).unwrap();
    assert_eq!(site.store("prod#2").unwrap().get("url"), Some("a"));
    assert_eq!(site.store("prod#2#2").unwrap().get("url"), Some("b"));
}

#[test]
fn debug_shows_no_values() {
    let site = Site::prod("[app:main]\nbeaker.session.url = hunter2\n");
    let config = Config::load(&site.path("prod.ini")).unwrap();
    assert!(!format!("{:?} {config:?}", config.store("beaker.session").unwrap()).contains("hunter2"));
}
