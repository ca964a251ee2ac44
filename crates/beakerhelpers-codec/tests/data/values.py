"""Prints values as CPython pickles and prints them: one line for each value and protocol.

A line has the protocol, the pickle of {'session': {'v': value}}, str(value) and repr(value), the last three in
hexadecimal; characters that cannot be encoded are escaped first. Only the standard library is needed.
"""

import collections
import datetime
import decimal
import pickle
import random
import struct
import sys
import uuid

rng = random.Random(20260101)

# Characters whose properties are as old as any Python that runs this.
ALPHABET = "abc XYZ019'\"\\\n\r\t\0\x07\x1b\x7f\x80\x85\xa0\xad\xe9\u0105\u05d0\u200b\u2028\u3042\uffff\U0001f600\U000e0001"
LONE = "\ud800\udfff"


def text():
    return "".join(rng.choice(ALPHABET) for _ in range(rng.choice([0, 1, 3, 12, 300])))


def surrogate():
    return "".join(rng.choice("ab\xe9") + rng.choice(LONE) for _ in range(rng.randint(1, 4))) + "z"


def data():
    return bytes(rng.choice([0, 9, 10, 13, 34, 39, 92, 65, 127, 128, 255]) for _ in range(rng.choice([0, 1, 5, 300])))


def integer():
    bits = rng.choice([1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 62, 63, 64, 65, 127, 128, 2040, 2048, 14000])
    edge = rng.choice([0, 1, -1, rng.getrandbits(bits)])
    return rng.choice([1, -1]) * ((1 << bits) + edge) if rng.random() < 0.7 else rng.randint(-300, 300)


def real():
    kind = rng.random()
    if kind < 0.4:
        return struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
    if kind < 0.6:
        return rng.choice([0.0, -0.0, 1e15, 1e16, 1e17, 1e-4, 1e-5, 5e-324, float("inf"), float("-inf"), float("nan")])
    return round(rng.uniform(-1e6, 1e9), rng.randint(0, 7))


def delta():
    return datetime.timedelta(rng.randint(-3, 400), rng.randint(0, 90000), rng.choice([0, 1, 250000]))


def zone():
    offset = datetime.timedelta(seconds=rng.choice([0, 7200, -12600, 1, -1]), microseconds=rng.choice([0, 0, 3]))
    return rng.choice([None, datetime.timezone.utc, datetime.timezone(offset), datetime.timezone(offset, "it's")])


def moment():
    parts = [rng.randint(1, 9999), rng.randint(1, 12), rng.randint(1, 28)]
    clock = [rng.randint(0, 23), rng.randint(0, 59), rng.choice([0, 59]), rng.choice([0, 5, 999999])]
    return rng.choice([
        lambda: datetime.date(*parts),
        lambda: datetime.time(*clock, tzinfo=zone()),
        lambda: datetime.datetime(*parts, *clock, tzinfo=zone()),
    ])()


def number():
    return decimal.Decimal(rng.choice(["1.10", "-0", "1E+5", "1.5E-10", "NaN", "Infinity", "123456789.5"]))


ATOMS = [
    lambda: rng.choice([None, True, False, ()]), integer, real, text, data, moment, delta, number,
    lambda: uuid.UUID(int=rng.getrandbits(rng.choice([3, 60, 128]))), lambda: complex(real(), real()),
    lambda: zone() or int, lambda: rng.choice([int, dict, datetime.datetime]),
]


def atom():
    return rng.choice(ATOMS)()


def value(depth):
    if depth == 0 or rng.random() < 0.3:
        return rng.choice([atom, surrogate, lambda: bytearray(data())])() if rng.random() < 0.3 else atom()
    many = rng.choice([0, 1, 2, 3, 7])
    items = [value(depth - 1) for _ in range(many)]
    keys = [atom() for _ in range(many)]
    shared = items[:1] * 3
    return rng.choice([
        lambda: items, lambda: tuple(items), lambda: dict(zip(keys, items)), lambda: set(keys),
        lambda: frozenset(keys), lambda: shared, lambda: [tuple(shared), shared],
        lambda: collections.defaultdict(rng.choice([None, list, int]), zip(keys, items)),
        lambda: collections.deque(items, rng.choice([None, 5])),
        lambda: collections.Counter(rng.choice("abcde") for _ in range(many)),
        lambda: ValueError(*items[:2]), lambda: KeyError(*keys[:2]),
    ])()


def recursive():
    a = []
    a.append(a)
    b = {}
    b["b"] = [b, (b,)]
    c = collections.defaultdict(list)
    c["c"] = c
    d = ([],)
    d[0].append(d)
    e = collections.deque([1])
    e.append(e)
    return [a, b, c, d, e]


def encode(text):
    return text.encode("utf-8", "backslashreplace").hex()


def show(thing, string, representation, first=0):
    for protocol in range(first, pickle.HIGHEST_PROTOCOL + 1):
        payload = pickle.dumps({"session": {"v": thing}}, protocol)
        print(protocol, payload.hex(), encode(string), encode(representation), sep="|")


def main():
    things = [value(depth) for depth in (0, 1, 2, 3) for _ in range(100)] + recursive()
    things += [decimal.Decimal("-sNaN12")] + [text() for _ in range(50)] + [real() for _ in range(100)] + [integer() for _ in range(50)]
    for thing in things:
        show(thing, str(thing), repr(thing))
    # Protocols 0 to 3 leave it out.
    for thing in (datetime.time(1, 30, fold=1), datetime.datetime(2020, 10, 25, 1, 30, tzinfo=zone(), fold=1)):
        show(thing, str(thing), repr(thing), 4)
    # Python 3.12 prints it in another way.
    for many in (0, 1, 3):
        items = [("%d %s" % (index, text()), value(1)) for index in range(many)]
        shown = "OrderedDict(%s)" % (repr(items) if items else "")
        show(collections.OrderedDict(items), shown, shown)
    for thing in (2**20000, -(2**20000)):
        # Protocols 0 and 1 write decimals, which Python refuses here too.
        show(thing, hex(thing), hex(thing), 2)
    sys.stdout.flush()


main()
