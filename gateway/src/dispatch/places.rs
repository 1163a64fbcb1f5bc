//! What of one category is at one place: in the same grid, or near each other. Where either has no point, of the same
//! source.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use outpost_fences::{FenceSet, Point};

/// No degree of latitude is shorter (WGS-84, at the equator: 110,574 m).
const DEGREE_M_MIN: f64 = 110_500.0;
/// Latitudes as whole numbers, which have an order.
const PARTS_PER_DEGREE: f64 = 1e7;

/// Where a ticket or an alert is.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) source: Arc<str>,
    pub(super) point: Option<Point>,
    /// The grid that owns the point, where grids count.
    pub(super) grid: Option<Arc<str>>,
}

/// With the grid that owns the point, where grids count.
pub(super) fn spot(source: &Arc<str>, point: Option<(f64, f64)>, grids: Option<&FenceSet>) -> Spot {
    let point = point.and_then(|(lon, lat)| Point::new(lon, lat));
    let owner = point.zip(grids).and_then(|(point, grids)| grids.owner(point));
    Spot { source: source.clone(), point, grid: owner.map(|fence| fence.id.clone()) }
}

#[derive(Debug, Default)]
pub(super) struct Places {
    by_latitude: BTreeSet<(i64, u64)>,
    points: HashMap<u64, Point>,
    by_grid: HashMap<Arc<str>, BTreeSet<u64>>,
    /// Of what has no point, and of all.
    pointless: HashMap<Arc<str>, BTreeSet<u64>>,
    by_source: HashMap<Arc<str>, BTreeSet<u64>>,
}

impl Places {
    /// Those at the same place; some of them more than once.
    pub(super) fn near<'a>(&'a self, spot: &'a Spot, radius_m: f64) -> impl Iterator<Item = u64> + 'a {
        let same_grid = spot.grid.as_ref().and_then(|grid| self.by_grid.get(grid));
        // A point is compared with points; what has none is where its source is.
        let of_source = if spot.point.is_some() { &self.pointless } else { &self.by_source };
        let same_source = of_source.get(&spot.source);
        let reach = parts(radius_m / DEGREE_M_MIN) + 1;
        let about = spot.point.into_iter().flat_map(move |point| {
            let middle = parts(point.lat);
            let band = self.by_latitude.range((middle - reach, 0)..=(middle + reach, u64::MAX));
            band.filter(move |(_, no)| self.points.get(no).is_some_and(|other| other.distance_m(point) <= radius_m))
        });
        let known = [same_grid, same_source].into_iter().flatten().flatten().copied();
        known.chain(about.map(|(_, no)| *no))
    }

    pub(super) fn insert(&mut self, no: u64, spot: &Spot) {
        match spot.point {
            Some(point) => {
                self.by_latitude.insert((parts(point.lat), no));
                self.points.insert(no, point);
            }
            None => drop(self.pointless.entry(spot.source.clone()).or_default().insert(no)),
        }
        if let Some(grid) = &spot.grid {
            self.by_grid.entry(grid.clone()).or_default().insert(no);
        }
        self.by_source.entry(spot.source.clone()).or_default().insert(no);
    }

    pub(super) fn remove(&mut self, no: u64, spot: &Spot) {
        if let Some(point) = self.points.remove(&no) {
            self.by_latitude.remove(&(parts(point.lat), no));
        }
        let take = |map: &mut HashMap<Arc<str>, BTreeSet<u64>>, key: &Arc<str>| {
            if let Some(numbers) = map.get_mut(key) {
                numbers.remove(&no);
                if numbers.is_empty() {
                    map.remove(key);
                }
            }
        };
        spot.grid.iter().for_each(|grid| take(&mut self.by_grid, grid));
        take(&mut self.pointless, &spot.source);
        take(&mut self.by_source, &spot.source);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_source.is_empty()
    }
}

fn parts(degrees: f64) -> i64 {
    (degrees * PARTS_PER_DEGREE) as i64
}
