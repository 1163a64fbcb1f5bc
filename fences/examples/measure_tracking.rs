//! Measures the tracker on a real track: flicker, passages between fixes, time and memory per subject. `cargo run --release
//! -p outpost-fences --example measure_tracking -- TRACK.csv FENCES.geojson`. The track has the columns id, time in
//! seconds, longitude, latitude, as the GeoLife sample does.

#[path = "../tests/it/noise.rs"]
mod noise;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use outpost_fences::track::{Cause, Confirm, Crossing, Fix, MotionLimits, Side, Subject, Tracker, Tracking};
use outpost_fences::{Fence, FenceSet, Point, Polygon, Shape, geojson};

use noise::{Random, moved};

const N_FENCES: usize = 300;
const RADIUS_M: f64 = 100.0;
const NOISE_M: f64 = 10.0;
const CONFIRM_MS: i64 = 30_000;
const THINNED_MS: i64 = 60_000;
const GAP_MS: i64 = 600_000;
/// Straight ways that stay farther away than this are not looked at: what passes nevertheless is one in a thousand.
const CANDIDATE_M: f64 = 1_000.0;
const ROUNDS: usize = 5;

const TRACKING: Tracking = Tracking {
    limits: MotionLimits { speed_max_mps: 100.0, accuracy_max_m: 200.0, gap_max_ms: GAP_MS },
    exit_buffer_m: 25.0,
    confirm: Confirm { for_ms: CONFIRM_MS, n_fixes: 2 },
    heeds_accuracy: true,
    infers: true,
};

type Tracks = BTreeMap<u32, Vec<Fix>>;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(track), Some(fences)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: measure_tracking TRACK.csv FENCES.geojson");
        std::process::exit(2);
    };
    let tracks = read_tracks(&std::fs::read_to_string(track)?);
    let circles = circles(&tracks);
    println!("{} fixes, {} circles of {RADIUS_M} m", tracks.values().map(Vec::len).sum::<usize>(), circles.len());
    flicker(&tracks, &circles);
    passages(&tracks, &circles);
    time_and_size(&geojson::parse(&std::fs::read_to_string(fences)?).fences);
    Ok(())
}

/// What comes and goes at a border.
fn flicker(clean: &Tracks, circles: &Arc<FenceSet>) {
    let mut random = Random(20_260);
    let noisy: Tracks =
        clean.iter().map(|(id, track)| (*id, track.iter().map(|fix| random.blur(fix, NOISE_M)).collect())).collect();
    let naive = Tracking { exit_buffer_m: 0.0, confirm: Confirm::AT_ONCE, infers: false, ..TRACKING };
    for (name, tracking) in [("naive", naive), ("buffer and confirmation", Tracking { infers: false, ..TRACKING })] {
        let found = follow(&noisy, circles, tracking);
        let n_flaps = found.iter().map(|(id, crossings)| n_flaps(crossings, &noisy[id], circles)).sum::<usize>();
        let n: usize = found.values().map(Vec::len).sum();
        println!("with {NOISE_M} m of noise, {name}: {n} crossings, {:.2} % are border flaps", share(2 * n_flaps, n));
    }
    let found = follow(&noisy, circles, Tracking { infers: false, ..TRACKING });
    for (name, tracks) in [("as its fixes show them", &noisy), ("without the noise", clean)] {
        let (mut n_visits, mut n_lost) = (0, 0);
        for (id, track) in tracks {
            for (fence, from_ms, to_ms) in visits(track, circles) {
                let is_long = to_ms - from_ms > CONFIRM_MS;
                let is_told =
                    || stays(&found[id], &fence).iter().any(|(came, went)| *came <= to_ms && *went >= from_ms);
                n_visits += usize::from(is_long);
                n_lost += usize::from(is_long && !is_told());
            }
        }
        println!("of {n_visits} visits longer than {} s, {name}, {n_lost} are lost", CONFIRM_MS / 1000);
    }
}

