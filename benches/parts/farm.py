"""G: what many quiet cameras cost: CPU and memory of the gateway on the streams of the replay farm, the farm's own cost apart."""

import shutil
import subprocess
import time
import urllib.request

from . import cameras, common

CAMERA = """
[[cameras]]
id = "c{number}"
url = "rtsp://127.0.0.1:{port}/{path}/{number}"
zones = [{{ id = "floor", polygon = [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0], [0.0, 1.0]] }}]
"""

#: Longest wait until every camera is live.
LIVE_S = 300


def n_live(api_port):
    text = urllib.request.urlopen(f"http://127.0.0.1:{api_port}/metrics", timeout=30).read().decode()
    lines = (line for line in text.splitlines() if line.startswith("outpost_camera_state{") and 'state="live"' in line)
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def wait_live(api_port, n):
    begun = time.monotonic()
    while (live := n_live(api_port)) < n:
        if time.monotonic() - begun > LIVE_S:
            raise RuntimeError(f"{live:.0f} of {n} cameras are live after {LIVE_S} s")
        time.sleep(0.5)
    return time.monotonic() - begun


def configuration(n, port, api_port, data, path=lambda number: "clip"):
    head = cameras.CONFIGURATION.format(api_port=api_port, data=data)
    return head + "".join(CAMERA.format(number=number, port=port, path=path(number)) for number in range(n))


def start_farm(work, clip):
    command = [common.target("sides"), "farm", clip, cameras.FPS]
    farm = common.Process("farm", command, work, stdout=subprocess.PIPE)
    return farm, farm.child.stdout.readline().strip()


def run(folder, load, clip, n):
    farm, port = start_farm(folder, clip)
    api_port = common.free_port()
    with farm:
        with common.start_gateway(folder, configuration(n, port, api_port, folder / "data"), api_port, load["binary"]) as gateway:
            live_s = wait_live(api_port, n)
            time.sleep(load["warm_s"])
            before, farm_cpu_s = common.metrics(api_port), farm.cpu_s()
            cpu_s, wall_s = cameras.measured(gateway, load["seconds"], 0)
            after, farm_cpu_s = common.metrics(api_port), farm.cpu_s() - farm_cpu_s
            gained = lambda name: after.get(name, 0) - before.get(name, 0)
            return dict(
                live_s=live_s, cpu_s=cpu_s, wall_s=wall_s, rss_mb=gateway.rss_mb(), farm_cpu_s=farm_cpu_s,
                frames=gained("outpost_camera_frames_total"), decoded=gained("outpost_camera_frames_decoded_total"),
                shed=gained("outpost_camera_frames_shed_total"), errors=gained("outpost_camera_errors_total"),
            )


def measure(work, load, say):
    clips = work / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    cameras.make_clips(clips, load["video"])
    rows = {}
    for n in load["numbers"]:
        folder = work / f"g-{n}"
        folder.mkdir(parents=True)
        before = common.load()
        row = run(folder, load, clips / f"{load['scene']}.h264", n) | dict(load=before)
        rows[n] = row
        say(f"{n} cameras: " + ", ".join(f"{key} {value:.3f}" for key, value in row.items()))
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def report(rows):
    lines = []
    for n, row in rows.items():
        share = row["cpu_s"] / row["wall_s"]
        lines.append([
            n, f"{share:.1%}", f"{share / n * 60:.4f}", f"{row['decoded'] / max(1, row['frames']):.2%}",
            f"{row['shed']:.0f}", f"{row['rss_mb']:.0f}", f"{row['rss_mb'] / n:.2f}",
            f"{row['frames'] / n / row['wall_s']:.1f}", f"{row['farm_cpu_s'] / row['wall_s']:.1%}",
        ])
    head = ["cameras", "gateway, of one core", "CPU-s per camera-minute", "frames decoded", "shed", "MB", "MB per camera",
            "frames/s per camera", "farm, of one core"]
    return common.table(head, lines)
