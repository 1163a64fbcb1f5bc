//! Measures intrusion against a clip's zone truth, or the time of one picture. Reads raw luma from standard input;
//! decodes nothing itself.
//!
//! ```sh
//! clip=$OUTPOST_DATA/video/vtest
//! ffmpeg -v error -i $clip.avi -vf format=gray -f rawvideo - | cargo run --release -p outpost-detectors \
//!   --example evaluate -- --width 768 --height 576 --fps 10 --truth $clip.truth.json --mode every
//! cargo run --release -p outpost-detectors --example evaluate -- --time
//! ```
//!
//! `--mode every` sees all frames; `--mode key` one frame in 2 s until something moves in the zone, then all frames
//! until 5 s after the last movement. `--dwell-ms`, `--clear-hold-ms` and `--min-area` are the rule's, `--diff-min` and
//! `--side` the model's.
//! A truth interval is hit when an alert is on within its tolerance; an alert that touches none is false. Frames
//! within the tolerance of a boundary are not counted. Only zones for persons and vehicles are judged.

use std::collections::HashMap;
use std::io::Read;

use outpost_detectors::background::{MotionConfig, MotionModel, Scratch};
use outpost_detectors::latch::{Latch, LatchState, Moment, Signal, Turn};
use outpost_detectors::lookout::Lookout;
use outpost_detectors::luma::Luma;
use outpost_detectors::observation::Blob;
use serde_json::Value;

const KEY_FRAME_MS: i64 = 2_000;
const ACTIVE_MS: i64 = 5_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--time") {
        time_pictures();
        return Ok(());
    }
    let options: HashMap<&str, &str> =
        words.chunks_exact(2).map(|pair| (pair[0].trim_start_matches('-'), pair[1].as_str())).collect();
    let given = |name: &str| options.get(name).copied().ok_or(format!("--{name} is missing"));
    let clip = Clip { width: given("width")?.parse()?, height: given("height")?.parse()?, fps: given("fps")?.parse()? };
    let number = |name: &str, or: f64| options.get(name).map_or(Ok(or), |value| value.parse::<f64>());
    let latch =
        Latch { hold_ms: number("dwell-ms", 0.0)? as i64, clear_hold_ms: number("clear-hold-ms", 1_000.0)? as i64 };
    let area_min = number("min-area", 0.002)? as f32;
    let usual = MotionConfig::default();
    let config = MotionConfig {
        side: number("side", usual.side as f64)? as usize,
        diff_min: number("diff-min", f64::from(usual.diff_min))? as f32,
        ..usual
    };
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(given("truth")?)?)?;
    let name = truth["clip"].as_str().unwrap_or("?");
    let mut zones: Vec<Trial> = truth["zones"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|zone| {
            zone["classes"].as_array().is_some_and(|all| all.iter().any(|c| c == "person" || c == "vehicle"))
        })
        .map(|zone| Trial::new(zone, truth["tolerance_s"].as_f64().unwrap_or(0.5), latch, area_min, config))
        .collect();
    let is_key_mode = given("mode")? == "key";
    let n_frames = clip.play(&mut zones, is_key_mode)?;
    for zone in &zones {
        zone.print(name, if is_key_mode { "key" } else { "every" }, n_frames);
    }
    Ok(())
}

struct Clip {
    width: usize,
    height: usize,
    fps: f64,
}

impl Clip {
    fn play(&self, zones: &mut [Trial], is_key_mode: bool) -> Result<usize, Failure> {
        let mut input = std::io::stdin().lock();
        let mut pixels = vec![0; self.width * self.height];
        let mut n_frames = 0;
        while input.read_exact(&mut pixels).is_ok() {
            let at_ms = (n_frames as f64 * 1000.0 / self.fps).round() as i64;
            let luma = Luma { width: self.width, height: self.height, stride: self.width, pixels: &pixels };
            for zone in zones.iter_mut() {
                zone.step(&luma, at_ms, is_key_mode);
            }
            n_frames += 1;
        }
        for zone in zones.iter_mut() {
            zone.finish();
        }
        Ok(n_frames)
    }
}

/// One zone under one mode: what was found, beside the truth. Has a model of its own, as in key mode its zone alone
/// decides which frames are seen.
struct Trial {
    name: String,
    polygon: Vec<(f32, f32)>,
    by_any_part: bool,
    truth_s: Vec<(f64, f64)>,
    tolerance_s: f64,
    area_min: f32,
    latch: Latch,
    model: MotionModel,
    state: LatchState,
    next_key_ms: i64,
    active_until_ms: i64,
    on: bool,
    last_on_ms: i64,
    raised_ms: Option<i64>,
    episodes_s: Vec<(f64, f64)>,
    n_analysed: usize,
    n_seen: usize,
    n_missed: usize,
    n_false: usize,
    n_right: usize,
    first_on_s: Vec<Option<f64>>,
}

