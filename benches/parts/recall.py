"""M: what real recordings with ground truth are told of: events seen, false alerts, delays; beside Debian's `motion`."""

import asyncio
import datetime
import json
import pathlib
import subprocess
import time
import urllib.request

from . import cameras, common

#: Frames a second of all streams, as sub-streams have them, where the recording has as many.
FPS_MAX = 15
#: The empty scene before each round of a recording: the median of its pictures before anything happens.
LEAD_S = 30
MEDIAN_OF = 41
#: How far an alert may lie outside of an event that it is of, beyond the tolerance of the truth: shadows, and the hold after it.
SLACK_S = 1.5
#: Sessions that count have begun by then.
SETTLE_S = 25
#: Rules that look at the classes of the truth. Fire and smoke are not what moves: their zones are left out.
CLASSES = {"person", "vehicle"}

#: Made of an empty stretch of a recording, to and fro: nothing moves in it. Light and weather are drawn over it.
QUIET = {
    "quiet": "null",
    "clouds": "eq=brightness='0.08*sin(t/3)':eval=frame",
    "lightning": "eq=brightness='if(lt(mod(t,11),0.2),0.35,0)':eval=frame",
    "snow": "noise=alls=12:allf=t",
    "shake": "crop=iw-8:ih-8:4+3*sin(t*5):4+2*sin(t*7)",
}
QUIET_S = 60

CAMERA = """
[[cameras]]
id = "{id}"
url = "rtsp://127.0.0.1:{port}/clip"
zones = [{zones}]
"""

RULE = """
[[rules]]
id = "{id}"
sources = ["cam:{camera}"]
detect = {detect}
severity = "moderate"
"""

MOTION = """
daemon off
setup_mode off
log_level 5
webcontrol_port 0
stream_port 0
picture_output off
movie_output off
event_gap 1
"""


class Stream:
    """What a camera sends in a loop, and what ought to be told of it. Times are in seconds of the round."""

    def __init__(self, name, file, fps, size, zones):
        self.name, self.file, self.fps, self.size, self.zones = name, file, fps, size, zones
        count = "ffprobe -v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0".split()
        self.length_s = int(subprocess.run([*count, file], check=True, capture_output=True, text=True).stdout.strip(", \n")) / fps


class Zone:
    def __init__(self, name, polygon, events, unscored, tolerance_s, detect):
        self.name, self.polygon, self.events, self.unscored = name, polygon, events, unscored
        self.tolerance_s, self.detect = tolerance_s, detect


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, words)], check=True)


def encode(source, graph, fps, file, seconds=None):
    """H.264 as cameras do it: a key frame in two seconds, no scene cuts, variable rate."""
    length = ["-t", seconds] if seconds else []
    codec = [str(2 * round(fps)) if word == "30" else word for word in cameras.CODEC]
    ffmpeg(*source, "-an", "-filter_complex", graph, "-r", fps, *length, *codec, *cameras.VBR, "-f", "h264", file)


