//! Lines crossed, places stayed at, speeds, movers that meet.

use outpost_fences::shape::Direction;
use outpost_fences::track::approach::Mover;
use outpost_fences::track::loiter::{Loiter, LoiterState, Stay};
use outpost_fences::track::speed::{SpeedState, Speedometer};
use outpost_fences::track::tripwire::{Trip, Tripwire, TripwireState};
use outpost_fences::track::{Fix, MotionLimits};
use outpost_fences::{Line, Point};
use proptest::prelude::*;

use crate::shapes::point;

const METRE: f64 = 1.0 / 111_195.0;
const LIMITS: MotionLimits = MotionLimits { speed_max_mps: 100.0, accuracy_max_m: 200.0, gap_max_ms: 600_000 };

/// At a second, metres east and north of a place on the equator.
fn fix(at_s: i64, x_m: f64, y_m: f64) -> Fix {
    Fix::new(at_s * 1_000, point(106.0 + x_m * METRE, y_m * METRE), None).expect("a place on Earth")
}

/// A bent line that goes north and then north-east: its left is west.
fn line(buffer_m: f64) -> Tripwire {
    let corner = |x: f64, y: f64| point(106.0 + x * METRE, y * METRE);
    let points = [corner(0.0, -100.0), corner(0.0, 0.0), corner(100.0, 100.0)];
    Tripwire::new(Line::new(&points).expect("a line"), buffer_m, LIMITS)
}

fn trips(tripwire: &Tripwire, track: &[Fix]) -> Vec<(i64, Direction)> {
    let mut state = TripwireState::default();
    let trips = track.iter().filter_map(|fix| tripwire.step(&mut state, *fix));
    trips.map(|Trip { direction, at_ms }| (at_ms, direction)).collect()
}

#[test]
fn a_line_is_crossed_between_two_fixes_in_a_direction() {
    use Direction::{LeftToRight, RightToLeft};
    let over = [fix(0, -30.0, -50.0), fix(10, 10.0, -50.0), fix(20, 60.0, -50.0), fix(40, -40.0, -50.0)];
    assert_eq!(trips(&line(0.0), &over), [(7_500, LeftToRight), (32_000, RightToLeft)]);
    // Past its ends, and along it, nothing is crossed.
    assert_eq!(trips(&line(0.0), &[fix(0, -30.0, -120.0), fix(10, 30.0, -120.0)]), []);
    assert_eq!(trips(&line(0.0), &[fix(0, -5.0, -90.0), fix(10, -5.0, -10.0)]), []);
    // Through the bend itself: once.
    assert_eq!(trips(&line(0.0), &[fix(0, -30.0, 0.0), fix(10, 30.0, 0.0)]).len(), 1);
    assert_eq!(trips(&line(0.0), &[fix(0, -30.0, 0.0), fix(5, 0.0, 0.0), fix(10, 30.0, 0.0)]).len(), 1);
}

#[test]
fn who_dithers_about_a_line_crosses_it_once_or_not_at_all() {
    let dither: Vec<Fix> = (0..20).map(|i| fix(i, if i % 2 == 0 { -4.0 } else { 4.0 }, -50.0)).collect();
    let before = [fix(-10, -40.0, -50.0)];
    assert_eq!(trips(&line(10.0), &[&before[..], &dither, &[fix(30, -40.0, -50.0)]].concat()), []);
    let over = [&before[..], &dither, &[fix(30, 40.0, -50.0)]].concat();
    // 36 m from the line at -10 s and 4 m beyond at 1 s; when it first went over is kept.
    assert_eq!(trips(&line(10.0), &over), [(500, Direction::LeftToRight)]);
}

#[test]
fn lines_and_ways_across_the_antimeridian_cross_once() {
    use Direction::{LeftToRight, RightToLeft};
    let tripwire = |a: (f64, f64), b: (f64, f64)| {
        Tripwire::new(Line::new(&[point(a.0, a.1), point(b.0, b.1)]).expect("a line"), 10.0, LIMITS)
    };
    let at = |at_s: i64, lon: f64, lat: f64| Fix::new(at_s * 1_000, point(lon, lat), None).expect("a place on Earth");
    // From west to east over the date line: its left is north.
    let level = tripwire((179.999, 0.0), (-179.999, 0.0));
    assert_eq!(trips(&level, &[at(0, 179.9995, 0.001), at(10, -179.9995, -0.001)]), [(5_000, LeftToRight)]);
    assert_eq!(trips(&level, &[at(0, -179.9995, -0.001), at(10, -179.9995, 0.001)]), [(5_000, RightToLeft)]);
    // North along the date line itself, and a hair before it.
    for lon in [180.0, -180.0, 179.9999] {
        let upright = tripwire((lon, -0.001), (lon, 0.001));
        let [west, east] = [at(0, 179.9995, 0.0), at(10, -179.9995, 0.0)];
        assert_eq!(
            trips(&upright, &[west, east]).iter().map(|trip| trip.1).collect::<Vec<_>>(),
            [LeftToRight],
            "{lon}"
        );
        // The long way around the Earth is no way.
        assert_eq!(trips(&upright, &[at(0, 90.0, 0.0), at(10, -90.0, 0.0)]), [], "{lon}");
    }
}

