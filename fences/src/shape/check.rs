//! From rings as written to a shape that can be asked, or to the flaws that forbid it.

use super::contacts::{Way, visit_contacts};
use super::cut;
use super::{Flaw, FlawKind, Flaws, MultiPolygon, Place, Polygon, RINGS_MAX, Shape, VERTICES_MAX, why_no_point};
use crate::geodesic::metres_per_degree;
use crate::plane::{Contact, Edge, Xy, is_odd, ring_edges, signed_area, turn};
use crate::point::Point;

/// Rings as written: polygons of rings of longitude and latitude, each ring with its first position again at its end.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) polygons: Vec<Vec<Vec<[f64; 2]>>>,
    pub(crate) is_multi: bool,
    /// What lies across the antimeridian is cut there; the shape then has several parts.
    pub(crate) is_cut: bool,
}

#[derive(Debug)]
pub(crate) struct Checked {
    /// Present when no flaw is fatal.
    pub(crate) shape: Option<Shape>,
    pub(crate) flaws: Vec<Flaw>,
}

/// Below this a ring is a stroke of the mouse, not an area; far above what rounding can make of a stroke.
const AREA_M2_MIN: f64 = 0.01;
/// Edges looked at to see whether the vertices of holes are inside; above it only every n-th vertex is.
const HOLE_TRIALS_MAX: usize = 20_000_000;

/// A ring without repeated positions, and what its vertices were called when it was written.
struct Ring {
    points: Vec<Xy>,
    numbers: Vec<usize>,
    polygon: usize,
    ring: usize,
    is_multi: bool,
}

pub(crate) fn check(draft: Draft) -> Checked {
    let mut flaws = Flaws::default();
    let mut polygons = read_rings(&draft, &mut flaws);
    let are_across: Vec<bool> = match draft.is_cut && !flaws.any_fatal() {
        true => polygons.iter_mut().map(|rings| unroll(rings, &mut flaws)).collect(),
        false => vec![false; polygons.len()],
    };
    // The lobes of a ring that crosses itself cancel each other's area, so crossings are looked for first.
    let steps = [check_contacts, check_areas, check_holes];
    for step in steps {
        // Each step takes for granted what those before have made sure of.
        if !flaws.any_fatal() {
            step(&polygons, &mut flaws);
        }
    }
    if flaws.any_fatal() {
        return Checked { shape: None, flaws: flaws.into_list() };
    }
    let parts = polygons.into_iter().zip(are_across).flat_map(|(rings, is_across)| {
        let rings: Vec<Vec<Xy>> = rings.into_iter().map(|ring| ring.points).collect();
        if !is_across {
            return vec![rings];
        }
        let mut parts = cut::cut(rings);
        // Of a vertex that lies a hair beyond 180 nothing is left that could be written and read again.
        if parts.iter().any(|part| area_m2(&part[0]) >= AREA_M2_MIN) {
            parts.retain(|part| area_m2(&part[0]) >= AREA_M2_MIN);
        }
        parts
    });
    let mut parts: Vec<Polygon> = parts.map(Polygon::from_checked).collect();
    let shape = match parts.pop() {
        Some(only) if !draft.is_multi && parts.is_empty() => Shape::Polygon(only),
        last => Shape::MultiPolygon(MultiPolygon::new(parts.into_iter().chain(last).collect())),
    };
    Checked { shape: Some(shape), flaws: flaws.into_list() }
}

