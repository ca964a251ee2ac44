//! Values as Rust types.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_codec::Typed as _;
use beakerhelpers_core::value::{Draft, NodeId};
use beakerhelpers_core::{ErrorKind, Session};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_pickle::{HashableValue, SerOptions, Value as Pickled};

use super::{repr_of, session};

/// A session with a value of each kind, as CPython 3.11 pickles it in protocol 4.
const PYTHON: &[u8] = b"\
\x80\x04\x95\xf4\x03\0\0\0\0\0\0}\x94\x8c\x07session\x94}\x94(\x8c\x04none\x94N\x8c\x03yes\x94\x88\x8c\x03int\
\x94J\xf9\xff\xff\xff\x8c\x03big\x94\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0\x8c\x04huge\x94\x8a\x11\0\0\0\0\0\
\0\0\0\0\0\0\0\0\0\0\x80\0\x8c\x03low\x94\x8a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80\x8c\x06beyond\x94\x8a\x11\0\
\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x8c\x05float\x94G?\xf8\0\0\0\0\0\0\x8c\x03str\x94\x8c\x09s3cret \xc5\xbe\x94\
\x8c\x05bytes\x94C\x08\xff\0s3cret\x94\x8c\x04list\x94]\x94(K\x01K\x02K\x03e\x8c\x05tuple\x94K\x01\x8c\x01a\x94\
\x86\x94\x8c\x03set\x94\x8f\x94(K\x01\x90\x8c\x05deque\x94\x8c\x0bcollections\x94\x8c\x05deque\x94\x93\x94)R\x94\
(K\x01K\x02e\x8c\x04dict\x94}\x94(h\x12K\x01\x8c\x01b\x94K\x02u\x8c\x06counts\x94h\x17\x8c\x07Counter\x94\x93\
\x94}\x94h\x12K\x02s\x85\x94R\x94\x8c\x07ordered\x94h\x17\x8c\x0bOrderedDict\x94\x93\x94)R\x94(\x8c\x01x\x94G?\
\xf0\0\0\0\0\0\0\x8c\x01y\x94G@\0\0\0\0\0\0\0u\x8c\x07default\x94h\x17\x8c\x0bdefaultdict\x94\x93\x94\x8c\x08bui\
ltins\x94\x8c\x04list\x94\x93\x94\x85\x94R\x94\x8c\x01k\x94]\x94K\x01as\x8c\x07numbers\x94}\x94(K\x01\x8c\x03one\
\x94K\x02\x8c\x03two\x94u\x8c\x04when\x94\x8c\x08datetime\x94\x8c\x08datetime\x94\x93\x94C\n\x07\xea\x0b\x14\x16\
\x07\x06\x07wd\x94\x85\x94R\x94\x8c\x03utc\x94h;C\n\x07\xea\x0b\x14\x16\x07\x06\0\0\0\x94h9\x8c\x08timezone\x94\
\x93\x94h9\x8c\x09timedelta\x94\x93\x94K\0K\0K\0\x87\x94R\x94\x85\x94R\x94\x86\x94R\x94\x8c\x04east\x94h;C\n\x07\
\xea\x0b\x14\x16\x07\x06\0\0\x05\x94hBhDK\0M \x1cK\0\x87\x94R\x94\x85\x94R\x94\x86\x94R\x94\x8c\x03day\x94h9\x8c\
\x04date\x94\x93\x94C\x04\x07\xea\x0b\x14\x94\x85\x94R\x94\x8c\x05clock\x94h9\x8c\x04time\x94\x93\x94C\x06\x16\
\x07\x06\0\0\x05\x94\x85\x94R\x94\x8c\x05delta\x94hDK\x01K\x02J \xa1\x07\0\x87\x94R\x94\x8c\x06before\x94hDJ\xff\
\xff\xff\xffJ\x7fQ\x01\0J?B\x0f\0\x87\x94R\x94\x8c\x05price\x94\x8c\x07decimal\x94\x8c\x07Decimal\x94\x93\x94\
\x8c\x0519.90\x94\x85\x94R\x94\x8c\x04uuid\x94hl\x8c\x04UUID\x94\x93\x94)\x81\x94}\x94h\x05M4\x12sb\x8c\x07compl\
ex\x94h-\x8c\x07complex\x94\x93\x94G?\xf0\0\0\0\0\0\0G\xc0\0\0\0\0\0\0\0\x86\x94R\x94\x8c\x04cart\x94]\x94(}\x94\
(\x8c\x04name\x94\x8c\x06s3cret\x94hehh\x8c\x031.5\x94\x85\x94R\x94\x8c\x04tags\x94h(\x85\x94u}\x94(hyC\x01\xff\
\x94heK\x01h~]\x94ue\x8c\x05class\x94]\x94h-\x8c\x03int\x94\x93\x94a\x8c\x09exception\x94]\x94h-\x8c\nValueError\
\x94\x93\x94hz\x85\x94R\x94aus.";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item<'a> {
    name: &'a str,
    price: String,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Named { name: String },
}

