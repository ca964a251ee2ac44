//! What SQLAlchemy makes of a URL is what we make of it.

use beakerhelpers_core::DatabaseUrl;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::python::ask;

const SCRIPT: &str = r"
import json, sys
from sqlalchemy.engine import make_url
answers = []
for text in json.load(sys.stdin):
    try:
        url = make_url(text)
        dialect, _, driver = url.drivername.partition('+')
        query = [[key, value] for key, values in url.query.items() for value in ([values] if isinstance(values, str) else values)]
        answers.append([dialect, driver or None, url.username, url.password, url.host, url.port, url.database, query])
    except Exception as error:
        answers.append(None)
json.dump(answers, sys.stdout)
";

const URLS: &[&str] = &[
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:///rel/sessions.db",
    "sqlite:////abs/with space/and%20escape.db",
    "sqlite:///a:b@c.db",
    "sqlite+pysqlite:////abs",
    "sqlite:///file:path/to?mode=ro&uri=true",
    "sqlite:////srv/%E9%c3%a9%zz%4.db",
    "sqlite:///?timeout=3",
    "sqlite:///C:\\sessions.db",
    "postgres://app:secret@db:5432/site",
    "postgresql+psycopg2://app:a+b%2Bc%40d@db/site",
    "postgresql://app@db",
    "postgresql://app:@db",
    "postgresql://:secret@db",
    "postgresql://@db",
    "postgresql://app%2Bx%3A:%25@db/si%2Fte",
    "postgresql:///site?host=/var/run/postgresql",
    "postgresql:///site?host=a:1&host=b:2&host=&x",
    "postgresql://app:p/q:r@db/site",
    "postgresql://app@ns:secret@db/site",
    "postgresql://first@last@db/site",
    "postgresql://app@db:5432/a@b",
    "postgresql://[::1]/site",
    "postgresql://app:secret@[2001:db8::1]:5432/site?a=b",
    "postgresql://db?sslmode=require",
    "postgresql://db:5432?sslmode=require",
    "postgresql://?a=b",
    "postgresql://db/site?a=1?b=2&c=%41+x%2B;d=e&=f&g==h&&",
    "postgresql://db#x/site?a=b#c",
    "mysql+pymysql://root:p%C3%A4ss@localhost/x?charset=utf8mb4",
    "mariadb+mariadbconnector://h/d",
    "mysql://ünï:cödé@höst/dätä?kéy=välue",
    "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3Dy",
    "a_1+b://h",
    "postgresql://db:/site",
    "postgresql://db:x/site",
    "postgresql://[::1/site",
    "postgresql:/db/site",
    "/srv/site/sessions.db",
    "post-gres://db",
    "://db",
    "",
    "postgresql://app:secret",
];

fn parts(text: &str) -> Value {
    let Ok(url) = DatabaseUrl::parse(text) else { return Value::Null };
    let options: Vec<_> = url.options().collect();
    // SQLAlchemy keeps the values of one name together.
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &options {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let grouped = |name| options.iter().filter(move |(other, _)| *other == name).collect::<Vec<_>>();
    let query: Vec<_> = names.into_iter().flat_map(grouped).collect();
    json!([url.dialect(), url.driver(), url.username(), url.password(), url.host(), url.port(), url.database(), query])
}

#[test]
fn sqlalchemy_agrees() {
    let Some(answers) = ask(SCRIPT, &json!(URLS)) else { return };
    for (text, answer) in URLS.iter().zip(answers.as_array().unwrap()) {
        assert_eq!(&parts(text), answer, "{text}");
    }
}

#[test]
fn no_password_is_shown() {
    for (text, shown) in [
        ("postgres://app:hunter2@db:5432/app", "postgres://app:****@db:5432/app"),
        ("postgres://app:@db", "postgres://app:****@db"),
        ("postgres://db/app?user=u&password=hunter2", "postgres://db/app?user=****&password=****"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dhunter2", "mssql+pyodbc:///?odbc_connect=****"),
        // The password is `x@y/hunter2@`, not encoded as it should be.
        ("postgres://app:x@y/hunter2@@db/app", "postgres://app:****@****"),
        ("postgres://u%40x@[::1]:5/a%20b%0a?mode=a%26b", "postgres://u%40x@[::1]:5/a%20b%0A?mode=a%26b"),
        ("sqlite:///rel/a.db?mode=ro&uri=true", "sqlite:///rel/a.db?mode=ro&uri=true"),
    ] {
        let url = DatabaseUrl::parse(text).unwrap();
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
    }
}

#[test]
fn malformed_urls_are_refused_without_showing_them() {
    for (text, why) in [
        ("hunter2", "it does not begin with `dialect://`"),
        ("postgres:app:hunter2@db", "it does not begin with `dialect://`"),
        ("my dialect://app:hunter2@db", "it does not begin with `dialect://`"),
        ("+hunter2://db", "it does not begin with `dialect://`"),
        ("postgres://app:pass@hunter2@db/x", "there is an `@` in the host"),
        ("postgres://app:hunter2", "the port is no number up to 65535"),
        ("postgres://app:x@db:hunter2/x", "the port is no number up to 65535"),
        ("postgres://db:65536/x", "the port is no number up to 65535"),
        ("postgres://db:+1/x", "the port is no number up to 65535"),
        ("postgres://[::1]hunter2/x", "something stands between `]` and the port"),
        ("postgres://app:hunter2\n@db/x", "it holds a line break or another control character"),
    ] {
        let report = DatabaseUrl::parse(text).unwrap_err().report().to_string();
        assert!(report.starts_with(&format!("this is no database URL: {why}")), "{text}: {report}");
        assert!(!report.contains("hunter2"), "{report}");
    }
}

#[test]
fn options_are_found_by_name() {
    let url = DatabaseUrl::parse("sqlite:///x?a=1&b=2&a=3").unwrap();
    assert_eq!((url.option("a"), url.option("c")), (Some("1"), None));
    assert_eq!(url.options().collect::<Vec<_>>(), [("a", "1"), ("b", "2"), ("a", "3")]);
}

proptest! {
    #[test]
    fn any_text_is_a_url_or_an_error(text in ".*") {
        let _ = DatabaseUrl::parse(&text).map(|url| url.to_string());
    }

    #[test]
    fn nothing_of_a_password_is_shown(user in "[a-z]{0,3}", password in "[A-Z0-9]{4,9}([@:/?#%]{0,3}[A-Z0-9]{4,9}){0,3}", rest in "@[a-z]{1,5}(:[0-9]{1,6})?/[a-z?=&]{0,9}") {
        let shown = match DatabaseUrl::parse(&format!("postgres://{user}:{password}{rest}")) {
            Ok(url) => format!("{url} {url:?}"),
            Err(error) => error.report().to_string(),
        };
        for part in password.split(['@', ':', '/', '?', '#', '%']).filter(|part| !part.is_empty()) {
            prop_assert!(!shown.contains(part), "{shown}");
        }
    }
}
