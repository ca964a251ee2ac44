"""Copies sessions of data_set.py into a table that real Beaker makes on a server: load.py FILE URL

In the order of their ids, as the database's own way to load many rows takes them.
"""

import sqlite3
import sys
import tempfile

import sqlalchemy as sa
from beaker.ext.database import DatabaseNamespaceManager

COLUMNS = "id, namespace, accessed, created, data"
# What LOAD DATA and COPY would take for something else.
ESCAPES = {ord("\\"): "\\\\", ord("\t"): "\\t", ord("\n"): "\\n", 0: "\\0"}


def rows(path):
    return sqlite3.connect(path).execute(f"SELECT {COLUMNS} FROM beaker_cache ORDER BY id")


class Lines:
    """The rows as COPY reads them."""

    def __init__(self, path):
        self.rows = rows(path)

    def read(self, size):
        # Whole lines, about so many characters: psycopg2 sends on whatever it gets.
        lines, room = [], size
        for row in self.rows:
            line = "\t".join(map(str, row[:4])) + "\t\\\\x" + row[4].hex() + "\n"
            lines.append(line)
            room -= len(line)
            if room <= 0:
                break
        return "".join(lines)


def load_postgresql(connection, path):
    cursor = connection.cursor()
    cursor.copy_expert(f"COPY beaker_cache ({COLUMNS}) FROM STDIN", Lines(path))
    cursor.execute("SELECT setval(pg_get_serial_sequence('beaker_cache', 'id'), max(id)) FROM beaker_cache")


def load_mysql(connection, path):
    with tempfile.NamedTemporaryFile() as file:
        for row in rows(path):
            data = row[4].decode("latin-1").translate(ESCAPES).encode("latin-1")
            file.write("\t".join(map(str, row[:4])).encode() + b"\t" + data + b"\n")
        file.flush()
        connection.cursor().execute(
            f"LOAD DATA LOCAL INFILE %s INTO TABLE beaker_cache CHARACTER SET binary ({COLUMNS})", (file.name,)
        )


def main(path, url):
    # This alone makes the table.
    DatabaseNamespaceManager("", url=url)
    url = sa.make_url(url)
    mysql = url.get_backend_name() == "mysql"
    engine = sa.create_engine(url, connect_args={"local_infile": True} if mysql else {})
    connection = engine.raw_connection()
    (load_mysql if mysql else load_postgresql)(connection, path)
    connection.commit()
    connection.close()


main(*sys.argv[1:])
