"""Sessions to be changed, and a judge of the changed ones.

`edit.py make` prints sessions as CPython pickles them, one line for each, form and protocol: number, form, protocol and
payload. `edit.py check` reads lines with number, what was done to which key, the payload before and the payload after,
all but the numbers in hexadecimal or as words, does the same to the session in Python, and compares.
`edit.py framed` reads payloads and what they became in another frame, each after its form.
`edit.py same` reads pairs of payloads that hold the same; `edit.py values` as well, of what `values.py` makes, whose
classes it takes for its own.
"""

import base64
import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import ipaddress
import os
import pathlib
import pickle
import pickletools
import sys
import uuid


class Plain:
    def __init__(self, **values):
        self.__dict__.update(values)


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


@dataclasses.dataclass
class Data:
    name: str
    items: list


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    pair: tuple


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


Point = collections.namedtuple("Point", "x y")


class Outer:
    class Inner:
        def __init__(self, value):
            self.value = value


class Listed(list):
    pass


class Keyed(dict):
    pass


class Mine(Exception):
    pass


class WithArgs:
    def __new__(cls, *args):
        self = object.__new__(cls)
        self.args = args
        return self

    def __getnewargs__(self):
        return self.args


class WithKeywords:
    def __new__(cls, a, *, b):
        self = object.__new__(cls)
        self.a, self.b = a, b
        return self

    def __getnewargs_ex__(self):
        return (self.a,), {"b": self.b}


class Reduced:
    """Made by a call, with items, pairs and a state."""

    def __init__(self, *args):
        self.args, self.list, self.dict, self.state = args, [], {}, None

    def append(self, item):
        self.list.append(item)

    def extend(self, items):
        self.list.extend(items)

    def __setitem__(self, key, value):
        self.dict[key] = value

    def __setstate__(self, state):
        self.state = state

    def __reduce__(self):
        return Reduced, self.args, self.state, iter(self.list), iter(self.dict.items())


def set_aside(thing, state):
    thing.__dict__["aside"] = state


class Aside:
    """Its state is set by a function whose result is dropped."""

    def __reduce__(self):
        return Aside, (), self.__dict__.get("aside"), None, None, set_aside


class WithArgsOfItself:
    """Holds the list that it is made of, which holds it."""

    def __init__(self, items):
        self.items = items

    def __reduce__(self):
        return WithArgsOfItself, (self.items,)


def reduced():
    thing = Reduced(1, "two")
    thing.list, thing.dict, thing.state = [1, [2]], {"k": (3,)}, {"s": 4}
    return thing


def recursive():
    a = []
    a.append(a)
    b = {}
    b["b"] = [b, (b,)]
    c = Plain()
    c.children = [Plain(parent=c), Plain(parent=c)]
    d = ([], {})
    d[0].append(d)
    d[1]["d"] = d
    e = Keyed(x=1)
    e["e"] = e
    f = Listed([1])
    f.append(f)
    f.extra = f
    g = ([], [], [], [])
    for item in g:
        item.append(g)
    h = set()
    h.add(Plain(owner=h))
    i = Reduced([])
    i.args[0].append(i)
    j = collections.defaultdict(list)
    j["j"] = j
    return {"a": a, "b": b, "c": c, "d": d, "e": e, "f": f, "g": g, "h": h, "i": i, "j": j}


def aside():
    thing = Aside()
    thing.aside = [1]
    return thing


def plain_values():
    return {
        "_accessed_time": 1795205226.5, "none": None, "true": True, "int": 7, "big": 2**70, "neg": -(2**40), "float": 0.1,
        "text": "jo\u0161 \U0001f600", "empty": "", "long": "x" * 300, "bytes": b"\0\xff\xe9", "none2": b"", "list": [1, [2, []]],
        "tuple": (1, (2, 3, 4, 5), ()), "dict": {"a": {1: 2}, (1, 2): "t"}, "set": {1, "a"}, "frozen": frozenset([1, (2,)]),
        "array": bytearray(b"\xffab"), "array0": bytearray(), "\u0161": "key", "last": 0,
    }


def classes():
    return {
        "date": datetime.datetime(2020, 1, 2, 3, 4, 5, 6), "zone": datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc),
        "day": datetime.date(2020, 1, 2), "delta": datetime.timedelta(1, 2, 3), "number": decimal.Decimal("1.10"),
        "fraction": fractions.Fraction(1, 3), "uuid": uuid.UUID(int=7), "ordered": collections.OrderedDict([("a", 1), ("b", [2])]),
        "default": collections.defaultdict(list, a=[1]), "counter": collections.Counter("abca"), "deque": collections.deque([1, 2], 5),
        "point": Point(1, [2]), "red": Colour.RED, "blue": Colour.BLUE, "path": pathlib.PurePosixPath("/a/b"),
        "address": ipaddress.ip_address("10.0.0.1"), "range": range(1, 9, 2), "complex": 1 + 2j, "type": int, "class": Plain,
        "function": copy.copy, "inner": Outer.Inner([1]), "inner_class": Outer.Inner, "plain": Plain(a=1, b=[Plain(c=2)]),
        "slots": Slots(1, [2]), "data": Data("n", [1]), "frozen": Frozen("n", (1, 2)), "listed": Listed([1, 2]), "keyed": Keyed(a=1),
        "mine": Mine("no", 1), "value_error": ValueError("no"), "missing": FileNotFoundError(2, "no"), "slice": slice(1, None),
        "args": WithArgs(1, [2]), "keywords": WithKeywords(1, b=[2]), "reduced": reduced(), "end": 0,
    }


