//! Claims about patrols.

use std::sync::Arc;

use outpost_fences::geojson;
use proptest::prelude::*;

use super::*;

/// A square of 1,112 m a side at the equator, without its north-eastern quarter.
fn grid() -> Arc<Fence> {
    let text = r#"{"type":"Feature","id":"g","properties":{},"geometry":{"type":"Polygon","coordinates":
        [[[0,0],[0.01,0],[0.01,0.005],[0.005,0.005],[0.005,0.01],[0,0.01],[0,0]]]}}"#;
    let parsed = geojson::parse(text);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    Arc::new(parsed.fences.into_iter().next().unwrap())
}

fn point(lon: f64, lat: f64) -> Point {
    Point::new(lon, lat).unwrap()
}

#[test]
fn the_share_is_of_the_cells_within_the_grid() {
    let mut patrol = Patrol::new(&grid(), 111.195).unwrap();
    assert_eq!((patrol.n_cells(), patrol.share()), (75, Some(0.0)));
    for (lon, lat) in [(0.0005, 0.0005), (0.0006, 0.0009), (0.0095, 0.0005), (0.0095, 0.0095), (-0.0005, 0.0005)] {
        patrol.visit(point(lon, lat));
    }
    assert_eq!(
        (patrol.n_visited(), patrol.share()),
        (2, Some(2.0 / 75.0)),
        "twice in one, once in the gap, once beyond"
    );
}

#[test]
fn cells_that_are_too_many_are_refused_and_too_large_ones_tell_nothing() {
    assert!(Patrol::new(&grid(), 0.1).is_err());
    // The middle of the one cell is beyond the grid.
    assert_eq!(Patrol::new(&grid(), 3_000.0).unwrap().share(), None);
}

proptest! {
    /// As many as there are different cells, counted by themselves; more points never make it less.
    #[test]
    fn visits_are_counted_once(points in prop::collection::vec((-0.002f64..0.012, -0.002f64..0.012), 0..80)) {
        let grid = grid();
        let mut patrol = Patrol::new(&grid, 111.195).unwrap();
        let mut wanted = HashSet::new();
        for (lon, lat) in points {
            let before = patrol.n_visited();
            patrol.visit(point(lon, lat));
            let cell = ((lon / 0.001).floor(), (lat / 0.001).floor());
            let is_in = grid.contains(point((cell.0 + 0.5) * 0.001, (cell.1 + 0.5) * 0.001));
            if is_in {
                wanted.insert((cell.0 as i64, cell.1 as i64));
            }
            prop_assert!(patrol.n_visited() >= before);
        }
        prop_assert_eq!(patrol.n_visited(), wanted.len());
    }
}
