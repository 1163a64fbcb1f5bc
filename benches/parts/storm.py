"""L: tickets of others while one source tells ten thousand alerts in a minute."""

import contextlib
import sqlite3
import subprocess
import threading
import time

from . import common

ALERTS = 10_000
SECONDS = 60
#: Other sources, and after how long each has its next alert: too seldom for a storm of their own.
OTHERS = 20
EVERY_S = 3
#: The database is read this often: a time is at most so much, and a query, too high.
LOOK_S = 0.005
#: Tickets that have not come by this long after the last message are lost.
PATIENCE_S = 20

CONFIGURATION = """
[api]
listen = "127.0.0.1:{api_port}"

[store]
folder = "{data}"

[[brokers]]
id = "bench"
host = "127.0.0.1"
port = {port}

[[feeds]]
id = "contacts"
broker = "bench"
topics = ["contact/+"]
source = "contact/{{1}}"
format = {{ kind = "number", metric = "open" }}

[[rules]]
id = "opened"
sources = ["contact/+"]
detect = {{ kind = "threshold", metric = "open", above = 0.5 }}
severity = "minor"
"""


def publish(port, source, n, gap_s, begun, told):
    """Opens and closes a contact n times, evenly; notes when each opening was written."""
    command = ["mosquitto_pub", "-p", str(port), "-q", "1", "-t", f"contact/{source}", "-l"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as publisher:
        for number in range(n):
            time.sleep(max(0.0, begun + number * gap_s - time.monotonic()))
            told.append(time.monotonic())
            publisher.stdin.write("1\n0\n")
            publisher.stdin.flush()


def seen(database, wanted, until):
    """When each source's own tickets were there, in the order of their numbers."""
    times, last = {}, 0
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)) as store:
        while sum(map(len, times.values())) < wanted and time.monotonic() < until():
            for last, source in store.execute("SELECT no, source FROM ticket WHERE no > ? ORDER BY no", (last,)).fetchall():
                if not source.endswith("/storm"):
                    times.setdefault(source, []).append(time.monotonic())
            time.sleep(LOOK_S)
        storms = store.execute("SELECT no, n_alerts, storm FROM ticket WHERE storm IS NOT NULL").fetchall()
        members = store.execute("SELECT count(*) FROM member JOIN ticket ON no = ticket WHERE source = 'contact/storm'").fetchone()[0]
        tickets = store.execute("SELECT count(*) FROM ticket WHERE source = 'contact/storm'").fetchone()[0]
    return times, storms, members, tickets


def measure(work, binary):
    folder = work / "l-storm"
    folder.mkdir(parents=True)
    api_port = common.free_port()
    broker, port = common.start_mosquitto(folder)
    text = CONFIGURATION.format(api_port=api_port, data=folder / "data", port=port)
    with broker, common.start_gateway(folder, text, api_port, binary):
        while common.metrics(api_port).get("outpost_mqtt_session_up", 0) < 1:
            time.sleep(0.1)
        begun, told = time.monotonic() + 1, {f"contact/{n}": [] for n in range(OTHERS)}
        jobs = [("storm", ALERTS, SECONDS / ALERTS, begun, [])]
        jobs += [(n, SECONDS // EVERY_S, EVERY_S, begun + n * EVERY_S / OTHERS, told[f"contact/{n}"]) for n in range(OTHERS)]
        threads = [threading.Thread(target=publish, args=(port, *job)) for job in jobs]
        for thread in threads:
            thread.start()
        until = lambda: begun + SECONDS + PATIENCE_S
        times, storms, members, tickets = seen(folder / "data" / "outpost.db", OTHERS * (SECONDS // EVERY_S), until)
        for thread in threads:
            thread.join()
        time.sleep(1)
        _, storms, members, tickets = seen(folder / "data" / "outpost.db", 0, until)
    late_ms = sorted(1e3 * (at - when) for source in told for when, at in zip(told[source], times.get(source, [])))
    lost = OTHERS * (SECONDS // EVERY_S) - len(late_ms)
    return dict(late_ms=late_ms, lost=lost, storms=storms, alerts=members, tickets=tickets)


def report(row):
    at = lambda share: f"{row['late_ms'][round((len(row['late_ms']) - 1) * share)]:.1f}"
    counter = ", ".join(f"T-{no}: {n}" for no, n, _ in row["storms"])
    line = [ALERTS, row["alerts"], counter, len(row["late_ms"]), row["lost"], at(0.5), at(0.99), at(1)]
    return common.table(["alerts of one source in a minute", "kept", "its storm, counted", "tickets of others", "lost", "p50 ms", "p99 ms", "max ms"], [line])
