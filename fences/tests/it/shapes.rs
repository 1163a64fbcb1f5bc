//! Random shapes and the text of them.

use std::sync::Arc;

use outpost_fences::{Circle, Corridor, Fence, MultiPolygon, Point, Polygon, Shape};
use proptest::prelude::*;

pub(crate) fn point(lon: f64, lat: f64) -> Point {
    Point::new(lon, lat).unwrap_or_else(|| panic!("{lon},{lat} is no point"))
}

pub(crate) fn fence(id: &str, shape: Shape) -> Fence {
    Fence { id: Arc::from(id), name: id.to_owned(), shape }
}

pub(crate) fn polygon(shell: &[(f64, f64)], holes: &[Vec<(f64, f64)>]) -> Polygon {
    let ring = |ring: &[(f64, f64)]| ring.iter().map(|&(lon, lat)| point(lon, lat)).collect::<Vec<_>>();
    let holes: Vec<Vec<Point>> = holes.iter().map(|hole| ring(hole)).collect();
    Polygon::new(&ring(shell), &holes).unwrap_or_else(|flaw| panic!("{flaw}"))
}

/// Corners around a centre at rising angles, at `from` to `to` of the size: never crosses itself.
fn star_ring(from: f64, to: f64) -> impl Strategy<Value = Vec<(f64, f64)>> {
    (8usize..40).prop_flat_map(move |n| {
        let corner = (from..to, -0.3..0.3f64);
        prop::collection::vec(corner, n).prop_map(move |corners| {
            let step = std::f64::consts::TAU / n as f64;
            let corner = |(i, (radius, jitter)): (usize, (f64, f64))| {
                let angle = (i as f64 + jitter) * step;
                (radius * angle.cos(), radius * angle.sin())
            };
            corners.into_iter().enumerate().map(corner).collect()
        })
    })
}

/// A star, half the time with a star for a hole, of a size from a metre to a province.
pub(crate) fn star() -> impl Strategy<Value = Polygon> {
    let size = prop_oneof![Just(1e-5), Just(0.01), Just(1.0), Just(5.0)];
    let hole = prop::option::of(star_ring(0.1, 0.3));
    let place = (100.0..110.0f64, 25.0..35.0f64);
    (star_ring(0.5, 1.0), hole, place, size, any::<bool>()).prop_map(|(shell, hole, (lon, lat), size, turned)| {
        let put = |ring: Vec<(f64, f64)>| {
            let mut ring: Vec<_> = ring.into_iter().map(|(x, y)| (lon + x * size, lat + y * size)).collect();
            if turned {
                ring.reverse();
            }
            ring
        };
        let holes: Vec<_> = hole.into_iter().map(put).collect();
        polygon(&put(shell), &holes)
    })
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        3 => star().prop_map(Shape::Polygon),
        1 => prop::collection::vec(star(), 1..4).prop_map(|parts| Shape::MultiPolygon(MultiPolygon::new(parts))),
    ]
}

/// Any kind of shape with an inside.
pub(crate) fn any_shape() -> impl Strategy<Value = Shape> {
    let place = (100.0..110.0f64, 25.0..35.0f64).prop_map(|(lon, lat)| point(lon, lat));
    let steps = prop::collection::vec((-0.5..0.5f64, -0.5..0.5f64), 1..8);
    let corridor = (place.clone(), steps, 10.0..50_000.0f64).prop_map(|(start, steps, width_m)| {
        let mut path = vec![start];
        for (dx, dy) in steps {
            let last = path[path.len() - 1];
            path.push(point(last.lon + dx, last.lat + dy));
        }
        Shape::Corridor(Corridor::new(&path, width_m).unwrap_or_else(|flaw| panic!("{flaw}")))
    });
    let circle = (place, prop_oneof![1.0..1_000.0f64, 1_000.0..400_000.0f64]).prop_map(|(center, radius_m)| {
        Shape::Circle(Circle::new(center, radius_m).unwrap_or_else(|flaw| panic!("{flaw}")))
    });
    prop_oneof![2 => shape(), 1 => circle, 1 => corridor]
}

/// A point somewhere in and around a shape, at times with a coordinate that one of its corners has.
pub(crate) fn near(shape: &Shape) -> impl Strategy<Value = Point> + use<> {
    let bounds = shape.bounds();
    let corners: Vec<Point> = shape.polygons().iter().flat_map(|part| part.rings().flatten()).collect();
    let (wide, high) = (bounds.east - bounds.west, bounds.north - bounds.south);
    let anywhere =
        (-0.2..1.2f64, -0.2..1.2f64).prop_map(move |(x, y)| point(bounds.west + x * wide, bounds.south + y * high));
    // Circles and corridors have no corners to speak of.
    let corners = if corners.is_empty() { vec![point(bounds.west, bounds.south)] } else { corners };
    let corner = prop::sample::select(corners);
    (anywhere, corner, 0..6).prop_map(|(point, corner, which)| match which {
        0 => corner,
        1 => Point { lat: corner.lat, ..point },
        2 => Point { lon: corner.lon, ..point },
        _ => point,
    })
}
