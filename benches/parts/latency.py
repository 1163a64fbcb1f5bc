"""C: time from MQTT publish to committed ticket."""

import json
import shutil
import subprocess

from . import common, sensors


def run(folder, load):
    api_port = common.free_port()
    with sensors.broker(folder) as (_, port):
        text = sensors.configuration(folder, port, api_port)
        with common.start_gateway(folder, text, api_port, load.get("binary")) as gateway:
            sensors.wait_until(lambda: common.metrics(api_port).get("outpost_mqtt_session_up", 0) == 1)
            sensors.publish(folder, port, 0, load["warm"], 0, load["period"])
            committed = lambda: common.metrics(api_port).get("outpost_messages_committed_total", 0)
            sensors.wait_until(lambda: committed() >= load["warm"])
            sensors.wait_until(lambda: common.metrics(api_port).get("outpost_outbox_deliveries", 0) == 0)
            words = [common.target("sides"), "latency", port, folder / "data", load["warm"], load["n"], load["rate"], load["period"]]
            cpu_s = gateway.cpu_s()
            done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, cwd=folder)
            return json.loads(done.stdout) | dict(cpu_s=gateway.cpu_s() - cpu_s)


def measure(work, rounds, loads, say):
    rows = {load["rate"]: [] for load in loads}
    for number in range(rounds):
        for load in loads:
            folder = work / f"c-{number}-{load['rate']}"
            folder.mkdir(parents=True)
            before = common.load()
            row = run(folder, load) | dict(load=before)
            rows[load["rate"]].append(row)
            say(f"round {number + 1}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
            shutil.rmtree(folder, ignore_errors=True)
    return rows


def report(rows):
    lines = []
    for rate, runs in rows.items():
        of = lambda key, digits=1: common.spread((run[key] for run in runs), digits)
        lines.append([f"{rate:,}", of("p50_ms"), of("p90_ms"), of("p99_ms"), of("max_ms"), runs[0]["tickets"],
                      sum(run["lost"] for run in runs), of("publisher_behind_max_ms"), of("load")])
    head = ["messages/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "tickets a run", "lost", "publisher late by at most, ms",
            "load before"]
    return common.table(head, lines)