#[test]
fn a_stay_lasts_until_it_is_left_and_then_begins_anew() {
    let loiter = Loiter { radius_m: 20.0, limits: LIMITS };
    let track = [fix(0, 0.0, 0.0), fix(60, 15.0, 0.0), fix(120, -15.0, 0.0), fix(180, 40.0, 0.0), fix(240, 45.0, 0.0)];
    let mut state = LoiterState::default();
    let stays: Vec<Stay> = track.iter().filter_map(|fix| loiter.step(&mut state, *fix)).collect();
    let here = |since_ms| Stay::Here { since_ms };
    assert_eq!(stays, [Stay::Moved, here(0), here(0), Stay::Moved, here(180_000)]);
    loiter.leave(&mut state);
    assert_eq!(loiter.step(&mut state, fix(300, 45.0, 0.0)), Some(Stay::Moved));
}

#[test]
fn a_speed_is_taken_over_a_time_and_less_the_doubt() {
    let speedometer = Speedometer { over_ms: 10_000, limits: LIMITS };
    let speeds = |track: &[Fix]| {
        let mut state = SpeedState::default();
        let speeds = track.iter().filter_map(|fix| speedometer.step(&mut state, *fix, |p| p.lat < 500.0 * METRE));
        speeds.map(|speed| (speed.to.at_ms / 1_000, speed.at_least_mps.round() as i64)).collect::<Vec<_>>()
    };
    let drive = [fix(0, 0.0, 0.0), fix(5, 100.0, 0.0), fix(10, 200.0, 0.0), fix(15, 300.0, 0.0), fix(25, 400.0, 0.0)];
    assert_eq!(speeds(&drive), [(10, 20), (25, 13)]);
    // A way that leaves what counts is not compared.
    assert_eq!(speeds(&[fix(0, 0.0, 0.0), fix(10, 0.0, 600.0), fix(20, 0.0, 300.0), fix(35, 0.0, 0.0)]), [(35, 20)]);
    let vague = |at_s: i64, x: f64| Fix::new(at_s * 1_000, point(106.0 + x * METRE, 0.0), Some(50.0)).unwrap();
    assert_eq!(speeds(&[vague(0, 0.0), vague(10, 90.0), vague(20, 290.0)]), [(10, 0), (20, 10)]);
}

#[test]
fn movers_meet_between_their_fixes() {
    // Two cars on crossing roads, each with one fix in 20 s, at the crossing at the same time.
    let (mut east, mut north) = (Mover::default(), Mover::default());
    for i in 0..2 {
        assert!(east.step(fix(20 * i, -200.0 + 400.0 * i as f64, 0.0), &LIMITS));
        assert!(north.step(fix(20 * i, 0.0, -200.0 + 400.0 * i as f64), &LIMITS));
    }
    let nearness = east.nearness(&north, 30_000).unwrap();
    assert!(nearness.distance_m < 1.0 && nearness.at_ms == 10_000, "{nearness:?}");
    assert!(east.last().unwrap().point.distance_m(north.last().unwrap().point) > 280.0);
    // One who rests.
    let mut rests = Mover::default();
    rests.step(fix(15, 100.0, 30.0), &LIMITS);
    let nearness = rests.nearness(&east, 30_000).unwrap();
    assert!((nearness.distance_m - 30.0).abs() < 1.0, "{nearness:?}");
    // Too long ago to say.
    rests.step(fix(90, 100.0, 30.0), &LIMITS);
    rests.step(fix(100, 100.0, 30.0), &LIMITS);
    assert_eq!(rests.nearness(&east, 30_000), None);
    assert!(rests.nearness(&east, 90_000).is_some());
}

