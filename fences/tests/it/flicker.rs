//! Noise at a border: next to no flaps, and no visit lost. On a synthetic track always, on GeoLife where it is beside the
//! repository: its licence does not let it in.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use outpost_fences::track::{Confirm, Crossing, Fix, MotionLimits, Side, Subject, Tracker, Tracking};
use outpost_fences::{FenceSet, Point, Polygon, Shape};

use crate::noise::{Random, moved};
use crate::shapes::{fence, point};

const RADIUS_M: f64 = 100.0;
const NOISE_M: f64 = 10.0;
const CONFIRM_MS: i64 = 30_000;
/// Of GeoLife; all of it takes long unoptimised. `examples/measure_tracking.rs` takes all.
const FIXES_MAX: usize = 30_000;

const TRACKING: Tracking = Tracking {
    limits: MotionLimits { speed_max_mps: 100.0, accuracy_max_m: 200.0, gap_max_ms: 600_000 },
    exit_buffer_m: 25.0,
    confirm: Confirm { for_ms: CONFIRM_MS, n_fixes: 2 },
    heeds_accuracy: true,
    infers: false,
};

#[test]
fn noise_at_a_border_makes_no_flaps_and_loses_no_visit() {
    let mut random = Random(7);
    let (mut here, mut heading) = (point(106.0, 29.8), 0.0f64);
    let walk = (0..20_000i64).map(|i| {
        heading += random.normal() * 0.2;
        // Rests for minutes now and then, anywhere, at borders too.
        if i % 300 < 200 {
            here = moved(here, heading.cos() * 7.0, heading.sin() * 7.0);
        }
        Fix::new(i * 5_000, here, None).expect("a place on Earth")
    });
    holds(walk.collect());
}

#[test]
fn noise_on_a_real_track_makes_no_flaps_and_loses_no_visit() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/geo/geolife-sample-wgs84.csv.gz");
    let Ok(packed) = std::fs::File::open(&file) else {
        eprintln!("SKIPPED: there is no {}", file.display());
        return;
    };
    let mut csv = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut csv).expect("a gzip file of text");
    let fix = |line: &str| {
        let fields: Vec<f64> = line.split(',').skip(1).filter_map(|field| field.parse().ok()).collect();
        let [at_s, lon, lat] = fields[..] else { return None };
        Fix::new((at_s * 1000.0) as i64, Point { lon, lat }, None)
    };
    let fixes: Vec<Fix> = csv.lines().filter_map(fix).take(FIXES_MAX).collect();
    assert_eq!(fixes.len(), FIXES_MAX);
    holds(fixes);
}

fn holds(clean: Vec<Fix>) {
    let mut random = Random(20_260);
    let circles = circles(&clean);
    let noisy: Vec<Fix> = clean.iter().map(|fix| random.blur(fix, NOISE_M)).collect();
    let flaps = |tracking| {
        let crossings = follow(&noisy, &circles, tracking);
        let n_flaps = n_flaps(&crossings, &noisy, &circles);
        (crossings.len(), 2.0 * n_flaps as f64 / crossings.len() as f64)
    };
    let (n_naive, naive) = flaps(Tracking { exit_buffer_m: 0.0, confirm: Confirm::AT_ONCE, ..TRACKING });
    let (n, settled) = flaps(TRACKING);
    assert!(n_naive > 3 * n && n > 100, "{n_naive} crossings at once, {n} confirmed");
    assert!(naive > 0.3 && settled < 0.01, "border flaps: {naive} at once, {settled} confirmed");

    let crossings = follow(&noisy, &circles, TRACKING);
    let visits = visits(&noisy, &circles);
    for (id, from_ms, to_ms) in &visits {
        let last = crossings.iter().rfind(|c| c.fence == *id && c.at_ms <= *to_ms);
        let is_inside = |c: &Crossing| c.to == Side::Inside || c.at_ms >= *from_ms;
        assert!(last.is_some_and(is_inside), "the visit to {id} from {from_ms} to {to_ms} is lost");
    }
    assert!(visits.len() > 50, "only {} visits", visits.len());
}

fn follow(track: &[Fix], circles: &Arc<FenceSet>, tracking: Tracking) -> Vec<Crossing> {
    let tracker = Tracker::new(circles.clone(), tracking);
    let (mut subject, mut crossings) = (Subject::default(), Vec::new());
    track.iter().for_each(|fix| tracker.step(&mut subject, *fix, &mut crossings));
    crossings
}

/// An exit and the next entry within a minute, never more than 25 m outside between.
fn n_flaps(crossings: &[Crossing], track: &[Fix], circles: &FenceSet) -> usize {
    let mut left: HashMap<&str, i64> = HashMap::new();
    let mut n_flaps = 0;
    for crossing in crossings {
        if crossing.to == Side::Outside {
            left.insert(&crossing.fence, crossing.at_ms);
            continue;
        }
        let Some(left_ms) = left.remove(&*crossing.fence) else { continue };
        let fence = circles.get(&crossing.fence).expect("a fence that was crossed");
        let first = track.partition_point(|fix| fix.at_ms < left_ms);
        let mut between = track[first..].iter().take_while(|fix| fix.at_ms < crossing.at_ms);
        let is_near = |fix: &Fix| fence.contains(fix.point) || fence.distance_to_border_m(fix.point) <= 25.0;
        n_flaps += usize::from(crossing.at_ms - left_ms <= 60_000 && between.all(is_near));
    }
    n_flaps
}

/// Times for which fixes in a row were inside a circle, longer than the confirmation takes.
fn visits(track: &[Fix], circles: &FenceSet) -> Vec<(Arc<str>, i64, i64)> {
    let mut visits = Vec::new();
    for fence in circles.iter() {
        for run in track.chunk_by(|a, b| fence.contains(a.point) == fence.contains(b.point)) {
            let (from_ms, to_ms) = (run[0].at_ms, run[run.len() - 1].at_ms);
            if fence.contains(run[0].point) && to_ms - from_ms > CONFIRM_MS {
                visits.push((fence.id.clone(), from_ms, to_ms));
            }
        }
    }
    visits
}

/// Around places that were visited.
fn circles(track: &[Fix]) -> Arc<FenceSet> {
    let circle = |(i, fix): (usize, &Fix)| {
        let corner = |n: usize| {
            let angle = TAU * n as f64 / 32.0;
            moved(fix.point, RADIUS_M * angle.cos(), RADIUS_M * angle.sin())
        };
        let polygon = Polygon::new(&(0..32).map(corner).collect::<Vec<_>>(), &[]).expect("a simple ring");
        fence(&format!("c{i}"), Shape::Polygon(polygon))
    };
    Arc::new(FenceSet::new(track.iter().step_by(track.len() / 40).enumerate().map(circle).collect()))
}
