//! What decoding and encoding take of memory at most, by what the allocator counts. One test: others beside it would count, too.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_codec::{Decoded, Decoder, Encoder};
use beakerhelpers_core::{Framing, Payload};
use miniz_oxide::deflate::compress_to_vec_zlib;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a payload may take, besides 80 times its length: of pickles, and of JSON.
const FREE: [usize; 2] = [64 << 10, (1 << 20) + (64 << 10)];

/// A beginning, what follows it again and again, and an end.
type Flood = [&'static [u8]; 3];

const PICKLES: [Flood; 27] = [
    [b"}Vsession\n}Va\n(", b"\x82\x01", b"lss."],
    [b"(", b"\x82\x01", b""],
    [b"}Vsession\n}Va\n(", b"P\n", b"lss."],
    [b"}Vsession\n}Va\n(", b"]", b"lss."],
    [b"}Vsession\n}Va\n(", b"\x8f", b"lss."],
    [b"}Vsession\n}Va\n(", b"N", b"lss."],
    [b"}Vsession\n}Va\n(", b"K\x01", b"lss."],
    [b"}Vsession\n}Va\nN", b"\x85", b"ss."],
    [b"", b"(", b""],
    [b"N", b"\x94", b"0."],
    [b"}Vsession\n}Va\n(", b"c\n\n", b"lss."],
    [b"}Vsession\n}Va\n(", b"V\n\x94", b"lss."],
    [b"}Vsession\n}Va\nca\nb\nq\0(", b"(h\0o", b"lss."],
    [b"}Vsession\n}Va\nca\nb\nq\0(", b"h\0)R", b"lss."],
    [b"}Vsession\n}Va\n(", b"(i\n\n", b"lss."],
    [b"}Vsession\n}Va\nca\nb\n", b")R", b"ss."],
    [b"}Vsession\n}Va\n(", b"(NNNNd", b"lss."],
    [b"}Vsession\n}Va\n]q\0]q\x01\x86", b"h\0Na0h\x01Na0", b"ss."],
    // Something that holds itself, for which all else is searched.
    [b"}Vsession\n}Va\n(]q\0h\0\x85a", b"]", b"lss."],
    [b"}Vsession\n}Va\n(]q\0h\0\x85aN", b"\x85", b"lss."],
    // What is written again where another key goes that had it first.
    [b"}(Vsession\n}(Va\n(", b"]", b"lq\x05Vb\nh\x05uu."],
    // Equal keys, which are searched for in the end.
    [b"}Vsession\n(", b"NN", b"ds."],
    [b"}Vsession\n(", b"]]", b"ds."],
    [b"}Vsession\n(", b"N]", b"ds."],
    [b"}Vsession\n(", b"I1\nN", b"ds."],
    [b"}Vsession\n(", b"K\x01\x82\x01", b"ds."],
    [b"}Vsession\n}(", b"N]N]", b"us."],
];

const DOCUMENTS: [Flood; 8] = [
    [b"{\"a\":", b"[", b""],
    [b"{\"a\":[0", b",0", b"]}"],
    [b"{\"a\":[0", b",{}", b"]}"],
    [b"{\"a\":[0", b",\"\"", b"]}"],
    [b"{\"a\":0", b",\"\":0", b"}"],
    [b"{\"a\":\"", b"x", b"\"}"],
    [b"{\"a\":\"", b"\\n", b"\"}"],
    [b"{\"a\":[0", b",99999999999999999999", b"]}"],
];

#[test]
fn no_payload_takes_more_memory_than_promised() {
    // Buffers grow when they are full, so a little more can take far more.
    let sizes = |first: usize, percent: usize| {
        std::iter::successors(Some(first), move |size| Some(size + size * percent / 100)).take(12)
    };
    for flood in PICKLES {
        for times in sizes(10_000, 6) {
            let pickle = repeat(flood, times);
            check(pickle.clone(), flood, FREE[0]);
            check(with_text(&pickle), flood, FREE[0]);
        }
    }
    for flood in DOCUMENTS {
        for times in sizes(4_000, 50) {
            check(with_text(&compress_to_vec_zlib(&repeat(flood, times), 9)), flood, FREE[1]);
        }
    }
}

fn repeat([before, again, after]: Flood, times: usize) -> Vec<u8> {
    [before, &again.repeat(times), after].concat()
}

/// A session in base64.
fn with_text(bytes: &[u8]) -> Vec<u8> {
    [b"}Vsession\nV", BASE64.encode(bytes).as_bytes(), b"\ns."].concat()
}

fn check(bytes: Vec<u8>, [_, flood, _]: Flood, free: usize) {
    let payload = Payload::new(Framing::Namespace, bytes);
    let len = payload.bytes().len();
    let within = |taken: usize, what: &str, how: &dyn Debug| {
        let most = 80 * len + free;
        let flood = flood.escape_ascii();
        assert!(taken <= most, "{what} {len} of `{flood}` takes {taken} bytes of memory, not {most}: {how:?}");
    };
    let (taken, decoded) = taken_by(|| Decoder::new().decode(&payload));
    within(taken, "decoding", &decoded);
    // Of JSON, little is stored for much that is encoded.
    if let Ok(Decoded::Session(mut session)) = decoded
        && free == FREE[0]
    {
        let (taken, encoded) = taken_by(|| Encoder::new().encode(&session, Framing::Namespace));
        within(taken, "encoding", &encoded);
        session.set("w", |draft| draft.float(1.5));
        let (taken, updated) = taken_by(|| Encoder::new().update(&payload, &session));
        within(taken, "updating", &updated);
        session.remove("a");
        let (taken, updated) = taken_by(|| Encoder::new().update(&payload, &session));
        within(taken, "removing", &updated);
    }
}

/// What something needs of memory beside what there is, and its result.
fn taken_by<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    (MEMORY.peak_usage().checked_sub(before).unwrap(), done)
}