/// An exit and the next entry within a minute, never more than 25 m outside between.
fn n_flaps(crossings: &[Crossing], track: &[Fix], circles: &FenceSet) -> usize {
    let mut left: BTreeMap<&str, i64> = BTreeMap::new();
    let mut n_flaps = 0;
    for crossing in crossings {
        match crossing.to {
            Side::Outside => drop(left.insert(&crossing.fence, crossing.at_ms)),
            Side::Inside => {
                let Some(left_ms) = left.remove(&*crossing.fence) else { continue };
                let first = track.partition_point(|fix| fix.at_ms < left_ms);
                let between = track[first..].iter().take_while(|fix| fix.at_ms < crossing.at_ms);
                let fence = circles.get(&crossing.fence);
                let is_near = |fix: &Fix| {
                    fence
                        .is_some_and(|fence| fence.contains(fix.point) || fence.distance_to_border_m(fix.point) <= 25.0)
                };
                n_flaps += usize::from(crossing.at_ms - left_ms <= 60_000 && between.into_iter().all(is_near));
            }
        }
    }
    n_flaps
}

/// What lies between the fixes of a track with one fix a minute.
fn passages(full: &Tracks, circles: &Arc<FenceSet>) {
    let thin = |track: &Vec<Fix>| {
        let mut last_ms = i64::MIN;
        let is_kept = |fix: &&Fix| {
            let is_kept = fix.at_ms.saturating_sub(last_ms) >= THINNED_MS || last_ms == i64::MIN;
            last_ms = if is_kept { fix.at_ms } else { last_ms };
            is_kept
        };
        track.iter().filter(is_kept).copied().collect::<Vec<_>>()
    };
    let thinned: Tracks = full.iter().map(|(id, track)| (*id, thin(track))).collect();
    let tracking = Tracking { exit_buffer_m: 0.0, confirm: Confirm::AT_ONCE, ..TRACKING };
    let found = follow(&thinned, circles, tracking);
    let is_entry = |crossing: &&Crossing| crossing.to == Side::Inside && crossing.cause != Cause::Inferred;
    let n_seen = found.values().flatten().filter(is_entry).count();
    let mut inferred: BTreeMap<(u32, i64, &str), ()> = BTreeMap::new();
    for (id, crossings) in &found {
        for crossing in crossings.iter().filter(|c| c.cause == Cause::Inferred && c.to == Side::Inside) {
            let track = &thinned[id];
            let next = track.partition_point(|fix| fix.at_ms <= crossing.at_ms);
            inferred.insert((*id, track[next].at_ms, &crossing.fence), ());
        }
    }
    // Each way between two fixes outside a circle: does the straight way pass it, does the tracker tell so, and did the
    // full track, fix to fix, pass it?
    let (mut n_straight, mut n_both, mut n_right, mut n_right_by_fix) = (0, 0, 0, 0);
    let mut really: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    let mut candidates: Vec<(f64, bool)> = Vec::new();
    for (id, track) in &thinned {
        for leg in track.windows(2).filter(|leg| leg[1].at_ms - leg[0].at_ms <= GAP_MS) {
            let from = full[id].partition_point(|fix| fix.at_ms < leg[0].at_ms);
            let to = full[id].partition_point(|fix| fix.at_ms <= leg[1].at_ms);
            for fence in circles.iter() {
                if leg.iter().any(|fix| fence.contains(fix.point)) {
                    continue;
                }
                let straight_m = from_center_m(fence, leg[0].point, leg[1].point);
                if straight_m > CANDIDATE_M {
                    continue;
                }
                let within = &full[id][from..to];
                let steps_m = within.windows(2).map(|step| from_center_m(fence, step[0].point, step[1].point));
                let depth_m = RADIUS_M - steps_m.fold(f64::INFINITY, f64::min);
                let (is_straight, is_real) = (straight_m < RADIUS_M, depth_m > 0.0);
                let is_told = inferred.contains_key(&(*id, leg[1].at_ms, &fence.id));
                n_straight += usize::from(is_straight);
                n_both += usize::from(is_straight && is_told);
                n_right += usize::from(is_told && is_real);
                n_right_by_fix += usize::from(is_told && within.iter().any(|fix| fence.contains(fix.point)));
                candidates.push((straight_m - RADIUS_M, is_real));
                if is_real {
                    let of_depth = really.entry(depth_m as u32 / 25 * 25).or_default();
                    of_depth.0 += 1;
                    of_depth.1 += usize::from(is_told);
                }
            }
        }
    }
    let n_all = n_seen + n_straight;
    println!("one fix in {} s: fixes miss {:.1} % of {n_all} passages", THINNED_MS / 1000, share(n_straight, n_all));
    println!("of these {n_straight} the tracker tells {:.2} %", share(n_both, n_straight));
    let (n_told, n_real) = (inferred.len(), really.values().map(|of_depth| of_depth.0).sum::<usize>());
    println!(
        "of {n_told} that it tells, the full track passes {:.1} %, with a fix inside {:.1} %",
        share(n_right, n_told),
        share(n_right_by_fix, n_told)
    );
    println!("of {n_real} that the full track has and no fix a minute shows, it tells {:.1} %", share(n_right, n_real));
    for (depth_m, (n, n_told)) in really {
        let to_m = depth_m + 25;
        println!("  of {n} that are {depth_m} to {to_m} m deep, {:.1} %", share(n_told, n));
    }
    ceiling(candidates, n_real);
}

