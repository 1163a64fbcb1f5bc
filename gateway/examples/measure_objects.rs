//! Measures what a look by an object model costs: time on its one thread and memory. For `benches/RESULTS.md`, K.
//!
//! ```sh
//! cd fixtures/models && cargo run --release -p outpost --example measure_objects -- yolox_nano.onnx coco_classes.txt \
//!   pictures/one-by-one-person-detection-929.png
//! ```
//!
//! Prints how long loading took with its trial run, the median and the longest of a hundred looks, and the resident memory before
//! the model, with it, and after the looks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outpost::nouns::ObjectKind;
use outpost::objects::{Labels, Layout, Model, Picture};

type Failure = Box<dyn std::error::Error>;

const LOOKS: usize = 100;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [model, classes, picture] = &words[..] else { return Err("give a model, its classes and a picture".into()) };
    let names = std::fs::read_to_string(classes)?;
    let classes = names.lines().map(|name| (Arc::from(name), ObjectKind::Other)).collect();
    let labels = Labels { classes, score_min: 0.4, overlap_max: 0.45 };
    let image = image::open(picture)?.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    let picture = Picture { width, height, rgb: image.into_raw() };

    let before = resident_kib()?;
    let begun = Instant::now();
    let model = Model::load(std::fs::read(model)?, Layout::Yolox, labels, Duration::from_secs(1))?;
    println!("loaded and tried in {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    let with = resident_kib()?;
    let mut took_ms = Vec::with_capacity(LOOKS);
    let mut found = Vec::new();
    for _ in 0..LOOKS {
        let begun = Instant::now();
        found = model.look(&picture)?;
        took_ms.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took_ms.sort_by(f64::total_cmp);
    println!("a look takes {:.1} ms (median of {LOOKS}), at most {:.1} ms", took_ms[LOOKS / 2], took_ms[LOOKS - 1]);
    println!("memory {before} KiB, with the model {with} KiB, after the looks {} KiB", resident_kib()?);
    found.iter().for_each(|object| println!("{}", object.words()));
    Ok(())
}

fn resident_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
