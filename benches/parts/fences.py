"""Points in fences: the index beside geo with rstar, Shapely's STRtree and PostGIS, on the same fences and points."""

import gzip
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys

from . import common

SIDES = ["outpost", "outpost, many at once", "geo + rstar", "shapely", "postgis", "postgis, prepared"]
# Point after point, by an index of the fences; and fence after fence, by an index of the points: PostGIS then prepares each
# fence once, which it does where the same one comes again in a row.
POSTGIS = {
    "postgis": "xy join fence on ST_Contains(fence.g, ST_Point(x, y))",
    "postgis, prepared": "fence, lateral (select 1 from point where ST_Contains(fence.g, point.g) offset 0) as found",
}
# Asked of the slower sides, of the points that fence_sides wrote.
N_SHAPELY, N_POSTGIS = 100_000, 50_000


def data_sets(folder, work, stars):
    """Name, fences and track; stars need no files."""
    sets = []
    if folder and folder.is_dir():
        track = None
        for path in sorted([*folder.glob("*.geojson"), *folder.glob("*.geojson.gz"), *folder.glob("geolife*.csv.gz")]):
            if path.suffix == ".gz":
                plain = work / path.stem
                with gzip.open(path) as packed, open(plain, "wb") as out:
                    shutil.copyfileobj(packed, out)
                path = plain
            if path.suffix == ".csv":
                track = path
            for name, part in (("grids", "131-grids"), ("china", "china-districts"), ("chongqing", "chongqing-districts")):
                if part in path.name:
                    sets.append([name, path, None])
        for one in sets:
            one[2] = track if one[0] == "china" else None
    return sets + [[f"stars{n}", f"stars:{n}", None] for n in stars]


def install_shapely(cache):
    """Shapely 2 in an environment of its own: Debian's is 1.8, whose tree asks point by point."""
    python = cache / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", cache], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "shapely>=2,<3"], check=True)
    return python


SHAPELY = """
import json, sys, time, numpy, shapely
work, name, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
fences = numpy.array([shapely.from_wkt(line.split("\\t", 1)[1]) for line in open(f"{work}/{name}.wkt")])
started = time.process_time()
tree = shapely.STRtree(fences)
shapely.prepare(fences)
build_ms = (time.process_time() - started) * 1e3
for kind in sys.argv[4:]:
    xy = numpy.fromfile(f"{work}/{name}.{kind}.f64").reshape(-1, 2)[:n]
    points = shapely.points(xy)
    rates = []
    for _ in range(3):
        started = time.process_time()
        asked, found = tree.query(points)
        hits = int(shapely.contains_xy(fences[found], xy[asked, 0], xy[asked, 1]).sum())
        rates.append(len(xy) / (time.process_time() - started) / 1e6)
    rates.sort()
    print(json.dumps(dict(set=name, points=kind, side="shapely", n=len(xy), hits=hits, least=rates[0], median=rates[1],
                          most=rates[2], build_ms=build_ms)))
"""


class Postgis:
    """A server of its own on a free port, in a folder of its own; as user postgres where we are root."""

    def __init__(self, work):
        self.folder, self.port = work / "postgis", common.free_port()
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise RuntimeError("PostgreSQL is lacking: make packages-bench")
        self.bin = found[-1].parent
        self.folder.mkdir()
        self.as_user = []
        if os.geteuid() == 0:
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
            work.chmod(0o755)
            self.as_user = ["runuser", "-u", "postgres", "--"]
        data = self.folder / "data"
        self._run([self.bin / "initdb", "-D", data, "-A", "trust", "-U", "bench"])
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off -c jit=off -c max_parallel_workers_per_gather=0"
        self._run([self.bin / "pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start"])
        self.sql("create extension postgis")

    def _run(self, command):
        subprocess.run([*self.as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def sql(self, text, stdin=None):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-d", "postgres", "-c", text]
        return subprocess.run(command, check=True, capture_output=True, text=True, input=stdin).stdout.strip()

    def load(self, work, name):
        self.sql("drop table if exists text; drop table if exists fence; create unlogged table text (id int, w text)")
        self.sql("copy text from stdin", (work / f"{name}.wkt").read_text())
        self.sql("create unlogged table fence as select id, ST_GeomFromText(w) g from text")
        self.sql("create index on fence using gist (g)")
        self.sql("analyze fence")

    def measure(self, work, name, kind, sides):
        import struct

        raw = (work / f"{name}.{kind}.f64").read_bytes()[: 16 * N_POSTGIS]
        rows = "".join(f"{x!r}\t{y!r}\n" for x, y in struct.iter_unpack("<dd", raw))
        self.sql("drop table if exists point; drop table if exists xy; create unlogged table xy (x float8, y float8)")
        self.sql("copy xy from stdin", rows)
        self.sql("create unlogged table point as select ST_Point(x, y) g from xy")
        self.sql("create index on point using gist (g)")
        self.sql("analyze xy")
        self.sql("analyze point")
        return [self.join(name, kind, side, len(raw) // 16) for side in sides if side in POSTGIS]

    def join(self, name, kind, side, n):
        rates, hits = [], 0
        for _ in range(3):
            # One process does the join; the server's own clock leaves out what psql costs.
            plan = self.sql(f"explain (analyze, timing off, format json) select 1 from {POSTGIS[side]}")
            told = json.loads(plan)[0]
            hits = told["Plan"]["Actual Rows"]
            rates.append(n / told["Execution Time"] * 1e3 / 1e6)
        rates.sort()
        return dict(set=name, points=kind, side=side, n=n, hits=hits, least=rates[0], median=rates[1], most=rates[2])

    def stop(self):
        self._run([self.bin / "pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop"])


def measure(work, folder, stars, sides, cache, say):
    rows = []
    postgis = Postgis(work) if any(side in POSTGIS for side in sides) else None
    try:
        for name, source, track in data_sets(folder, work, stars):
            say(f"{name}: outpost and geo + rstar")
            command = [common.target("fence_sides"), work, name, source, *([track] if track else [])]
            told = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout
            rows += [json.loads(line) for line in told.splitlines()]
            kinds = [row["points"] for row in rows if row["set"] == name and row.get("side") == "outpost"]
            if "shapely" in sides:
                say(f"{name}: shapely")
                command = [install_shapely(cache), "-c", SHAPELY, work, name, N_SHAPELY, *kinds]
                told = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout
                rows += [json.loads(line) for line in told.splitlines()]
            if postgis:
                say(f"{name}: postgis")
                postgis.load(work, name)
                rows += [row for kind in kinds for row in postgis.measure(work, name, kind, sides)]
    finally:
        if postgis:
            postgis.stop()
    return rows


def report(rows):
    lines = ["| fences | points | " + " | ".join(SIDES) + " |", "|---|---|" + "---|" * len(SIDES)]
    builds = {}
    for row in rows:
        if "side" not in row:
            builds[row["set"]] = row
    shown = set()
    for row in rows:
        key = (row["set"], row.get("points"))
        if "side" not in row or key in shown:
            continue
        shown.add(key)
        cells = []
        for side in SIDES:
            found = [r for r in rows if (r["set"], r.get("points")) == key and r.get("side") == side]
            cells.append(f"{found[0]['median']:.3g} ({found[0]['least']:.3g}–{found[0]['most']:.3g})" if found else "–")
        lines.append(f"| {key[0]} | {key[1]} | " + " | ".join(cells) + " |")
    for name, row in builds.items():
        lines.append(f"\n{name}: {row['fences']} fences, {row['vertices']} vertices, index built in {row['build_ms']:.0f} ms")
    return "\n".join(lines)
