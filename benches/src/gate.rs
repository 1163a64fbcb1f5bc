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

/// Of a frame: its size, or, of a key frame, what it shows.
enum Frame {
    Delta(usize),
    /// None while the background is being learned.
    Key(Option<bool>),
}

/// `FPS CLIP…`: Annex B files of H.264. Prints, for each, what the gate has earned by its key frames. `--sizes FPS CLIP`: prints
/// what it is judged by instead, a frame a line: bytes, or `still`, `moved` or `-` for a key frame.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        ["--sizes", fps, file] => {
            for frame in frames(file, fps.parse()?)? {
                match frame {
                    Frame::Delta(n_bytes) => println!("{n_bytes}"),
                    Frame::Key(shown) => {
                        println!("{}", shown.map_or("-", |moved| if moved { "moved" } else { "still" }))
                    }
                }
            }
            Ok(())
        }
        [fps, files @ ..] => table(fps.parse()?, files),
        [] => Err("expected [--sizes] FPS CLIP…".into()),
    }
}

fn frames(file: &str, fps: f64) -> Result<Vec<Frame>, Failure> {
    let units = Clip::units(&std::fs::read(file)?);
    let (mut model, mut decoder) = (MotionModel::new(MotionConfig::default(), Vec::new()), Guarded::new(Codec::H264));
    let (mut frames, mut n_keys) = (Vec::with_capacity(units.len()), 0);
    for (number, unit) in units.iter().enumerate() {
        if !unit.key {
            frames.push(Frame::Delta(unit.bytes.len()));
            continue;
        }
        let Some(frame) = decoder.decode(&Bytes::copy_from_slice(&unit.bytes))? else { continue };
        let luma = Luma { width: frame.width, height: frame.height, stride: frame.width, pixels: &frame.luma };
        let moved = !model.observe(&luma, (number as f64 * 1_000.0 / fps) as i64).is_empty();
        n_keys += 1;
        frames.push(Frame::Key((n_keys > LEARN_KEYS).then_some(moved)));
    }
    Ok(frames)
}

fn table(fps: f64, files: &[&str]) -> Result<(), Failure> {
    println!(
        "| clip | looks | with movement | area under the curve | onsets (faded) | missed | stirs at rest | trusted |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for file in files {
        let (mut gate, mut n_looks, mut n_moving) = (SizeGate::default(), 0, 0);
        for frame in frames(file, fps)? {
            match frame {
                Frame::Delta(n_bytes) => {
                    gate.delta(n_bytes);
                }
                Frame::Key(None) => {
                    gate.take();
                }
                Frame::Key(Some(moved)) => {
                    let said = gate.take();
                    gate.judge(said, moved);
                    n_looks += 1;
                    n_moving += usize::from(moved);
                }
            }
        }
        let standing = gate.standing();
        println!(
            "| {file} | {n_looks} | {n_moving} | {} | {:.1} | {:.1} | {} | {} |",
            standing.auc.map_or("–".into(), |auc| format!("{auc:.2}")),
            standing.onsets,
            standing.misses,
            standing.false_share.map_or("–".into(), |share| format!("{:.0} %", share * 100.0)),
            if standing.is_trusted { "yes" } else { "no" },
        );
    }
    Ok(())
}