def shared():
    both, text, zone = [1, {"deep": Plain(a=(1, 2))}], "".join(["shared ", "text"]), datetime.timezone(datetime.timedelta(hours=1))
    owner = Plain(name=text, both=both)
    owner.me = owner
    day = datetime.datetime(2020, 1, 2, tzinfo=zone)
    data = b"some \xff bytes"
    pair = (both, owner)
    members = {1, 2}
    return {
        "both": both, "again": both, "owner": owner, "inside": [both[1], {"o": owner}], "text": text, "text2": [text, text],
        text: 1, "day": day, "zone": zone, "day2": [day, datetime.datetime(2021, 1, 1, tzinfo=zone)], "data": data,
        "data2": [data, b"other \xfe"], "pair": pair, "pairs": [pair, pair], "members": members, "members2": (members, members),
        "error": KeyError(both), "red": Colour.RED, "red2": [Colour.RED, Colour.BLUE], "classes": [Plain, Outer.Inner],
        "reduced": [reduced(), both], "zz": "both", "yy": "again",
    }


def owned():
    thing = recursive()
    # Each of them shared by a second key, and all of them by a third.
    return {**thing, **{key * 2: [value] for key, value in thing.items()}, "all": list(thing.values())}


def itself():
    session = {"a": [1]}
    session["me"] = session
    session["in"] = [session["a"], (session,)]
    return session


def asides():
    thing = aside()
    return {"y": 1, "x": aside(), "shared": thing, "also": [thing], "z": [2]}


def sessions():
    many = {"key %d" % n: [n, "value %d" % n] for n in range(2500)}
    return [plain_values(), classes(), shared(), recursive(), owned(), itself(), {"only": 1}, asides(), many]


def text(session):
    return base64.b64encode(pickle.dumps(session, 2)).decode()


FORMS = {
    "plain": (lambda v, p: pickle.dumps({"session": v}, p), lambda d: pickle.loads(d)["session"]),
    "plain+": (
        lambda v, p: pickle.dumps({"first": v.get("both", [1]), "session": v, "third": v.get("text", "t")}, p),
        lambda d: pickle.loads(d)["session"],
    ),
    "value": (lambda v, p: pickle.dumps(v, p), lambda d: pickle.loads(d)),
    "base64": (
        lambda v, p: pickle.dumps({"session": text(v)}, p),
        lambda d: pickle.loads(base64.b64decode(pickle.loads(d)["session"])),
    ),
    "inner": (
        lambda v, p: pickle.dumps(base64.b64encode(pickle.dumps(v, max(p, 2))) if p > 2 else text(v), p),
        lambda d: pickle.loads(base64.b64decode(pickle.loads(d))),
    ),
}

ATOMS = (str, bytes, int, float, bool, type(None), complex, type, type(copy.copy), enum.Enum)


def shape(thing):
    """All that a value is made of, in words; what was seen before is told by its number."""
    words, seen, alive = [], {}, []

    def walk(thing):
        if isinstance(thing, ATOMS) or thing == () and type(thing) is tuple:
            words.append((type(thing).__name__, hex(thing) if type(thing) is int else repr(thing)))
            return
        if id(thing) in seen:
            words.append(("seen", seen[id(thing)]))
            return
        seen[id(thing)] = len(seen)
        alive.append(thing)
        words.append(type(thing).__qualname__)
        if type(thing) in (list, tuple):
            words.append(len(thing))
            parts = thing
        elif type(thing) in (set, frozenset):
            parts = sorted(thing, key=repr)
        elif type(thing) is dict:
            words.append(len(thing))
            parts = [part for pair in thing.items() for part in pair]
        elif type(thing) is bytearray:
            parts = [bytes(thing)]
        else:
            made = list(thing.__reduce_ex__(4))
            for index in (3, 4):
                if len(made) > index and made[index] is not None:
                    made[index] = [item for item in made[index]]
            alive.append(made)
            # Temporary tuples and lists have no identity that matters.
            parts = []
            for part in made:
                parts.extend(part if type(part) in (tuple, list) else [part])
            words.append(len(parts))
        alive.append(parts)
        for part in parts:
            walk(part)

    walk(thing)
    return words


