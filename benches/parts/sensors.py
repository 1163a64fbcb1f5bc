"""A: CPU of the gateway per million sensor messages, beside Node-RED and beside clients that only acknowledge."""

import contextlib
import json
import math
import shutil
import subprocess
import time

from . import common

CENTRE = (106.05, 29.84)
DEVICES = 1000
NODE_RED = "node-red@4"

CONFIGURATION = """
[api]
listen = "127.0.0.1:{api_port}"

[store]
folder = "{data}"

[[brokers]]
id = "bench"
host = "127.0.0.1"
port = {port}
client_id = "outpost-bench"

[[feeds]]
id = "devices"
broker = "bench"
topics = ["site/+/dev/+"]
source = "dev/{{3}}"

[feeds.format]
kind = "json"
time = {{ pointer = "/ts", unit = "ms" }}
position = {{ lon = "/lon", lat = "/lat" }}
readings = [{{ metric = "temp", value = "/temp", unit = "Cel" }}]

[[fences]]
file = "fence.geojson"

[[rules]]
id = "hot"
sources = ["dev/+"]
detect = {{ kind = "threshold", metric = "temp", above = 39.0, clear = 37.0, unit = "Cel" }}
severity = "severe"

[[rules]]
id = "inside"
sources = ["dev/+"]
detect = {{ kind = "enter", fence = "yard" }}
severity = "moderate"

[[receivers]]
id = "centre"
to = {{ kind = "mqtt", broker = "bench", topic = "out/outpost" }}
"""

# What Node-RED does with each message: the same threshold with the same way back, the same polygon.
FUNCTION = """
const p = msg.payload;
if (p.end) return {topic: 'out/node-red/end', payload: 'end'};
let devices = context.get('devices');
if (!devices) { devices = {}; context.set('devices', devices); }
const d = devices[p.dev] || (devices[p.dev] = {hot: false, inside: false});
const out = [];
const tell = (what) => out.push({topic: 'out/node-red/' + what,
    payload: JSON.stringify({what: what, dev: p.dev, ts: p.ts, temp: p.temp, lon: p.lon, lat: p.lat})});
if (!d.hot && p.temp > 39.0) { d.hot = true; tell('opened'); }
else if (d.hot && p.temp <= 37.0) { d.hot = false; tell('cleared'); }
const F = RING;
let inside = false;
for (let i = 0, j = F.length - 1; i < F.length; j = i++) {
    if ((F[i][1] > p.lat) !== (F[j][1] > p.lat)
        && p.lon < (F[j][0] - F[i][0]) * (p.lat - F[i][1]) / (F[j][1] - F[i][1]) + F[i][0]) inside = !inside;
}
if (inside !== d.inside) { d.inside = inside; tell(inside ? 'opened' : 'cleared'); }
return out.length ? [out] : null;
"""


def ring():
    """Twelve corners about the centre, none of them at a device's place."""
    radius = lambda corner: 0.010 if corner % 2 else 0.008
    angle = lambda corner: math.tau * (corner + 0.3) / 12
    corners = [
        [round(CENTRE[0] + radius(n) * math.cos(angle(n)), 6), round(CENTRE[1] + radius(n) * math.sin(angle(n)), 6)]
        for n in range(12)
    ]
    return corners + corners[:1]


