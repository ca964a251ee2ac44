"""Copies sessions of data_set.py into files as Beaker 1.14.1 keeps them: files.py FILE FOLDER

With the lock file that it makes for each. In the order of their ids, which is none of their times or names.
"""

import hashlib
import os
import shutil
import sqlite3
import sys
from datetime import datetime, timezone


def make(folder, name, extension, data):
    folder = os.path.join(folder, name[0], name[:2])
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name + extension)
    with open(path, "wb") as file:
        file.write(data)
    return path


def nanoseconds(accessed):
    since = datetime.fromisoformat(accessed).replace(tzinfo=timezone.utc) - datetime.fromtimestamp(0, timezone.utc)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def main(path, folder):
    shutil.rmtree(folder, ignore_errors=True)
    rows = sqlite3.connect(path).execute("SELECT namespace, accessed, data FROM beaker_cache ORDER BY id")
    for namespace, accessed, data in rows:
        session = make(os.path.join(folder, "container_file"), namespace, ".cache", data)
        os.utime(session, ns=(nanoseconds(accessed),) * 2)
        lock = hashlib.sha1(namespace.encode()).hexdigest()
        make(os.path.join(folder, "container_file_lock"), lock, ".lock", b"")


main(*sys.argv[1:])
