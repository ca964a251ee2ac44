//! What Beaker stores, release by release, and what others store beside it.

use beakerhelpers_codec::{Decoded, Decoder, Found};
use beakerhelpers_core::{ErrorKind, Framing, Payload, Session, Timestamp};

use super::{decode, repr_of, session, str_of};

/// The same session as several releases store it: two times, `_domain`, `_path`, `user_name` and `n`.
const MODERN: &[u8] = b"\x80\x05\x95\xcd\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x07session\x94\x8c\xbc\
gAJ9cQAoWA4AAABfYWNjZXNzZWRfdGltZXEBR0HawCoaoAAAWA4AAABfY3JlYXRpb25fdGltZXECR0HawCoOEAAAWAcAAABfZG9tYWlucQNOWAUAAABf\
cGF0aHEEWAEAAAAvcQVYCQAAAHVzZXJfbmFtZXEGWAMAAABqb2VxB1gBAAAAbnEISwd1Lg==\x94s.";
const PLAIN: &[u8] = b"(dp0\nVsession\np1\n(dp2\nV_accessed_time\np3\nF1795205226.5\nsV_creation_time\np4\n\
F1795205176.25\nsV_domain\np5\nNsV_path\np6\nV/\np7\nsVuser_name\np8\nVjoe\np9\nsVn\np10\nI7\nss.";

/// `{'session': text}` with the text as `bytes`, in protocol 4.
pub(super) fn with_bytes(text: &[u8]) -> Vec<u8> {
    let len = u32::try_from(text.len()).unwrap().to_le_bytes();
    [b"\x80\x04}\x8c\x07sessionB", &len[..], text, b"s."].concat()
}

/// The base64 text in [`MODERN`].
fn base64() -> &'static [u8] {
    &MODERN[25..25 + 188]
}

pub(super) fn check(session: &Session) {
    let shown: Vec<_> = session.iter().map(|(key, value)| format!("{}={}", str_of(key), repr_of(value))).collect();
    let expected = [
        "_accessed_time=1795205226.5",
        "_creation_time=1795205176.25",
        "_domain=None",
        "_path='/'",
        "user_name='joe'",
        "n=7",
    ];
    assert_eq!(shown, expected);
    assert_eq!(session.accessed_time(), Some(Timestamp::from_micros(1_795_205_226_500_000)));
    assert_eq!(session.creation_time(), Some(Timestamp::from_micros(1_795_205_176_250_000)));
    assert!(!session.is_anonymous() && !session.is_deleted());
}

fn kind(bytes: &[u8]) -> ErrorKind {
    decode(bytes).unwrap_err().kind()
}

#[test]
fn a_session_of_any_release_is_recognised() {
    check(&session(MODERN));
    check(&session(PLAIN));
    check(&session(&with_bytes(base64())));
    // A namespace may hold more; of equal keys the last one counts.
    check(&session(&[b"(dVother\nNsVsession\nNsVsession\nB\xbc\0\0\0", base64(), b"sVthird\nI1\ns."].concat()));
}

