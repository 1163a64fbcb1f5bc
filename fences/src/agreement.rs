//! Whether outlines of different origin agree: a map in GCJ-02 or BD-09 that is taken for WGS-84 lies some hundred
//! metres beside its neighbours, always in the direction in which those systems shift, and fits once it is converted.

use crate::coordinates::Coordinates;
use crate::fence::Fence;
use crate::geodesic::distance_to_nearest_m;
use crate::plane::Xy;
use crate::point::{Bounds, Point};
use crate::shape::Polygon;

/// Farther off is no neighbour; Baidu shifts by some 1,200 m.
const NEAR_M: f64 = 2_500.0;
/// Corners of one outline that are looked at, and those near the other that it takes for a judgement.
const CORNERS_MAX: usize = 400;
const CORNERS_MIN: usize = 8;
/// Metres: below this outlines agree as they are. The least shift in mainland China is some 300 m.
const APART_M_MIN: f64 = 100.0;
/// Converted, they must be so many times nearer.
const NEARER_MIN: f64 = 2.0;

/// Outlines that disagree as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// What the first ones seem to be in.
    pub seems: Coordinates,
    /// Median distance of their corners from the border of the others, as they are, in metres.
    pub apart_m: f64,
    /// The same once they are converted.
    pub converted_m: f64,
}

/// Whether `ours`, taken for WGS-84, fit `theirs` much better read as another system. `None` where they agree as they
/// are, where nothing fits, and where they have no border near each other.
pub fn shift<'a>(ours: impl Iterator<Item = &'a Fence>, theirs: impl Iterator<Item = &'a Fence>) -> Option<Shift> {
    let corners: Vec<Xy> = polygons(ours).flat_map(Polygon::corners).collect();
    let theirs: Vec<(Bounds, &Polygon)> = polygons(theirs).map(|part| (part.bounds().grown_m(NEAR_M), part)).collect();
    let to_border_m = |p: Xy| {
        let near = theirs.iter().filter(|(bounds, _)| bounds.holds(p));
        near.map(|(_, part)| distance_to_nearest_m(p, || part.edges().map(|edge| (edge.low, edge.high))))
            .fold(f64::INFINITY, f64::min)
    };
    let step = corners.len() / CORNERS_MAX + 1;
    let mut near: Vec<(Xy, f64)> = corners.into_iter().step_by(step).map(|p| (p, to_border_m(p))).collect();
    near.retain(|(_, apart_m)| *apart_m <= NEAR_M);
    if near.len() < CORNERS_MIN {
        return None;
    }
    let apart_m = median(near.iter().map(|(_, apart_m)| *apart_m));
    let (seems, converted_m) = [Coordinates::Gcj02, Coordinates::Bd09]
        .map(|system| (system, median(near.iter().map(|(p, _)| to_border_m(system.to_wgs84(Point::from(*p)).xy())))))
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    (apart_m >= APART_M_MIN && converted_m * NEARER_MIN <= apart_m).then_some(Shift { seems, apart_m, converted_m })
}

fn polygons<'a>(fences: impl Iterator<Item = &'a Fence>) -> impl Iterator<Item = &'a Polygon> {
    fences.flat_map(|fence| fence.shape.polygons())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Fences that lie farther than this from all others, in metres: an outline of another place, or one whose longitude and
/// latitude were both valid when swapped.
const ASTRAY_M: f64 = 300_000.0;
const FENCES_MIN: usize = 3;

/// Fences whose middle is farther than 300 km from the middle of the middle fence; none where half are, or where there
/// are fewer than three.
pub fn astray<'a>(fences: &[&'a Fence]) -> Vec<&'a Fence> {
    if fences.len() < FENCES_MIN {
        return Vec::new();
    }
    let middle = |fence: &Fence| {
        let Bounds { west, south, east, north } = fence.bounds();
        Point { lon: f64::midpoint(west, east), lat: f64::midpoint(south, north) }
    };
    let center = Point {
        lon: median(fences.iter().map(|fence| middle(fence).lon)),
        lat: median(fences.iter().map(|fence| middle(fence).lat)),
    };
    let far: Vec<&Fence> = fences.iter().copied().filter(|fence| middle(fence).distance_m(center) > ASTRAY_M).collect();
    if far.len() * 2 < fences.len() { far } else { Vec::new() }
}
