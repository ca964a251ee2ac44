//! Payloads that are made to do harm. Anything worse than linear would make these tests run for hours.

use beakerhelpers_codec::text::Text;
use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{ErrorKind, Framing, Kind, Payload, Session};

/// Decodes `{'session': {'v': value}}` and checks the memory that it takes; `None` where it is refused.
fn decode(value: &[u8]) -> Option<Session> {
    let bytes = [b"}Vsession\n}Vv\n", value, b"ss."].concat();
    let len = bytes.len();
    let Ok(Decoded::Session(session)) = Decoder::new().decode(&Payload::new(Framing::Namespace, bytes)) else {
        return None;
    };
    assert!(session.allocated() <= 80 * len + 65_536, "{} bytes for {len}", session.allocated());
    Some(session)
}

/// What the value prints.
fn print(value: &[u8]) -> String {
    let mut out = String::new();
    Text::new().append_str(decode(value).unwrap().value("v").unwrap(), &mut out).unwrap();
    out
}

/// Deep enough for any stack.
const DEPTH: usize = 200_000;

fn nest(depth: usize, open: &[u8], inner: &[u8], close: &[u8]) -> String {
    print(&[&open.repeat(depth), inner, &close.repeat(depth)].concat())
}

#[test]
fn deep_nesting_is_no_problem() {
    let lists = nest(1_000_000, b"]", b"N", b"a");
    assert!(lists.starts_with("[[[[") && lists.len() == 2_000_004);
    let tuples = nest(DEPTH, b"", b"N", b"\x85");
    assert!(tuples.ends_with(",),),)") && tuples.len() == 3 * DEPTH + 4);
    let dicts = nest(DEPTH, b"}K\x01", b"N", b"s");
    assert!(dicts.starts_with("{1: {1: ") && dicts.len() == 5 * DEPTH + 4);
    let sets = nest(DEPTH, b"(", b"N", b"\x91");
    assert!(sets.starts_with("frozenset({frozenset({") && sets.len() == 13 * DEPTH + 4);
}

#[test]
fn calls_of_calls_are_no_problem() {
    let nest = |class: &str| {
        let preamble = format!("c{}\nq\x000", class.replace('.', "\n"));
        print(&[preamble.as_bytes(), &b"h\0".repeat(DEPTH), b"N", &b"\x85R".repeat(DEPTH)].concat())
    };
    assert_eq!(nest("builtins.ValueError"), "<builtins.ValueError object>");
    assert_eq!(nest("a.B"), "<a.B object>");
    assert_eq!(nest("datetime.timezone"), "<datetime.timezone object>");
    assert_eq!(nest("collections.Counter"), "Counter()");
    assert_eq!(nest("decimal.Decimal"), "<decimal.Decimal object>");
    let factories = nest("collections.defaultdict");
    assert!(factories.starts_with("defaultdict(defaultdict(") && factories.ends_with(", {}), {})"));
}

#[test]
fn containers_that_hold_themselves_end() {
    assert_eq!(print(b"]q\0h\0a"), "[[...]]");
    assert_eq!(print(b"}q\0K\x01h\0s"), "{1: {...}}");
    assert_eq!(print(b"(]q\0tq\x010h\0h\x01a0h\x01"), "([(...)],)");
    assert_eq!(print(b"ccollections\nOrderedDict\n)Rq\0K\x01h\0s"), "OrderedDict([(1, ...)])");
    assert_eq!(
        print(b"cdatetime\ndatetime\n(C\x0a\x07\xda\x01\x01\x0a\x0a\x0a\0\0\0]q\0tRq\x010h\0h\x01a0h\x01"),
        "2010-01-01 10:10:10"
    );
    assert_eq!(print(b"cbuiltins\nValueError\n(]q\0tRq\x010h\0h\x01a0h\x01"), "[ValueError([...])]");
}

#[test]
fn many_containers_print_one_by_one() {
    let pairs: Vec<u8> = (0..200_000_u32).flat_map(|n| [&b"J"[..], &n.to_le_bytes(), b"]"].concat()).collect();
    let session = decode(&[b"N0(", &pairs[..], b"d"].concat()).unwrap();
    let Kind::Dict(pairs) = session.value("v").unwrap().kind() else { panic!("no dict") };
    let mut out = String::new();
    pairs.for_each(|(_, list)| Text::new().append_str(list, &mut out).unwrap());
    assert_eq!(out, "[]".repeat(200_000));
}

