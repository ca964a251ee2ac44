"""Makes an SQLite file of sessions as Beaker 1.14.1 stores them: data_set.py FILE SESSIONS

The same sessions each time: the times are fixed, and what looks random follows from a seed. The youngest tenth was accessed
on the last days of January 2024, the rest before the 28th.
"""

import base64
import pickle
import random
import sqlite3
import sys
from datetime import datetime, timedelta, timezone

# As SQLAlchemy 2.1.9 sends it for the table of Beaker 1.14.1.
TABLE = """\
CREATE TABLE beaker_cache (
	id INTEGER NOT NULL, 
	namespace VARCHAR(255) NOT NULL, 
	accessed DATETIME NOT NULL, 
	created DATETIME NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (namespace)
)"""

CUTOFF = datetime(2024, 1, 28, tzinfo=timezone.utc)
OLD = timedelta(days=27)
# A command line says how long ago the cutoff is, in seconds, and starts a little later.
GAP = timedelta(hours=1)
YOUNG = timedelta(days=3) - GAP

LANGUAGES = ["en", "de", "lt", "fr", "ja"]
SOURCES = ["search", "letter", "direct", "friend"]


def accessed(rank, sessions):
    """The time of the session of this rank, from the oldest: no two are the same."""
    old = sessions * 9 // 10
    if rank < old:
        return CUTOFF - OLD * (old - rank) / (old + 1)
    return CUTOFF + GAP + YOUNG * (rank - old) / (sessions - old)


def contents(number, chance, created, read):
    """The session of one visitor: what Beaker keeps there itself, in its order, and eight keys of an application."""
    user = 100_000 + int(chance() * 900_000)
    return {
        "_domain": None,
        "_path": "/",
        "_creation_time": created.timestamp(),
        "_accessed_time": read.timestamp(),
        "user_id": user,
        "user_name": f"visitor{user}@example.org",
        "language": LANGUAGES[int(chance() * len(LANGUAGES))],
        "source": SOURCES[int(chance() * len(SOURCES))],
        "is_admin": chance() < 0.01,
        "pages": int(chance() * 200),
        "total": round(chance() * 300, 2),
        "cart": f"{int(chance() * 5)} x TEA-100, 1 x MUG-3, order {number:07}",
    }


def record(number, rank, sessions, chance):
    read = accessed(rank, sessions)
    created = read - timedelta(seconds=int(chance() * 86_400))
    # What Beaker pickles itself, then what SQLAlchemy pickles around it.
    inner = base64.b64encode(pickle.dumps(contents(number, chance, created, read), 2)).decode()
    data = pickle.dumps({"session": inner}, 5)
    namespace = "".join(f"{int(chance() * 65_536):04x}" for _ in range(8))
    return number, namespace, column(read), column(created), data


def column(time):
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")


def main(path, sessions):
    # Of this module only `random` itself is promised to be the same for ever: no `shuffle`.
    chance = random.Random(472).random
    ranks = sorted(range(sessions), key=lambda _: chance())
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN")
    database.execute(TABLE)
    records = (record(number, rank, sessions, chance) for number, rank in enumerate(ranks, 1))
    database.executemany("INSERT INTO beaker_cache VALUES (?, ?, ?, ?, ?)", records)
    database.execute("COMMIT")
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
