//! Recorded files with changes of every kind: whatever is in them, they end, nothing panics, and no picture is larger than allowed.
//!
//! `make fuzz SECONDS=600`; a failure prints the seed, and `FUZZ_SEED=n FUZZ_SECONDS=1` repeats it. A short round with a
//! fixed seed is part of `make test`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use outpost::ingest::recording;
use outpost::ingest::rtsp::{AccessUnit, AlarmFault, RtspError, Viewer};
use outpost_detectors::observation::{Link, LinkState};
use tokio_util::sync::CancellationToken;

use crate::support_rtsp::{camera, mp4};
use crate::thermal_fuzz::Random;

/// Pictures after which a file that promises millions of them has said enough.
const PICTURES_MAX: usize = 2_000;

const FRAME_BYTES_MAX: usize = 256 << 10;

struct Counts {
    n_units: AtomicUsize,
    stop: CancellationToken,
}

impl Viewer for Counts {
    async fn link(&self, link: Link) {
        assert_ne!(link.state, LinkState::Stalled);
    }

    async fn unit(&self, unit: AccessUnit) {
        // A start code may be three bytes longer than the length that it stands for.
        assert!(unit.data.len() <= 4 * FRAME_BYTES_MAX + 4_096, "{} bytes", unit.data.len());
        if self.n_units.fetch_add(1, Ordering::Relaxed) > PICTURES_MAX {
            self.stop.cancel();
        }
    }

    fn lull(&self) -> Duration {
        Duration::ZERO
    }

    async fn alarms(&self, told: Result<Bytes, AlarmFault>) {
        panic!("a file has no alarms: {told:?}");
    }

    async fn failed(&self, error: &RtspError) {
        panic!("no session can fail: {error}");
    }
}

fn seeds(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let made = |name: &str, input: &str, more: &[&str]| std::fs::read(mp4(folder, name, input, more)).unwrap();
    vec![
        made("plain.mp4", "main.h264", &["-movflags", "faststart"]),
        made("fragments.mp4", "bframes.h264", &["-movflags", "frag_keyframe+empty_moov+default_base_moof"]),
        made("h265.mp4", "main.h265", &["-tag:v", "hvc1", "-movflags", "faststart"]),
    ]
}

/// Boxes stand at the beginning, and those of fragments before each piece: most changes hit them.
fn mutate(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + random.below(4) {
        let boxes = bytes.windows(4).enumerate().filter(|(_, kind)| kind.iter().all(u8::is_ascii_lowercase));
        let boxes: Vec<usize> = boxes.map(|(at, _)| at).collect();
        let at = match random.below(4) {
            0 => random.below(bytes.len()),
            _ if boxes.is_empty() => 0,
            1 => boxes[random.below(boxes.len())].saturating_sub(4),
            _ => boxes[random.below(boxes.len())] + 4 + random.below(40),
        };
        let at = at.min(bytes.len().saturating_sub(1));
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 | 2 => {
                let word = [0, 1, 8, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random.next() as u32][random.below(7)];
                let to = (at + 4).min(bytes.len());
                bytes[at..to].copy_from_slice(&word.to_be_bytes()[..to - at]);
            }
            3 => bytes.truncate(at.max(1)),
            4 => drop(bytes.drain(at..(at + 1 + random.below(32)).min(bytes.len().saturating_sub(1)).max(at))),
            _ => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_files_end_and_hurt_nobody() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seconds, mut seed) = (number("FUZZ_SECONDS", 2), number("FUZZ_SEED", 1));
    let until = Instant::now() + Duration::from_secs(seconds);
    let folder = tempfile::tempdir().unwrap();
    let seeds = seeds(folder.path());
    let path = folder.path().join("changed.mp4");
    let camera = camera("fuzz", &format!("file://{}", path.display()), "pace = \"fast\"");
    let mut n_played = 0;
    while Instant::now() < until {
        let mut random = Random::new(seed);
        let bytes = mutate(&mut random, &seeds[(seed % seeds.len() as u64) as usize]);
        std::fs::write(&path, bytes).unwrap();
        let stop = CancellationToken::new();
        let counts = Counts { n_units: AtomicUsize::new(0), stop: stop.clone() };
        let played = async { recording::run("fuzz", &path, &camera, &counts, &stop).await };
        let done = tokio::time::timeout(Duration::from_secs(60), played).await;
        assert!(done.is_ok(), "FUZZ_SEED={seed} does not end");
        n_played += usize::from(counts.n_units.load(Ordering::Relaxed) > 0);
        seed += 1;
    }
    assert!(n_played > 0, "no file with changes was played at all");
    println!("files to seed {seed}, {n_played} with pictures");
}
