"""H: what many quiet cameras cost: CPU and memory of the gateway on the streams of the replay farm, the farm's own cost apart."""

import contextlib
import shutil
import sqlite3
import subprocess
import time
import urllib.request

from . import cameras, common, gate

CAMERA = """
[[cameras]]
id = "c{number}"
url = "rtsp://127.0.0.1:{port}/{path}/{number}"
zones = [{{ id = "floor", polygon = [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0], [0.0, 1.0]] }}]
"""

#: How the visits and the rest after them are seen and encoded: the pulse that the recording's own key frames left in it is
#: smoothed away, a sensor's noise is added; constant quality, by x264's `crf`.
SEEN = ",hqdn3d=2:2:15:15,noise=alls=5:allf=t"
#: Frames of the rest: whole groups, and whole rounds to and fro in the empty room, so that it goes round without a seam.
REST_FRAMES = 60 * cameras.FPS

#: Cameras that `motion` has at a time.
MOTION_CAMERAS = 16

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


def gates(folder):
    """What size gates have earned, as the store keeps it."""
    with contextlib.closing(sqlite3.connect(folder / "data" / "outpost.db")) as store:
        return [earned for (earned,) in store.execute("SELECT earned FROM gate ORDER BY source")]


def give_trust(folder, load, port, n):
    """The store of a gateway whose cameras have all earned what the first one of `run_trusted` did."""
    api_port = common.free_port()
    with common.start_gateway(folder, configuration(1, port, api_port, folder / "data"), api_port, load["binary"]):
        pass
    rows = [(f"cam:c{number}", f"rtsp://127.0.0.1:{port}/clip/{number}", load["earned"]) for number in range(n)]
    with contextlib.closing(sqlite3.connect(folder / "data" / "outpost.db")) as store, store:
        store.executemany("INSERT OR REPLACE INTO gate (source, url, earned) VALUES (?, ?, ?)", rows)


def run(folder, load, clip, n):
    farm, port = start_farm(folder, clip)
    api_port = common.free_port()
    with farm:
        if load["earned"]:
            give_trust(folder, load, port, n)
        text = configuration(n, port, api_port, folder / "data")
        if load["glance"]:
            text = f'[video]\nglance = "{load["glance"]}"\n' + text
        with common.start_gateway(folder, text, api_port, load["binary"]) as gateway:
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
                kept_mb=after["outpost_camera_memory_bytes"] / 1e6, trusted=after.get("outpost_camera_gate_trusted", 0),
            )


def run_motion(folder, load, clip):
    """Debian's `motion` on as many cameras of the same farm as it is compared by."""
    farm, port = start_farm(folder, clip)
    with farm:
        return cameras.run_motion(folder, load | dict(cameras=MOTION_CAMERAS, warm_s=30), [port])


def measure(work, load, say):
    """What `motion` takes of a camera-minute, and the rows of the gateway by the number of cameras."""
    clips = work / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    if load["earned"]:
        clip = rest(clips, load["video"], load["crf"])
        say(f"at rest a stream has {clip.stat().st_size * 8 / (REST_FRAMES / cameras.FPS) / 1e6:.2f} Mbit/s")
    else:
        cameras.make_clips(clips, load["video"])
        clip = clips / f"{load['scene']}.h264"
    folder = work / "motion"
    folder.mkdir()
    row = run_motion(folder, load, clip)
    motion = row["cpu_s"] / row["wall_s"] / MOTION_CAMERAS * 60
    say(f"motion: {motion:.3f} CPU-s per camera-minute")
    rows = {}
    for n in load["numbers"]:
        folder = work / f"g-{n}"
        folder.mkdir(parents=True)
        before = common.load()
        row = run(folder, load, clip, n) | dict(load=before)
        rows[n] = row
        say(f"{n} cameras: " + ", ".join(f"{key} {value:.3f}" for key, value in row.items()))
        shutil.rmtree(folder, ignore_errors=True)
    return motion, rows


def visits_s():
    return gate.ROUNDS * sum(gate.EMPTY_S + (end - begin) * gate.FPS / cameras.FPS for begin, end in gate.VISITS)