/// What telling more would find, and what it would tell beside: straight ways that pass so near to the border.
fn ceiling(mut candidates: Vec<(f64, bool)>, n_real: usize) {
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut n_told, mut n_found) = (0, 0);
    let mut wanted = [50, 60, 70, 80, 90, 95].into_iter().peekable();
    for (apart_m, is_real) in candidates {
        (n_told, n_found) = (n_told + 1, n_found + usize::from(is_real));
        if wanted.next_if(|percent| 100 * n_found >= percent * n_real).is_some() {
            println!(
                "told where the straight way is at most {apart_m:.1} m outside: {:.0} % of all, and {:.1} % of what is told \
                 is right",
                share(n_found, n_real),
                share(n_found, n_told)
            );
        }
    }
}

/// How near the straight way comes to a circle's centre, metres on a plane.
fn from_center_m(fence: &Fence, from: Point, to: Point) -> f64 {
    let bounds = fence.bounds();
    let (lon, lat) = ((bounds.west + bounds.east) / 2.0, (bounds.south + bounds.north) / 2.0);
    let lat_m = 2.0 * RADIUS_M / (bounds.north - bounds.south);
    let lon_m = 2.0 * RADIUS_M / (bounds.east - bounds.west);
    let flat = |p: Point| ((p.lon - lon) * lon_m, (p.lat - lat) * lat_m);
    let ((ax, ay), (bx, by)) = (flat(from), flat(to));
    let (dx, dy) = (bx - ax, by - ay);
    let share = (-(ax * dx + ay * dy) / (dx * dx + dy * dy).max(1e-9)).clamp(0.0, 1.0);
    (ax + dx * share).hypot(ay + dy * share)
}

/// Time and memory with all fences loaded, for a subject that goes about within them.
fn time_and_size(fences: &[Fence]) {
    let set = Arc::new(FenceSet::new(fences.to_vec()));
    let bounds = set.iter().skip(1).fold(fences[0].bounds(), |bounds, fence| bounds.union(&fence.bounds()));
    let mut random = Random(1);
    let (mut point, mut heading) =
        (Point { lon: (bounds.west + bounds.east) / 2.0, lat: (bounds.south + bounds.north) / 2.0 }, 0.0f64);
    let mut walk = |step_m: f64| -> Vec<Fix> {
        let mut at = |i: i64| {
            heading += random.normal() * 0.1;
            let next = moved(point, heading.cos() * step_m, heading.sin() * step_m);
            if bounds.contains(next) {
                point = next
            } else {
                heading += 2.0
            }
            Fix::new(i * 1_000, point, Some(8.0))
        };
        (0..200_000).filter_map(&mut at).collect()
    };
    let tracker = Tracker::new(set.clone(), TRACKING);
    for (name, step_m) in [("on foot, 1.4 m a second", 1.4), ("by car, 15 m a second", 15.0)] {
        let track = walk(step_m);
        let (mut best_ns, mut n) = (f64::INFINITY, 0);
        let mut text = String::new();
        for _ in 0..ROUNDS {
            let (mut subject, mut crossings) = (Subject::default(), Vec::new());
            let started = Instant::now();
            for fix in &track {
                tracker.step(&mut subject, black_box(*fix), &mut crossings);
            }
            best_ns = best_ns.min(started.elapsed().as_nanos() as f64 / track.len() as f64);
            n = crossings.len();
            text = serde_json::to_string(&subject).unwrap_or_default();
        }
        println!(
            "{} fences, {name}: {best_ns:.0} ns per fix, {n} crossings, state {} bytes: {text}",
            set.len(),
            text.len()
        );
    }
    println!("a subject in memory: {} bytes, and its fences", size_of::<Subject>());
}

