//! What a camera's rules would make of a clip: raw luma from standard input becomes a recording on standard output, for
//! `outpost replay` and `outpost backtest`. Decodes nothing itself.
//!
//! ```sh
//! ffmpeg -v error -i clip.avi -vf format=gray -f rawvideo - | cargo run --release -p outpost --example look -- \
//!   --width 768 --height 576 --fps 10 --source cam:a > clip.ndjson
//! outpost replay --config site.toml clip.ndjson
//! ```
//!
//! Times are the clip's; a picture in `--every` is looked at (1 where left out), as a camera's key frames would be.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;

use outpost::pipeline::record;
use outpost_detectors::background::{MotionConfig, Scratch};
use outpost_detectors::lookout::Lookout;
use outpost_detectors::luma::Luma;
use outpost_detectors::observation::{Fact, Observation, PictureFacts};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        words.chunks_exact(2).map(|pair| (pair[0].trim_start_matches('-'), pair[1].as_str())).collect();
    let given = |name: &str| options.get(name).copied().ok_or(format!("--{name} is missing"));
    let number = |name: &str, or: f64| options.get(name).map_or(Ok(or), |value| value.parse::<f64>());
    let (width, height): (usize, usize) = (given("width")?.parse()?, given("height")?.parse()?);
    let (fps, every): (f64, u64) = (given("fps")?.parse()?, number("every", 1.0)?.max(1.0) as u64);
    let source: Arc<str> = given("source")?.into();
    let absorb_ms = (number("absorb-s", 60.0)? * 1000.0) as i64;
    let mut scratch = Scratch::default();
    let mut lookout = Lookout::new(MotionConfig { absorb_ms, ..MotionConfig::default() }, Vec::new());
    let (mut input, mut out) = (std::io::stdin().lock(), std::io::BufWriter::new(std::io::stdout().lock()));
    let (mut pixels, mut line) = (vec![0; width * height], Vec::new());
    let mut picture = 0;
    while input.read_exact(&mut pixels).is_ok() {
        picture += 1;
        if picture % every != 0 {
            continue;
        }
        let at_ms = (picture as f64 * 1000.0 / fps).round() as i64;
        let facts = lookout.look(&Luma { width, height, stride: width, pixels: &pixels }, at_ms, &mut scratch);
        let fact = Fact::Picture(PictureFacts { picture, ..facts });
        line.clear();
        record::write(&Observation { source: source.clone(), at_ms, received_ms: at_ms, fact }, &mut line)?;
        out.write_all(&line)?;
    }
    Ok(out.flush()?)
}
