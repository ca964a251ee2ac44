"""Writes inputs for the fuzzer to begin with: seeds.py ROOT FOLDER, on standard input what tests/data/values.py prints.

They are the recorded stores, whole and taken apart, and values as CPython pickles them. No pickle is loaded: the recorded
stores hold hostile ones. The same files each time, each named after its contents.
"""

import base64
import binascii
import dbm.dumb
import hashlib
import json
import pathlib
import pickletools
import sqlite3
import sys
import zlib

# A fuzzer does best with short inputs.
LONGEST = 4096
# Of what values.py prints, every so many.
STEP = 13


def recorded(corpus):
    """What the recorded stores hold of each session."""
    for path in sorted(corpus.glob("*/sessions.db")):
        database = sqlite3.connect(path.as_uri() + "?mode=ro&immutable=1", uri=True)
        for (data,) in database.execute("SELECT data FROM beaker_cache ORDER BY namespace"):
            yield bytes(data) if isinstance(data, bytes) else str(data).encode()
        database.close()
    for path in sorted(corpus.glob("*/data/container_file/*/*/*.cache")):
        yield path.read_bytes()
    for path in sorted(corpus.glob("*/data/container_dbm/*/*/*.dbm.dat")):
        with dbm.dumb.open(str(path.with_suffix("")), "r") as database:
            yield from (database[key] for key in sorted(database.keys()))


def texts(pickle):
    """The longer strings in a pickle, as far as it is one."""
    try:
        for _, argument, _ in pickletools.genops(pickle):
            if isinstance(argument, (str, bytes)) and len(argument) > 40:
                yield argument if isinstance(argument, bytes) else argument.encode("utf-8", "surrogatepass")
    except Exception:
        # pickletools has no word for what is wrong; the damaged ones are wanted too.
        return


def changed(payload):
    """Sessions to change. The first byte says how: remove a key, or set it."""
    for which in (len(payload) % 64, 64 + len(payload) % 64):
        yield "edit", bytes([which]) + payload


def parts(payload):
    """The targets that take this payload, and those that take what is in it."""
    yield "framing", payload
    yield "pickle", payload
    yield from changed(payload)
    for text in texts(payload):
        yield "cookie", text
        # The first byte says how Beaker is configured.
        yield "cipher", b"\0" + text
        try:
            inner = base64.b64decode(text, validate=True)
        except binascii.Error:
            continue
        yield "framing", inner
        if inner[:1] == b"\x80":
            yield "pickle", inner
            yield from changed(inner)
        try:
            yield "json_zlib", zlib.decompress(inner)
            yield "json_zlib", inner
        except zlib.error:
            pass


def values(lines):
    """Values in sessions, at each protocol by turns."""
    for line in lines[::STEP]:
        pickle = bytes.fromhex(line.split("|")[1])
        yield "pickle", pickle
        yield from changed(pickle)
        # Two bytes say where the text is cut off.
        yield "text", b"\x20\x00" + pickle


def documents():
    """Sessions as Python writes them in JSON, and what zlib makes of them."""
    session = {"_accessed_time": 1795205221.5, "_domain": None, "a": [True, False, {"b": [[], {}]}], "n": [0, -1, 1 << 70]}
    texts = {"t": "\u0105\u3042\U0001f600 \ud800 \" \\ \n", "f": [1e300, -0.0, 1e-7, float("inf"), float("nan")]}
    for document in (session, texts, {**session, **texts}, {"a": [0] * 1000}, {}, []):
        for ascii in (True, False):
            text = json.dumps(document, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
            yield "json_zlib", text
            yield "json_zlib", zlib.compress(text)


def main(root, folder):
    corpus = root / "crates/beakerhelpers-testkit/corpus"
    seeds = [part for payload in recorded(corpus) for part in parts(payload)]
    seeds += documents()
    seeds += values(sys.stdin.read().splitlines())
    for target, contents in seeds:
        if len(contents) <= LONGEST:
            path = folder / target / hashlib.sha256(contents).hexdigest()[:16]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents)


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
