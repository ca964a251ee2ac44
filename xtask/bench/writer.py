"""An application that saves sessions while something else happens: writer.py URL CUTOFF SAVES SECONDS

Real Beaker loads a session that is younger than the cutoff and saves it, another one each time, with a pause of so many
seconds after each. Prints `ready` once it is warm, and goes on until so many were saved or the standard input ends,
where SAVES is 0 until that alone. In Redis, whose URL begins with `unix:`, CUTOFF is a file of the ids of those that are
younger. Then prints how long each save took in seconds, those that failed too, the same for
loading, what failed, and how many sessions are not as they were saved last.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from datetime import datetime

import sqlalchemy as sa
from beaker.session import Session

WARM = 100


class Application:
    def __init__(self, url, cutoff):
        self.url = url
        engine = sa.create_engine(url)
        columns = sa.Table("beaker_cache", sa.MetaData(), autoload_with=engine).c
        young = sa.select(columns.namespace).where(columns.accessed >= datetime.fromisoformat(cutoff))
        with engine.connect() as connection:
            self.namespaces = sorted(connection.execute(young).scalars())
        self.chance = random.Random(472).random
        self.saved, self.loads, self.saves, self.errors = {}, [], [], Counter()

    def request(self, number):
        namespace = self.namespaces[int(self.chance() * len(self.namespaces))]
        times = self.loads
        started = time.perf_counter()
        try:
            session = self.load(namespace)
            self.loads.append(time.perf_counter() - started)
            session["visits"] = number
            times = self.saves
            started = time.perf_counter()
            session.save()
            self.saves.append(time.perf_counter() - started)
            self.saved[namespace] = number
        except sa.exc.SQLAlchemyError as error:
            times.append(time.perf_counter() - started)
            self.errors[str(getattr(error, "orig", error))] += 1

    def forget(self):
        """What was measured so far."""
        self.loads, self.saves, self.errors = [], [], Counter()

    def load(self, namespace):
        return Session({}, id=namespace, use_cookies=False, type="ext:database", url=self.url)

    def lost(self):
        """How many sessions are gone or older than when they were saved last."""
        return sum(self.load(namespace).get("visits", -1) < number for namespace, number in self.saved.items())


class OnRedis(Application):
    def __init__(self, url, young):
        self.url = url
        with open(young) as lines:
            self.namespaces = lines.read().split()
        self.chance = random.Random(472).random
        self.saved, self.loads, self.saves, self.errors = {}, [], [], Counter()

    def load(self, namespace):
        return Session({}, id=namespace, use_cookies=False, type="ext:redis", url=self.url)


def main(url, cutoff, saves, pause):
    application = (OnRedis if url.startswith("unix:") else Application)(url, cutoff)
    for number in range(WARM):
        application.request(number)
    application.forget()
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    print("ready", flush=True)
    number = WARM
    while not stop.is_set() and not 0 < saves <= len(application.saves):
        application.request(number)
        number += 1
        stop.wait(pause)
    report = {
        "saves": application.saves,
        "loads": application.loads,
        "errors": application.errors,
        "lost": application.lost(),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