def recorded(work, truth_file):
    """The stream of a recording whose truth is known; none where no rule could tell."""
    truth = json.loads(truth_file.read_text())
    clip, tolerance_s = truth_file.parent / truth["clip"], truth["tolerance_s"]
    zones = []
    for number, zone in enumerate(truth["zones"]):
        whole = zone["intervals_s"] == [[0, truth["duration_s"]]]
        if whole or not CLASSES & set(zone["classes"]):
            continue
        touches = zone["rule"].startswith("any")
        things = ", things = { overlap = 0.01 }" if touches else ""
        detect = f'{{ kind = "intrusion", zone = "z{number}", clear_hold = "1s"{things} }}'
        zones.append(Zone(f"z{number}", zone["polygon"], zone["intervals_s"], zone.get("unscored_s", []), tolerance_s, detect))
    for number, event in enumerate(truth.get("events", [])):
        if event["kind"] == "object_left":
            begins = event["set_down_s"] + 10
            # What is left behind is smaller than those who leave it, whom rules look for by default.
            detect = f'{{ kind = "object-left", zone = "e{number}", for = "10s", things = {{ overlap = 0.5 }} }}'
            zones.append(Zone(f"e{number}", event["region"], [[begins, event["remains_until_s"]]], [], 2.0, detect))
    if not zones:
        return None
    fps = min(FPS_MAX, truth["fps"])
    size = (truth["width"], truth["height"])
    name = clip.stem.replace("_", "-")
    file = work / f"{name}.h264"
    # Nothing is in the zones until the first event: what passes elsewhere is not in the median.
    empty_s = min(begin for zone in zones for begin, _ in zone.events) - 0.5
    step = max(1, int(empty_s * truth["fps"]) // MEDIAN_OF)
    median = work / f"{name}.png"
    picked = f"trim=0:{empty_s},select='not(mod(n,{step}))',tmedian=radius={MEDIAN_OF // 2 - 1}"
    ffmpeg("-i", clip, "-vf", picked, "-frames:v", 1, median)
    lead = f"[0:v]fps={fps},format=yuv420p,setsar=1,{cameras.NOISE}[a];[1:v]fps={fps},format=yuv420p,setsar=1[b];[a][b]concat"
    encode(["-loop", 1, "-t", LEAD_S, "-i", median, "-i", clip], lead, fps, file)
    for zone in zones:
        zone.events = [[LEAD_S + begin, LEAD_S + end] for begin, end in zone.events]
        zone.unscored = [[LEAD_S + begin, LEAD_S + end] for begin, end in zone.unscored]
    return Stream(name, file, fps, size, zones)


def quiet(work, name, change):
    begin, end = cameras.QUIET
    fps, file = 15, work / f"{name}.h264"
    graph = (f"[0:v]trim={begin}:{end},setpts=N/{fps}/TB,split[a][b];[b]reverse[r];[a][r]concat,loop=-1:size=1000,"
             f"setpts=N/{fps}/TB,{change},scale=640:360,setsar=1,{cameras.NOISE}")
    encode(["-r", 10, "-i", cameras.VIDEO], graph, fps, file, QUIET_S)
    detect = '{ kind = "intrusion", zone = "z0", clear_hold = "1s" }'
    whole = [[0, 0], [1, 0], [1, 1], [0, 1]]
    return Stream(name, file, fps, (640, 360), [Zone("z0", whole, [], [], 0, detect)])


class Tap:
    """Between a viewer and its camera: knows when the first picture of its last session passed."""

    def __init__(self, camera_port):
        self.camera_port, self.port, self.begun = camera_port, None, None

    async def start(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def serve(self, reader, writer):
        self.begun = None
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.camera_port)

        async def pump(source, sink, is_camera):
            try:
                while data := await source.read(1 << 16):
                    # Interleaved frames begin with a dollar sign (RFC 2326, 10.12); answers with "RTSP".
                    if is_camera and self.begun is None and (data[0] == 0x24 or b"\r\n\r\n$" in data):
                        self.begun = time.time()
                    sink.write(data)
                    await sink.drain()
            except (OSError, asyncio.CancelledError):
                pass
            finally:
                sink.close()

        await asyncio.gather(pump(reader, far_writer, False), pump(far_reader, writer, True))


def toml_zones(stream):
    return ", ".join(f'{{ id = "{zone.name}", polygon = {[[float(x), float(y)] for x, y in zone.polygon]} }}' for zone in stream.zones)


def gateway_text(folder, api_port, streams, taps, active):
    text = f'[store]\nfolder = "{folder / "data"}"\n[api]\nlisten = "127.0.0.1:{api_port}"\n[video]\nactive = "{active}"\n'
    for stream, tap in zip(streams, taps):
        text += CAMERA.format(id=stream.name, port=tap.port, zones=toml_zones(stream))
    for stream in streams:
        for zone in stream.zones:
            text += RULE.format(id=f"{stream.name}--{zone.name}", camera=stream.name, detect=zone.detect)
    return text


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def gateway_alerts(api_port):
    """By rule, and for what needs none by rule and source: when each opened and cleared."""
    answer = urllib.request.urlopen(f"http://127.0.0.1:{api_port}/api/v1/alerts?state=all&limit=1000", timeout=10)
    alerts = {}
    for alert in json.load(answer)["alerts"]:
        cleared = seconds(alert["cleared"]) if alert["cleared"] else time.time()
        rule = alert["rule"] if "--" in alert["rule"] else f"{alert['rule']} {alert['source']}"
        alerts.setdefault(rule, []).append((seconds(alert["opened"]), cleared))
    return alerts


def mask(stream, zone, file):
    """White where motion is looked for: a picture that `motion` reads."""
    width, height = stream.size
    corners = [(x * width, y * height) for x, y in zone.polygon]

    def inside(x, y):
        odd = False
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
            if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
                odd = not odd
        return odd

    rows = (bytes(255 if inside(x + 0.5, y + 0.5) else 0 for x in range(width)) for y in range(height))
    file.write_bytes(b"P5\n%d %d\n255\n" % (width, height) + b"".join(rows))


def motion_text(folder, streams, taps):
    """A camera of `motion` for each zone that movement tells of; what is left behind it does not know."""
    lines = [MOTION, f"target_dir {folder}", f"log_file {folder}/motion.log"]
    for number, (stream, tap) in enumerate(zip(streams, taps)):
        file = folder / f"camera{number}.conf"
        mask(stream, stream.zones[0], folder / f"mask{number}.pgm")
        width, height = stream.size
        file.write_text(
            f"camera_id {number + 1}\ncamera_name {stream.name}\nnetcam_url rtsp://127.0.0.1:{tap.port}/clip\n"
            f"width {width}\nheight {height}\nframerate {round(stream.fps)}\nmask_file {folder}/mask{number}.pgm\n"
            f"on_event_start echo begin $(date +%s.%3N) >> {folder}/events{number}\n"
            f"on_event_end echo end $(date +%s.%3N) >> {folder}/events{number}\n".replace("%s.%3N", "%%s.%%3N")
        )
        lines.append(f"camera {file}")
    return "\n".join(lines) + "\n"


def motion_alerts(folder, streams):
    alerts = {}
    for number, stream in enumerate(streams):
        file, begun = folder / f"events{number}", None
        for word, at in (line.split() for line in file.read_text().splitlines()) if file.exists() else ():
            if word == "begin":
                begun = float(at)
            elif begun is not None:
                alerts.setdefault(f"{stream.name}--{stream.zones[0].name}", []).append((begun, float(at)))
                begun = None
        if begun is not None:
            alerts.setdefault(f"{stream.name}--{stream.zones[0].name}", []).append((begun, time.time()))
    return alerts


def rounds_of(stream, begun, ended):
    """Beginnings of the complete rounds but the first, in which the scene is learned."""
    n_whole = int((ended - begun) / stream.length_s)
    return [begun + number * stream.length_s for number in range(1, n_whole)]


def judge(stream, zone, alerts, begun, ended):
    """Compares what was told of a zone with what happened in it."""
    row = dict(stream=stream.name, zone=zone.name, events=0, seen=0, false=0, quiet_s=0.0, delays=[], missed=[])
    slack_s = zone.tolerance_s + SLACK_S
    for start in rounds_of(stream, begun, ended):
        told = [(opened - start, cleared - start) for opened, cleared in alerts]
        for begin, end in zone.events:
            row["events"] += 1
            of_it = [opened for opened, cleared in told if opened <= end + zone.tolerance_s and cleared >= begin - zone.tolerance_s]
            row["seen"] += bool(of_it)
            if not of_it:
                row["missed"].append(round(begin, 1))
            elif min(of_it) >= begin - slack_s:
                row["delays"].append(max(0.0, min(of_it) - begin))
        busy = [(begin - slack_s, end + slack_s) for begin, end in zone.events] + [tuple(pair) for pair in zone.unscored]
        in_round = [(opened, cleared) for opened, cleared in told if 0 <= opened < stream.length_s]
        row["false"] += sum(all(cleared < begin or opened > end for begin, end in busy) for opened, cleared in in_round)
        row["quiet_s"] += stream.length_s - sum(end - begin for begin, end in busy)
    return row


SIDES = {"gateway, tiers": "5s", "gateway, all frames": "30d", "motion": None}


async def run_side(side, folder, streams, ports, binary, run_s):
    taps = [Tap(port) for port in ports]
    servers = [await tap.start() for tap in taps]
    folder.mkdir(parents=True)
    settled = time.time() + SETTLE_S
    if side == "motion":
        (folder / "motion.conf").write_text(motion_text(folder, streams, taps))
        process = common.Process("motion", ["motion", "-n", "-c", folder / "motion.conf"], folder)
    else:
        api_port = common.free_port()
        (folder / "outpost.toml").write_text(gateway_text(folder, api_port, streams, taps, SIDES[side]))
        process = common.Process("outpost", [binary, "run", "-c", folder / "outpost.toml"], folder)
    with process:
        await asyncio.sleep(run_s)
        ended = time.time()
        if side == "motion":
            alerts, decoded = motion_alerts(folder, streams), None
        else:
            alerts = await asyncio.to_thread(gateway_alerts, api_port)
            counted = await asyncio.to_thread(common.metrics, api_port)
            decoded = counted["outpost_camera_frames_decoded_total"] / counted["outpost_camera_frames_total"]
            if counted.get("outpost_camera_frames_shed_total", 0):
                decoded = f"{decoded:.3f}, {counted['outpost_camera_frames_shed_total']:.0f} shed"
    for server in servers:
        server.close()
    # `motion` looks at a stream first and opens it again; who opens one later has lost the time.
    late = [stream.name for stream, tap in zip(streams, taps) if not tap.begun or tap.begun > settled]
    if late:
        raise RuntimeError(f"{side}: sessions that began anew, so that times do not fit: {late}")
    rows = []
    built_in = ", ".join(f"{len(told)} {rule}" for rule, told in sorted(alerts.items()) if "--" not in rule) or "none"
    for stream, tap in zip(streams, taps):
        for zone in stream.zones if side != "motion" else stream.zones[:1]:
            told = alerts.get(f"{stream.name}--{zone.name}", [])
            rows.append(judge(stream, zone, told, tap.begun, ended) | dict(decoded=decoded, built_in=built_in))
    return rows


def measure(work, data, binary, sides_binary, sides, run_s, say):
    clips = work / "recall"
    clips.mkdir(parents=True)
    streams = [stream for file in sorted(pathlib.Path(data).glob("*.truth.json")) if (stream := recorded(clips, file))]
    if not streams:
        raise RuntimeError(f"no recordings with a .truth.json in {data}")
    streams += [quiet(clips, name, change) for name, change in QUIET.items()]
    say(f"{len(streams)} streams made")
    rows, servers, ports = {}, [], []
    try:
        for stream in streams:
            command = [sides_binary, "cameras", stream.file, stream.fps, 1]
            servers.append(common.Process(f"camera-{stream.name}", command, clips, stdout=subprocess.PIPE))
            ports.append(int(servers[-1].child.stdout.readline()))
        for side in sides:
            folder = work / f"l-{side.replace(', ', '-').replace(' ', '-')}"
            try:
                rows[side] = asyncio.run(run_side(side, folder, streams, ports, binary, run_s))
            except RuntimeError as cause:
                say(str(cause))
                continue
            say(f"{side}: " + ", ".join(f"{row['stream']}/{row['zone']} {row['seen']}/{row['events']} +{row['false']}" for row in rows[side]))
    finally:
        for server in servers:
            server.__exit__()
    return rows


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] if ordered else float("nan")