#[test]
fn a_text_that_would_be_endless_is_refused() {
    let laughs: Vec<u8> = (1..60).flat_map(|_| *b"2\x86").collect();
    for value in [[b"N", &laughs[..]].concat(), [b"}Va\nN", &laughs[..], b"s"].concat()] {
        let session = decode(&value).unwrap();
        let mut out = String::from("before");
        let text = Text::new().with_max_len(100_000);
        let error = text.append_repr(session.value("v").unwrap(), &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(error.to_string(), "a value would be a text of more than 100000 bytes");
        assert_eq!(out, "before");
    }
}

#[test]
fn declared_lengths_allocate_nothing() {
    for value in [
        &b"\x8e\0\0\0\0\0\0\0\x40"[..],
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x96\0\0\0\0\0\0\0\x80",
        b"\x95\0\0\0\0\0\0\0\x40",
        b"\x8b\xff\xff\xff\x7f",
        b"\x8b\xff\xff\xff\xff",
        b"T\xff\xff\xff\xff",
        b"T\xff\xff\xff\x7f",
        b"X\xff\xff\xff\xff",
        b"B\xff\xff\xff\xff",
    ] {
        assert!(decode(value).is_none(), "{}", value.escape_ascii());
    }
    assert!(decode(b"Nr\xff\xff\xff\xff").is_some());
    assert!(decode(b"Np4294967295\np18446744073709551615\n").is_some());
    assert!(decode(b"Np18446744073709551616\n").is_none());
}

#[test]
fn floods_of_one_opcode_are_bounded() {
    for opcode in *b"(2)]}N\x88\x8f\x94" {
        let flood = [b"N", &[opcode].repeat(200_000)[..]].concat();
        assert!(decode(&flood).is_none() || opcode == 0x94, "0x{opcode:02x}");
        // The same, gathered in one list.
        decode(&[b"(", &[opcode].repeat(200_000)[..], b"l"].concat());
    }
    let numbers: Vec<u8> = (0..200_000_u32).flat_map(|n| [&b"r"[..], &(n * 7).to_le_bytes()].concat()).collect();
    assert!(decode(&[b"N", &numbers[..]].concat()).is_some());
}

#[test]
fn lists_that_grow_by_turns_stay_linear() {
    let turns = b"h\0Na0h\x01Na0".repeat(300_000);
    let list = decode(&[b"]q\0]q\x01\x86", &turns[..]].concat()).unwrap();
    assert!(format!("{:?}", list.value("v").unwrap()).contains("Tuple(Items(2))"));
    let turns = b"h\0(NNe0h\x01N\x85a0".repeat(100_000);
    assert!(decode(&[b"]q\0]q\x01\x86", &turns[..]].concat()).is_some());
}

#[test]
fn calls_that_make_bytes_cannot_be_repeated_for_ever() {
    let text = [b'x'; 10_000];
    let call = [b"c_codecs\nencode\nq\x000(V", &text[..], b"\nVlatin1\ntq\x010]"].concat();
    let printed = print(&[&call[..], &b"h\0h\x01Ra".repeat(10_000)[..]].concat());
    // The first ones are bytes, and the others stay calls.
    assert!(printed.starts_with("[b'xxx") && printed.ends_with("<_codecs.encode object>]"));
}

#[test]
fn equal_keys_are_unified_in_time() {
    let same = [b"}(", &b"K\x01N".repeat(300_000)[..], b"u"].concat();
    assert_eq!(print(&same), "{1: None}");
    let different: Vec<u8> = (0..300_000_u32).flat_map(|n| [&b"J"[..], &n.to_le_bytes(), b"N"].concat()).collect();
    let printed = print(&[b"}(", &different[..], b"u"].concat());
    assert!(printed.starts_with("{0: None, 1: None, ") && printed.ends_with("299999: None}"));
    // Long keys that are equal, and dicts of references to them.
    let keys: Vec<u8> = (0..100_u8).flat_map(|n| [b"V", &[b'k'; 5000][..], b"\nq", &[n]].concat()).collect();
    let dict: Vec<u8> = [&b"}("[..], &(0..100_u8).flat_map(|n| [b'h', n, b'N']).collect::<Vec<_>>(), b"u"].concat();
    let printed = print(&[b"(", &keys[..], b"1(", &dict.repeat(1000), b"l"].concat());
    assert!(printed.starts_with("[{'kkk") && printed.matches("None").count() == 1000, "{}", printed.len());
}

#[test]
fn huge_integers_take_no_time() {
    let million = 1_000_000_u32;
    let printed = print(&[b"\x8b", &million.to_le_bytes()[..], &vec![0x11; 1_000_000]].concat());
    assert!(printed.starts_with("0x1111") && printed.len() == 2_000_002);
    assert!(decode(&[b"L", &[b'9'; 4300][..], b"L\n"].concat()).is_some());
    assert!(decode(&[b"L", &[b'9'; 4301][..], b"L\n"].concat()).is_none());
}

#[test]
fn exceptions_in_exceptions_are_not_followed_for_ever() {
    let exception = |depth: usize| nest(depth, b"cbuiltins\nException\n", b"Vdeep\n", b"\x85R");
    assert_eq!(exception(99), "deep");
    assert_eq!(exception(101), "<builtins.Exception object>");
}
