//! Payloads that are made to do harm. Anything worse than linear would make these tests run for hours.

use beakerhelpers_codec::text::Text;
use beakerhelpers_codec::{Decoded, Decoder, Encoder};
use beakerhelpers_core::{ErrorKind, Framing, Kind, Payload, Session, Value};

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
    for class in ["a.B", "datetime.timezone", "collections.Counter", "decimal.Decimal", "ipaddress.IPv4Address"] {
        let printed = nest(class);
        assert!(printed.starts_with(&format!("{class}({class}(")) && printed.contains("(None))))"), "{class}");
        assert_eq!(printed.len(), DEPTH * (class.len() + 2) + 4);
    }
    assert!(nest("builtins.ValueError").starts_with("ValueError(ValueError("));
    assert!(nest("builtins.type").starts_with("type(type("));
    assert_eq!(nest("markupsafe.Markup").matches("Markup").count(), DEPTH);
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
    assert_eq!(print(b"ca\nB\n(]q\0tRq\x010h\0h\x01a0h\x01"), "a.B([a.B(...)])");
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
    let session = decode(&[&call[..], &b"h\0h\x01Ra".repeat(10_000)[..]].concat()).unwrap();
    let Some(Kind::List(list)) = session.value("v").map(Value::kind) else { panic!("no list") };
    // The first ones are bytes, and the others stay calls.
    assert!(matches!(list.get(0).map(Value::kind), Some(Kind::Bytes(bytes)) if bytes.len() == 10_000));
    assert!(matches!(list.last().map(Value::kind), Some(Kind::Object(_))));
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
    assert_eq!(exception(101), "Exception('deep')");
}

#[test]
fn attributes_of_attributes_are_named_and_no_further_than_that() {
    let nest = |depth: usize| {
        let (open, close) = (b"c__builtin__\ngetattr\n(".repeat(depth), b"Vx\ntR".repeat(depth));
        print(&[&open[..], b"cm\nA\n", &close[..]].concat())
    };
    assert_eq!(nest(3), "m.A.x.x.x");
    let deep = nest(10_000);
    assert!(deep.starts_with("getattr(getattr(") && deep.contains("(m.A.x") && deep.ends_with(", 'x'), 'x')"));
    // A loop of them: an attribute of itself.
    assert_eq!(print(b"(c__builtin__\ngetattr\n(]q\0Vx\ntRq\x011h\0h\x01a0h\x01"), "getattr([getattr(...)], 'x')");
}

#[test]
fn paths_that_print_less_than_they_hold_stay_objects() {
    let slashes = [b"V", &b"/".repeat(1000)[..], b"\n"].concat();
    let path = [&b"cpathlib\nPosixPath\n("[..], &slashes, b"tRq\0"].concat();
    let printed = print(&[b"]", &path[..], b"a", &b"h\0a".repeat(1000)[..]].concat());
    assert!(printed.starts_with("[pathlib.PosixPath('/////") && printed.len() > 1_000_000);
}

/// Encodes a session anew, and changes a key beside the value; both must decode.
fn rewrite(value: &[u8]) {
    let bytes = [b"}Vsession\n}Vv\n", value, b"sVw\nNss."].concat();
    let payload = Payload::new(Framing::Namespace, bytes);
    let Decoded::Session(mut session) = Decoder::new().decode(&payload).unwrap() else { panic!("no session") };
    session.set("w", |draft| draft.str("new"));
    let mut encoder = Encoder::new();
    for made in [encoder.encode(&session, Framing::Namespace), encoder.update(&payload, &session)] {
        let Decoded::Session(again) = Decoder::new().decode(&made.unwrap()).unwrap() else { panic!("no session") };
        assert_eq!(again.value("w").and_then(Value::as_str), Some("new"));
        assert_eq!(again.len(), 2);
    }
}

#[test]
fn what_is_deep_or_holds_itself_is_written() {
    rewrite(&[&b"]".repeat(DEPTH)[..], b"N", &b"a".repeat(DEPTH)].concat());
    rewrite(&[b"N", &b"\x85".repeat(DEPTH)[..]].concat());
    rewrite(&[&b"}K\x01".repeat(DEPTH)[..], b"N", &b"s".repeat(DEPTH)].concat());
    rewrite(&[&b"ca\nB\nq\x000"[..], &b"h\0".repeat(DEPTH), b"N", &b"\x85R".repeat(DEPTH)].concat());
    rewrite(&[&b"(ia\nB\n".repeat(DEPTH)[..], b"N", &b"b".repeat(DEPTH)].concat());
    // Laughs: each tuple holds the one before twice.
    let laughs: Vec<u8> =
        (1..10_000_u32).flat_map(|n| [b"r", &n.to_le_bytes()[..], b"j", &n.to_le_bytes(), b"\x86"].concat()).collect();
    rewrite(&[b"N", &laughs[..]].concat());
}

