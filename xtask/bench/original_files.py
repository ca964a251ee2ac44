"""Does what BeakerHelpers 0.1 does, which knew databases only, with files: original_files.py sessions FOLDER, or
original_files.py cleanup FOLDER CUTOFF
"""

import os
import sys
from datetime import datetime, timezone

from original import show_sessions


def files(folder):
    for path, _, names in os.walk(os.path.join(folder, "container_file")):
        for name in names:
            if name.endswith(".cache"):
                path_of_file = os.path.join(path, name)
                yield os.stat(path_of_file).st_mtime_ns, path_of_file


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(command, folder, *cutoff):
    if command == "sessions":
        print(show_sessions(read(path) for _, path in sorted(files(folder))))
        return
    cutoff = datetime.fromisoformat(*cutoff).replace(tzinfo=timezone.utc).timestamp() * 1e9
    for modified, path in files(folder):
        if modified < cutoff:
            os.remove(path)


main(*sys.argv[1:])