def configuration(folder, port, api_port, text=CONFIGURATION):
    geometry = {"type": "Polygon", "coordinates": [ring()]}
    feature = {"type": "Feature", "id": "yard", "properties": {"name": "yard"}, "geometry": geometry}
    (folder / "fence.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return text.format(port=port, api_port=api_port, data=folder / "data")


def publish(folder, port, first, n, rate, period, last=False):
    words = [common.target("sides"), "publish", port, first, n, rate, period] + (["last"] if last else [])
    subprocess.run([str(word) for word in words], check=True, cwd=folder)


@contextlib.contextmanager
def broker(folder):
    process, port = common.start_mosquitto(folder)
    with process:
        yield process, port


def run_gateway(folder, load):
    api_port = common.free_port()
    with broker(folder) as (mosquitto, port):
        with common.start_gateway(folder, configuration(folder, port, api_port), api_port, load.get("binary")) as gateway:
            observer = common.Observer(port)
            committed = lambda: common.metrics(api_port).get("outpost_messages_committed_total", 0)
            wait_until(lambda: common.metrics(api_port).get("outpost_mqtt_session_up", 0) == 1)
            publish(folder, port, 0, load["warm"], 0, load["period"])
            wait_until(lambda: committed() >= load["warm"])
            drain(observer)
            before, cpu_s, broker_s, begun = common.metrics(api_port), gateway.cpu_s(), mosquitto.cpu_s(), time.monotonic()
            told = dict(observer.counts)
            publish(folder, port, load["warm"], load["n"], load["rate"], load["period"])
            wait_until(lambda: committed() >= load["warm"] + load["n"])
            wall_s = time.monotonic() - begun
            drain(observer)
            row = dict(cpu_s=gateway.cpu_s() - cpu_s, wall_s=wall_s, broker_cpu_s=mosquitto.cpu_s() - broker_s)
            after = common.metrics(api_port)
            gained = lambda name: after.get(name, 0) - before.get(name, 0)
            row.update(
                rss_mb=gateway.rss_mb(),
                tickets=gained("outpost_tickets_opened_total"),
                commits=gained("outpost_commits_total"),
                rejected=gained("outpost_messages_rejected_total"),
                told=observer.counts.get("out/outpost", 0) - told.get("out/outpost", 0),
            )
            return row


def run_node_red(folder, load):
    home = folder / "node-red-home"
    home.mkdir()
    with broker(folder) as (mosquitto, port):
        (home / "flows.json").write_text(json.dumps(flow(port)))
        (home / "settings.js").write_text(
            "module.exports={flowFile:'flows.json',httpAdminRoot:false,httpNodeRoot:false,uiHost:'127.0.0.1',"
            f"uiPort:{common.free_port()},logging:{{console:{{level:'warn'}}}},telemetry:{{enabled:false}}}}"
        )
        script = load["node_red"] / "node_modules/node-red/red.js"
        with common.Process("node-red", ["node", script, "-u", home, "-s", home / "settings.js"], folder) as node_red:
            observer = common.Observer(port)
            # Ready when it answers: what is sent before its subscription is there is lost.
            wait_until(lambda: (publish(folder, port, 0, 0, 0, 1, True), observer.hear(0.5))[1], 60)
            drain(observer)
            end = lambda: observer.counts.get("out/node-red/end", 0)
            opened = lambda: observer.counts.get("out/node-red/opened", 0)
            for first, n, rate in [(0, load["warm"], 0), (load["warm"], load["n"], load["rate"])]:
                ends, tickets, told = end(), opened(), sum(observer.counts.values())
                cpu_s, broker_s, begun = node_red.cpu_s(), mosquitto.cpu_s(), time.monotonic()
                publish(folder, port, first, n, rate, load["period"], True)
                wait_until(lambda: (observer.hear(0.2), end() > ends)[1], 600)
                wall_s = time.monotonic() - begun
            return dict(
                cpu_s=node_red.cpu_s() - cpu_s, wall_s=wall_s, broker_cpu_s=mosquitto.cpu_s() - broker_s,
                rss_mb=node_red.rss_mb(), tickets=opened() - tickets, told=sum(observer.counts.values()) - told - 1,
            )


def flow(port):
    where = {"z": "n-tab"}
    return [
        {"id": "n-broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(port), "clientid": "node-red",
         "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True},
        {"id": "n-tab", "type": "tab", "label": "bench"},
        {"id": "n-in", "type": "mqtt in", "topic": "site/+/dev/+", "qos": "1", "datatype": "utf8", "broker": "n-broker",
         "inputs": 0, "wires": [["n-json"]], **where},
        {"id": "n-json", "type": "json", "property": "payload", "action": "obj", "wires": [["n-judge"]], **where},
        {"id": "n-judge", "type": "function", "func": FUNCTION.replace("RING", json.dumps(ring()[:-1])), "outputs": 1,
         "wires": [["n-out"]], **where},
        {"id": "n-out", "type": "mqtt out", "topic": "", "qos": "1", "retain": "false", "broker": "n-broker", "wires": [],
         **where},
    ]


def run_floor(side):
    def run(folder, load):
        with broker(folder) as (mosquitto, port):
            command = [common.target("sides"), "acknowledge", port, side, load["warm"], load["n"]]
            with common.Process(f"floor-{side}", command, folder, stdout=subprocess.PIPE) as floor:
                assert floor.child.stdout.readline() == "ready\n"
                publish(folder, port, 0, load["warm"], 0, load["period"])
                assert floor.child.stdout.readline().startswith("done")
                broker_s, begun = mosquitto.cpu_s(), time.monotonic()
                publish(folder, port, load["warm"], load["n"], load["rate"], load["period"])
                cpu_s = float(floor.child.stdout.readline().split()[1])
                return dict(cpu_s=cpu_s, wall_s=time.monotonic() - begun, broker_cpu_s=mosquitto.cpu_s() - broker_s)

    return run


SIDES = {
    "gateway": run_gateway,
    "node-red": run_node_red,
    "floor: own session": run_floor("session"),
    "floor: bare rumqttc": run_floor("bare"),
}


def wait_until(done, seconds=300):
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError("waited in vain")
        time.sleep(0.1)


def drain(observer):
    while observer.hear(1.0):
        pass


def install_node_red(folder):
    """`npm install` into the bench's own folder, once."""
    if not (folder / "node_modules/node-red/red.js").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, NODE_RED], check=True)
    return folder


def measure(work, rounds, load, sides, say, runs=SIDES):
    """Rounds of all sides in turn; rows by side."""
    rows = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides:
            folder = work / f"run-{number}-{side.replace(': ', '-').replace(' ', '-')}"
            folder.mkdir(parents=True)
            before = common.load()
            row = runs[side](folder, load)
            row.update(per_million=row["cpu_s"] * 1e6 / load["n"], rate=load["n"] / row["wall_s"], load=before)
            rows[side].append(row)
            say(f"round {number + 1} {side}: " + ", ".join(f"{key} {value:.2f}" for key, value in row.items()))
            shutil.rmtree(folder, ignore_errors=True)
    return rows


def report(rows):
    gateway = rows.get("gateway")
    lines = []
    for side, runs in rows.items():
        of = lambda key: common.spread(run[key] for run in runs)
        ratio = "1" if side == "gateway" or not gateway else common.spread(
            run["per_million"] / own["per_million"] for run, own in zip(runs, gateway))
        optional = lambda key: f"{runs[0][key]:.0f}" if key in runs[0] else "–"
        rate = common.spread((run["rate"] / 1000 for run in runs), 1)
        broker_s = common.spread(run["broker_cpu_s"] / run["cpu_s"] * run["per_million"] for run in runs)
        lines.append([side, of("per_million"), ratio, broker_s, rate, optional("rss_mb"), optional("tickets"), optional("told")])
    head = ["side", "CPU-s per million", "times the gateway", "Mosquitto's CPU-s per million", "thousand messages/s",
            "MB", "opened", "messages out"]
    return common.table(head, lines)
