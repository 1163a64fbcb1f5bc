"""What Shapely (GEOS) says of points in polygons, for oracle.rs.

Prints `fences GEOJSON`, then for each point `longitude latitude distance ids…`: degrees to the nearest border of the
polygons whose box it is in or near (a large number where none is), and the identities of those that contain it.

oracle.py drawn N      stars with holes, multipolygons and a tiling, N points spread over them, near and on borders
oracle.py stored DIR   each file of borders in DIR with points in its box and the fixes of the tracks in DIR
"""

import csv
import gzip
import json
import math
import pathlib
import random
import sys

import numpy
import shapely
from shapely.geometry import Point, shape

if not hasattr(shapely, "contains_xy"):
    import shapely.vectorized

NEAR_DEG = 1e-6
FAR = 999.0


def star(rng, lon, lat, size, n, low=0.4):
    ring = []
    for i in range(n):
        angle = (i + rng.uniform(-0.3, 0.3)) * math.tau / n
        far = size * rng.uniform(low, 1.0)
        ring.append((lon + far * math.cos(angle), lat + far * math.sin(angle)))
    if rng.random() < 0.5:
        ring.reverse()
    return ring + ring[:1]


def draw(rng, n):
    features = []

    def add(kind, coordinates):
        features.append({"type": "Feature", "properties": {"id": f"f{len(features)}"},
                         "geometry": {"type": kind, "coordinates": coordinates}})

    for _ in range(n):
        lon, lat = rng.uniform(100, 110), rng.uniform(25, 35)
        size = rng.choice([0.001, 0.05, 0.3, 1.0])
        rings = [star(rng, lon, lat, size, rng.randint(8, 200))]
        if rng.random() < 0.4:
            rings.append(star(rng, lon, lat, size * 0.3, rng.randint(5, 30)))
        if rng.random() < 0.3:
            far = [star(rng, lon + 2.5 * size, lat, size, rng.randint(8, 60))]
            add("MultiPolygon", [rings, far])
        else:
            add("Polygon", rings)
    # A tiling of moved lattice points.
    k = 12
    at = {(i, j): (112 + (i + rng.uniform(-0.25, 0.25)) * 0.1, 28 + (j + rng.uniform(-0.25, 0.25)) * 0.1)
          for i in range(k) for j in range(k)}
    for i in range(k - 1):
        for j in range(k - 1):
            ring = [at[i, j], at[i + 1, j], at[i + 1, j + 1], at[i, j + 1]]
            add("Polygon", [ring + ring[:1]])
    return {"type": "FeatureCollection", "features": features}


def points_of(rng, polygons, n):
    """A third anywhere, a third near borders, a third inside boxes; some exactly at vertices."""
    boxes = [polygon.bounds for polygon in polygons]
    west, south = min(b[0] for b in boxes), min(b[1] for b in boxes)
    east, north = max(b[2] for b in boxes), max(b[3] for b in boxes)
    vertices = []
    for polygon in polygons:
        for part in getattr(polygon, "geoms", [polygon]):
            for ring in [part.exterior, *part.interiors]:
                vertices.append(list(ring.coords))
    for _ in range(n):
        which = rng.random()
        if which < 0.34:
            yield rng.uniform(west, east), rng.uniform(south, north)
        elif which < 0.67:
            w, s, e, m = rng.choice(boxes)
            yield rng.uniform(w, e), rng.uniform(s, m)
        else:
            ring = rng.choice(vertices)
            i = rng.randrange(len(ring) - 1)
            (ax, ay), (bx, by) = ring[i][:2], ring[i + 1][:2]
            share = rng.choice([0.0, 0.5, rng.random(), rng.random()])
            off = rng.choice([0.0, 1e-12, 1e-8, 1e-5]) * rng.choice([-1, 1])
            yield ax + (bx - ax) * share + off, ay + (by - ay) * share + off


def contains(polygon, x, y):
    return shapely.contains_xy(polygon, x, y) if hasattr(shapely, "contains_xy") else shapely.vectorized.contains(polygon, x, y)


def answer(collection, points):
    sys.stdout.write("fences " + json.dumps(collection) + "\n")
    ids = [str(feature["properties"]["id"]) for feature in collection["features"]]
    polygons = [shape(feature["geometry"]) for feature in collection["features"]]
    xy = numpy.array(list(points(polygons)))
    x, y = xy[:, 0].copy(), xy[:, 1].copy()
    order = numpy.argsort(x)
    sorted_x = x[order]
    inside = [[] for _ in x]
    apart = numpy.full(len(x), FAR)
    for identity, polygon in zip(ids, polygons):
        west, south, east, north = polygon.bounds
        first = numpy.searchsorted(sorted_x, west - NEAR_DEG)
        last = numpy.searchsorted(sorted_x, east + NEAR_DEG, side="right")
        near = order[first:last]
        near = near[(y[near] >= south - NEAR_DEG) & (y[near] <= north + NEAR_DEG)]
        if not len(near):
            continue
        for i in near[contains(polygon, x[near], y[near])]:
            inside[i].append(identity)
        # The exact distance is only asked in a narrow strip along the border.
        strip = polygon.boundary.buffer(NEAR_DEG, 1)
        for i in near[contains(strip, x[near], y[near])]:
            apart[i] = min(apart[i], polygon.boundary.distance(Point(x[i], y[i])))
    for i in range(len(x)):
        print(f"{float(x[i])!r} {float(y[i])!r} {apart[i]:.3e}", *inside[i])


def load(path):
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path)
    with opened as file:
        collection = json.load(file)
    features = []
    for i, feature in enumerate(collection["features"]):
        if "Polygon" in feature["geometry"]["type"] and shape(feature["geometry"]).is_valid:
            feature["properties"] = {"id": f"f{i}"}
            feature.pop("id", None)
            features.append(feature)
    return {"type": "FeatureCollection", "features": features}


def fixes(folder):
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt") as file:
            for row in csv.reader(file):
                try:
                    lon, lat = float(row[2]), float(row[3])
                except (IndexError, ValueError):
                    continue
                if abs(lon) <= 180 and abs(lat) <= 90:
                    yield lon, lat


def main():
    rng = random.Random(20261127)
    if sys.argv[1] == "drawn":
        answer(draw(rng, 300), lambda polygons: points_of(rng, polygons, int(sys.argv[2])))
        return
    folder = pathlib.Path(sys.argv[2])
    for path in sorted([*folder.glob("*.geojson"), *folder.glob("*.geojson.gz")]):
        tracks = list(fixes(folder)) if "china" in path.name else []
        answer(load(path), lambda polygons: [*points_of(rng, polygons, 30_000), *tracks])


main()
