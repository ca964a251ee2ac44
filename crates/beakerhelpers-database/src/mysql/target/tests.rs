use std::fs;

use beakerhelpers_core::ErrorKind;

use super::*;

fn target(url: &str) -> Result<MySqlTarget> {
    with_file(url, None)
}

fn with_file(url: &str, file: Option<&Path>) -> Result<MySqlTarget> {
    let variable = |name: &str| (name == "LOGNAME").then(|| "login".to_owned());
    let sockets = [PathBuf::from("/run/mysqld/mysqld.sock")];
    MySqlTarget::with(&DatabaseUrl::parse(url).expect("a URL"), file, &variable, &sockets)
}

fn tcp(host: &str, port: u16) -> Place {
    Place::Tcp(host.to_owned(), port)
}

fn socket(path: &str) -> Place {
    Place::Socket(PathBuf::from(path))
}

#[test]
fn urls_of_every_driver() {
    let default = "/run/mysqld/mysqld.sock";
    for (url, places) in [
        ("mysql+pymysql://u:p@db/x", vec![tcp("db", 3306)]),
        ("mariadb+asyncmy://u:p@db:3307/x?charset=utf8mb4", vec![tcp("db", 3307)]),
        ("mysql+mysqlconnector://u:p@127.0.0.1/x", vec![tcp("127.0.0.1", 3306)]),
        ("mysql+pymysql://u:p@[::1]:3307/x", vec![tcp("::1", 3307)]),
        ("mysql+pymysql://u:p@localhost/x", vec![tcp("localhost", 3306), socket(default)]),
        ("mysql+pymysql://u:p@localhost:3307/x", vec![tcp("localhost", 3307)]),
        ("mysql+aiomysql://u:p@/x", vec![tcp("localhost", 3306), socket(default)]),
        ("mysql://u:p@localhost/x", vec![socket(default), tcp("localhost", 3306)]),
        ("mysql+mysqldb://u:p@localhost:3307/x", vec![socket(default), tcp("localhost", 3307)]),
        ("mariadb+mariadbconnector://u:p@/x", vec![socket(default), tcp("localhost", 3306)]),
        ("mysql+pymysql://u:p@/x?unix_socket=/srv/my.sock", vec![socket("/srv/my.sock")]),
        ("mysql+pymysql://u:p@localhost/x?unix_socket=%2Fsrv%2Fmy.sock&use_unicode=1", vec![socket("/srv/my.sock")]),
    ] {
        let target = target(url).expect(url);
        assert_eq!(target.places, places, "{url}");
        assert_eq!((&*target.user, target.password.as_deref(), &*target.database), ("u", Some("p"), "x"), "{url}");
    }
}

#[test]
fn a_password_is_decoded_and_never_shown() {
    let target = target("mysql+pymysql://si%40te:p%40ss%3Aw%2Frd%2541%2B%20%3F%23%26%3D@db/x").expect("it is right");
    assert_eq!((&*target.user, target.password.as_deref()), ("si@te", Some("p@ss:w/rd%41+ ?#&=")));
    for shown in [target.to_string(), format!("{target:?}")] {
        assert!(shown.contains("si%40te:****@db/x") && !shown.contains("p@ss") && !shown.contains("%2Frd"), "{shown}");
    }
}

#[test]
fn a_missing_password_is_that_of_the_users_file_if_it_is_this_users() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(".my.cnf");
    fs::write(&file, "[client]\nuser = app\npassword = \"s#1\"\n[mysqldump]\npassword=x\n").expect("it is written");
    for (url, user, password) in [
        ("mysql+pymysql://app@db/x", "app", Some("s#1")),
        ("mysql+pymysql://db/x", "app", Some("s#1")),
        ("mysql+pymysql://other@db/x", "other", None),
        ("mysql+pymysql://app:@db/x", "app", Some("")),
        ("mysql+pymysql://app:own@db/x", "app", Some("own")),
    ] {
        let target = with_file(url, Some(&file)).expect(url);
        assert_eq!((&*target.user, target.password.as_deref()), (user, password), "{url}");
    }
    assert_eq!(target("mysql+pymysql://db/x").expect("it is right").user, "login");
}

#[test]
fn a_file_that_the_url_names_gives_all_that_the_url_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.cnf");
    let text =
        "[client]\nhost=db\nport=3307\nuser=app\npassword=x\nssl-ca=/ca.pem\n[site]\npassword=y\ndatabase=shop\n";
    fs::write(&file, text).expect("it is written");
    let url = format!("mysql+mysqldb:///?read_default_file={}&read_default_group=site", file.display());
    let target = target(&url).expect("it is right");
    assert_eq!(target.places, [tcp("db", 3307)]);
    assert_eq!((&*target.user, target.password.as_deref(), &*target.database), ("app", Some("y"), "shop"));
    assert_eq!(target.tls.authority.as_deref(), Some(Path::new("/ca.pem")));
}

#[test]
fn what_is_missing_or_odd_is_refused() {
    for (url, kind, part) in [
        ("mysql+pymysql://u:p@db", ErrorKind::Config, "no database"),
        ("mysql+pyodbc://u:p@db/x", ErrorKind::Unsupported, "no driver `pyodbc`"),
        ("mysql+pymysql://u:p@db/x?connect_timeout=soon", ErrorKind::Config, "connect_timeout"),
        ("mysql+pymysql://u:p@db/x?read_default_file=/nowhere.cnf", ErrorKind::Config, "option file"),
    ] {
        let error = target(url).expect_err(url);
        assert_eq!(error.kind(), kind, "{url}");
        assert!(error.message().contains(part), "{error:?}");
    }
}
