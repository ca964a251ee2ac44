"""Makes a table with rows in the form of the original's own tests: original.py, JSON on standard input.

`path` of the SQLite file, `table`, and `rows`, each `[namespace, age in seconds, session]`. `session` is the text of a
dict, in which `accessed` is the row's time in seconds since the epoch, or null for a row with no data at all. Prints
the instant that the ages count from.
"""

import pickle
import sqlite3
import time
from datetime import datetime

from beaker_site import read_input, write_output
from values import value


def main():
    task = read_input()
    now = time.time()
    database = sqlite3.connect(task["path"])
    table = '"%s"' % task["table"].replace('"', '""')
    # As Beaker 1.14.1 with SQLAlchemy 2.1.9 creates it.
    database.execute(
        "CREATE TABLE IF NOT EXISTS %s (id INTEGER NOT NULL, namespace VARCHAR(255) NOT NULL,"
        " accessed DATETIME NOT NULL, created DATETIME NOT NULL, data BLOB NOT NULL,"
        " PRIMARY KEY (id), UNIQUE (namespace))" % table
    )
    for namespace, age, session in task["rows"]:
        accessed = now - age
        local = datetime.fromtimestamp(accessed).strftime("%Y-%m-%d %H:%M:%S.%f")
        data = b""
        if session is not None:
            data = pickle.dumps({"session": value(session, accessed=accessed)}, protocol=2)
        database.execute(
            "INSERT INTO %s (namespace, accessed, created, data) VALUES (?, ?, ?, ?)" % table,
            (namespace, local, local, data),
        )
    database.commit()
    database.close()
    write_output(now)


main()
