"""B: CPU of the gateway per camera with a watched zone, beside Debian's `motion` on the same RTSP streams."""

import contextlib
import shutil
import subprocess
import time

from . import common

FPS = 15
VIDEO = common.ROOT / "fixtures/video/visitors.h264"
#: Seconds of the recording in which nobody is there.
QUIET = (0.5, 5.4)
#: Light sensor noise; libx264 as cameras do it: key frame every 2 s, no scene cuts, no B-frames.
NOISE = "noise=alls=3:allf=t"
CODEC = "-c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -sc_threshold 0 -bf 0 -g 30 -keyint_min 30".split()
VBR = "-crf 25 -maxrate 500k -bufsize 500k".split()
ABR = "-b:v 500k -maxrate 600k -bufsize 600k".split()
CLIP_S = 60
VIEWERS_PER_LISTENER = 16

CAMERA = """
[[cameras]]
id = "c{number}"
url = "rtsp://127.0.0.1:{port}/clip"
zones = [{{ id = "floor", polygon = [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0], [0.0, 1.0]] }}]
"""

CONFIGURATION = """
[api]
listen = "127.0.0.1:{api_port}"

[store]
folder = "{data}"

[[rules]]
id = "intruder"
sources = ["cam:*"]
detect = {{ kind = "intrusion", zone = "floor", dwell = "1s" }}
severity = "moderate"
"""

MOTION = """
daemon off
setup_mode off
log_level 5
webcontrol_port 0
stream_port 0
width 640
height 360
framerate 15
threshold 1500
picture_output off
movie_output off
"""


def make_clips(folder, video):
    """A busy clip (visitors, most of the time) and a quiet one (the empty room to and fro, so that it has no seam)."""
    scale = f"scale=640:360,setsar=1,{NOISE}"
    source = ["ffmpeg", "-nostdin", "-v", "error", "-y"] + (["-r", "10"] if video.suffix == ".h264" else []) + ["-i", video, "-an"]
    begin, end = QUIET
    quiet = (f"trim={begin}:{end},setpts=N/{FPS}/TB,split[a][b];[b]reverse[r];[a][r]concat,"
             f"loop=-1:size=1000,setpts=N/{FPS}/TB,{scale}")
    for name, graph, rate in [("busy", f"setpts=N/{FPS}/TB,{scale}", ABR), ("quiet", quiet, VBR)]:
        file = folder / f"{name}.h264"
        command = source + ["-vf", graph, "-r", FPS, "-t", CLIP_S, *CODEC, *rate, "-f", "h264", file]
        subprocess.run([str(word) for word in command], check=True)


def measured(process, seconds, warm_s):
    time.sleep(warm_s)
    cpu_s, begun = process.cpu_s(), time.monotonic()
    time.sleep(seconds)
    return process.cpu_s() - cpu_s, time.monotonic() - begun