def operations(data):
    """The opcodes, but for those that may change."""
    skip = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "FRAME", "PROTO")
    return [(code.name, arg) for code, arg, _ in pickletools.genops(data) if code.name not in skip]


def inner(form, data):
    if form in ("base64", "inner"):
        outer = pickle.loads(data)
        return base64.b64decode(outer["session"] if form == "base64" else outer)
    return data


def make():
    for number, session in enumerate(sessions()):
        for form, (dump, _) in FORMS.items():
            for protocol in range(6):
                if len(session) > 1000 and (form, protocol) not in [("plain", 0), ("plain", 2), ("value", 5), ("base64", 4)]:
                    continue
                try:
                    print(number, form, protocol, dump(session, protocol).hex(), sep="|")
                except Exception:
                    # Protocols 0 and 1 have no slots; a set in itself needs protocol 4.
                    assert number in (1, 3, 4) and protocol < 4, (number, form, protocol)


def apply(session, action, key):
    if action == "set":
        session[key] = ["new", key, {"n": [1.5, None]}]
    elif action == "scalar":
        session[key] = "new text"
    elif action == "delete":
        session.pop(key)
    elif action == "move":
        session[key] = "moved" if not session.pop(key) else 0
    elif action == "mixed":
        for index, key in enumerate([key for key in session if isinstance(key, str)]):
            if index % 4 == 0:
                session[key] = "new text"
            elif index % 4 == 1:
                session.pop(key)
            elif index % 4 == 2:
                session[key] = ["new", key, {"n": [1.5, None]}]
    elif action == "all":
        for key in [key for key in session if isinstance(key, str)][1:]:
            session[key] = ["new", key, {"n": [1.5, None]}]
    elif action == "clear":
        for key in [key for key in session if isinstance(key, str)]:
            session.pop(key)


# Keys of the plain values which share a function, a class or a text with others.
SHARED = ("bytes", "array", "array0", "dict", "set", "none2")


def check():
    checked = 0
    for line in sys.stdin:
        number, form, action, key, before, after = line.rstrip("\n").split("|")
        key = bytes.fromhex(key).decode()
        before, after = bytes.fromhex(before), bytes.fromhex(after)
        load = FORMS[form][1]
        expected = load(before)
        apply(expected, action, key)
        seen = load(after)
        what = (number, form, action, key)
        assert shape(seen) == shape(expected), (what, before, after)
        if form == "plain+":
            old, new = pickle.loads(before), pickle.loads(after)
            assert list(old) == list(new) and shape(new["first"]) == shape(old["first"]) and new["third"] == old["third"], what
            if action in ("set", "scalar") and key not in ("both", "again"):
                assert ("both" in seen) == (new["first"] is new["session"].get("both")), what
        # What was kept is as it was, opcode by opcode.
        if action in ("set", "scalar", "delete") and number in "06" and form != "plain+" and key not in SHARED:
            old, new = operations(inner(form, before)), operations(inner(form, after))
            first = next((n for n, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
            old, new = old[first:][::-1], new[first:][::-1]
            last = next((n for n, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
            value = load(before).get(key)
            assert len(old) - last <= len(operations(pickle.dumps(value, 0))) + 3, (what, before, after)
            if action == "scalar" and number == "0" and form == "value" and before[-1:] == b"." and b"\x94" in before:
                # Not even the memo is counted in another way.
                assert before[-50:] == after[-50:] or key in ("\u0161", "last", "only"), what
        checked += 1
    print(checked)


def same():
    checked = 0
    for line in sys.stdin:
        form, before, after = line.rstrip("\n").split("|")
        load = FORMS[form][1]
        before, after = load(bytes.fromhex(before)), FORMS["base64"][1](bytes.fromhex(after))
        assert shape(before) == shape(after), (form, before, after)
        checked += 1
    print(checked)


def framed():
    """Both unpicklers of CPython are asked: only the one in Python minds where a frame ends."""
    checked = 0
    for line in sys.stdin:
        form, before, other, after = line.rstrip("\n").split("|")
        before, after = FORMS[form][1](bytes.fromhex(before)), bytes.fromhex(after)
        for loads in (pickle.loads, pickle._loads):
            made = loads(after)
            made = made["session"] if other in ("plain", "base64") else made
            made = loads(base64.b64decode(made)) if other in ("base64", "inner") else made
            assert shape(before) == shape(made), (form, other, after)
        checked += 1
    print(checked)


def values():
    made = {"__name__": "values"}
    with open(os.path.join(os.path.dirname(__file__), "values.py"), encoding="utf-8") as file:
        exec(file.read(), made)
    globals().update({name: value for name, value in made.items() if isinstance(value, type)})
    made["zone_info"]()
    made["markup_module"]()
    same()


if __name__ == "__main__":
    {"make": make, "check": check, "same": same, "framed": framed, "values": values}[sys.argv[1]]()