/// Reads a value that must be there.
fn get<'de, T: Deserialize<'de>>(session: &'de Session, key: &str) -> T {
    session.get(key).unwrap().unwrap()
}

fn refused<T: DeserializeOwned>(session: &Session, key: &str) -> String {
    let Err(error) = session.get::<T>(key) else { panic!("{key} was read") };
    assert_eq!(error.kind(), ErrorKind::Other);
    let shown = format!("{error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    let expected = format!("the value of `{key}` cannot be read as `{}`: ", std::any::type_name::<T>());
    error.message().strip_prefix(&expected).unwrap().to_owned()
}

#[test]
fn what_python_keeps_is_read_as_what_rust_has_for_it() {
    let s = session(PYTHON);
    get::<()>(&s, "none");
    assert_eq!(get::<Option<u8>>(&s, "none"), None);
    assert_eq!(get::<Option<i8>>(&s, "int"), Some(-7));
    assert!(get::<bool>(&s, "yes"));
    assert_eq!(
        (get::<u64>(&s, "big"), get::<u128>(&s, "huge"), get::<i128>(&s, "low")),
        (u64::MAX, 1 << 127, i128::MIN)
    );
    assert_eq!(
        (get::<f64>(&s, "float").to_bits(), get::<f32>(&s, "int").to_bits()),
        (1.5_f64.to_bits(), (-7_f32).to_bits())
    );
    // Borrowed from the session.
    assert_eq!((get::<&str>(&s, "str"), get::<&[u8]>(&s, "bytes")), ("s3cret ž", &b"\xff\0s3cret"[..]));
    assert_eq!(get::<Vec<u8>>(&s, "bytes"), b"\xff\0s3cret");
    assert_eq!(get::<Vec<i64>>(&s, "list"), [1, 2, 3]);
    assert_eq!(get::<[i64; 3]>(&s, "list"), [1, 2, 3]);
    assert_eq!(get::<(u8, String)>(&s, "tuple"), (1, "a".to_owned()));
    assert_eq!((get::<BTreeSet<i64>>(&s, "set").len(), get::<Vec<i64>>(&s, "deque").len()), (1, 2));
    for key in ["dict", "counts"] {
        assert_eq!(get::<BTreeMap<&str, i64>>(&s, key).keys().next(), Some(&"a"));
    }
    assert_eq!(get::<BTreeMap<String, f64>>(&s, "ordered").len(), 2);
    assert_eq!(get::<HashMap<String, Vec<i64>>>(&s, "default")["k"], [1]);
    assert_eq!(get::<BTreeMap<u8, &str>>(&s, "numbers"), BTreeMap::from([(1, "one"), (2, "two")]));
    assert_eq!((get::<&str>(&s, "str"), s.get::<&str>("missing").unwrap()), ("s3cret ž", None));
    assert_eq!(get::<String>(&s, "uuid"), "00000000-0000-0000-0000-000000001234");
    assert_eq!((get::<String>(&s, "price"), get::<(f64, f64)>(&s, "complex")), ("19.90".to_owned(), (1.0, -2.0)));
}

/// As CPython 3.11 pickles them in protocol 0, without the memo.
const NAMED: &[u8] = b"\
}Vsession\n}(Vthird\ncfractions\nFraction\n(V1/3\ntRVhome\ncpathlib\nPurePosixPath\n(V/\nVsrv\nVs3cret\ntRVhost\n\
cipaddress\nIPv4Address\n(L3232235777L\ntRVnet\ncipaddress\nIPv6Network\n(Vfe80::/10\ntRVzone\nc__builtin__\ngetattr\n(\
czoneinfo\nZoneInfo\nV_unpickle\ntR(VEurope/Vilnius\nI01\ntRVnumbers\nc__builtin__\nxrange\n(I0\nI3\nI1\ntRus.";

#[test]
fn what_has_a_text_is_read_from_it() {
    let s = session(NAMED);
    assert_eq!((get::<String>(&s, "third"), get::<String>(&s, "zone")), ("1/3".into(), "Europe/Vilnius".into()));
    assert_eq!((get::<String>(&s, "home"), get::<PathBuf>(&s, "home")), ("/srv/s3cret".into(), "/srv/s3cret".into()));
    assert_eq!((get::<IpAddr>(&s, "host"), get::<String>(&s, "net")), ([192, 168, 1, 1].into(), "fe80::/10".into()));
    assert_eq!(refused::<IpAddr>(&s, "net"), "the type does not take what is there");
    // It may stand for any number of them.
    assert_eq!(refused::<Vec<u8>>(&s, "numbers"), "a `range` is nothing that serde knows");
    let class = |key: &str| refused::<Shape>(&s, key).rsplit(' ').next().unwrap().to_owned();
    assert_eq!(
        ["third", "home", "host", "net", "zone"].map(class),
        [
            "`fractions.Fraction`",
            "`pathlib.PurePosixPath`",
            "`ipaddress.IPv4Address`",
            "`ipaddress.IPv6Network`",
            "`zoneinfo.ZoneInfo`"
        ]
    );
}

#[test]
fn times_are_read_by_chrono() {
    let s = session(PYTHON);
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let clock = NaiveTime::from_hms_micro_opt(22, 7, 6, 5).unwrap();
    assert_eq!(get::<NaiveDateTime>(&s, "when"), day.and_hms_micro_opt(22, 7, 6, 489_316).unwrap());
    assert_eq!((get::<NaiveDate>(&s, "day"), get::<NaiveTime>(&s, "clock")), (day, clock));
    assert_eq!(get::<DateTime<Utc>>(&s, "utc"), day.and_hms_opt(22, 7, 6).unwrap().and_utc());
    assert_eq!(get::<DateTime<Utc>>(&s, "east"), day.and_hms_micro_opt(20, 7, 6, 5).unwrap().and_utc());
    // Without a zone it is no instant.
    assert_eq!(refused::<DateTime<Utc>>(&s, "when"), "the type does not take what is there");
    assert!((get::<f64>(&s, "delta") - 86_402.5).abs() < f64::EPSILON);
    assert_eq!(get::<Duration>(&s, "delta"), Duration::from_millis(86_402_500));
    assert_eq!(get::<TimeDelta>(&s, "delta"), TimeDelta::milliseconds(86_402_500));
    assert_eq!(get::<TimeDelta>(&s, "before"), TimeDelta::microseconds(-1));
    assert_eq!(refused::<Duration>(&s, "before"), "expected u64, found `int` that does not fit");
}

#[test]
fn a_refusal_says_where_and_what_and_shows_nothing() {
    let s = session(PYTHON);
    assert_eq!(refused::<u8>(&s, "str"), "expected u8, found `str`");
    assert_eq!(refused::<u8>(&s, "int"), "expected u8, found `int` that does not fit");
    assert_eq!(refused::<u8>(&s, "low"), "expected u8, found something else");
    assert_eq!(refused::<i128>(&s, "beyond"), "expected a number of 128 bits at most, found a larger `int`");
    assert_eq!(refused::<String>(&s, "bytes"), "expected a string, found `bytes` that does not fit");
    assert_eq!(refused::<String>(&s, "none"), "expected a string, found `None`");
    assert_eq!(refused::<(u8, u8)>(&s, "list"), "expected 2 items, found more");
    assert_eq!(refused::<[u8; 4]>(&s, "list"), "expected an array of length 4, found 3 items");
    assert_eq!(refused::<HashMap<String, String>>(&s, "dict"), "expected a string, found `int`, at `[…]`");
    assert_eq!(refused::<HashMap<u8, u8>>(&s, "dict"), "expected u8, found `str`, at `[key]`");
    let error = s.get::<Vec<Item<'_>>>("list").unwrap_err();
    assert!(error.message().ends_with(": expected struct Item, found `int`, at `[0]`"), "{error}");
    let error = s.get::<Vec<Item<'_>>>("cart").unwrap_err();
    assert!(
        error.message().ends_with(": expected a borrowed string, found `bytes` that does not fit, at `[1].name`"),
        "{error}"
    );
    assert_eq!(
        refused::<Shape>(&s, "str"),
        "expected one of the variants `Point`, `Circle`, `Line`, `Named`, found another"
    );
    assert_eq!(refused::<Shape>(&s, "list"), "expected the name of a variant or a dict with one, found a `list`");
    assert_eq!(refused::<Vec<String>>(&s, "class"), "a `type` is nothing that serde knows, at `[0]`");
    assert_eq!(refused::<Vec<String>>(&s, "exception"), "a `ValueError` is nothing that serde knows, at `[0]`");
    // What no one asks for may be anything.
    assert_eq!(get::<Vec<serde::de::IgnoredAny>>(&s, "exception").len(), 1);
}

#[test]
fn what_is_inserted_is_what_python_would_have() {
    let mut s = Session::from_pairs([("a", 1.into()), ("b", 2.into())]);
    let item = Item { name: "x", price: "1.50".to_owned(), tags: vec!["t".to_owned()] };
    let shapes = [Shape::Point, Shape::Circle(1.0), Shape::Line(1, -1), Shape::Named { name: "n".to_owned() }];
    s.insert("a", &(Some(true), None::<()>, 'ž', u64::MAX, u128::MAX, i128::MIN, 1.5_f32)).unwrap();
    s.insert("item", &item).unwrap();
    s.insert("shapes", &shapes).unwrap();
    s.insert("map", &BTreeMap::from([((1, "x"), [0_u8; 2])])).unwrap();
    s.insert("day", &NaiveDate::from_ymd_opt(2026, 11, 20)).unwrap();
    s.insert("text", "unsized").unwrap();
    let shown: Vec<_> = s.iter().map(|(key, value)| format!("{}={}", key.as_str().unwrap(), repr_of(value))).collect();
    let expected = [
        "a=(True, None, 'ž', 18446744073709551615, 340282366920938463463374607431768211455, \
         -170141183460469231731687303715884105728, 1.5)",
        "b=2",
        "item={'name': 'x', 'price': '1.50', 'tags': ['t']}",
        "shapes=('Point', {'Circle': 1.0}, {'Line': (1, -1)}, {'Named': {'name': 'n'}})",
        "map={(1, 'x'): (0, 0)}",
        "day='2026-11-20'",
        "text='unsized'",
    ];
    assert_eq!(shown, expected);
    assert_eq!((get::<Item<'_>>(&s, "item"), get::<[Shape; 4]>(&s, "shapes")), (item, shapes));
    assert_eq!(get::<BTreeMap<(i32, &str), Vec<u8>>>(&s, "map").len(), 1);
}

#[test]
fn what_cannot_be_a_key_in_python_is_refused_and_changes_nothing() {
    let mut s = Session::from_pairs([("a", 1.into())]);
    let error = s.insert("a", &BTreeMap::from([(vec![1], 2)])).unwrap_err();
    assert!(error.message().ends_with("a `list` or a `dict` cannot be a key in Python, at `[key]`"), "{error}");
    assert_eq!((get::<i32>(&s, "a"), s.changes().count()), (1, 0));
}

#[derive(Debug, Serialize, Deserialize)]
struct Nest(Option<Box<(Nest,)>>);

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth: usize| (0..depth).fold(Nest(None), |inner, _| Nest(Some(Box::new((inner,)))));
    let mut s = Session::new();
    s.insert("deep", &nested(128)).unwrap();
    get::<Nest>(&s, "deep");
    let error = s.insert("deep", &nested(129)).unwrap_err();
    assert!(error.message().contains("nested more than 128 levels deep"), "{error}");
    let with = |build: &dyn Fn(&mut Draft) -> NodeId| {
        let mut s = Session::new();
        s.set("v", build);
        s
    };
    let deep = |draft: &mut Draft| (0..1_000_000).fold(NodeId::NONE, |inner, _| draft.tuple(&[inner]));
    assert!(refused::<Nest>(&with(&deep), "v").starts_with("it is nested more than 128 levels deep, at `[0][0]"));
    let recursive = |draft: &mut Draft| {
        let list = draft.list(&[]);
        draft.append(list, &[list]);
        list
    };
    assert!(refused::<serde_json::Value>(&with(&recursive), "v").starts_with("it is nested more than 128 levels deep"));
    // Each is the one before it twice.
    let laughs = |draft: &mut Draft| {
        let text = draft.str(&"x".repeat(100_000));
        (0..60).fold(text, |inner, _| draft.list(&[inner, inner]))
    };
    assert!(refused::<serde_json::Value>(&with(&laughs), "v").starts_with("it is larger than 64 MiB, at `[0]"));
}

/// Any JSON.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::btree_map(".*", inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_inserted_and_read(value in json()) {
        let mut s = Session::new();
        s.insert("v", &value).unwrap();
        prop_assert_eq!(get::<serde_json::Value>(&s, "v"), value);
    }

    #[test]
    fn what_serde_json_writes_is_read(value in json(), pretty in any::<bool>()) {
        let object = serde_json::json!({"v": value});
        let text = if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) };
        let s = session(&super::json::stored(&text.unwrap()));
        prop_assert_eq!(get::<serde_json::Value>(&s, "v"), value);
    }

    #[test]
    fn what_serde_pickle_writes_is_read_as_its_value(value in super::laws::theirs()) {
        let dict = |key: &str, value| Pickled::Dict([(HashableValue::String(key.to_owned()), value)].into());
        let namespace = dict("session", dict("v", value.clone()));
        let bytes = serde_pickle::value_to_vec(&namespace, SerOptions::new()).unwrap();
        prop_assert_eq!(get::<Pickled>(&session(&bytes), "v"), as_lists(value));
    }
}

/// The same value as serde has it: a list for every sequence.
fn as_lists(value: Pickled) -> Pickled {
    let lists = |items: Vec<Pickled>| Pickled::List(items.into_iter().map(as_lists).collect());
    match value {
        Pickled::List(items) | Pickled::Tuple(items) => lists(items),
        Pickled::Set(items) | Pickled::FrozenSet(items) => {
            lists(items.into_iter().map(HashableValue::into_value).collect())
        }
        Pickled::Dict(pairs) => Pickled::Dict(pairs.into_iter().map(|(key, value)| (key, as_lists(value))).collect()),
        other => other,
    }
}
