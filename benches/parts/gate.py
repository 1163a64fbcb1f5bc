"""I: how much the sizes of encoded frames tell, by encoder: a long recording of a quiet corner with a visitor now and then."""

import subprocess

from . import cameras, common

#: Frames a second of the recording.
FPS = 10
#: Each visit of `fixtures/video/visitors.h264`, from an empty room to an empty room, in seconds.
VISITS = [(0.5, 21.2), (20.3, 47.5), (45.5, 72.2), (70.7, 89.5), (87.6, 121.5), (120.6, 138.5)]
#: Nobody is there for so long before each visit: the empty seconds of the recording to and fro.
EMPTY_S = 30
ROUNDS = 2

RATES = {
    "constant quality (crf 25)": "-crf 25",
    "constant quality, capped at 500 kbit/s": "-crf 25 -maxrate 500k -bufsize 500k",
    "average 250 kbit/s": "-b:v 250k -maxrate 500k -bufsize 500k",
    "constant 250 kbit/s": "-b:v 250k -minrate 250k -maxrate 250k -bufsize 125k -nal-hrd cbr",
}
NOISE = {"clean": "", "noisy": ",noise=alls=3:allf=t"}


def make_clip(file, video, rate, noise, fps=FPS, empty_after_s=0):
    """The recording played at `fps` frames a second: at more than its own it goes faster."""
    visits, begin = [[at * FPS / fps for at in visit] for visit in VISITS], cameras.QUIET[0] * FPS / fps
    # Three seconds of the empty room: to and fro they are whole groups.
    end = begin + 3
    n = len(visits)
    graph = [f"[0:v]setpts=N/{fps}/TB,scale=640:360,setsar=1,split={n + 1}[e]" + "".join(f"[s{i}]" for i in range(n)),
             f"[e]trim={begin}:{end},setpts=N/{fps}/TB,split[a][b];[b]reverse[r];[a][r]concat,loop=-1:size=1000,"
             f"trim=0:{EMPTY_S},setpts=N/{fps}/TB,split={n}" + "".join(f"[q{i}]" for i in range(n))]
    graph += [f"[s{i}]trim={a}:{b},setpts=N/{fps}/TB[v{i}]" for i, (a, b) in enumerate(visits)]
    graph.append("".join(f"[q{i}][v{i}]" for i in range(n))
                 + f"concat=n={2 * n},loop={ROUNDS - 1}:size=32000,setpts=N/{fps}/TB{noise}[visits]")
    graph.append(f"[0:v]setpts=N/{fps}/TB,scale=640:360,setsar=1,trim={begin}:{end},setpts=N/{fps}/TB,split[c][d];[d]reverse[t];"
                 f"[c][t]concat,loop=-1:size=1000,trim=0:{max(empty_after_s, 1)},setpts=N/{fps}/TB{noise}[rest]")
    graph.append(f"[visits][rest]concat,setpts=N/{fps}/TB[out]")
    codec = "-c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -sc_threshold 0 -bf 0".split() + ["-g", 2 * fps, "-keyint_min", 2 * fps]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-r", fps, "-i", video, "-filter_complex", ";".join(graph),
               "-map", "[out]", "-r", fps, *codec, *rate.split(), "-f", "h264", file]
    subprocess.run([str(word) for word in command], check=True)


def measure(work, video, say):
    files = []
    for rate, options in RATES.items():
        for noise, graph in NOISE.items():
            file = work / f"{rate.split(' (')[0].replace(' ', '-').replace('/', '-')},{noise}.h264"
            make_clip(file, video, options, graph)
            say(f"{file.name}: {file.stat().st_size >> 10} KiB")
            files.append(file)
    command = [str(word) for word in [common.target("sides"), "gate", FPS, *(file.name for file in files)]]
    return subprocess.run(command, check=True, cwd=work, capture_output=True, text=True).stdout
