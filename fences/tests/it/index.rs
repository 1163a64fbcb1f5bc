//! The index answers as a plain scan does.

use outpost_fences::{Fence, FenceSet, Point, Shape};
use proptest::prelude::*;

use crate::shapes::{fence, near, point, polygon, shape};

fn ids<'a>(fences: impl Iterator<Item = &'a std::sync::Arc<Fence>>) -> Vec<String> {
    fences.map(|fence| fence.id.to_string()).collect()
}

fn numbered(shapes: Vec<Shape>) -> FenceSet {
    FenceSet::new(shapes.into_iter().enumerate().map(|(i, shape)| fence(&format!("f{i}"), shape)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_index_is_the_scan(
        (shapes, points) in prop::collection::vec(shape(), 1..12).prop_flat_map(|shapes| {
            let points: Vec<_> = shapes.iter().map(|shape| prop::collection::vec(near(shape), 30)).collect();
            (Just(shapes), points)
        })
    ) {
        let set = numbered(shapes);
        for p in points.into_iter().flatten() {
            let scanned = ids(set.iter().filter(|fence| fence.contains(p)));
            prop_assert_eq!(ids(set.containing(p)), scanned, "{:?}", p);
        }
    }

    #[test]
    fn any_numbers_are_a_question_with_an_answer(shape in shape(), lon in any::<f64>(), lat in any::<f64>()) {
        let p = Point { lon, lat };
        let is_in = shape.contains(p);
        prop_assert!(!is_in || Point::new(lon, lat).is_some());
        prop_assert!(shape.distance_to_border_m(p) >= 0.0);
        prop_assert_eq!(numbered(vec![shape]).containing(p).count(), usize::from(is_in));
    }
}

#[test]
fn an_empty_set_contains_nothing() {
    let set = FenceSet::new(vec![]);
    assert!(set.is_empty());
    assert_eq!(set.containing(point(106.0, 29.0)).count(), 0);
    assert!(set.get("a").is_none());
    assert_eq!(FenceSet::default().containing(point(0.0, 0.0)).count(), 0);
}

#[test]
fn fences_are_found_by_id() {
    let square = Shape::Polygon(polygon(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], &[]));
    let set = FenceSet::new(vec![fence("a", square.clone()), fence("b", square)]);
    assert_eq!(set.get("b").map(|fence| fence.id.as_ref()), Some("b"));
    assert_eq!(set.len(), 2);
    assert_eq!(ids(set.containing(point(0.5, 0.25))), ["a", "b"]);
}

#[test]
fn a_fence_of_overlapping_parts_is_found_once() {
    let part = |at: f64| polygon(&[(at, 0.0), (at + 2.0, 0.0), (at + 2.0, 2.0), (at, 2.0)], &[]);
    let parts = outpost_fences::MultiPolygon::new(vec![part(0.0), part(1.0)]);
    let set = FenceSet::new(vec![fence("two", Shape::MultiPolygon(parts))]);
    assert_eq!(ids(set.containing(point(1.5, 1.0))), ["two"]);
}

/// Each of these covers everything, so a fine grid would hold each in every cell.
#[test]
fn a_thousand_fences_over_each_other_are_all_found() {
    let square = polygon(&[(100.0, 20.0), (110.0, 20.0), (110.0, 30.0), (100.0, 30.0)], &[]);
    let set = numbered(vec![Shape::Polygon(square); 1000]);
    assert_eq!(set.containing(point(105.0, 25.0)).count(), 1000);
    assert_eq!(set.containing(point(105.0, 30.0)).count(), 0);
}
