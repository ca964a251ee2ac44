"""Makes the sessions of `data_set.py` as Beaker 1.14.1 stores them in Redis: redis_set.py FOLDER SESSIONS

Writes `redis-N.commands`, what a client would send to save them, and `redis-N.young`, the ids of those that are younger
than the cutoff, a line each.
"""

import pathlib
import pickle
import random
import sys

import data_set


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def main(folder, sessions):
    chance = random.Random(472).random
    ranks = sorted(range(sessions), key=lambda _: chance())
    name = folder / f"redis-{sessions}"
    with open(f"{name}.commands", "wb") as commands, open(f"{name}.young", "w") as young:
        for number, rank in enumerate(ranks, 1):
            _, namespace, *_, data = data_set.record(number, rank, sessions, chance)
            # Here it is the value alone, not in the dict of a namespace.
            value = pickle.dumps(pickle.loads(data)["session"])
            commands.write(command(b"SET", f"beaker_cache:{namespace}:session".encode(), value))
            if rank >= sessions * 9 // 10:
                young.write(namespace + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