fn read_rings(draft: &Draft, flaws: &mut Flaws) -> Vec<Vec<Ring>> {
    let n_rings: usize = draft.polygons.iter().map(Vec::len).sum();
    let n_vertices: usize = draft.polygons.iter().flatten().map(Vec::len).sum();
    if n_rings > RINGS_MAX || n_vertices > VERTICES_MAX {
        let kind = if n_rings > RINGS_MAX { FlawKind::TooManyRings } else { FlawKind::TooManyVertices };
        flaws.push(kind, Place::default());
        return Vec::new();
    }
    if draft.polygons.is_empty() {
        flaws.push(FlawKind::NoRing, Place::default());
    }
    let mut polygons = Vec::with_capacity(draft.polygons.len());
    for (polygon, rings) in draft.polygons.iter().enumerate() {
        if rings.is_empty() {
            let place = Place { polygon: draft.is_multi.then_some(polygon), ..Place::default() };
            flaws.push(FlawKind::NoRing, place);
        }
        let read = rings.iter().enumerate().map(|(ring, positions)| {
            let mut read = Ring { points: vec![], numbers: vec![], polygon, ring, is_multi: draft.is_multi };
            read.read(positions, flaws);
            read
        });
        polygons.push(read.collect());
    }
    polygons
}

impl Ring {
    fn read(&mut self, positions: &[[f64; 2]], flaws: &mut Flaws) {
        for (number, &[lon, lat]) in positions.iter().enumerate() {
            let place = Place { vertex: Some(number), at: Some([lon, lat]), ..self.place() };
            let Some(point) = Point::new(lon, lat) else {
                flaws.push(why_no_point(lon, lat), place);
                return;
            };
            let p = point.xy();
            if self.points.last() == Some(&p) {
                flaws.push(FlawKind::Repeated, place);
                continue;
            }
            self.points.push(p);
            self.numbers.push(number);
        }
        // The position that closes a ring is the first one again, not a vertex of its own.
        let is_closed = positions.len() > 1 && positions.first() == positions.last();
        if is_closed && self.points.len() > 1 {
            self.points.pop();
            self.numbers.pop();
        }
        let n = self.points.len();
        if n < 3 {
            flaws.push(FlawKind::TooFewPoints { n }, self.place());
        } else if !is_closed {
            let number = positions.len() - 1;
            flaws.push(FlawKind::Unclosed, Place { vertex: Some(number), at: Some(positions[number]), ..self.place() });
        }
    }

    fn place(&self) -> Place {
        Place { polygon: self.is_multi.then_some(self.polygon), ring: Some(self.ring), ..Place::default() }
    }

    fn place_of(&self, vertex: usize, at: Xy) -> Place {
        Place { vertex: self.numbers.get(vertex).copied(), at: Some([at.x, at.y]), ..self.place() }
    }

    fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        ring_edges(&self.points)
    }

    fn before(&self, vertex: usize) -> Xy {
        self.points[(vertex + self.points.len() - 1) % self.points.len()]
    }

    fn after(&self, vertex: usize) -> Xy {
        self.points[(vertex + 1) % self.points.len()]
    }
}

/// Notes where an edge is taken the short way around the Earth.
fn unroll(rings: &mut [Ring], flaws: &mut Flaws) -> bool {
    let mut points: Vec<&mut Vec<Xy>> = rings.iter_mut().map(|ring| &mut ring.points).collect();
    let is_across = cut::unroll(&mut points);
    if is_across {
        flaws.push(FlawKind::Across, rings[0].place());
    }
    for ring in rings {
        // The corners at a pole were not written; they follow the last vertex that was.
        let last = ring.numbers.last().copied().unwrap_or(0);
        ring.numbers.resize(ring.points.len(), last);
    }
    is_across
}

/// By the metres of a degree in the middle of its latitudes, whichever vertex is the first: good to tell something from nothing.
fn area_m2(ring: &[Xy]) -> f64 {
    let (south, north) = ring.iter().fold((90.0_f64, -90.0_f64), |(south, north), p| (south.min(p.y), north.max(p.y)));
    let (lon_m, lat_m) = metres_per_degree(f64::midpoint(south, north));
    signed_area(ring).abs() * lon_m * lat_m
}