impl Trial {
    fn new(zone: &Value, tolerance_s: f64, latch: Latch, area_min: f32, config: MotionConfig) -> Trial {
        let pairs = |value: &Value| -> Vec<(f64, f64)> {
            let pairs = value.as_array().into_iter().flatten();
            pairs.map(|pair| (pair[0].as_f64().unwrap_or(0.0), pair[1].as_f64().unwrap_or(0.0))).collect()
        };
        let truth_s = pairs(&zone["intervals_s"]);
        Trial {
            name: zone["name"].as_str().unwrap_or("?").into(),
            polygon: pairs(&zone["polygon"]).into_iter().map(|(x, y)| (x as f32, y as f32)).collect(),
            by_any_part: zone["rule"].as_str().is_some_and(|rule| rule.starts_with("any")),
            first_on_s: vec![None; truth_s.len()],
            truth_s,
            tolerance_s,
            area_min,
            latch,
            model: MotionModel::new(config, Vec::new()),
            state: LatchState::default(),
            next_key_ms: 0,
            active_until_ms: -1,
            on: false,
            last_on_ms: 0,
            raised_ms: None,
            episodes_s: Vec::new(),
            n_analysed: 0,
            n_seen: 0,
            n_missed: 0,
            n_false: 0,
            n_right: 0,
        }
    }

    fn step(&mut self, luma: &Luma, at_ms: i64, is_key_mode: bool) {
        let is_key = at_ms >= self.next_key_ms;
        if is_key {
            self.next_key_ms += KEY_FRAME_MS;
        }
        if !is_key_mode || is_key || at_ms <= self.active_until_ms {
            self.n_analysed += 1;
            let found = self.found(luma, at_ms);
            self.on = found.is_some();
            if let (Some(blob), true) = (found, std::env::var_os("EVALUATE_BLOBS").is_some()) {
                println!("{at_ms} {blob:?}");
            }
            if self.on {
                self.active_until_ms = at_ms + ACTIVE_MS;
            }
            self.latch_on(at_ms);
        }
        self.score(at_ms as f64 / 1000.0);
    }

    fn found(&mut self, luma: &Luma, at_ms: i64) -> Option<Blob> {
        let (polygon, by_any_part, area_min) = (&self.polygon, self.by_any_part, self.area_min);
        let blobs = self.model.observe(luma, at_ms);
        if !by_any_part {
            let stands = |blob: &&Blob| {
                let (x, y) = blob.bottom_centre();
                blob.area >= area_min && contains(polygon, x, y)
            };
            return blobs.iter().find(stands).copied();
        }
        let touches = |blob: &Blob| {
            let points = (0..=8).flat_map(|row| (0..=8).map(move |column| (column as f32 / 8.0, row as f32 / 8.0)));
            let mut points = points.map(|(x, y)| (blob.left + x * blob.width(), blob.top + y * blob.height()));
            points.any(|(x, y)| contains(polygon, x, y))
        };
        blobs.iter().find(|blob| blob.area >= area_min && touches(blob)).copied()
    }

    fn latch_on(&mut self, at_ms: i64) {
        let signal = if self.on { Signal::On } else { Signal::Off };
        let moment = Moment { at_ms, now_ms: at_ms };
        for turn in [self.latch.elapse(&mut self.state, at_ms), self.latch.observe(&mut self.state, signal, moment)] {
            match turn {
                Turn::Raise { .. } => self.raised_ms = Some(at_ms),
                Turn::Clear => self.finish(),
                Turn::Stay | Turn::Shift => {}
            }
        }
        if self.on {
            self.last_on_ms = at_ms;
        }
    }

    fn finish(&mut self) {
        if let Some(raised_ms) = self.raised_ms.take() {
            self.episodes_s.push((raised_ms as f64 / 1000.0, self.last_on_ms.max(raised_ms) as f64 / 1000.0));
        }
    }

    fn score(&mut self, at_s: f64) {
        let near = |bound: f64| (at_s - bound).abs() <= self.tolerance_s;
        for (interval, first) in self.truth_s.iter().zip(&mut self.first_on_s) {
            let within = at_s >= interval.0 - self.tolerance_s && at_s <= interval.1 + self.tolerance_s;
            if within && self.raised_ms.is_some() {
                first.get_or_insert(at_s - interval.0);
            }
        }
        if self.truth_s.iter().any(|&(from, to)| near(from) || near(to)) {
            return;
        }
        let inside = self.truth_s.iter().any(|&(from, to)| at_s >= from && at_s <= to);
        match (inside, self.on) {
            (true, true) => self.n_seen += 1,
            (true, false) => self.n_missed += 1,
            (false, true) => self.n_false += 1,
            (false, false) => self.n_right += 1,
        }
    }