def run_gateway(binary_key):
    def run(folder, load, ports):
        api_port = common.free_port()
        text = CONFIGURATION.format(api_port=api_port, data=folder / "data") + "".join(
            CAMERA.format(number=number, port=ports[number // VIEWERS_PER_LISTENER]) for number in range(load["cameras"])
        )
        with common.start_gateway(folder, text, api_port, load.get(binary_key)) as gateway:
            time.sleep(load["warm_s"])
            before = common.metrics(api_port)
            cpu_s, wall_s = measured(gateway, load["seconds"], 0)
            after = common.metrics(api_port)
            gained = lambda name: after.get(name, 0) - before.get(name, 0)
            return dict(
                cpu_s=cpu_s, wall_s=wall_s, rss_mb=gateway.rss_mb(), frames=gained("outpost_camera_frames_total"),
                decoded=gained("outpost_camera_frames_decoded_total"), shed=gained("outpost_camera_frames_shed_total"),
                tickets=after.get("outpost_tickets_opened_total", 0),
            )

    return run


def run_motion(folder, load, ports):
    lines = [MOTION, f"target_dir {folder}", f"log_file {folder}/motion.log"]
    for number in range(load["cameras"]):
        camera = folder / f"camera{number}.conf"
        url = f"rtsp://127.0.0.1:{ports[number // VIEWERS_PER_LISTENER]}/clip"
        camera.write_text(f"camera_id {number + 1}\ncamera_name c{number + 1}\nnetcam_url {url}\n")
        lines.append(f"camera {camera}")
    (folder / "motion.conf").write_text("\n".join(lines) + "\n")
    with common.Process("motion", ["motion", "-n", "-c", folder / "motion.conf"], folder) as motion:
        cpu_s, wall_s = measured(motion, load["seconds"], load["warm_s"])
        row = dict(cpu_s=cpu_s, wall_s=wall_s, rss_mb=motion.rss_mb())
    log = (folder / "motion.log").read_text(errors="replace")
    return row | dict(tickets=log.lower().count("motion detected"))


def run_ffmpeg(folder, load, ports):
    """Decoding alone: nothing looks at the pictures."""
    options = "ffmpeg -nostdin -v error -threads 1 -rtsp_transport tcp -i".split()
    with contextlib.ExitStack() as stack:
        decoders = []
        for number in range(load["cameras"]):
            url = f"rtsp://127.0.0.1:{ports[number // VIEWERS_PER_LISTENER]}/clip"
            command = [*options, url, "-map", "0:v", "-f", "null", "-"]
            decoders.append(stack.enter_context(common.Process(f"ffmpeg{number}", command, folder)))
        time.sleep(load["warm_s"])
        before, begun = [decoder.cpu_s() for decoder in decoders], time.monotonic()
        time.sleep(load["seconds"])
        wall_s = time.monotonic() - begun
        cpu_s = sum(decoder.cpu_s() for decoder in decoders) - sum(before)
        return dict(cpu_s=cpu_s, wall_s=wall_s, rss_mb=sum(decoder.rss_mb() for decoder in decoders))


SIDES = {
    "gateway": run_gateway("binary"), "gateway, feature ffmpeg": run_gateway("ffmpeg_binary"), "motion": run_motion,
    "ffmpeg, decoding alone": run_ffmpeg,
}


def measure(work, rounds, load, sides, say):
    clips = work / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    make_clips(clips, load["video"])
    n_listeners = -(-load["cameras"] // VIEWERS_PER_LISTENER)
    rows = {}
    for scene in load["scenes"]:
        command = [common.target("sides"), "cameras", clips / f"{scene}.h264", FPS, n_listeners]
        with common.Process(f"cameras-{scene}", command, work, stdout=subprocess.PIPE) as server:
            ports = server.child.stdout.readline().split()
            for number in range(rounds):
                for side in sides:
                    folder = work / f"b-{scene}-{number}-{side.replace(', ', '-').replace(' ', '-')}"
                    folder.mkdir(parents=True)
                    before = common.load()
                    row = SIDES[side](folder, load, ports)
                    row.update(per_minute=row["cpu_s"] / load["cameras"] / row["wall_s"] * 60, load=before)
                    rows.setdefault((scene, side), []).append(row)
                    say(f"{scene} round {number + 1} {side}: "
                        + ", ".join(f"{key} {value:.3f}" for key, value in row.items()))
                    shutil.rmtree(folder, ignore_errors=True)
    return rows


def report(rows):
    lines = []
    for (scene, side), runs in rows.items():
        others = rows.get((scene, "motion"))
        ratio = "–" if side == "motion" or not others or len(others) != len(runs) else common.spread(
            (other["per_minute"] / run["per_minute"] for run, other in zip(runs, others)), 1)
        share = lambda key: f"{sum(run[key] for run in runs) / max(1, sum(run['frames'] for run in runs)):.1%}"
        decoded = share("decoded") if "frames" in runs[0] else "all"
        lines.append([scene, side, common.spread((run["per_minute"] for run in runs), 3), ratio, decoded,
                      f"{runs[0]['rss_mb']:.0f}"])
    head = ["scene", "side", "CPU-s per camera-minute", "motion / this", "frames decoded", "MB"]
    return common.table(head, lines)
