"""Prints values as CPython's json and zlib write and read them, or judges what others wrote.

Without arguments, one line for each value:

    read|Z|R     Z is compressed JSON in any style that json can write, R the repr() of what json loads from it
    write|P|J    P is a pickle of {'session': {'v': value}}, J what json.dumps makes of the inner dict; empty where it fails

With `check`, standard input has lines `Z|R`; it decompresses and loads each Z, and prints the number of the first line
whose repr() is not R, or how many there were. All fields are hexadecimal; characters that cannot be encoded are escaped
first. Only the standard library is needed.
"""

import collections
import datetime
import decimal
import json
import pickle
import random
import struct
import sys
import zlib

rng = random.Random(20260102)

ALPHABET = "abc XYZ019'\"\\/\n\r\t\b\f\0\x1b\x7f\x80\xe9\u0105\u2028\u3042\uffff\U0001f600\ud800\udfff"
KEYS = ["", "a", "b", "key", "\xe9", "\ud800", "a\\b", 'q"', "\U0001f600", "7", "null"]


def text():
    return "".join(rng.choice(ALPHABET) for _ in range(rng.choice([0, 1, 3, 12, 200])))


def integer():
    bits = rng.choice([1, 7, 31, 32, 53, 62, 63, 64, 65, 128, 2000, 14000])
    return rng.choice([1, -1]) * ((1 << bits) + rng.choice([0, -1, 1, rng.getrandbits(bits)]))


def real():
    if rng.random() < 0.5:
        return struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
    return rng.choice([0.0, -0.0, 1e16, 1e-5, 5e-324, float("inf"), float("-inf"), float("nan"), rng.uniform(-9, 9)])


ATOMS = [lambda: rng.choice([None, True, False]), integer, real, text]
# What json refuses, as values or as keys.
OTHERS = [
    lambda: b"bytes", lambda: {1}, lambda: datetime.datetime(2020, 1, 1), lambda: decimal.Decimal("1.5"),
    lambda: complex(1, 2), lambda: collections.deque([1]), lambda: bytearray(b"x"), lambda: frozenset(), lambda: int,
]


def value(depth, odd):
    if odd and rng.random() < 0.01:
        return rng.choice(OTHERS)()
    if depth == 0 or rng.random() < 0.3:
        return rng.choice(ATOMS)()
    many = rng.choice([0, 1, 2, 3, 7])
    items = [value(depth - 1, odd) for _ in range(many)]
    keys = [rng.choice([lambda: rng.choice(KEYS), rng.choice(ATOMS)])() for _ in range(many)]
    if odd and rng.random() < 0.01:
        keys = [(1, 2)] * many
    return rng.choice([
        lambda: items, lambda: tuple(items), lambda: dict(zip(keys, items)), lambda: items[:1] * 3,
        lambda: collections.OrderedDict(zip(keys, items)), lambda: collections.defaultdict(list, zip(keys, items)),
        lambda: collections.Counter("abca"),
    ])()


def dumps(thing):
    """As one of the many texts that json loads the same from."""
    options = {"indent": rng.choice([None, None, 0, 2, "\t"])}
    options["separators"] = rng.choice([None, (",", ":"), (" ,\r\n", "\t: ")])
    try:
        return json.dumps(thing, ensure_ascii=rng.random() < 0.5, **options).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(thing, **options).encode("utf-8")


def compress(data):
    maker = zlib.compressobj(rng.randint(0, 9), zlib.DEFLATED, rng.randint(9, 15), rng.randint(1, 9), rng.randint(0, 4))
    return maker.compress(data) + maker.flush() + rng.choice([b"", b"", b"trailing"])


def shown(thing):
    return repr(thing).encode("utf-8", "backslashreplace").hex()


def show_read(data):
    print("read", compress(data).hex(), shown(json.loads(data.decode("utf-8"))), sep="|")


def show_write(thing):
    try:
        text = json.dumps({"v": thing}).encode("utf-8").hex()
    except (TypeError, ValueError):
        text = ""
    print("write", pickle.dumps({"session": {"v": thing}}, rng.randint(2, 5)).hex(), text, sep="|")


def check():
    count = 0
    for count, line in enumerate(sys.stdin, 1):
        data, expected = line.rstrip("\n").split("|")
        if shown(json.loads(zlib.decompress(bytes.fromhex(data)).decode("utf-8"))) != expected:
            print("differs:", count)
            return
    print(count)


def main():
    for number in range(1500):
        session = {"v": value(number % 5, odd=False)}
        show_read(dumps(session))
        show_write(value(number % 5, odd=True))
    for literal in ["-0", "1E5", "1e400", "-1e-400", "0.1e-7", "123456789012345678901234567890.5", "[ ]", "{ }", '"\\/"']:
        show_read(('{"v": %s}' % literal).encode())
    for members in ['"v": 1, "w": 2, "v": 3', '"v": {"a": 1, "b": 2, "a": 3, "\\u0061": 4}']:
        show_read(("{%s}" % members).encode())
    for thing in OTHERS:
        show_write(thing())
    recursive = []
    recursive.append({"again": recursive})
    show_write(recursive)


if sys.argv[1:] == ["check"]:
    check()
else:
    main()