    fn print(&self, clip: &str, mode: &str, n_frames: usize) {
        let touches = |&(from, to): &(f64, f64), truth: &(f64, f64)| {
            from <= truth.1 + self.tolerance_s && to >= truth.0 - self.tolerance_s
        };
        let false_s: Vec<_> = self
            .episodes_s
            .iter()
            .filter(|episode| !self.truth_s.iter().any(|truth| touches(episode, truth)))
            .collect();
        let n_hit = self.first_on_s.iter().flatten().count();
        let mut late_s: Vec<f64> = self.first_on_s.iter().flatten().copied().collect();
        late_s.sort_by(f64::total_cmp);
        let (median_s, max_s) = (late_s.get(late_s.len() / 2), late_s.last());
        println!(
            "| {clip} | {} | {mode} | {} | {n_hit} | {} | {} | {:.2} / {:.2} | {} | {} | {} | {} | {:.0} % | {:?} |",
            self.name,
            self.truth_s.len(),
            self.truth_s.len() - n_hit,
            false_s.len(),
            median_s.unwrap_or(&f64::NAN),
            max_s.unwrap_or(&f64::NAN),
            self.n_seen,
            self.n_missed,
            self.n_false,
            self.n_right,
            100.0 * self.n_analysed as f64 / n_frames.max(1) as f64,
            self.episodes_s,
        );
    }
}

fn contains(polygon: &[(f32, f32)], x: f32, y: f32) -> bool {
    let mut inside = false;
    let mut before = polygon[polygon.len() - 1];
    // The picture's lower and right edge belong to a polygon that reaches it.
    let (x, y) = (x.min(0.9999), y.min(0.9999));
    for &corner in polygon {
        if (corner.1 > y) != (before.1 > y)
            && x < (before.0 - corner.0) * (y - corner.1) / (before.1 - corner.1) + corner.0
        {
            inside = !inside;
        }
        before = corner;
    }
    inside
}

/// Nanoseconds of a picture, on noise and with things that move: for the motion alone, and for all that is looked for, at
/// 10 pictures a second and at one in 2 s.
fn time_pictures() {
    for (width, height) in [(640, 360), (1920, 1080)] {
        for n_things in [0, 6] {
            let pictures: Vec<Vec<u8>> = (0..8).map(|n| picture(width, height, n, n_things)).collect();
            let luma = |turn: usize| Luma { width, height, stride: width, pixels: &pictures[turn % pictures.len()] };
            let mut model = MotionModel::new(MotionConfig::default(), Vec::new());
            let motion_ns = median_ns(|turn| drop(model.observe(&luma(turn), turn as i64 * 100).to_vec()));
            let mut lookout = Lookout::new(MotionConfig::default(), Vec::new());
            let mut scratch = Scratch::default();
            let often_ns = median_ns(|turn| drop(lookout.look(&luma(turn), turn as i64 * 100, &mut scratch)));
            let mut lookout = Lookout::new(MotionConfig::default(), Vec::new());
            let rarely_ns = median_ns(|turn| drop(lookout.look(&luma(turn), turn as i64 * 2_000, &mut scratch)));
            println!(
                "{width}x{height}, {n_things} things: motion {motion_ns:.0} ns, all {often_ns:.0} ns, \
                 all at one picture in 2 s {rarely_ns:.0} ns"
            );
        }
    }
}

/// Of nine rounds.
fn median_ns(mut look: impl FnMut(usize)) -> f64 {
    const TURNS: usize = 400;
    let mut rounds_ns: Vec<f64> = (0..9)
        .map(|round| {
            let begun_ns = cpu_ns();
            (round * TURNS..(round + 1) * TURNS).for_each(&mut look);
            (cpu_ns() - begun_ns) / TURNS as f64
        })
        .collect();
    rounds_ns.sort_by(f64::total_cmp);
    rounds_ns[4]
}

/// CPU time of this thread, so that other programs on the machine count less (Linux).
fn cpu_ns() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(f64::NAN)
}

fn picture(width: usize, height: usize, turn: usize, n_things: usize) -> Vec<u8> {
    let mut random = 12_345_u32 + turn as u32;
    let mut pixels: Vec<u8> = (0..width * height)
        .map(|at| {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            (90 + (at % width / 64) % 50 + (random % 9) as usize) as u8
        })
        .collect();
    for thing in 0..n_things {
        let (left, top) = (width / 8 * thing + turn * width / 100, height / 4);
        for row in top..top + height / 5 {
            pixels[row * width + left..][..width / 24].fill(220);
        }
    }
    pixels
}
