//! Where the keys are looked for, and what is said about it.

use beakerhelpers_core::{Config, StoreConfig};

use crate::site::Site;

const APP: &str = "use = egg:App\n";

/// The `url` that is found, and the notice.
fn url(site: &Site, name: &str) -> (String, String) {
    let config = site.store(name).expect(name);
    let notices: Vec<_> = config.notices().map(|notice| site.short(notice)).collect();
    assert!(notices.len() < 2);
    (config.require("url").expect(name).to_owned(), notices.join(""))
}

fn used(section: &str, instead_of: &str) -> String {
    format!("the session options are those of `[{section}]` of prod.ini, because `[{instead_of}]` has none")
}

fn found(text: &str, expected: &str, notice: &str) {
    assert_eq!(url(&Site::prod(text), "prod.ini"), (expected.to_owned(), notice.to_owned()), "{text}");
}

#[test]
fn the_section_of_the_original_needs_no_notice() {
    for header in ["app", "app:main", "application:main", "composite:main", "filter-app:main"] {
        found(&format!("[{header}]\nbeaker.session.url = a\n[app:other]\nbeaker.session.url = b\n"), "a", "");
    }
    found("[DEFAULT]\nbeaker.session.url = a\n[pipeline:main]\npipeline = x\n", "a", "");
}

#[test]
fn a_pipeline_leads_to_its_app() {
    let text = "[pipeline:main]\npipeline = f app\n[filter:f]\nbeaker.session.url = filter\n[app:app]\nbeaker.session.url = a\n";
    found(text, "a", &used("app:app", "pipeline:main"));
    let text =
        "[DEFAULT]\nbeaker.session.timeout = 5\n[pipeline:main]\npipeline = app\n[app:app]\nbeaker.session.url = a\n";
    found(text, "a", &used("app:app", "pipeline:main"));
}

#[test]
fn a_composite_leads_to_the_app_that_has_the_keys() {
    let text = format!(
        "[composite:main]\nuse = egg:Paste#urlmap\n/ = home\n/b = p\n/c = not an app\n/d = %broken\n\
         [app:home]\n{APP}[pipeline:p]\npipeline = egg:F inner\n[filter-app:inner]\n{APP}next = blog\n\
         [app:blog]\n{APP}beaker.session.url = a\n[app:unrelated]\nbeaker.session.url = b\n"
    );
    found(&text, "a", &used("app:blog", "composite:main"));
}

#[test]
fn apps_that_agree_are_one_and_others_are_named() {
    let text = |second: &str| {
        format!(
            "[composite:main]\nuse = egg:C\n/ = x\n/y = y\n[app:x]\nbeaker.session.url = a\n[app:y]\nbeaker.session.url = {second}\n"
        )
    };
    found(&text("a"), "a", &used("app:x", "composite:main"));
    let site = Site::prod(text("hunter2"));
    assert_eq!(
        site.error("prod.ini"),
        "several sections have `beaker.session.*` keys, and they differ\n  file: prod.ini\n  \
         sections: `[app:x]`, `[app:y]`\n\nhint: pick one by its name, as in `prod.ini#x`"
    );
    assert_eq!(url(&site, "prod.ini#x"), ("a".to_owned(), String::new()));
    assert_eq!(url(&site, "prod.ini#app:y"), ("hunter2".to_owned(), String::new()));
}

#[test]
fn the_only_app_that_has_keys_is_taken_last() {
    let main = format!("[app:main]\n{APP}");
    found(
        &format!(
            "{main}[server:s]\nbeaker.session.url = b\n[app:x]\nbeaker.session.url = a\n[app:broken]\nuse = nothing\n"
        ),
        "a",
        &used("app:x", "app:main"),
    );
    let two = Site::prod(format!("{main}[app:x]\nbeaker.session.url = a\n[composite:y]\nbeaker.session.url = b\n"));
    assert!(two.error("prod.ini").contains("sections: `[app:x]`, `[composite:y]`"));
}

#[test]
fn beakers_filter_has_bare_keys() {
    for code in [
        "use = egg:Beaker#beaker_session",
        "use = egg:beaker#beaker_session",
        "use = call:beaker.middleware:session_filter_factory",
        "paste.filter_factory = beaker.middleware:session_filter_factory",
        "paste.filter_app_factory = beaker.middleware:session_filter_app_factory",
        "paste.filter_app_factory = beaker.middleware:SessionMiddleware",
    ] {
        let filter =
            format!("[filter:s]\n{code}\ntype = ext:database\nurl = a\nbeaker.session.url = b\nsession.timeout = 5\n");
        let site = Site::prod(format!("[pipeline:main]\npipeline = s app\n{filter}[app:app]\n{APP}"));
        let config = site.store("prod.ini").unwrap();
        assert_eq!(config.names().collect::<Vec<_>>(), ["timeout", "type", "url"], "{code}");
        assert_eq!(url(&site, "prod.ini"), ("a".to_owned(), used("filter:s", "pipeline:main")));
        assert_eq!(site.short(&config.origin("url")), "prod.ini:6, `url`");
        assert_eq!(url(&site, "prod.ini#s"), ("a".to_owned(), String::new()));
        // Named nowhere, by `filter-with`, and as the application itself.
        found(&format!("[app:main]\n{APP}{filter}"), "a", &used("filter:s", "app:main"));
        found(
            &format!("[app:main]\n{APP}filter-with = s\n{filter}[filter:t]\n{code}\nurl = c\n"),
            "a",
            &used("filter:s", "app:main"),
        );
        found(&format!("[filter-app:main]\n{code}\nnext = app\nurl = a\n[app:app]\n{APP}"), "a", "");
    }
}