fn check_areas(polygons: &[Vec<Ring>], flaws: &mut Flaws) {
    for rings in polygons {
        let mut left_m2 = 0.0;
        for ring in rings {
            let area_m2 = area_m2(&ring.points);
            if area_m2 < AREA_M2_MIN {
                flaws.push(FlawKind::ZeroArea, ring.place_of(0, ring.points[0]));
            }
            left_m2 += if ring.ring == 0 { area_m2 } else { -area_m2 };
            for (vertex, &p) in ring.points.iter().enumerate() {
                let long = (ring.after(vertex).x - p.x).abs();
                if long > 180.0 && long < 360.0 {
                    flaws.push(FlawKind::LongEdge, ring.place_of(vertex, p));
                }
            }
        }
        if !flaws.any_fatal() && left_m2 < AREA_M2_MIN {
            flaws.push(FlawKind::HolesLeaveNothing, rings[0].place());
        }
    }
}

fn check_contacts(polygons: &[Vec<Ring>], flaws: &mut Flaws) {
    let rings: Vec<&Ring> = polygons.iter().flatten().collect();
    let mut ways = Vec::new();
    let mut owners = Vec::new();
    for (r, ring) in rings.iter().enumerate() {
        for vertex in 0..ring.points.len() {
            ways.push(Way { from: ring.points[vertex], to: ring.after(vertex) });
            owners.push((r, vertex));
        }
    }
    let visited = visit_contacts(&ways, |i, j, contact| {
        let ((r, first), (other, second)) = (owners[i], owners[j]);
        if r == other {
            if let Some((kind, at)) = within_ring(rings[r], first, second, contact) {
                flaws.push(kind, rings[r].place_of(first, at));
            }
        } else if let Contact::Cross(at) = contact {
            let (ring, other) = (rings[r], rings[other]);
            let kind = if ring.polygon == other.polygon {
                FlawKind::RingsCross { other: other.ring }
            } else {
                FlawKind::PartsCross { other: other.polygon }
            };
            flaws.push(kind, ring.place_of(first, at));
        }
    });
    if visited.is_err() {
        flaws.push(FlawKind::TooIntricate, Place::default());
    }
}

/// What a contact of two edges of one ring means; the edges are named by their first vertices.
fn within_ring(ring: &Ring, first: usize, second: usize, contact: Contact) -> Option<(FlawKind, Xy)> {
    let n = ring.points.len();
    let numbers = (ring.numbers[first], ring.numbers[second]);
    let crossing = FlawKind::SelfCrossing { first: numbers.0, second: numbers.1 };
    match contact {
        Contact::Cross(at) => Some((crossing, at)),
        Contact::Along(at) => Some((FlawKind::SelfOverlap { first: numbers.0, second: numbers.1 }, at)),
        Contact::Against(at) => Some((FlawKind::FoldsBack, at)),
        // Edges that follow each other meet at their common vertex.
        Contact::Touch(_) if second == first + 1 || (first == 0 && second == n - 1) => None,
        Contact::Touch(at) => {
            let kind = if passes_through(ring, first, second, at) { crossing } else { FlawKind::TouchesItself };
            Some((kind, at))
        }
    }
}

/// The border, coming along one edge to `at` and going on, changes there to the other side of the other edge's way.
/// With a vertex drawn just where the border crosses itself, no two edges cross, but the border does.
fn passes_through(ring: &Ring, first: usize, second: usize, at: Xy) -> bool {
    // The border's way through `at`, seen from an edge on which `at` lies.
    let through = |vertex: usize| {
        let (from, to) = (ring.points[vertex], ring.after(vertex));
        if from == at {
            (ring.before(vertex), to)
        } else if to == at {
            (from, ring.after((vertex + 1) % ring.points.len()))
        } else {
            (from, to)
        }
    };
    let ((come, go), (other_come, other_go)) = (through(first), through(second));
    let is_left = |q: Xy| left_of_bend(come, at, go, q);
    matches!((is_left(other_come), is_left(other_go)), (Some(a), Some(b)) if a != b)
}

