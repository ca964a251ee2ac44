//! What the machine reads, and what it refuses.

use super::*;

fn run(source: &[u8]) -> Result<NodeId, Fault> {
    Machine::default().run(&mut Draft::new(), source, Care::Now)
}

#[test]
fn every_fault_is_found_where_it_is() {
    for (source, at, reason) in [
        (&b"N"[..], 1, Reason::EndsEarly),
        (b"NK", 1, Reason::EndsEarly),
        (b"NI5", 1, Reason::EndsEarly),
        (b"\x80\x04\x95\x09\0\0\0\0\0\0\0N.", 2, Reason::EndsEarly),
        (b"N\xff.", 1, Reason::UnknownOpcode(0xff)),
        (b"\x80\x06N.", 0, Reason::Protocol(6)),
        (b".", 0, Reason::StackEmpty),
        (b"N(.", 2, Reason::StackEmpty),
        (b"N(a", 2, Reason::StackEmpty),
        (b"]Naa", 3, Reason::StackEmpty),
        (b"NN\x87", 2, Reason::StackEmpty),
        (b"(NN(\x86", 4, Reason::StackEmpty),
        (b"(Ne", 2, Reason::StackEmpty),
        (b"(o", 1, Reason::StackEmpty),
        (b"q\0", 0, Reason::StackEmpty),
        (b"2", 0, Reason::StackEmpty),
        (b"0", 0, Reason::NoMark),
        (b"]Ne", 2, Reason::NoMark),
        (b"1", 0, Reason::NoMark),
        (b"Nq\x01h\0.", 3, Reason::NotInMemo),
        (b"g7\n", 0, Reason::NotInMemo),
        (b"X\x02\0\0\0\xc3(.", 0, Reason::NotUtf8),
        (b"c\xff\nx\n.", 0, Reason::NotUtf8),
        (b"I1.5\n", 0, Reason::BadNumber),
        (b"Fx\n", 0, Reason::BadNumber),
        (b"p-1\n", 0, Reason::BadNumber),
        (b"S'a\n", 0, Reason::BadString),
        (b"V\\u12\n", 0, Reason::BadString),
        (b"T\xff\xff\xff\xff", 0, Reason::BadLength),
        (b"\x8b\xff\xff\xff\xff", 0, Reason::BadLength),
        (b"}(Nu", 3, Reason::OddItems),
        (b"(Nd", 2, Reason::OddItems),
        (b"N\x97", 1, Reason::OutOfBand),
        (b"N\x98", 1, Reason::OutOfBand),
        (b"N)R", 2, Reason::NotCallable),
        (b"N)\x81", 2, Reason::NotCallable),
        (b"(No", 2, Reason::NotCallable),
        (b"ca\nb\nNR", 6, Reason::ArgumentsNoTuple),
        (b"ca\nb\nN}\x92", 7, Reason::ArgumentsNoTuple),
        (b"ca\nb\n)N\x92", 7, Reason::KeywordsNoDict),
        (b"NNa", 2, Reason::NoContainer),
        (b"]NNs", 3, Reason::NoContainer),
        (b"](N\x90", 3, Reason::NoContainer),
        (b"}Nb", 2, Reason::NoState),
        (b"\x82\0", 0, Reason::BadExtension),
        (b"\x84\xff\xff\xff\xff", 0, Reason::BadExtension),
    ] {
        assert_eq!(run(source), Err(Fault { at, reason }), "{}", source.escape_ascii());
    }
}

#[test]
fn marks_protect_what_is_below_and_pop_takes_them() {
    assert!(run(b"N(0.").is_ok());
    assert!(run(b"(N1].").is_ok());
    assert!(run(b"NN0.").is_ok());
    // What follows the end means nothing.
    assert!(run(b"N.garbage").is_ok());
}

#[test]
fn memory_is_bounded_and_used_again() {
    let (mut machine, mut draft) = (Machine::default(), Draft::new());
    let inst = [&b"(ia\nb\n"[..]].concat().repeat(30_000);
    for source in [
        b"]".repeat(200_000),
        b"(".repeat(200_000),
        b"N2\x94".repeat(70_000),
        [b"N", &b"\x85"[..]].concat().repeat(100_000),
        b"ca\n\n".repeat(50_000),
        inst,
    ] {
        draft.reset(usize::MAX);
        let _ = machine.run(&mut draft, &source, Care::Later);
        assert!(draft.allocated() + machine.allocated() <= budget::of(source.len()));
    }
    draft.reset(1000);
    let _ = machine.run(&mut draft, b"N.", Care::Later);
    assert!(draft.allocated() + machine.allocated() <= budget::of(0) + 1000, "large buffers were given back");
}