def report(rows):
    lines = ["| side | events seen | false alerts per clip-hour outside of events | where nothing moves | delay p50 s | p90 s | p99 s | frames decoded |",
             "|---|---|---|---|---|---|---|---|"]
    for side, of_side in rows.items():
        events, seen = sum(row["events"] for row in of_side), sum(row["seen"] for row in of_side)
        def rate(chosen):
            hours = sum(row["quiet_s"] for row in chosen) / 3600
            return f"{sum(row['false'] for row in chosen) / max(1e-9, hours):.1f} (in {hours:.2f} h)"

        busy = [row for row in of_side if row["stream"] not in QUIET]
        still = [row for row in of_side if row["stream"] in QUIET]
        delays = [delay for row in of_side for delay in row["delays"]]
        decoded = of_side[0]["decoded"]
        decoded = "all" if decoded is None else decoded if isinstance(decoded, str) else f"{decoded:.3f}"
        lines.append(f"| {side} | {seen} of {events} ({seen / max(1, events):.2f}) | {rate(busy)} | {rate(still)} | "
                     + "".join(f"{percentile(delays, share):.1f} | " for share in (0.5, 0.9, 0.99)) + f"{decoded} |")
    lines += [""] + [f"Alerts without a rule, {side}: {of_side[0]['built_in']}." for side, of_side in rows.items() if side != "motion"]
    lines += ["", "| stream, zone | " + " | ".join(f"{side}: seen, false" for side in rows) + " |", "|---|" + "---|" * len(rows)]
    for stream, zone in sorted({(row["stream"], row["zone"]) for of_side in rows.values() for row in of_side}):
        cells = []
        for of_side in rows.values():
            row = next((row for row in of_side if (row["stream"], row["zone"]) == (stream, zone)), None)
            missed = f" (missed at {', '.join(map(str, row['missed']))} s)" if row and row["missed"] else ""
            cells.append(f"{row['seen']} of {row['events']}, {row['false']}{missed}" if row else "–")
        lines.append(f"| {stream}, {zone} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
