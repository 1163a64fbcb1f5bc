//! Whose a ticket is by its place: the grid that owns the point, the duty lists above it, and the neighbours that may have it
//! as well because the point is not that sure.

use std::sync::Arc;

use outpost_fences::{Bounds, Fence, FenceSet, Point};

use super::centres::Centres;
use crate::config::Places;
use crate::nouns::{Place, Stage, Ticket};

/// Neighbours that are kept with a ticket.
const BESIDE_MAX: usize = 3;

/// Standard deviations around a seen point within which it may be.
const SIGMAS: f64 = 2.0;

/// Least length of a degree of latitude, in metres.
const DEGREE_M: f64 = 110_000.0;

/// The ground of centres: fences with their ids.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    fences: Arc<FenceSet>,
    border_m: f64,
}

/// Where a ticket enters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) centre: Arc<str>,
    /// Whose it may be as well, the nearest first.
    pub(super) beside: Vec<Arc<str>>,
}

impl Ground {
    pub(super) fn new(places: &Places) -> Ground {
        Ground { fences: places.ground.clone(), border_m: places.border_m }
    }

    /// The grids have other borders from now on.
    pub(super) fn take(&mut self, grids: &FenceSet) {
        self.fences = Arc::new(FenceSet::new(grids.iter().map(|fence| Fence::clone(fence)).collect()));
    }

    /// Fences that contain a point, and those on which it may be as well, the nearest first.
    fn around(&self, place: &Place) -> (Vec<&Arc<Fence>>, Vec<&Arc<Fence>>) {
        let Some(point) = place.point.and_then(|(lon, lat)| Point::new(lon, lat)) else { return Default::default() };
        let error = place.sight.as_ref().and_then(|sight| sight.error);
        let reach_m = error.map_or(0.0, |error| SIGMAS * error.major_m);
        let reach_m = reach_m.max(place.accuracy_m.unwrap_or_default()).max(self.border_m);
        let own: Vec<_> = self.fences.containing(point).collect();
        let others = self.fences.iter().filter(|fence| own.iter().all(|own| own.id != fence.id));
        let near = others.filter(|fence| is_near(&fence.bounds(), point, reach_m)).filter_map(|fence| {
            let distance_m = fence.distance_to_border_m(point).abs();
            (distance_m <= reach_m).then_some((distance_m, fence))
        });
        let mut near: Vec<_> = near.collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        (own, near.into_iter().map(|(_, fence)| fence).collect())
    }
}

/// Cheaper than the distance, and true wherever that is within reach.
fn is_near(bounds: &Bounds, point: Point, reach_m: f64) -> bool {
    let lat = reach_m / DEGREE_M;
    let lon = lat / point.lat.to_radians().cos().max(0.01);
    (bounds.south - lat..=bounds.north + lat).contains(&point.lat)
        && (bounds.west - lon..=bounds.east + lon).contains(&point.lon)
}

impl Centres {
    /// By the ground, where it has a centre: of several the lowest, and what is on no ground but within reach of one is of the
    /// nearest. Else by source.
    pub(super) fn route(&self, source: &str, category: &str, place: &Place) -> Route {
        let (own, near) = self.ground.around(place);
        // A fence that is no centre's is nobody's ground.
        let own = own.into_iter().filter_map(|fence| Some((self.level(&fence.id)?, fence)));
        let own = own.min_by_key(|(level, _)| *level).map(|(_, fence)| fence);
        let mut taking = own.into_iter().chain(near).filter_map(|fence| self.on_duty(&fence.id, category));
        let Some(centre) = taking.next() else {
            return Route { centre: self.entrance(source).clone(), beside: Vec::new() };
        };
        let mut beside: Vec<Arc<str>> = Vec::new();
        for other in taking {
            // Those above and beneath have it already, or by handing it up and down.
            if !self.is_related(centre, other) && !beside.contains(other) && beside.len() < BESIDE_MAX {
                beside.push(other.clone());
            }
        }
        Route { centre: centre.clone(), beside }
    }

    /// The ticket's place is another one now. One that nobody has begun to work on, nor given to somebody else, goes to whose
    /// ground it is on; beside another one stand those on whose ground it may be. Whether it went.
    pub(super) fn place_anew(&self, ticket: &mut Ticket, place: Place) -> bool {
        let before = self.route(&ticket.source, &ticket.category, &ticket.place);
        let Route { centre, beside } = self.route(&ticket.source, &ticket.category, &place);
        ticket.place = place;
        let is_untouched = matches!(ticket.stage, Stage::Suspected | Stage::Reported);
        if is_untouched && ticket.centre == before.centre {
            ticket.beside = beside;
            ticket.centre = centre;
            return ticket.centre != before.centre;
        }
        for other in std::iter::once(centre).chain(beside) {
            let is_new = !self.is_related(&ticket.centre, &other) && !ticket.beside.contains(&other);
            if is_new && ticket.beside.len() < BESIDE_MAX {
                ticket.beside.push(other);
            }
        }
        false
    }
}

#[cfg(test)]
pub(super) mod tests;
