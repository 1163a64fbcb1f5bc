"""Frames of temperatures judged on one core: `hotspot` beside the same in NumPy and OpenCV, on the same frames."""

import json
import subprocess
import sys

from . import common

# The same job: extremes and mean, hottest pixel, median, limit, connected regions with their boxes, middles, sizes, maxima and
# means. As a practised hand writes it: partition in place of a sort, one call for the regions, only their boxes looked at.
PEER = """
import json, resource, sys, time
import cv2, numpy
cv2.setNumThreads(1)
frames = numpy.fromfile(f"{sys.argv[1]}/frames.f32", "<f4").reshape(-1, 512, 640)
ABOVE, OVER, PIXELS = 80.0, 20.0, 4

def judge(frame):
    good = frame[numpy.isfinite(frame)]
    least, most, _, hottest = cv2.minMaxLoc(frame)
    mean = good.mean()
    background = numpy.partition(good, good.size // 2)[good.size // 2]
    mask = (frame > max(ABOVE, background + OVER)).view(numpy.uint8)
    n, labels, stats, middles = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    best = None
    for label in range(1, n):
        x, y, w, h, area = stats[label]
        if area < PIXELS:
            continue
        pixels = frame[y:y + h, x:x + w][labels[y:y + h, x:x + w] == label]
        region = (pixels.max(), pixels.mean(), area, middles[label])
        if best is None or region[0] > best[0]:
            best = region
    return background, best, (least, most, hottest, mean)

def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

rates = []
for _ in range(5):
    begun, cpu_begun, n = time.monotonic(), cpu(), 0
    while time.monotonic() - begun < 2.0:
        pixels, background = 0, 0.0
        for frame in frames:
            around, best, _ = judge(frame)
            pixels += int(best[2]) if best else 0
            background += float(around)
            n += 1
    rates.append(n / (cpu() - cpu_begun))
rates.sort()
print(json.dumps(dict(side=f"NumPy {numpy.__version__}, OpenCV {cv2.__version__}", least=rates[0], median=rates[2], most=rates[-1],
                      pixels=pixels, background=background)))
"""


def install(cache):
    python = cache / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", cache], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "numpy>=2,<3", "opencv-python-headless>=4"], check=True)
    return python


def measure(work, rounds, cache, say):
    """Sides in turn within each round; the median round of each."""
    example = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "outpost-detectors", "--example", "measure_heat", "--", work]
    python = install(cache)
    rows = []
    for number in range(rounds):
        for name, command in (("outpost", example), ("NumPy and OpenCV", [python, "-c", PEER, work])):
            say(f"round {number + 1}: {name}")
            told = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, cwd=common.ROOT).stdout
            rows += [dict(json.loads(line), round=number) for line in told.splitlines()]
    return rows


def report(rows):
    sides = list(dict.fromkeys(row["side"] for row in rows))
    of = lambda side: sorted((row for row in rows if row["side"] == side), key=lambda row: row["median"])  # noqa: E731
    lines = ["| side | frames a second, median (range) | hot pixels in 32 frames | sum of backgrounds, °C |", "|---|---|---|---|"]
    for side in sides:
        all_of = of(side)
        middle = all_of[len(all_of) // 2]
        least, most = min(row["least"] for row in all_of), max(row["most"] for row in all_of)
        lines.append(f"| {side} | {middle['median']:.0f} ({least:.0f}–{most:.0f}) | {middle['pixels']} | {middle['background']:.2f} |")
    peer = next(side for side in sides if side.startswith("NumPy"))
    ratios = sorted(
        next(row for row in of("outpost") if row["round"] == number)["median"]
        / next(row for row in of(peer) if row["round"] == number)["median"]
        for number in {row["round"] for row in rows}
    )
    lines.append(f"\nRatio within rounds: {ratios[len(ratios) // 2]:.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f})")
    return "\n".join(lines)
