"""Prints values as CPython pickles and prints them: one line for each value and protocol.

A line has the protocol, the pickle of {'session': {'v': value}}, str(value), repr(value) and what is to be shown where
the state of objects is asked for, the last four in hexadecimal; characters that cannot be encoded are escaped first.
Each value is pickled by both picklers of CPython, the one in C and the one in Python, and by `pickletools.optimize`.
Only the standard library is needed.
"""

import _compat_pickle
import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import os
import pathlib
import pickle
import pickletools
import random
import struct
import sys
import tempfile
import types
import uuid
import zoneinfo

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
    return rng.choice([None, zoneinfo.ZoneInfo("UTC") if KEPT else None, datetime.timezone.utc, datetime.timezone(offset), datetime.timezone(offset, "it's")])


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


def zone_info():
    """Zones of a database of our own: there may be no other on this host."""
    if not zoneinfo.TZPATH or "beaker" not in zoneinfo.TZPATH[0]:
        directory = tempfile.TemporaryDirectory(prefix="beaker")
        KEPT.append(directory)
        for name, offset in (("UTC", 0), ("Etc/UTC", 0), ("Place/It's", 7200)):
            path = os.path.join(directory.name, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lbb", offset, 0, 0) + b"ABC\0")
        zoneinfo.reset_tzpath([directory.name])
    return zoneinfo.ZoneInfo(rng.choice(["UTC", "Etc/UTC", "Place/It's"]))


KEPT = []


def fraction():
    return fractions.Fraction(rng.choice([0, 1, -7, integer()]), rng.choice([1, 3, 10**9, 1 + abs(integer())]))


def path():
    names = ["srv", "it's", "\xe9", "a b", ".."]
    parts = [rng.choice(names) for _ in range(rng.randint(0, 4))]
    return rng.choice([
        lambda: pathlib.PurePosixPath(*parts), lambda: pathlib.PurePosixPath("/", *parts), lambda: pathlib.Path(*parts),
        lambda: pathlib.PurePosixPath("//", *parts), lambda: pathlib.PurePosixPath("a//b", "./c/", *parts),
        lambda: pathlib.PureWindowsPath(*parts), lambda: pathlib.PureWindowsPath("c:\\", *parts),
        lambda: pathlib.PureWindowsPath("\\\\host\\share\\", *parts), lambda: pathlib.PureWindowsPath("c:", *parts),
    ])()


def internet():
    bits = rng.choice([0, 1, rng.getrandbits(32)])
    wide = rng.choice([0, 1, rng.getrandbits(128), rng.getrandbits(64) << 64, 0xffff << 32 | bits, bits << 80])
    short, long = ipaddress.IPv4Address(bits), ipaddress.IPv6Address(wide)
    return rng.choice([
        lambda: short, lambda: long, lambda: ipaddress.ip_interface("%s/%d" % (short, rng.randint(0, 32))),
        lambda: ipaddress.ip_interface("%s/%d" % (long, rng.randint(0, 128))),
        lambda: ipaddress.ip_network("%s/%d" % (short, rng.randint(0, 32)), strict=False),
        lambda: ipaddress.ip_network("%s/%d" % (long, rng.randint(0, 128)), strict=False),
        lambda: ipaddress.ip_address("fe80::1%eth0"),
    ])()


def numbers():
    return range(rng.choice([0, integer()]), rng.choice([3, integer()]), rng.choice([1, 1, -1, integer() or 2]))


def reference():
    return rng.choice([..., NotImplemented, type(None), type(...), type(NotImplemented), len, getattr, object, BaseException])


ATOMS = [
    fraction, path, internet, numbers, reference, zone_info,
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
        lambda: [slice(*items[:3]) if items else StopIteration(), UnicodeDecodeError("ascii", b"\xe9", 0, 1, "bad")],
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


def pickles(thing, protocol):
    """What the picklers make of it, each result once."""
    fast = pickle.dumps(thing, protocol)
    return dict.fromkeys([fast, pickle._dumps(thing, protocol), pickletools.optimize(fast)])


def show(thing, string, representation, first=0, full=None, last=pickle.HIGHEST_PROTOCOL):
    for protocol in range(first, last + 1):
        for payload in pickles({"session": {"v": thing}}, protocol):
            texts = (string, representation, representation if full is None else full)
            print(protocol, payload.hex(), *map(encode, texts), sep="|")


Point = collections.namedtuple("Point", "x y")
Pair = collections.namedtuple("Pair", "only")


class Color(enum.Enum):
    RED = 1
    IT_IS = "it's"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Number(int):
    pass


class Data(bytes):
    pass


class Stack(list):
    pass


class Table(dict):
    pass


class Thing:
    class Inner:
        pass


class Slots:
    __slots__ = ("a", "b")


class Keywords:
    def __new__(cls, *args, key=None):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (1, "a"), {"key": [2]}


def member(value):
    """As it is pickled: by its name in Python 3.11.0 to 3.11.3, otherwise by its value."""
    how, args = value.__reduce_ex__(2)[:2]
    return "__main__.%s.%s" % (args[0].__name__, args[1]) if how is getattr else "__main__.%s(%r)" % (how.__name__, args[0])


def markup_module():
    """A module whose class is known by name need not be on this host."""
    module = types.ModuleType("markupsafe")
    module.Markup = type("Markup", (str,), {"__module__": "markupsafe", "__slots__": ()})
    sys.modules["markupsafe"] = module
    return module


def system_errors():
    files = [None, "x", "it's", b"raw", 7, pathlib.PurePosixPath("a/b")]
    yield from (OSError(), OSError("only"), TimeoutError("timed out"), OSError(1, 2, 3, 4, 5, 6), OSError(None, "x"))
    yield from (OSError("2", "x"), OSError(2, None), BlockingIOError(11, "again", 5), BlockingIOError(11, "again", "x"))
    for file in files:
        yield from (OSError(2, text(), file), PermissionError(13, "no", file, None, "other"), OSError(99, "no", file, 0, file))


def objects():
    """Objects of classes that only this module has."""
    for _ in range(30):
        x, y = value(2), value(1)
        shown = "__main__.Point(%r, %r)" % (x, y)
        show(Point(x, y), shown, shown)
        show(Pair(x), "__main__.Pair(%r)" % (x,), "__main__.Pair(%r)" % (x,))
        items = [value(1) for _ in range(rng.randint(1, 3))]
        plain = "<__main__.Stack object>"
        show(Stack(items), plain, plain, 2, "<__main__.Stack object items=%r>" % items)
        # Protocols 0 and 1 give the class a list or a dict, and later ones fill it.
        shown = "__main__.Stack(%r)" % items
        show(Stack(items), shown, shown, 0, last=1)
        table = {"%d" % number: item for number, item in enumerate(items)}
        plain = "<__main__.Table object>"
        show(Table(table), plain, plain, 2, "<__main__.Table object pairs=%r>" % table)
        shown = "__main__.Table(%r)" % table
        show(Table(table), shown, shown, 0, last=1)
        thing = Thing()
        thing.__dict__.update(table)
        plain = "<__main__.Thing object>"
        show(thing, plain, plain, 0, "<__main__.Thing object state=%r>" % table)
        both = Stack(items)
        both.x = x
        shown = "<__main__.Stack object state={'x': %r} items=%r>" % (x, items)
        show(both, "<__main__.Stack object>", "<__main__.Stack object>", 2, shown)
    for item in [*Color, Rights.READ]:
        show(item, member(item), member(item))
    for item in (Number(7), Data(b"it's")):
        base = item.__class__.__mro__[1](item)
        shown = "__main__.%s(%r)" % (item.__class__.__name__, base)
        # In protocols 0 to 2 bytes are the result of a call.
        show(item, shown, shown, 0 if isinstance(item, int) else 3)
    slots = Slots()
    slots.a = 1
    show(slots, "<__main__.Slots object>", "<__main__.Slots object>", 2, "<__main__.Slots object state=(None, {'a': 1})>")
    show(Keywords(), "__main__.Keywords(1, 'a', **{'key': [2]})", "__main__.Keywords(1, 'a', **{'key': [2]})", 4)
    show(object(), "<object object>", "<object object>")
    show(Thing.Inner(), "<__main__.Thing.Inner object>", "<__main__.Thing.Inner object>")
    own = Thing()
    own.own = [own]
    shown = "<__main__.Thing object>"
    show(own, shown, shown, 0, "<__main__.Thing object state={'own': [<__main__.Thing object ...>]}>")
    error = ValueError("bad")
    error.code = 7
    show([error], "[ValueError('bad')]", "[ValueError('bad')]", 0, "[<ValueError('bad') state={'code': 7}>]")
    for error in system_errors():
        how, args = error.__reduce__()[:2]
        shown = "(%s)" % ", ".join(map(repr, args))
        # Protocols 0 to 2 have most of them as what they are in Python 2.
        old = _compat_pickle.REVERSE_NAME_MAPPING.get(("builtins", how.__name__), ("builtins", how.__name__))[1]
        show(error, str(error), old + shown, last=2)
        show(error, str(error), how.__name__ + shown, 3)
    markup = markup_module()
    for string in ("<b>", "it's", "\xe9\ud800"):
        show(markup.Markup(string), string, "Markup(%r)" % string)


def main():
    zone_info()
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
    objects()
    for thing in (2**20000, -(2**20000)):
        # Protocols 0 and 1 write decimals, which Python refuses here too.
        show(thing, hex(thing), hex(thing), 2)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
