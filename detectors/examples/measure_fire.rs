//! Measures what close looks say of a clip. Reads raw pictures (planes of 8 bit brightness, blue and red difference of half
//! size) from standard input; decodes nothing itself.
//!
//! ```sh
//! clip=$OUTPOST_DATA/video/furg_house6
//! ffmpeg -v error -i $clip.mp4 -vf "crop=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p" -f rawvideo - | \
//!   cargo run --release -p outpost-detectors --example measure_fire -- --width 426 --height 240 --fps 29.97 \
//!   --truth $clip.truth.json
//! ```
//!
//! Looks of `--span-s` (6 where left out) follow each other without gap or overlap. One is of a fire or of smoke where the
//! truth's zone of the whole picture says so all through it, of neither where no zone of the clip ever does, and is left out
//! otherwise. Prints one line: looks of fire or smoke and how many saw flame, smoke, neither or nothing clear; then those of
//! neither.

use std::collections::HashMap;
use std::io::Read;

use ndarray::ArrayView2;
use outpost_detectors::fire::cells::Planes;
use outpost_detectors::fire::{Closeup, Evidence};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        words.chunks_exact(2).map(|pair| (pair[0].trim_start_matches('-'), pair[1].as_str())).collect();
    let given = |name: &str| options.get(name).copied().ok_or(format!("--{name} is missing"));
    let (width, height): (usize, usize) = (given("width")?.parse()?, given("height")?.parse()?);
    let fps: f64 = given("fps")?.parse()?;
    let span_ms = (options.get("span-s").map_or(Ok(6.0), |text| text.parse::<f64>())? * 1000.0) as i64;
    let truth = Truth::read(given("truth")?)?;
    let (n_luma, n_chroma) = (width * height, width.div_ceil(2) * height.div_ceil(2));
    let mut picture = vec![0; n_luma + 2 * n_chroma];
    let (mut input, mut looks) = (std::io::stdin().lock(), Looks::default());
    let (mut closeup, mut begun_ms) = (Closeup::default(), 0);
    for number in 0_u32.. {
        let is_over = input.read_exact(&mut picture).is_err();
        let at_ms = (f64::from(number) * 1000.0 / fps).round() as i64;
        if is_over || at_ms - begun_ms >= span_ms {
            // What the clip's end cuts short is no look.
            if at_ms - begun_ms >= span_ms {
                looks.add(truth.of(begun_ms as f64 / 1000.0, at_ms as f64 / 1000.0), &closeup.evidence());
            }
            (closeup, begun_ms) = (Closeup::default(), at_ms);
        }
        if is_over {
            break;
        }
        let (luma, chroma) = picture.split_at(n_luma);
        let half = (height.div_ceil(2), width.div_ceil(2));
        let planes = Planes {
            luma: ArrayView2::from_shape((height, width), luma)?,
            cb: ArrayView2::from_shape(half, &chroma[..n_chroma])?,
            cr: ArrayView2::from_shape(half, &chroma[n_chroma..])?,
        };
        closeup.look(&planes, at_ms);
    }
    looks.print(&truth.clip);
    Ok(())
}

/// What a person saw in the clip.
struct Truth {
    clip: String,
    /// When the whole picture shows fire or smoke, and when nobody can say.
    burning_s: Vec<[f64; 2]>,
    unscored_s: Vec<[f64; 2]>,
    /// Whether any zone is about fire or smoke.
    is_of_fire: bool,
}

impl Truth {
    fn read(path: &str) -> Result<Truth, Failure> {
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let pairs = |value: &Value| -> Vec<[f64; 2]> { serde_json::from_value(value.clone()).unwrap_or_default() };
        let zones: Vec<&Value> = truth["zones"].as_array().into_iter().flatten().collect();
        let is_fire = |zone: &&&Value| {
            let classes = zone["classes"].as_array().into_iter().flatten();
            classes.into_iter().any(|class| class == "fire" || class == "smoke")
        };
        let whole = zones.iter().filter(is_fire).find(|zone| zone["name"] == "whole_frame");
        Ok(Truth {
            clip: truth["clip"].as_str().unwrap_or("?").into(),
            burning_s: whole.map(|zone| pairs(&zone["intervals_s"])).unwrap_or_default(),
            unscored_s: whole.map(|zone| pairs(&zone["unscored_s"])).unwrap_or_default(),
            is_of_fire: zones.iter().any(|zone| is_fire(&zone)),
        })
    }

    /// Whether something burns all through it; none where that is not so plain.
    fn of(&self, from_s: f64, to_s: f64) -> Option<bool> {
        let is_unscored = self.unscored_s.iter().any(|[from, to]| from_s < *to && to_s > *from);
        let burns = self.burning_s.iter().any(|[from, to]| from_s >= *from && to_s <= *to + 0.5);
        match (self.is_of_fire, burns && !is_unscored) {
            (true, true) => Some(true),
            (true, false) => None,
            (false, _) => Some(false),
        }
    }
}

/// Looks by what the truth says, and by what they saw: flame, smoke, neither, unclear.
#[derive(Default)]
struct Looks {
    burning: [usize; 4],
    quiet: [usize; 4],
}

impl Looks {
    fn add(&mut self, burns: Option<bool>, evidence: &Evidence) {
        let column = match evidence {
            Evidence::Flame(_) => 0,
            Evidence::Smoke(_) => 1,
            Evidence::Neither => 2,
            Evidence::Unclear(_) => 3,
        };
        match burns {
            Some(true) => self.burning[column] += 1,
            Some(false) => self.quiet[column] += 1,
            None => {}
        }
    }

    fn print(&self, clip: &str) {
        let told = |[flame, smoke, neither, unclear]: [usize; 4]| {
            let n = flame + smoke + neither + unclear;
            format!("{n} looks: {flame} flame, {smoke} smoke, {neither} neither, {unclear} unclear")
        };
        println!("{clip}: burning {}; quiet {}", told(self.burning), told(self.quiet));
    }
}
