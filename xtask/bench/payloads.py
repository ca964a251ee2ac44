"""Makes payloads to decode, as database and file stores hold them: payloads.py FOLDER

One file for each kind of site. In it each payload stands behind its length in four bytes, little endian. The same payloads
each time: what looks random follows from a seed.
"""

import base64
import json
import pathlib
import pickle
import random
import sys
import zlib
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import data_set
from shop import User

WORDS = ["green tea", "kettle", "cup", "Darjeeling, first flush", "thé noir", "ąžuolo žievė", "煎茶", "gift box", "spoon"]


def base64_pickle(contents):
    """Beaker from 1.12 on."""
    return base64.b64encode(pickle.dumps(contents, 2)).decode()


def base64_json(contents):
    """The same with `data_serializer = json` (`beaker/util.py`, 1.14.1)."""
    return base64.b64encode(zlib.compress(json.dumps(contents).encode())).decode()


def namespace(value, protocol):
    return pickle.dumps({"session": value}, protocol)


def times(number):
    accessed = data_set.CUTOFF - timedelta(minutes=number)
    return {
        "_accessed_time": accessed.timestamp(),
        "_creation_time": (accessed - timedelta(hours=1)).timestamp(),
    }


def bench(chance):
    """The sessions of the listing."""
    for number in range(1000):
        *_, data = data_set.record(number, number, 1000, chance)
        yield data


def plain(chance):
    """The same sessions as Beaker before 1.12 stored them, in protocol 2."""
    for number in range(1000):
        read = data_set.accessed(number, 1000)
        yield namespace(data_set.contents(number, chance, read, read), 2)


def objects(chance):
    """Sessions with objects in them, by turns as Beaker before and since 1.12 stores them, in protocols 4 and 5."""
    for number in range(1000):
        cart = [
            {
                "article": WORDS[int(chance() * len(WORDS))],
                "price": Decimal(int(chance() * 10_000)) / 100,
                "added": datetime(2024, 1, 1 + int(chance() * 28), 12, tzinfo=timezone.utc),
                "options": ("gift", int(chance() * 3)),
            }
            for _ in range(1 + int(chance() * 4))
        ]
        contents = {
            **times(number),
            "user": User(number, f"visitor{number}@example.org", {3, 7}),
            "cart": cart,
            "last": cart[-1],
            "since": date(2020, 1, 1) + timedelta(days=number),
            "seen": datetime(2024, 1, 27, 8, 30, 0, number),
        }
        yield namespace(base64_pickle(contents) if number % 2 else contents, 4 + number // 2 % 2)


def history(chance, orders):
    return [
        {
            "order": f"{int(chance() * 1e9):09}",
            "article": WORDS[int(chance() * len(WORDS))],
            "note": " ".join(WORDS[int(chance() * len(WORDS))] for _ in range(int(chance() * 8))),
            "amount": int(chance() * 300),
            "price": round(chance() * 300, 2),
            "sent": chance() < 0.5,
        }
        for _ in range(orders)
    ]


def large(chance):
    """Sessions of 100 kB and a little more."""
    for number in range(10):
        yield namespace(base64_pickle({**times(number), "history": history(chance, 800)}), 5)


def json_(chance):
    """Sessions of the JSON serializer."""
    for number in range(1000):
        read = data_set.accessed(number, 1000)
        contents = data_set.contents(number, chance, read, read)
        contents["cart"] = history(chance, int(chance() * 4))
        yield namespace(base64_json(contents), 5)


def main(folder):
    for make in (bench, plain, objects, large, json_):
        # Of this module only `random` itself is promised to be the same for ever.
        payloads = make(random.Random(472).random)
        with open(folder / make.__name__.strip("_"), "wb") as file:
            for payload in payloads:
                file.write(len(payload).to_bytes(4, "little") + payload)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