#[test]
fn a_filter_of_something_else_is_not_taken_for_beakers() {
    for code in
        ["use = egg:Beaker#beaker_cache", "use = egg:Foo#beaker_session", "paste.filter_factory = my.app:session"]
    {
        let site = Site::prod(format!("[app:main]\n{APP}[filter:s]\n{code}\nurl = a\ntype = b\n"));
        assert!(site.error("prod.ini").starts_with("there are no `beaker.session.*` keys"), "{code}");
    }
}

#[test]
fn beakers_second_prefix_is_read_where_the_first_is_not_there() {
    let site = Site::prod("[app:main]\nsession.url = a\nsession_type = x\n");
    let config = site.store("prod.ini").unwrap();
    assert_eq!((config.get("url"), config.get("type"), config.prefix()), (Some("a"), None, "session"));
    assert_eq!(site.short(&config.origin("url")), "prod.ini:2, `session.url`");
    let site = Site::prod("[app:main]\nsession.url = a\nbeaker.session.type = memory\n");
    assert_eq!(site.store("prod.ini").unwrap().get("url"), None);
    // To another prefix it is none.
    let site = Site::prod("[app:main]\nsession.url = a\n");
    assert!(Config::load(&site.path("prod.ini")).unwrap().store("bkr").is_err());
    // It may be the prefix of something else, which says nothing of a store.
    found(
        "[app:main]\nsession.lifetime = 5\n[filter:s]\nuse = egg:Beaker#beaker_session\nurl = a\n",
        "a",
        &used("filter:s", "app:main"),
    );
}

#[test]
fn another_prefix_is_read_with_and_without_its_dot() {
    let site =
        Site::prod("[app:main]\nbkr.ses.url = a\nbkr.ses.type = memory\nbeaker.session.url = b\nbkr.session = c\n");
    let config = Config::load(&site.path("prod.ini")).unwrap();
    let url = |prefix: &str| config.store(prefix).unwrap().get("url").map(str::to_owned);
    assert_eq!((url("bkr.ses"), url("bkr.ses.")), (Some("a".into()), Some("a".into())));
    assert_eq!(config.store("").unwrap_err().to_string(), "the prefix of the session keys must not be empty");
    let missing = config.store("bkr.session").unwrap_err();
    assert_eq!(missing.to_string(), "there are no `bkr.session.*` keys");
    assert_eq!(
        missing.hint(),
        Some("there are keys that begin with `bkr.ses.`; if they are those of the sessions, add `--prefix bkr.ses`")
    );
}

#[test]
fn keys_of_other_files_say_where_they_stand() {
    let site = Site::new(&[
        ("conf/prod.ini", "[app:main]\nuse = config:../common/base.ini\nbeaker.session.type = ext:database\n"),
        (
            "common/base.ini",
            "# base\n[app:main]\nuse = egg:App\nbeaker.session.sa.url = sqlite:///%(here)s/x\nbeaker.session.type = x\n",
        ),
    ]);
    let config = site.store("conf/prod.ini").unwrap();
    let here = site.path("common");
    assert_eq!(config.get("url").unwrap(), format!("sqlite:///{}/x", here.display()));
    assert_eq!(site.short(&config.origin("url")), "conf/../common/base.ini:4, `beaker.session.sa.url`");
    assert_eq!(site.short(&config.origin("type")), "conf/prod.ini:3, `beaker.session.type`");
    assert_eq!(config.base_dir(), Some(here.as_path()));
}

#[test]
fn url_goes_before_sa_url() {
    let both = StoreConfig::new("beaker.session").with("sa.url", "a");
    assert_eq!((both.get("url"), both.origin("url").as_str()), (Some("a"), "`beaker.session.url`"));
    assert_eq!(both.clone().with("url", " ").get("url"), Some("a"));
    assert_eq!(both.with("url", "b").get("url"), Some("b"));
}

#[test]
fn too_many_sections_end_the_search() {
    let mut text = String::from("[composite:main]\nuse = egg:C\n");
    text.extend((0..300).map(|n| format!("/{n} = a{n}\n")));
    text.extend((0..300).map(|n| format!("[app:a{n}]\n{APP}")));
    assert!(Site::prod(text).error("prod.ini").starts_with("the section leads to more than 256 others"));
    let chain: Vec<_> = (0..40).map(|n| format!("[app:a{n}]\nuse = a{}\n", n + 1)).collect();
    let chain = chain.concat().replace("app:a0]", "app:main]");
    assert!(Site::prod(chain).error("prod.ini").starts_with("more than 32 sections use each other"));
}