def rest(folder, video, crf):
    """What the cameras of `run_trusted` see after the visits, in the same encoder's words."""
    visits, rest = folder / "visits.h264", folder / "rest.h264"
    gate.make_clip(visits, video, f"-crf {crf}", SEEN, fps=cameras.FPS, empty_after_s=REST_FRAMES / cameras.FPS + 4)
    cut = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-r", cameras.FPS, "-i", visits, "-ss", visits_s(), "-c", "copy",
           "-frames:v", REST_FRAMES, rest]
    subprocess.run([str(word) for word in cut], check=True)
    return rest


def run_trusted(folder, load, n):
    """Cameras that see twelve visits and then nobody: at rest before the gate is trusted, and after; and what the gates earned."""
    clip = folder / "visits.h264"
    gate.make_clip(clip, load["video"], f"-crf {load['crf']}", SEEN, fps=cameras.FPS, empty_after_s=load["seconds"] + 200)
    api_port, n_listeners = common.free_port(), -(-n // cameras.VIEWERS_PER_LISTENER)
    command = [common.target("sides"), "cameras", clip, cameras.FPS, n_listeners]
    with common.Process("cameras", command, folder, stdout=subprocess.PIPE) as server:
        ports = server.child.stdout.readline().split()
        text = cameras.CONFIGURATION.format(api_port=api_port, data=folder / "data") + "".join(
            CAMERA.format(number=number, port=ports[number // cameras.VIEWERS_PER_LISTENER], path="clip") for number in range(n)
        )
        with common.start_gateway(folder, text, api_port, load["binary"]) as gateway:
            rows = {}
            # The first empty stretch, then the one after the visits and a minute of rest.
            for name, wait_s, seconds in [("before", 8, gate.EMPTY_S - 10), ("after", visits_s() - gate.EMPTY_S + 75, load["seconds"])]:
                time.sleep(wait_s)
                before = common.metrics(api_port)
                cpu_s, wall_s = cameras.measured(gateway, seconds, 0)
                after = common.metrics(api_port)
                rows[name] = dict(
                    cpu_s=cpu_s, wall_s=wall_s, decoded=after["outpost_camera_frames_decoded_total"] - before["outpost_camera_frames_decoded_total"],
                    trusted=after.get("outpost_camera_gate_trusted", 0), shed=after.get("outpost_camera_frames_shed_total", 0),
                )
    return rows, gates(folder)


def run_soak(folder, load, clip, n, seconds):
    """Half of the cameras are well; of the others a quarter flaps, a quarter is silent, and nobody is at the address of the rest."""
    farm, port = start_farm(folder, clip)
    api_port, nobody = common.free_port(), common.free_port()
    kinds = ["clip", "flap", "clip", "silent", "clip", "nobody", "clip", "nobody"]
    with farm:
        head = cameras.CONFIGURATION.format(api_port=api_port, data=folder / "data")
        text = head + "".join(
            CAMERA.format(number=number, port=nobody if (kind := kinds[number % 8]) == "nobody" else port, path=kind)
            for number in range(n)
        )
        with common.start_gateway(folder, text, api_port, load["binary"]) as gateway:
            rows, begun = [], time.monotonic()
            while time.monotonic() - begun < seconds:
                time.sleep(min(60, seconds / 10))
                errors = common.metrics(api_port).get("outpost_camera_errors_total", 0)
                rows.append((time.monotonic() - begun, gateway.rss_mb(), n_live(api_port), errors))
            return rows


def report(motion, rows):
    lines = [[f"motion, {MOTION_CAMERAS}", "", f"{motion * MOTION_CAMERAS / 60:.1%}", f"{motion:.4f}"] + [""] * 8]
    for n, row in rows.items():
        share = row["cpu_s"] / row["wall_s"]
        lines.append([
            n, f"{row['trusted']:.0f}", f"{share:.1%}", f"{share / n * 60:.4f}", f"{motion / (share / n * 60):.1f}", f"{row['decoded'] / max(1, row['frames']):.2%}",
            f"{row['shed']:.0f}", f"{row['rss_mb']:.0f}", f"{row['rss_mb'] / n:.2f}", f"{row['kept_mb'] / n:.2f}",
            f"{row['frames'] / n / row['wall_s']:.1f}", f"{row['farm_cpu_s'] / row['wall_s']:.1%}",
        ])
    head = ["cameras", "gates trusted", "gateway, of one core", "CPU-s per camera-minute", "motion / this", "frames decoded", "shed", "MB", "MB per camera", "of it coded frames and pictures",
            "frames/s per camera", "farm, of one core"]
    return common.table(head, lines)