fn follow(tracks: &Tracks, circles: &Arc<FenceSet>, tracking: Tracking) -> BTreeMap<u32, Vec<Crossing>> {
    let tracker = Tracker::new(circles.clone(), tracking);
    let followed = |track: &Vec<Fix>| {
        let (mut subject, mut crossings) = (Subject::default(), Vec::new());
        track.iter().for_each(|fix| tracker.step(&mut subject, *fix, &mut crossings));
        crossings
    };
    tracks.iter().map(|(id, track)| (*id, followed(track))).collect()
}

/// Each time that fixes in a row were inside a circle, however short; a gap ends it.
fn visits(track: &[Fix], circles: &FenceSet) -> Vec<(Arc<str>, i64, i64)> {
    let mut open: BTreeMap<Arc<str>, (i64, i64)> = BTreeMap::new();
    let mut visits = Vec::new();
    for fix in track {
        let inside: Vec<Arc<str>> = circles.containing(fix.point).map(|fence| fence.id.clone()).collect();
        open.retain(|fence, (from_ms, to_ms)| {
            let stays = inside.contains(fence) && fix.at_ms - *to_ms <= GAP_MS;
            if !stays {
                visits.push((fence.clone(), *from_ms, *to_ms));
            }
            stays
        });
        for fence in inside {
            open.entry(fence).or_insert((fix.at_ms, fix.at_ms)).1 = fix.at_ms;
        }
    }
    visits.extend(open.into_iter().map(|(fence, (from_ms, to_ms))| (fence, from_ms, to_ms)));
    visits
}

fn stays(crossings: &[Crossing], fence: &Arc<str>) -> Vec<(i64, i64)> {
    let mut stays = Vec::new();
    for crossing in crossings.iter().filter(|crossing| crossing.fence == *fence) {
        match (crossing.to, stays.last_mut()) {
            (Side::Inside, _) => stays.push((crossing.at_ms, i64::MAX)),
            (Side::Outside, Some(last)) => last.1 = crossing.at_ms,
            (Side::Outside, None) => {}
        }
    }
    stays
}

/// Around places that were visited.
fn circles(tracks: &Tracks) -> Arc<FenceSet> {
    let fixes: Vec<&Fix> = tracks.values().flatten().collect();
    let stride = (fixes.len() / N_FENCES).max(1);
    let circle = |fix: &Fix| {
        let corner = |i: usize| {
            let angle = std::f64::consts::TAU * i as f64 / 64.0;
            moved(fix.point, RADIUS_M * angle.cos(), RADIUS_M * angle.sin())
        };
        Polygon::new(&(0..64).map(corner).collect::<Vec<_>>(), &[]).ok()
    };
    let shapes = fixes.iter().step_by(stride).take(N_FENCES).filter_map(|fix| circle(fix));
    let fence =
        |(i, polygon)| Fence { id: format!("c{i}").into(), name: String::new(), shape: Shape::Polygon(polygon) };
    Arc::new(FenceSet::new(shapes.enumerate().map(fence).collect()))
}

fn read_tracks(csv: &str) -> Tracks {
    let mut tracks = Tracks::new();
    for line in csv.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [id, at_s, lon, lat] = fields[..] else { continue };
        let (Ok(id), Ok(at_s), Ok(lon), Ok(lat)) = (id.parse(), at_s.parse::<f64>(), lon.parse(), lat.parse()) else {
            continue;
        };
        tracks.entry(id).or_default().extend(Fix::new((at_s * 1000.0) as i64, Point { lon, lat }, None));
    }
    assert!(!tracks.is_empty(), "the track has no fixes");
    tracks.values_mut().for_each(|track| track.sort_by_key(|fix| (fix.at_ms, fix.tie())));
    tracks
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