#[test]
fn a_tuple_whose_lists_hold_it_is_written_in_linear_time() {
    // As CPython writes it: within the first list the tuple is made, from lists that are in the memo already.
    let lists: Vec<u8> = (0..50_000_u32).flat_map(|n| [b"]r", &n.to_le_bytes()[..]].concat()).collect();
    let gets: Vec<u8> =
        (0..50_000_u32).flat_map(|n| [b"j", &n.to_le_bytes()[..], b"j\xff\xff\xff\0a0"].concat()).collect();
    let value = [b"(", &lists[..], b"tr\xff\xff\xff\0", &gets].concat();
    let session = decode(&value).unwrap();
    let made = Encoder::new().encode(&session, Framing::Namespace).unwrap();
    assert!(made.bytes().len() < 4 * value.len(), "{} for {}", made.bytes().len(), value.len());
    let Decoded::Session(again) = Decoder::new().decode(&made).unwrap() else { panic!("no session") };
    let Kind::Tuple(mut items) = again.value("v").unwrap().kind() else { panic!("no tuple") };
    assert_eq!(items.len(), 50_000);
    let Some(Kind::List(mut inner)) = items.next().map(Value::kind) else { panic!("no list") };
    assert_eq!(inner.next().map(Value::id), again.value("v").map(Value::id));
}

#[test]
fn what_is_made_of_itself_is_refused_with_its_key() {
    // A set that holds itself.
    let session = decode(b"\x8fq\0(h\0\x90").unwrap();
    let error = Encoder::new().encode(&session, Framing::Namespace).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.to_string(), "the value of `v` cannot be written: it is part of what it is made of");
}

#[test]
fn what_is_referred_to_often_is_written_once() {
    let often = |long: &[u8], get: &[u8]| {
        let value = [b"(", long, b"q\x05", &get.repeat(20_000)[..], b"l"].concat();
        let bytes =
            [b"}(Vsession\n}(Va\n", &value[..], b"Vb\n", &value[..1], b"h\x05", &get.repeat(20_000), b"lVc\nNuu."]
                .concat();
        let payload = Payload::new(Framing::Namespace, bytes);
        let Decoded::Session(mut session) = Decoder::new().decode(&payload).unwrap() else { panic!("no session") };
        let anew = Encoder::new().encode(&session, Framing::Namespace).unwrap();
        assert!(anew.bytes().len() < 2 * payload.bytes().len() + 1000, "{}", anew.bytes().len());
        session.remove("a");
        let updated = Encoder::new().update(&payload, &session).unwrap();
        assert!(updated.bytes().len() < payload.bytes().len(), "{}", updated.bytes().len());
        let Decoded::Session(again) = Decoder::new().decode(&updated).unwrap() else { panic!("no session") };
        let Some(Kind::List(items)) = again.value("b").map(Value::kind) else { panic!("no list") };
        assert_eq!(items.len(), 20_001);
    };
    let sized = |opcode: u8| [&[opcode][..], &50_000_u32.to_le_bytes(), &b"x".repeat(50_000)].concat();
    for opcode in *b"XBT\x8b" {
        often(&sized(opcode), b"h\x05");
    }
    often(&[&b"V"[..], &b"x".repeat(50_000), b"\n"].concat(), b"g5\n");
    often(b"(lq\x04", b"h\x04");
    // Keys, all of them equal.
    let keys =
        [&b"}(Vsession\n}(V"[..], &b"k".repeat(50_000), b"\nq\0N", &b"h\0N".repeat(20_000), b"Vb\nNuu."].concat();
    let payload = Payload::new(Framing::Namespace, keys);
    let Decoded::Session(mut session) = Decoder::new().decode(&payload).unwrap() else { panic!("no session") };
    session.remove("b");
    assert!(Encoder::new().update(&payload, &session).is_ok());
}

#[test]
fn text_that_values_have_in_common_is_not_repeated_for_ever() {
    let refused = |once: &[u8], again: &[u8]| {
        let list = [b"(", once, &again.repeat(20_000), b"lq\x07"].concat();
        let bytes = [b"}(Vsession\n}(Va\n", &list[..], b"Vb\nh\x07uu."].concat();
        let payload = Payload::new(Framing::Namespace, bytes);
        let Decoded::Session(mut session) = Decoder::new().decode(&payload).unwrap() else { panic!("no session") };
        let why = "cannot be written: it repeats text so often that it would take too much memory";
        let error = Encoder::new().encode(&session, Framing::Namespace).unwrap_err();
        assert_eq!(error.to_string(), format!("the value of `a` {why}"));
        // Where it goes, what refers to it has to be written anew.
        session.remove("a");
        let error = Encoder::new().update(&payload, &session).unwrap_err();
        assert_eq!(error.to_string(), format!("a value {why}"));
        session.remove("b");
        assert!(Encoder::new().update(&payload, &session).is_ok());
    };
    let text = |len: usize| [b"V", &b"x".repeat(len)[..], b"\nq\x05"].concat();
    // A call that gives text as it was.
    refused(&[&text(50_000)[..], b"cbuiltins\nstr\nq\x06"].concat(), b"h\x06h\x05\x85R");
    // Modules and classes.
    refused(&text(500), b"h\x05h\x05\x93");
}

#[test]
fn a_name_that_python_3_would_take_for_another_is_not_written() {
    // Protocol 3 names things as they are, and there is no `__builtin__` for it.
    let pickle = b"\x80\x03}X\x07\0\0\0session}X\x01\0\0\0vc__builtin__\nobject\nss.";
    let payload = Payload::new(Framing::Namespace, pickle.to_vec());
    let Ok(Decoded::Session(mut session)) = Decoder::new().decode(&payload) else { panic!("no session") };
    let error = Encoder::new().encode(&session, Framing::Namespace).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    // What is not written anew stays.
    session.set("w", |draft| draft.int(8));
    let updated = Encoder::new().update(&payload, &session).unwrap();
    assert!(updated.bytes().windows(20).any(|bytes| bytes == b"c__builtin__\nobject\n"));
}
