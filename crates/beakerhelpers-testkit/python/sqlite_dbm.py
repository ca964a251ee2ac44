"""What `dbm.sqlite3` of Python 3.13 does to its file, for older releases of Python: the same statements, in the same mode of
SQLite (`Lib/dbm/sqlite3.py`, CPython 3.13)."""

import contextlib
import pathlib
import sqlite3


class Database:
    def __init__(self, path, flag):
        mode = {"r": "ro", "w": "rw", "c": "rwc"}[flag]
        if mode == "rwc":
            pathlib.Path(path).touch()
        uri = pathlib.Path(path).absolute().as_uri() + "?mode=" + mode
        try:
            self.connection = sqlite3.connect(uri, isolation_level=None, uri=True)
        except sqlite3.Error as error:
            raise OSError(str(error))
        with contextlib.suppress(sqlite3.OperationalError):
            self.connection.execute("PRAGMA journal_mode = wal")
        if mode == "rwc":
            self.connection.execute("CREATE TABLE IF NOT EXISTS Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)")

    def __getitem__(self, key):
        row = self.connection.execute("SELECT value FROM Dict WHERE key = CAST(? AS BLOB)", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return row[0]

    def __setitem__(self, key, value):
        statement = "REPLACE INTO Dict (key, value) VALUES (CAST(? AS BLOB), CAST(? AS BLOB))"
        self.connection.execute(statement, (key, value))

    def __delitem__(self, key):
        if self.connection.execute("DELETE FROM Dict WHERE key = CAST(? AS BLOB)", (key,)).rowcount == 0:
            raise KeyError(key)

    def keys(self):
        return [row[0] for row in self.connection.execute("SELECT key FROM Dict")]

    def __contains__(self, key):
        with contextlib.suppress(KeyError):
            self[key]
            return True
        return False

    def close(self):
        self.connection.close()


def open(path, flag="r", mode=0o666):
    return Database(path, flag)