/// Whether the direction from `at` to `q` is left of the bend `come`, `at`, `go`; `None` where it is along it.
fn left_of_bend(come: Xy, at: Xy, go: Xy, q: Xy) -> Option<bool> {
    let (of_come, of_go) = (turn(come, at, q), turn(at, go, q));
    let bend = turn(come, at, go);
    // Along one of the two ways: on its line, and not on its far side.
    let is_along = |end: Xy, side: f64| {
        side == 0.0 && ((q.x - at.x) * (end.x - at.x) > 0.0 || (q.y - at.y) * (end.y - at.y) > 0.0)
    };
    if is_along(come, of_come) || is_along(go, of_go) {
        return None;
    }
    // Left of a left bend is left of both ways; left of a right bend is left of either.
    Some(if bend > 0.0 { of_come > 0.0 && of_go > 0.0 } else { of_come > 0.0 || of_go > 0.0 })
}

fn check_holes(polygons: &[Vec<Ring>], flaws: &mut Flaws) {
    for rings in polygons {
        let Some((shell, holes)) = rings.split_first() else { continue };
        let n_trials = shell.points.len() * holes.iter().map(|hole| hole.points.len()).sum::<usize>();
        let step = n_trials / HOLE_TRIALS_MAX + 1;
        let is_outside = |p: Xy| !is_odd(shell.edges(), p) && !shell.edges().any(|edge| edge.holds(p));
        let insides: Vec<Option<Xy>> = holes.iter().map(|hole| point_inside(&hole.points)).collect();

        for (i, hole) in holes.iter().enumerate() {
            let vertex = (0..hole.points.len()).step_by(step).find(|&v| is_outside(hole.points[v]));
            if let Some(vertex) = vertex {
                flaws.push(FlawKind::HoleOutside, hole.place_of(vertex, hole.points[vertex]));
            } else if let Some(inside) = insides[i].filter(|&p| is_outside(p)) {
                // All vertices on the shell's border, but the hole in a bay of it.
                flaws.push(FlawKind::HoleOutside, Place { at: Some([inside.x, inside.y]), ..hole.place() });
            }
            let overlapped = holes
                .iter()
                .enumerate()
                .find(|(j, other)| *j != i && insides[i].is_some_and(|p| is_odd(other.edges(), p)));
            if let Some((_, other)) = overlapped {
                flaws.push(FlawKind::HolesOverlap { other: other.ring }, hole.place());
            }
        }
    }
}

/// A point well inside a ring: in the middle of the widest stretch of a level line between two vertices.
fn point_inside(ring: &[Xy]) -> Option<Xy> {
    let mut ys: Vec<f64> = ring.iter().map(|p| p.y).collect();
    ys.sort_by(f64::total_cmp);
    let widest = ys.windows(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])))?;
    let y = f64::midpoint(widest[0], widest[1]);
    let cut = |edge: Edge| edge.low.x + (edge.high.x - edge.low.x) * ((y - edge.low.y) / (edge.high.y - edge.low.y));
    let mut xs: Vec<f64> = ring_edges(ring).filter(|edge| edge.spans_y(y)).map(cut).collect();
    xs.sort_by(f64::total_cmp);
    let stretch = xs.chunks_exact(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])))?;
    let p = Xy::new(f64::midpoint(stretch[0], stretch[1]), y);
    is_odd(ring_edges(ring), p).then_some(p)
}

/// Fatal contacts of one ring with itself, for shapes that are not on the map.
pub(crate) fn self_contacts(points: Vec<Xy>) -> Vec<Flaw> {
    let numbers = (0..points.len()).collect();
    let ring = Ring { points, numbers, polygon: 0, ring: 0, is_multi: false };
    let mut flaws = Flaws::default();
    check_contacts(&[vec![ring]], &mut flaws);
    flaws.into_list().into_iter().filter(Flaw::is_fatal).collect()
}
