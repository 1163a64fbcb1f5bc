//! Where on the map what a camera sees is: its view, the ground, and the grids that own it. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use outpost_fences::sight::{Aim, Covariance, Ground, Sighting, Spot, Terrain, View, meet};
use outpost_fences::{FenceSet, Point};
use serde::{Deserialize, Serialize};

use super::heat::Pixel;
use crate::config::Config;
use crate::nouns::{Ellipse, Place, Sight};

/// Grids beside the owner that a ticket is told.
const NEIGHBOURS_MAX: usize = 8;
/// Standard deviations around a point within which a grid is told.
const REACH: f64 = 2.0;

/// The cameras that look over land.
#[derive(Debug, Default)]
pub(super) struct Views {
    views: HashMap<Arc<str>, View>,
    /// Those that turn: without a pose they look anywhere.
    swept: HashSet<Arc<str>>,
    terrain: Option<Arc<Terrain>>,
    flat_m: f64,
    grids: FenceSet,
}

impl Views {
    pub(super) fn new(config: &Config, fences: &FenceSet) -> Views {
        let view = |source: &crate::config::Source| Some((source.id.as_str().into(), source.view?.from(source.place?)));
        Views {
            views: config.sources.iter().filter_map(view).collect(),
            swept: config
                .sources
                .iter()
                .filter(|source| source.ptz.is_some())
                .map(|source| source.id.as_str().into())
                .collect(),
            terrain: config.land.terrain.clone(),
            flat_m: config.land.flat_m,
            grids: config.grids(fences),
        }
    }

    /// What a source sees there. A preset of a camera has the camera's view.
    pub(super) fn see(&self, source: &str, pixel: &Pixel) -> Option<Sighting> {
        let mut view = *self.views.get(camera_of(source))?;
        if pixel.aim.is_none() && self.swept.contains(camera_of(source)) {
            return None;
        }
        if let Some(aim) = pixel.aim {
            view.aim = Aim { bearing_deg: aim.bearing_deg, elevation_deg: aim.elevation_deg };
            view.lens.fov_deg = aim.fov_deg.unwrap_or(view.lens.fov_deg);
            if !view.lens.is_sound() {
                return None;
            }
        }
        let ground = match &self.terrain {
            Some(terrain) => Ground::Terrain(terrain),
            None => Ground::Flat { height_m: self.flat_m },
        };
        let (rows, columns) = pixel.size;
        Some(view.locate((f64::from(pixel.column), f64::from(pixel.row)), (columns, rows), &ground))
    }

    /// Where a sighting is; from several cameras, where they meet.
    pub(super) fn place(&self, sighting: &Sighting, spot: Option<&Spot>, name: Option<Arc<str>>) -> Place {
        let spot = spot.or(sighting.ground.as_ref());
        let error = spot.map(|spot| spot.covariance.ellipse());
        let grids = spot.zip(error).map(|(spot, error)| self.owners(spot.point, REACH * error.major_m));
        Place {
            name,
            accuracy_m: None,
            point: Some(spot.map_or((sighting.from.lon, sighting.from.lat), |spot| (spot.point.lon, spot.point.lat))),
            sight: Some(Box::new(Sight {
                bearing_deg: sighting.bearing_deg,
                bearing_error_deg: sighting.bearing_error_deg,
                distance_m: spot.map(|spot| spot.distance_m),
                error: error.map(|error| Ellipse {
                    major_m: error.major_m,
                    minor_m: error.minor_m,
                    bearing_deg: error.bearing_deg,
                }),
                grids: grids.unwrap_or_default(),
                is_flat: self.terrain.is_none(),
            })),
        }
    }

    /// The grid that owns a point, then those that are within reach of it, the nearest first.
    fn owners(&self, point: Point, reach_m: f64) -> Vec<Arc<str>> {
        let owner = self.grids.owner(point).map(|fence| fence.id.clone());
        let mut near: Vec<(f64, Arc<str>)> = self
            .grids
            .iter()
            .filter(|fence| Some(&fence.id) != owner.as_ref())
            .map(|fence| (fence.distance_to_border_m(point), fence.id.clone()))
            .filter(|(distance_m, _)| *distance_m <= reach_m)
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        owner.into_iter().chain(near.into_iter().take(NEIGHBOURS_MAX).map(|(_, id)| id)).collect()
    }
}

/// The camera of a preset: what stands before its last `@`.
pub(super) fn camera_of(source: &str) -> &str {
    source.rsplit_once('@').map_or(source, |(camera, _)| camera)
}

/// A sighting as a slot keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    from: [f64; 2],
    bearing: f64,
    bearing_error: f64,
    elevation: f64,
    /// Longitude, latitude, distance, and the covariance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spot: Option<[f64; 6]>,
}

impl Kept {
    pub(super) fn new(sighting: &Sighting) -> Kept {
        let Sighting { from, bearing_deg, bearing_error_deg, elevation_deg, ground } = *sighting;
        let spot = ground.map(|Spot { point, distance_m, covariance: Covariance { ee, nn, en } }| {
            [point.lon, point.lat, distance_m, ee, nn, en]
        });
        Kept {
            from: [from.lon, from.lat],
            bearing: bearing_deg,
            bearing_error: bearing_error_deg,
            elevation: elevation_deg,
            spot,
        }
    }

    pub(super) fn sighting(&self) -> Sighting {
        let spot = |[lon, lat, distance_m, ee, nn, en]: [f64; 6]| Spot {
            point: Point { lon, lat },
            distance_m,
            covariance: Covariance { ee, nn, en },
        };
        Sighting {
            from: Point { lon: self.from[0], lat: self.from[1] },
            bearing_deg: self.bearing,
            bearing_error_deg: self.bearing_error,
            elevation_deg: self.elevation,
            ground: self.spot.map(spot),
        }
    }

    /// Where both are, if they can be of one thing.
    pub(super) fn meets(&self, other: &Kept) -> Option<Spot> {
        meet(&self.sighting(), &other.sighting()).map(|meeting| meeting.spot)
    }
}
