//! The index answers as a plain scan does.

use outpost_fences::{Fence, FenceSet, Point, Polygon, Shape};
use proptest::prelude::*;

use crate::shapes::{any_shape, fence, near, point, polygon, shape, star};

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
        (shapes, points) in prop::collection::vec(any_shape(), 1..12).prop_flat_map(|shapes| {
            let points: Vec<_> = shapes.iter().map(|shape| prop::collection::vec(near(shape), 30)).collect();
            (Just(shapes), points)
        })
    ) {
        let set = numbered(shapes);
        let points: Vec<Point> = points.into_iter().flatten().collect();
        let mut at_once = vec![Vec::new(); points.len()];
        set.containing_each(&points, |index, fence| at_once[index].push(fence.id.to_string()));
        for (p, at_once) in points.into_iter().zip(at_once) {
            let scanned = ids(set.iter().filter(|fence| fence.contains(p)));
            prop_assert_eq!(&ids(set.containing(p)), &scanned, "{:?}", p);
            // One by one, as `fold` answers by itself.
            let mut around = set.containing(p);
            let one_by_one: Vec<String> = std::iter::from_fn(|| around.next()).map(|fence| fence.id.to_string()).collect();
            prop_assert_eq!(&one_by_one, &scanned, "{:?}", p);
            prop_assert_eq!(at_once, scanned, "{:?}", p);
        }
    }

    /// Where a ring begins, which way it runs and where the axes lie decides nothing but at the border.
    #[test]
    fn turned_and_moved_rings_answer_alike(
        star in star(), turn in 0..40usize, is_reversed in any::<bool>(), shares in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64), 40),
    ) {
        let rings: Vec<Vec<Point>> = star.rings().map(Iterator::collect).collect();
        let changed = |ring: &[Point], by: (f64, f64)| -> Vec<Point> {
            let mut ring: Vec<Point> = ring.iter().map(|p| point(p.lon + by.0, p.lat + by.1)).collect();
            let n = ring.len();
            ring.rotate_left(turn % n);
            if is_reversed {
                ring.reverse();
            }
            ring
        };
        // Halves and quarters of a degree are added without rounding only where the sum has room: a border apart.
        let by = (-3.25, 2.5);
        let of = |by: (f64, f64)| {
            let holes: Vec<Vec<Point>> = rings[1..].iter().map(|ring| changed(ring, by)).collect();
            Polygon::new(&changed(&rings[0], by), &holes).unwrap()
        };
        let (turned, moved) = (of((0.0, 0.0)), of(by));
        let bounds = star.bounds();
        for (x, y) in shares {
            let p = point(bounds.west + (bounds.east - bounds.west) * x, bounds.south + (bounds.north - bounds.south) * y);
            prop_assert_eq!(star.contains(p), turned.contains(p), "{:?}", p);
            let is_far = Shape::Polygon(star.clone()).distance_to_border_m(p) > 1e-6;
            prop_assert!(!is_far || star.contains(p) == moved.contains(point(p.lon + by.0, p.lat + by.1)), "{:?}", p);
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
    set.containing_each(&[point(106.0, 29.0)], |_, fence| panic!("found {fence:?}"));
    set.containing_each(&[], |_, fence| panic!("found {fence:?}"));
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

/// The fuzzer's: in a cell that two circles cover wholly there is no edge at all.
#[test]
fn circles_over_each_other_are_both_found() {
    let circle = |radius_m| Shape::Circle(outpost_fences::Circle::new(point(106.0, 29.0), radius_m).unwrap());
    let set = numbered(vec![circle(900_000.0), circle(800_000.0)]);
    assert_eq!(set.containing(point(106.5, 29.5)).count(), 2);
    assert_eq!(set.containing(point(106.0, 36.8)).count(), 1);
}

/// Each of these covers everything, so a fine grid would hold each in every cell.
#[test]
fn a_thousand_fences_over_each_other_are_all_found() {
    let square = polygon(&[(100.0, 20.0), (110.0, 20.0), (110.0, 30.0), (100.0, 30.0)], &[]);
    let set = numbered(vec![Shape::Polygon(square); 1000]);
    assert_eq!(set.containing(point(105.0, 25.0)).count(), 1000);
    assert_eq!(set.containing(point(105.0, 30.0)).count(), 0);
}
