"""Does what BeakerHelpers 0.1 does, in its way, on Python 3: original.py sessions URL, or original.py cleanup URL CUTOFF

One change was needed: since 1.12.0 Beaker stores a session pickled and in base64, and 0.1 expects a dict.
"""

import base64
import pickle
import sys
from datetime import datetime

import sqlalchemy as sa


def get_sessions(records):
    sessions = []
    for data in records:
        session = pickle.loads(data).get("session", {})
        if isinstance(session, str):
            session = pickle.loads(base64.b64decode(session))
        if not session:
            continue
        for key, value in session.items():
            times = key in ("_accessed_time", "_creation_time")
            session[key] = datetime.fromtimestamp(value) if times else str(value)
        sessions.append(session)
    return sessions


def show_sessions(records):
    sessions = get_sessions(records)
    if not sessions:
        return "No sessions found"
    widths = {}
    for session in sessions:
        for key, value in session.items():
            if isinstance(value, datetime):
                value = session[key] = value.strftime("%Y-%m-%d %H:%M:%S")
            widths[key] = max(widths.get(key, len(key)), len(value))
    keys = sorted(widths)
    formats = {key: f"%{widths[key]}s" for key in keys}
    header = " | ".join(formats[key] % key for key in keys)
    dashes = "-" * len(header)
    lines = [dashes, header, dashes]
    for session in sessions:
        lines.append(" | ".join(formats[key] % session.get(key) for key in keys))
    lines.append(dashes)
    return "\n".join(lines)


def cleanup_sessions(connection, table, cutoff):
    connection.execute(table.delete().where(table.c.accessed < cutoff))


def main(command, url, *cutoff):
    engine = sa.create_engine(url)
    table = sa.Table("beaker_cache", sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        if command == "sessions":
            records = connection.execute(sa.select(table).order_by(table.c.accessed)).fetchall()
            print(show_sessions(record.data for record in records))
        else:
            cleanup_sessions(connection, table, datetime.fromisoformat(*cutoff))


if __name__ == "__main__":
    main(*sys.argv[1:])