proptest! {
    /// Cutting a way in two crosses a line no more and no less often.
    #[test]
    fn a_line_counts_a_way_in_pieces_as_the_whole(
        from in (-80..80i32, -80..80i32), to in (-80..80i32, -80..80i32), shares in prop::collection::vec(0..=8u8, 0..4)
    ) {
        let at = |share: f64| {
            let between = |a: i32, b: i32| f64::from(a) + f64::from(b - a) * share;
            (between(from.0, to.0), between(from.1, to.1))
        };
        let mut shares: Vec<f64> = shares.iter().map(|share| f64::from(*share) / 8.0).collect();
        shares.extend([0.0, 1.0]);
        shares.sort_by(f64::total_cmp);
        let net = |shares: &[f64]| {
            let fixes: Vec<Fix> = shares.iter().enumerate().map(|(i, share)| {
                let (x, y) = at(*share);
                fix(10 * i as i64, x, y)
            }).collect();
            let trips = trips(&line(0.0), &fixes);
            trips.iter().map(|(_, direction)| if *direction == Direction::LeftToRight { 1 } else { -1 }).sum::<i32>()
        };
        // Whole eighths of whole metres: where the pieces meet is on the whole way but for rounding, and that must not
        // matter unless the way ends on the line.
        let ends_clear = [from, to].iter().all(|(x, y)| !(*x == 0 && *y <= 0 || x == y && *x >= 0));
        if ends_clear {
            prop_assert_eq!(net(&shares), net(&[0.0, 1.0]));
        }
    }

    #[test]
    fn what_is_restored_goes_on_the_same(
        steps in prop::collection::vec((1..60i64, -50.0..50.0f64, -50.0..50.0f64), 1..60)
    ) {
        let (tripwire, loiter) = (line(5.0), Loiter { radius_m: 40.0, limits: LIMITS });
        let speedometer = Speedometer { over_ms: 30_000, limits: LIMITS };
        let (mut trip_state, mut loiter_state, mut speed_state) = Default::default();
        let mut mover = Mover::default();
        let mut texts = [(); 4].map(|()| r#"{"motion":{}}"#.to_owned());
        let (mut at_s, mut x, mut y) = (0, 0.0, 0.0);
        for (gap_s, dx, dy) in steps {
            (at_s, x, y) = (at_s + gap_s, x + dx, y + dy);
            let fix = fix(at_s, x, y);
            let mut trip: TripwireState = serde_json::from_str(&texts[0]).unwrap();
            let mut stay: LoiterState = serde_json::from_str(&texts[1]).unwrap();
            let mut speed: SpeedState = serde_json::from_str(&texts[2]).unwrap();
            let mut moves: Mover = serde_json::from_str(&texts[3]).unwrap();
            prop_assert_eq!(tripwire.step(&mut trip, fix), tripwire.step(&mut trip_state, fix));
            prop_assert_eq!(loiter.step(&mut stay, fix), loiter.step(&mut loiter_state, fix));
            prop_assert_eq!(speedometer.step(&mut speed, fix, |_| true), speedometer.step(&mut speed_state, fix, |_| true));
            prop_assert_eq!(moves.step(fix, &LIMITS), mover.step(fix, &LIMITS));
            texts = [
                serde_json::to_string(&trip).unwrap(),
                serde_json::to_string(&stay).unwrap(),
                serde_json::to_string(&speed).unwrap(),
                serde_json::to_string(&moves).unwrap(),
            ];
            prop_assert!(texts.iter().all(|text| text.len() < 260), "{:?}", texts);
        }
    }

    #[test]
    fn no_movement_makes_it_panic(
        rubbish in prop::collection::vec((any::<i64>(), -180.0..=180.0f64, -90.0..=90.0f64, 0..4u8), 0..40)
    ) {
        let (tripwire, loiter) = (line(5.0), Loiter { radius_m: 40.0, limits: LIMITS });
        let speedometer = Speedometer { over_ms: 0, limits: LIMITS };
        let (mut trip, mut stay, mut speed) = Default::default();
        let (mut a, mut b) = (Mover::default(), Mover::default());
        for (at_ms, lon, lat, corner) in rubbish {
            let place = [Point { lon, lat }, Point { lon: 180.0, lat }, Point { lon, lat: -90.0 }, point(106.0, 0.0)];
            let Some(fix) = Fix::new(at_ms, place[usize::from(corner)], None) else { continue };
            tripwire.step(&mut trip, fix);
            loiter.step(&mut stay, fix);
            speedometer.step(&mut speed, fix, |_| true);
            if corner % 2 == 0 { a.step(fix, &LIMITS) } else { b.step(fix, &LIMITS) };
            let _ = a.nearness(&b, i64::MAX);
        }
    }
}
