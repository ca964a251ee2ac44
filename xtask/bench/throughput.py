"""Decodes payloads again and again and prints how many sessions that is in a second: throughput.py FILE SECONDS

What Beaker does, and nothing else: `pickle.loads`, which is CPython's in C, and where the session is a text, base64 and
`pickle.loads` or zlib and JSON. The payloads are in memory, and the garbage collector is off.
"""

import gc
import json
import pathlib
import sys
import zlib
from base64 import b64decode
from pickle import loads
from time import perf_counter


def read(path):
    data = pathlib.Path(path).read_bytes()
    at, payloads = 0, []
    while at < len(data):
        start = at + 4
        at = start + int.from_bytes(data[at:start], "little")
        payloads.append(data[start:at])
    return payloads


def pickles(payloads):
    for payload in payloads:
        value = loads(payload)["session"]
        if value.__class__ is str:
            loads(b64decode(value))


def jsons(payloads):
    for payload in payloads:
        json.loads(zlib.decompress(b64decode(loads(payload)["session"])).decode("utf-8"))


def main(path, seconds):
    payloads = read(path)
    first = loads(payloads[0])["session"]
    decode = jsons if isinstance(first, str) and b64decode(first)[0] == 0x78 else pickles
    # Warms up, and fails where it cannot be done.
    decode(payloads)
    gc.disable()
    rounds, start = 0, perf_counter()
    while True:
        decode(payloads)
        rounds += 1
        taken = perf_counter() - start
        if taken >= seconds:
            break
    print(rounds * len(payloads) / taken)


main(sys.argv[1], float(sys.argv[2]))