#[test]
fn the_value_alone_is_a_session_too() {
    let mut decoder = Decoder::new();
    let mut decode = |bytes: &[u8]| decoder.decode(&Payload::new(Framing::Value, bytes.to_vec()));
    let text = [b"\x80\x04\x8c\xbc", base64(), b"."].concat();
    let Decoded::Session(session) = decode(&text).unwrap() else { panic!("no session") };
    check(&session);
    let Decoded::Session(session) = decode(b"\x80\x02}U\x01aK\x01s.").unwrap() else { panic!("no session") };
    assert_eq!(session.len(), 1);
    assert!(matches!(decode(b"N.").unwrap(), Decoded::Empty));
    assert!(matches!(decode(b"}.").unwrap(), Decoded::Empty));
    assert!(matches!(decode(b"(I1\nNI2\nt.").unwrap(), Decoded::NotASession));
    assert_eq!(decode(b"I1\n.").unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn an_empty_session_is_told_apart() {
    for bytes in
        [&b"\x80\x02}q\x00."[..], b"}Vsession\n}s.", b"}Vsession\nNs.", b"}U\x07session}s.", &with_bytes(b"gAJ9Lg==")]
    {
        assert!(matches!(decode(bytes).unwrap(), Decoded::Empty), "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_a_deleted_session_leaves_is_a_session() {
    let deleted = session(b"}Vsession\n(dV_domain\nNsV_path\nV/\nss.");
    assert!(deleted.is_deleted() && deleted.is_anonymous() && deleted.accessed_time().is_none());
}

#[test]
fn a_cache_is_no_session() {
    for bytes in [
        &b"}Vkey1\n(F1.5\nNI2\nts."[..],
        // A cache may have the key `session`, and Python 3 keeps keys of bytes apart.
        b"}Vsession\n(F1.5\nNI2\nts.",
        b"\x80\x03}C\x07session}Va\nI1\nss.",
    ] {
        assert!(matches!(decode(bytes).unwrap(), Decoded::NotASession), "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_no_beaker_can_have_stored_is_corrupt() {
    let cut = &MODERN[..MODERN.len() - 10];
    let inner_cut = with_bytes(&base64()[..140]);
    let inner_odd = with_bytes(&base64()[..141]);
    for bytes in [
        &b""[..],
        b"\0\xff\xfe garbage",
        cut,
        &inner_cut,
        &inner_odd,
        b"]K\x01a.",
        b"}Vsession\nI5\ns.",
        b"}Vsession\n]s.",
        b"}Vsession\nVnot base64\ns.",
        b"}Vsession\nV\ns.",
        &with_bytes(b"gAJLAS4="),
        b".",
        b"N",
        b"}Vsession\n(I1\nI2\nts.",
    ] {
        assert_eq!(kind(bytes), ErrorKind::Corrupt, "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_cannot_be_read_yet_is_not_called_corrupt() {
    for (bytes, word) in [
        // A nonce of 128 bits, and one of 48.
        (with_bytes(b"q83vASNFZ4mrze8BI0VniQ==AAECAwQFBgcICQoLDA0ODw=="), "encrypted"),
        (with_bytes(b"q83vASNFAAECAwQFBgcICQoLDA0ODw=="), "encrypted"),
    ] {
        let error = decode(&bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", bytes.escape_ascii());
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_limit_is_kept_and_named() {
    let mut decoder = Decoder::new().with_max_payload(MODERN.len());
    let decode =
        |decoder: &mut Decoder, bytes: &[u8]| decoder.decode(&Payload::new(Framing::Namespace, bytes.to_vec()));
    assert!(decode(&mut decoder, MODERN).is_ok());
    let error = decode(&mut decoder, &[MODERN, b" "].concat()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.to_string(), "217 bytes are more than the limit of 216");
}

#[test]
fn a_session_is_used_again_and_never_keeps_what_it_held() {
    let (mut decoder, mut session) = (Decoder::new(), Session::new());
    let payload = |bytes: &[u8]| Payload::new(Framing::Namespace, bytes.to_vec());
    for _ in 0..2 {
        assert_eq!(decoder.decode_into(&payload(MODERN), &mut session).unwrap(), Found::Session);
        check(&session);
        let memory = session.allocated();
        assert_eq!(decoder.decode_into(&payload(b"}."), &mut session).unwrap(), Found::Empty);
        assert!(session.is_empty() && session.allocated() == memory);
        decoder.decode_into(&payload(PLAIN), &mut session).unwrap();
        check(&session);
        assert!(decoder.decode_into(&payload(&MODERN[..50]), &mut session).is_err());
        assert!(session.is_empty());
        assert_eq!(decoder.decode_into(&payload(b"}Va\nNs."), &mut session).unwrap(), Found::NotASession);
        assert!(session.is_empty());
    }
}

#[test]
fn messages_name_places_and_never_contents() {
    let error = decode(b"}Vsession\nVs3cret\nR.").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the pickle of the data is damaged at byte 18: something is called that is no function or class"
    );
    let error = decode(&with_bytes(b"gAJ9VgNzM2NyZXQKUi4=")).unwrap_err();
    assert!(error.to_string().starts_with("the pickle of the session is damaged at byte "), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[test]
fn text_of_python_2_is_text_where_it_can_be() {
    let session = session(b"(dVsession\n(dS'utf8'\nS'Ju\xc5\xa1ka'\nsS'latin1'\nU\x04caf\xe9sS'nul'\nU\x03a\0bsVd\n\
cdatetime\ndatetime\n(U\x0a\x07\xda\x01\x01\x0a\x0a\x0a\0\0\0tRsVf\nc__builtin__\nset\n((lI1\natRsVu\nV\\ud83d\\ude00\nss.");
    let shown: Vec<_> = session.iter().map(|(key, value)| format!("{}={}", str_of(key), str_of(value))).collect();
    let expected = ["utf8=Juška", "latin1=b'caf\\xe9'", "nul=a\0b", "d=2010-01-01 10:10:10", "f={1}", "u=😀"];
    assert_eq!(shown, expected);
}

#[test]
fn classes_are_named_and_never_run() {
    let session = session(
        b"(dVsession\n(dVa\ncposix\nsystem\n(Vtouch x\ntRsVb\ncgone.module\nThing\n)\x81}Vx\nI1\nsbsVc\n(ilabtypes2\nOldStyle\n\
sVd\nccopy_reg\n_reconstructor\n(cmy\nClass\nc__builtin__\nobject\nNtRsVe\nPid\nsVf\n\x82\x07sVg\ncpytz\n_UTC\n(tRsVh\n\
cdatetime\ndatetime\n(\x43\x0a\x07\xda\x01\x01\x0a\x0a\x0a\0\0\0cpytz\n_UTC\n(tRtRsVi\ncmodule\nname\nss.",
    );
    let shown: Vec<_> = session.iter().map(|(key, value)| format!("{}={}", str_of(key), str_of(value))).collect();
    let expected = [
        "a=posix.system('touch x')",
        "b=<gone.module.Thing object>",
        "c=<labtypes2.OldStyle object>",
        "d=<my.Class object>",
        "e=<persistent object>",
        "f=<registered object>",
        "g=<pytz._UTC object>",
        "h=2010-01-01 10:10:10+00:00",
        "i=<class 'module.name'>",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn calls_print_as_calls() {
    for (value, shown) in [
        (&b"cm\nf\nPid\nR"[..], "m.f(*<persistent object>)"),
        (b"cm\nf\n)}(Va\nI1\nu\x92", "m.f(**{'a': 1})"),
        (b"cm\nf\n)R(I1\ntR", "<m.f object>(1)"),
        (b"cm\nf\n)R)R", "<m.f object>()"),
        (b"cm\nf\n)RPid\n)R\x86", "(<m.f object>, <persistent object>())"),
        (b"ccopy_reg\n__newobj__\n(cm\nA\nI1\ntR", "m.A(1)"),
        (b"ccopyreg\n__newobj_ex__\n(cm\nA\n(I1\nt}Vk\nI2\nstR", "m.A(1, **{'k': 2})"),
        (b"ccopy_reg\n_reconstructor\n(cm\nA\nc__builtin__\nlist\n(I1\nltR", "m.A([1])"),
        (b"ccopy_reg\n_reconstructor\n(cm\nA\nc__builtin__\ntuple\n(I1\nI2\nttR", "m.A(1, 2)"),
        (b"ccopy_reg\n_reconstructor\n(cm\nA\nc__builtin__\ntuple\n)tR", "<m.A object>"),
        (b"ccopy_reg\n_reconstructor\n(cm\nA\nc__builtin__\nint\nI1\ntR", "m.A(1)"),
        (b"ccopy_reg\n_reconstructor\n(cm\nA\nc__builtin__\nobject\nI1\ntR", "m.A(1)"),
        (b"c__builtin__\ngetattr\n(cm\nColor\nVRED\ntR", "m.Color.RED"),
        (b"c__builtin__\ngetattr\n(cm\nColor\nVno name\ntR", "getattr(<class 'm.Color'>, 'no name')"),
        (b"c__builtin__\ngetattr\n(cm\nOuter\nVInner\ntR)\x81", "<m.Outer.Inner object>"),
        (b"cexceptions\nStopIteration\n)R", "StopIteration()"),
        (b"(imarkupsafe\nMarkup\n", "<markupsafe.Markup object>"),
        (b"cwebhelpers.html.builder\nliteral\n(V<b>\nt\x81", "literal('<b>')"),
    ] {
        let session = session(&[b"}Vsession\n}Vv\n", value, b"ss."].concat());
        assert_eq!(repr_of(session.value("v").unwrap()), shown);
    }
}

#[test]
fn exceptions_print_what_they_say() {
    for (value, shown) in [
        // Python 2 has others beside `OSError`; `open` may be given a path.
        (&b"cexceptions\nIOError\n(I2\nVgone\nVx\ntR"[..], "[Errno 2] gone: 'x'"),
        (b"csocket\nerror\n(I111\nVrefused\ntR", "[Errno 111] refused"),
        (b"csocket\ntimeout\n(Vtimed out\ntR", "timed out"),
        (b"cexceptions\nOSError\n(I2\nVgone\ncpathlib\nPosixPath\n(Va\ntRtR", "[Errno 2] gone: PosixPath('a')"),
        // `OSError` makes a `BlockingIOError` of itself.
        (b"cexceptions\nOSError\n(I11\nVlater\nI5\ntR", "[Errno 11] later"),
        // Not from the system, and not from `OSError`.
        (b"cexceptions\nOSError\n(I2\n(lVx\ntR", "(2, [], 'x')"),
        (b"cexceptions\nOSError\n)\x81", "OSError()"),
        (b"ccopy_reg\n_reconstructor\n(cexceptions\nOSError\nc__builtin__\nobject\nNtR", "OSError()"),
        (b"ccopy_reg\n_reconstructor\n(cexceptions\nKeyError\nc__builtin__\nobject\nNtR", "KeyError()"),
    ] {
        let session = session(&[b"}Vsession\n}Vv\n", value, b"ss."].concat());
        assert_eq!(str_of(session.value("v").unwrap()), shown);
    }
}

#[test]
fn bare_text_is_read_like_any_other_where_it_has_to_be_read_twice() {
    use base64::Engine as _;
    // A class, and a lone surrogate, for whose sake what is first taken for UTF-8 is looked at again.
    let pickle = b"\x80\x02}(X\x01\0\0\0acdatetime\ndate\nX\x01\0\0\0bX\x03\0\0\0\xed\xa0\x80u.";
    let text = base64::engine::general_purpose::STANDARD.encode(pickle).into_bytes();
    for framing in [Framing::Value, Framing::Text] {
        let found = Decoder::new().decode(&Payload::new(framing, text.clone()));
        let Ok(Decoded::Session(session)) = found else { panic!("{framing:?}: {found:?}") };
        assert_eq!(repr_of(session.value("b").unwrap()), r"'\ud800'");
    }
}
