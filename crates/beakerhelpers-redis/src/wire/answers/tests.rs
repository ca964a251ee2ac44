use std::io::Cursor;

use redis::ErrorKind;

use super::*;

/// Gives one byte at a time.
struct Slowly<'b>(&'b [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(1);
        self.0.read(&mut into[..most])
    }
}

const ANSWERS: [&[u8]; 16] = [
    b"+OK\r\n",
    b"+QUEUED\r\n",
    b":0\r\n",
    b":-2\r\n",
    b":9223372036854775807\r\n",
    b"$-1\r\n",
    b"$0\r\n\r\n",
    b"$7\r\na\r\nb$5\xff\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*2\r\n$2\r\n17\r\n*3\r\n$1\r\na\r\n$-1\r\n$1\r\nb\r\n",
    b"-ERR unknown command 'x', with args beginning with: \r\n",
    b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    b"-MOVED 3999 127.0.0.1:6381\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"*2\r\n:1\r\n-BUSY Redis is busy\r\n",
];

#[test]
fn answers_are_what_the_client_reads() {
    for answer in ANSWERS {
        let read = Answers::new(Slowly(answer)).next().expect("it is an answer");
        assert_eq!(read, parse_redis_value(answer).expect("it is an answer"), "{}", answer.escape_ascii());
    }
    let large = [format!("${}\r\n", 3 * AHEAD).as_bytes(), &vec![b'x'; 3 * AHEAD], b"\r\n"].concat();
    let all = [ANSWERS.concat(), large.clone(), ANSWERS.concat()].concat();
    let mut answers = Answers::new(Cursor::new(all));
    for answer in ANSWERS.iter().copied().chain([large.as_slice()]).chain(ANSWERS) {
        let read = answers.next().expect("there is another one");
        assert_eq!(read, parse_redis_value(answer).expect("it is an answer"));
    }
    assert_eq!(answers.next().expect_err("there is no more").kind(), ErrorKind::Io);
}

#[test]
fn what_ends_early_is_a_broken_connection() {
    for answer in ANSWERS {
        for end in 0..answer.len() {
            let error = Answers::new(&answer[..end]).next().expect_err("it is not whole");
            assert_eq!(error.kind(), ErrorKind::Io, "{}", answer[..end].escape_ascii());
        }
    }
    // Half a gigabyte, of which nothing comes, takes no room.
    assert!(Answers::new(&b"$536870912\r\nabc"[..]).next().is_err());
    assert!(Answers::new(&b"*1048576\r\n:1\r\n"[..]).next().is_err());
}

#[test]
fn what_an_answer_takes_is_bounded() {
    let answers: [&[u8]; 4] = [
        &[b"*1000\r\n".as_slice(), &b":1\r\n".repeat(1000)].concat(),
        &[b"*100\r\n".as_slice(), &b"*9\r\n:1\r\n+OK\r\n$-1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n".repeat(100)]
            .concat(),
        &[b"*3\r\n".as_slice(), &[b"$20000\r\n", &*"x".repeat(20_000).into_bytes(), b"\r\n"].concat().repeat(3)]
            .concat(),
        &[b"*2\r\n".as_slice(), &[b"-ERR ", &*"x".repeat(30_000).into_bytes(), b"\r\n"].concat().repeat(2)].concat(),
    ];
    for answer in answers {
        assert!(Answers::new(answer).next().is_ok());
        let mut bounded = Answers::new(answer);
        bounded.most = 50_000;
        assert!(bounded.next().is_err_and(|error| error.kind() == ErrorKind::UnexpectedReturnType));
    }
}

#[test]
fn what_is_too_long_is_passed_over() {
    let all = [b"$5\r\nshort\r\n".as_slice(), b"$6\r\nlonger\r\n", b":1\r\n", b"$-1\r\n", b"$6\r\nlon"].concat();
    let mut answers = Answers::new(Slowly(&all));
    let mut next = || answers.next_up_to(5);
    assert_eq!(next().expect("it is whole"), Some(Value::BulkString(b"short".to_vec())));
    assert_eq!(next().expect("it is whole"), None);
    assert_eq!(next().expect("it is whole"), Some(Value::Int(1)));
    assert_eq!(next().expect("it is whole"), Some(Value::Nil));
    assert_eq!(next().expect_err("it ends early").kind(), ErrorKind::Io);
    // Nothing of it is kept, however long it says that it is.
    assert!(Answers::new(&b"$9223372036854775807\r\nabc"[..]).next_up_to(5).is_err());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_answers_or_errors(bytes in proptest::collection::vec(
        proptest::prop_oneof![proptest::sample::select(b"*$:+-0123456789\r\n".to_vec()), proptest::num::u8::ANY], 0..200,
    )) {
        let mut answers = Answers::new(Slowly(&bytes));
        let mut read = 0;
        while answers.next().is_ok() {
            read += 1;
        }
        // Each takes a line at least.
        proptest::prop_assert!(read <= bytes.len() / 3);
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    let deep = b"*1\r\n".repeat(100_000);
    let endless = b"+x".repeat(100_000);
    let nonsense: [&[u8]; 14] = [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"\n",
        b"+OK\n",
        b"$\r\n",
        b"$-2\r\n",
        b"$x\r\n",
        b"$536870913\r\n",
        b"$18446744073709551616\r\n",
        b"$1\r\nabc",
        b":1x\r\n",
        b"*1048577\r\n",
        &deep,
        &endless,
    ];
    for answer in nonsense {
        let error = Answers::new(answer).next().expect_err("it is none");
        assert_eq!(error.kind(), ErrorKind::UnexpectedReturnType, "{}", answer[..answer.len().min(40)].escape_ascii());
    }
}
