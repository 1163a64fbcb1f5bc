//! Real radiometric pictures with changes of every kind: the reader never panics, and what it reads has the size that it
//! says.
//!
//! `make fuzz SECONDS=600`; a failure prints the seed, and `FUZZ_SEED=n FUZZ_SECONDS=1` repeats it. A short round with a
//! fixed seed is part of `make test`.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use outpost::decode::SIDE_MAX;
use outpost::decode::radiometric::{self, Radiometric};

/// xorshift64*: the same changes on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

fn seeds() -> &'static [Vec<u8>] {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/thermal");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let jpegs = [read("FLIR_E40.jpg"), read("FLIR_AX8.jpg")];
        // The same as bare blocks: changes there hit records far more often.
        let bare = jpegs.iter().map(|jpeg| {
            let at = jpeg.windows(4).position(|window| window == b"FFF\0").unwrap();
            jpeg[at..].to_vec()
        });
        jpegs.iter().cloned().chain(bare).collect()
    })
}

/// Places where numbers stand that say how long, how many, how large, where: the header and the directory, and what follows.
fn place(random: &mut Random, bytes: &[u8]) -> usize {
    let block_at = bytes.windows(4).position(|window| window == b"FFF\0").unwrap_or_default();
    match random.below(4) {
        0 => random.below(bytes.len()),
        1 => random.below(block_at + 0x40),
        2 => block_at + random.below(0x40),
        _ => block_at + 0x40 + random.below(0x400),
    }
}

fn mutate(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + random.below(6) {
        if bytes.is_empty() {
            break;
        }
        let at = place(random, &bytes).min(bytes.len() - 1);
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 | 3 => {
                let word = [0, 1, 32, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random.next() as u32][random.below(7)];
                let word = if random.below(2) == 0 { word.to_be_bytes() } else { word.to_le_bytes() };
                let to = (at + 4).min(bytes.len());
                bytes[at..to].copy_from_slice(&word[..to - at]);
            }
            4 => bytes.truncate(at + 1),
            5 => drop(bytes.drain(at..(at + random.below(64)).min(bytes.len()))),
            6 => {
                let from = random.below(seed.len());
                let piece = seed[from..(from + random.below(256)).min(seed.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let from = random.below(bytes.len());
                let piece = bytes[from..(from + random.below(128)).min(bytes.len())].to_vec();
                let to = (at + piece.len()).min(bytes.len());
                bytes[at..to].copy_from_slice(&piece[..to - at]);
            }
        }
    }
    bytes
}

fn try_one(seed: u64) -> bool {
    let mut random = Random::new(seed);
    let all = seeds();
    let seed = random.below(all.len());
    let bytes = mutate(&mut random, &all[seed]);
    let read = Radiometric::read(&bytes);
    match &read {
        Ok(picture) => {
            let (rows, columns) = picture.samples.dim();
            assert!((1..=SIDE_MAX).contains(&rows) && (1..=SIDE_MAX).contains(&columns));
            let celsius = picture.celsius(&picture.scene);
            assert_eq!(celsius.dim(), (rows, columns));
            assert!(celsius.iter().all(|pixel_c| pixel_c.is_nan() || *pixel_c > -273.16));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(frames) = radiometric::frames(&bytes) {
        let n = frames.take(16).filter(Result::is_ok).count();
        assert!(n == 0 || read.is_ok());
    }
    read.is_ok()
}

#[test]
fn changed_pictures_are_read_or_refused() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let first = variable("FUZZ_SEED").unwrap_or(1);
    let (started, seconds) = (Instant::now(), variable("FUZZ_SECONDS"));
    let (mut n, mut n_read) = (0, 0);
    // Without a time a fixed number, so that a slow machine tests as much as a fast one.
    while seconds.map_or(n < 1_000, |seconds| started.elapsed() < Duration::from_secs(seconds)) {
        let seed = first + n;
        match std::panic::catch_unwind(|| try_one(seed)) {
            Ok(is_read) => n_read += u64::from(is_read),
            Err(_) => panic!("FUZZ_SEED={seed}"),
        }
        n += 1;
    }
    println!("{n} pictures, {n_read} of them read, seeds {first} to {}", first + n - 1);
    assert!(
        seconds.is_some() || (n_read > n / 20 && n_read < n),
        "the changes are too few or too many: {n_read} of {n}"
    );
}
