use beakerhelpers_core::ErrorKind;

use super::*;

fn target(url: &str) -> Result<PgTarget> {
    PgTarget::new(&DatabaseUrl::parse(url).expect("it is a URL"))
}

/// The parameters of a URL, sorted.
fn parameters(url: &str) -> Vec<(&'static str, String)> {
    let mut parameters = target(url).expect("it is right").parameters;
    parameters.sort_unstable();
    parameters
}

#[track_caller]
fn assert_parameters(url: &str, expected: &[(&'static str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    assert_eq!(parameters(url), expected, "{url}");
}

#[test]
fn every_driver_of_python_is_understood() {
    let expected = [("dbname", "site"), ("host", "db"), ("password", "p@ss/w:rd"), ("port", "5433"), ("user", "app")];
    for scheme in [
        "postgresql",
        "postgres",
        "postgresql+psycopg2",
        "postgresql+psycopg",
        "postgresql+psycopg_async",
        "postgresql+asyncpg",
        "postgresql+pg8000",
        "postgresql+psycopg2cffi",
    ] {
        assert_parameters(&format!("{scheme}://app:p%40ss%2Fw%3Ard@db:5433/site"), &expected);
    }
    assert_parameters(
        "cockroachdb://root@db/site",
        &[("dbname", "site"), ("host", "db"), ("port", "26257"), ("user", "root")],
    );
}

#[test]
fn hosts_are_sqlalchemys() {
    for (query, host, port) in [
        ("host=h1&host=h2:5433", "h1,h2", Some(",5433")),
        ("host=h1:5432,h2:5433", "h1,h2", Some("5432,5433")),
        ("host=h1,h2&port=5432,5433", "h1,h2", Some("5432,5433")),
        ("host=h1,h2&port=5433", "h1,h2", Some("5433")),
        ("host=/var/run/postgresql", "/var/run/postgresql", None),
        ("host=/run/pg&port=5433", "/run/pg", Some("5433")),
        ("unix_sock=/run/pg/.s.PGSQL.5433", "/run/pg", Some("5433")),
        ("host=::1", "::1", None),
    ] {
        let mut expected = vec![("dbname", "site"), ("host", host)];
        expected.extend(port.map(|port| ("port", port)));
        expected.push(("user", "app"));
        assert_parameters(&format!("postgresql://app@/site?{query}"), &expected);
    }
    assert_parameters("postgresql://[::1]:5433/site", &[("dbname", "site"), ("host", "::1"), ("port", "5433")]);
    for query in ["host=h1,h2&port=1,2,3", "host=h1:99999", "port=x", "unix_sock=/tmp/x"] {
        let error = target(&format!("postgresql:///site?{query}")).expect_err(query);
        assert_eq!(error.kind(), ErrorKind::Config, "{query}");
    }
}

#[test]
fn without_a_host_both_places_of_a_socket_are_tried() {
    // What the environment says goes before.
    if ["PGHOST", "PGHOSTADDR", "PGSERVICE"].into_iter().any(|name| env::var_os(name).is_some()) {
        return;
    }
    let host = |url| target(url).expect("it is right").get("host").map(ToOwned::to_owned);
    assert_eq!(host("postgresql:///site").as_deref(), Some("/var/run/postgresql,/tmp"));
    assert_eq!(host("postgresql+pg8000:///site").as_deref(), Some("localhost"));
    assert_eq!(host("postgresql:///site?service=site"), None);
    assert_eq!(host("postgresql:///site?hostaddr=127.0.0.1"), None);
}

#[test]
fn options_of_libpq_are_handed_on_and_those_of_drivers_understood() {
    assert_parameters(
        "postgresql+asyncpg://h/d?ssl=disable&prepared_statement_cache_size=0&timeout=2.5&application_name=site",
        &[
            ("application_name", "site"),
            ("connect_timeout", "3"),
            ("dbname", "d"),
            ("host", "h"),
            ("sslmode", "disable"),
        ],
    );
    assert_parameters(
        "postgresql://h/d?options=-csearch_path%3Dx&client_encoding=latin1&target_session_attrs=read-write",
        &[("dbname", "d"), ("host", "h"), ("options", "-csearch_path=x"), ("target_session_attrs", "read-write")],
    );
    assert_parameters(
        "postgresql://h/d?user=u&password=p",
        &[("dbname", "d"), ("host", "h"), ("password", "p"), ("user", "u")],
    );
    let error = target("postgresql://h/d?ssl_context=x").expect_err("nobody knows it");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(target("postgresql://h/d?sslmode=required").expect_err("a typo").kind(), ErrorKind::Config);
}

#[cfg(not(feature = "postgres-tls"))]
#[test]
fn encryption_that_cannot_be_had_is_refused_before_anything_is_sent() {
    for option in ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full", "ssl=require", "ssl=true"] {
        let error = target(&format!("postgresql://h/d?{option}")).expect_err(option);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.hint().is_some_and(|hint| hint.contains("--features postgres-tls")), "{error:?}");
    }
    for option in ["sslmode=prefer", "sslmode=allow", "sslmode=disable"] {
        assert!(target(&format!("postgresql://h/d?{option}")).is_ok());
    }
}

#[test]
fn nothing_in_a_value_ends_it() {
    let target = target(r"postgresql://u:a%27%20host%3D%5Cevil@h/d").expect("it is right");
    let string = target.connection_string(Duration::from_secs(7), Encryption::AsConfigured);
    assert!(string.contains(r"password='a\' host=\\evil' "), "{string}");
    assert!(string.contains("fallback_application_name='beakerhelpers'"));
    if env::var_os("PGCONNECT_TIMEOUT").is_none() {
        assert!(string.contains("connect_timeout='7'"));
        let short = target.connection_string(Duration::ZERO, Encryption::AsConfigured);
        assert!(short.contains("connect_timeout='2'"), "zero would be for ever");
    }
    assert!(!format!("{target} {target:?}").contains("evil"));
    let nul = PgTarget::new(&DatabaseUrl::parse("postgresql://h/d%00").unwrap()).expect_err("no name holds a NUL");
    assert_eq!(nul.kind(), ErrorKind::Config);
}
