"""E: CPU of the gateway per million messages that devices publish to its own listener, beside a broker with Node-RED."""

import re
import subprocess

from . import common, sensors

BROKER = re.compile(r"\[\[brokers\]\].*?(?=\[\[feeds\]\])", re.DOTALL)
RECEIVER = re.compile(r"\[\[receivers\]\].*", re.DOTALL)

LISTENER = """
[[listeners]]
id = "bench"
listen = "127.0.0.1:{port}"
anonymous = ["site/#"]
"""

# The third rule of each device; nothing of the job makes it true.
THIRD_RULE = """
[[rules]]
id = "cold"
sources = ["dev/+"]
detect = {{ kind = "threshold", metric = "temp", below = -20.0, clear = -15.0, unit = "Cel" }}
severity = "minor"
"""

CONFIGURATION = RECEIVER.sub("", BROKER.sub(lambda _: LISTENER, sensors.CONFIGURATION)) + THIRD_RULE


def flood(folder, port, load, first, n):
    """CPU-seconds of the generator, and wall time."""
    words = [common.target("sides"), "flood", port, load["connections"], first, n, load["window"], load["period"]]
    done = subprocess.run([str(word) for word in words], check=True, cwd=folder, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.split()[1:]]


def run_gateway(folder, load):
    port, api_port = common.free_port(), common.free_port()
    configuration = sensors.configuration(folder, port, api_port, CONFIGURATION)
    with common.start_gateway(folder, configuration, api_port, load.get("binary")) as gateway:
        committed = lambda: common.metrics(api_port).get("outpost_messages_committed_total", 0)
        flood(folder, port, load, 0, load["warm"])
        sensors.wait_until(lambda: committed() >= load["warm"])
        before, cpu_s = common.metrics(api_port), gateway.cpu_s()
        generator_s, wall_s = flood(folder, port, load, load["warm"], load["n"])
        row = dict(cpu_s=gateway.cpu_s() - cpu_s, wall_s=wall_s, generator_cpu_s=generator_s, rss_mb=gateway.rss_mb())
        after = common.metrics(api_port)
        gained = lambda name: after.get(name, 0) - before.get(name, 0)
        assert gained("outpost_messages_committed_total") == load["n"], "what is acknowledged is committed"
        row.update(tickets=gained("outpost_tickets_opened_total"), commits=gained("outpost_commits_total"))
        return row


def run_floor(folder, load):
    command = [common.target("sides"), "listen", load["warm"], load["n"]]
    with common.Process("floor-listener", command, folder, stdout=subprocess.PIPE) as floor:
        port = int(floor.child.stdout.readline().split()[1])
        flood(folder, port, load, 0, load["warm"])
        assert floor.child.stdout.readline().startswith("done")
        generator_s, wall_s = flood(folder, port, load, load["warm"], load["n"])
        cpu_s = float(floor.child.stdout.readline().split()[1])
        return dict(cpu_s=cpu_s, wall_s=wall_s, generator_cpu_s=generator_s)


SIDES = {
    "gateway: own listener": run_gateway,
    "floor: listener": run_floor,
    "gateway behind Mosquitto": sensors.run_gateway,
    "Node-RED behind Mosquitto": sensors.run_node_red,
}


def report(rows):
    own = rows.get("gateway: own listener")
    lines = []
    for side, runs in rows.items():
        of = lambda key: common.spread(run[key] / run["cpu_s"] * run["per_million"] for run in runs)
        # What the broker costs is part of what it costs to be behind one.
        whole = lambda run: (run["cpu_s"] + run.get("broker_cpu_s", 0)) / run["cpu_s"] * run["per_million"]
        ratio = "1" if side == "gateway: own listener" or not own else common.spread(
            whole(run) / whole(mine) for run, mine in zip(runs, own))
        optional = lambda key, form: form(key) if key in runs[0] else "–"
        rate = common.spread((run["rate"] / 1000 for run in runs), 1)
        lines.append([side, common.spread(run["per_million"] for run in runs), optional("broker_cpu_s", of), ratio,
                      optional("generator_cpu_s", of), rate, optional("rss_mb", lambda key: f"{runs[0][key]:.0f}"),
                      optional("tickets", lambda key: f"{runs[0][key]:.0f}")])
    head = ["side", "CPU-s per million", "Mosquitto's", "both, times the listener's", "generator's", "thousand messages/s",
            "MB", "opened"]
    return common.table(head, lines)
