//! An open chain of edges that may run across the antimeridian.

use super::{Flaw, FlawKind, Flaws, Place, VERTICES_MAX, why_no_point};
use crate::geodesic::near_longitude;
use crate::plane::Xy;
use crate::point::{Bounds, Point};

/// At least two different vertices. Longitudes go on beyond 180 where the path does, so that each edge is short.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    vertices: Vec<Xy>,
}

impl Path {
    pub(crate) fn new(points: &[Point]) -> Result<Path, Flaw> {
        let positions: Vec<[f64; 2]> = points.iter().map(|p| [p.lon, p.lat]).collect();
        let (path, flaws) = Path::read(&positions);
        match (path, flaws.into_iter().find(Flaw::is_fatal)) {
            (Some(path), None) => Ok(path),
            (_, Some(flaw)) => Err(flaw),
            (None, None) => unreachable!("positions are a path or have a fatal flaw"),
        }
    }

    /// A path where no flaw is fatal.
    pub(crate) fn read(positions: &[[f64; 2]]) -> (Option<Path>, Vec<Flaw>) {
        let mut flaws = Flaws::default();
        if positions.len() > VERTICES_MAX {
            flaws.push(FlawKind::TooManyVertices, Place::default());
            return (None, flaws.into_list());
        }
        let mut vertices: Vec<Xy> = Vec::with_capacity(positions.len());
        for (number, &[lon, lat]) in positions.iter().enumerate() {
            let place = Place { vertex: Some(number), at: Some([lon, lat]), ..Place::default() };
            let Some(point) = Point::new(lon, lat) else {
                flaws.push(why_no_point(lon, lat), place);
                return (None, flaws.into_list());
            };
            let mut p = point.xy();
            if let Some(last) = vertices.last() {
                p.x = near_longitude(p.x, last.x);
                if p == *last {
                    flaws.push(FlawKind::Repeated, place);
                    continue;
                }
            }
            vertices.push(p);
        }
        if vertices.len() < 2 {
            flaws.push(FlawKind::ShortPath { n: vertices.len() }, Place::default());
            return (None, flaws.into_list());
        }
        (Some(Path { vertices }), flaws.into_list())
    }

    pub(crate) fn vertices(&self) -> &[Xy] {
        &self.vertices
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = (Xy, Xy)> + '_ {
        self.vertices.windows(2).map(|pair| (pair[0], pair[1]))
    }

    pub(crate) fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.vertices.iter().map(|v| Point { lon: near_longitude(v.x, 0.0), lat: v.y })
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds::around(self.vertices.iter().copied()).within_the_world()
    }
}
