//! How much the sizes of encoded frames tell of a recording: the gate beside the pictures of all its frames.

use bytes::Bytes;
use outpost::demo::camera::Clip;
use outpost::video::decoder::{Codec, Guarded};
use outpost_detectors::background::{MotionConfig, MotionModel};
use outpost_detectors::luma::Luma;
use outpost_detectors::size_gate::SizeGate;

use crate::Failure;

/// Key frames that the background is learned by, and that nobody is judged by.
const LEARN_KEYS: usize = 5;

/// `FPS CLIP…`: Annex B files of H.264. Prints, for each, what the gate has earned by its key frames.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let [fps, files @ ..] = words else { return Err("expected FPS CLIP…".into()) };
    let fps: f64 = fps.parse()?;
    println!(
        "| clip | key frames | with movement | area under the curve | onsets (faded) | missed | still looks that stirred | trusted |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for file in files {
        let units = Clip::units(&std::fs::read(file)?);
        let (mut gate, mut model) = (SizeGate::default(), MotionModel::new(MotionConfig::default(), Vec::new()));
        let mut decoder = Guarded::new(Codec::H264);
        let (mut n_looks, mut n_moving, mut n_still, mut n_false) = (0, 0, 0, 0);
        for (number, unit) in units.iter().enumerate() {
            if !unit.key {
                gate.delta(unit.bytes.len());
                continue;
            }
            let Some(frame) = decoder.decode(&Bytes::copy_from_slice(&unit.bytes))? else { continue };
            let luma = Luma { width: frame.width, height: frame.height, stride: frame.width, pixels: &frame.luma };
            let at_ms = (number as f64 * 1_000.0 / fps) as i64;
            let moved = !model.observe(&luma, at_ms).is_empty();
            let stirs = gate.stirs();
            let said = gate.take();
            n_looks += 1;
            if n_looks > LEARN_KEYS {
                n_moving += usize::from(moved);
                n_still += usize::from(!moved);
                n_false += usize::from(!moved && stirs);
                gate.judge(said, moved);
            }
        }
        let standing = gate.standing();
        println!(
            "| {file} | {n_looks} | {n_moving} | {} | {:.1} | {:.1} | {n_false} of {n_still} | {} |",
            standing.auc.map_or("–".into(), |auc| format!("{auc:.2}")),
            standing.onsets,
            standing.misses,
            if standing.is_trusted { "yes" } else { "no" },
        );
    }
    Ok(())
}
