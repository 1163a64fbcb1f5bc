//! Frames a second through `hotspot` on one core, as a JSON line a side. Writes the frames for the other side (NumPy and OpenCV).
//!
//! `cargo run --release -p outpost-detectors --example measure_heat -- FOLDER` with FOLDER empty; `benches/run --only h`
//! does that. The frames: a real landscape (fixtures/thermal/landscape_80x64.u16) at 640x512 with a sensor's noise, and a hot
//! region that wanders, so that no two are the same.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use ndarray::Array2;
use outpost_detectors::hotspot::{Background, Heat, Hotspot, HotspotScratch};

const LANDSCAPE: &[u8] = include_bytes!("../../fixtures/thermal/landscape_80x64.u16");
const SMALL: (usize, usize) = (64, 80);
const LARGER: usize = 8;
const FRAMES: usize = 32;
const NOISE_K: f32 = 0.05;
const ROUNDS: usize = 5;
const SECONDS: f64 = 2.0;

const ABOVE_C: f32 = 80.0;
const OVER_BACKGROUND_K: f32 = 20.0;
const PIXELS_MIN: usize = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("expected a folder")?;
    let frames: Vec<Array2<f32>> = (0..FRAMES).map(frame).collect();
    write(Path::new(&folder), &frames)?;
    let hotspot = Hotspot::new(Some(ABOVE_C), Some(OVER_BACKGROUND_K), PIXELS_MIN)?;
    measure("outpost", hotspot, &frames)?;
    measure("outpost, local background", hotspot.with_background(Background::Local), &frames)?;
    Ok(())
}

fn frame(number: usize) -> Array2<f32> {
    let mut state = number as u64 * 2 + 1;
    let small = |row: usize, column: usize| {
        let at = (row.min(SMALL.0 - 1) * SMALL.1 + column.min(SMALL.1 - 1)) * 2;
        f32::from(u16::from_le_bytes([LANDSCAPE[at], LANDSCAPE[at + 1]])) / 100.0 - 273.15
    };
    Array2::from_shape_fn((SMALL.0 * LARGER, SMALL.1 * LARGER), |(row, column)| {
        let part = |at: usize| (at / LARGER, (at % LARGER) as f32 / LARGER as f32);
        let ((row_0, down), (column_0, right)) = (part(row), part(column));
        let upper = small(row_0, column_0) * (1.0 - right) + small(row_0, column_0 + 1) * right;
        let lower = small(row_0 + 1, column_0) * (1.0 - right) + small(row_0 + 1, column_0 + 1) * right;
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 2.0 * NOISE_K;
        let off = (row as f32 - 200.0 - number as f32).hypot(column as f32 - 300.0 - 3.0 * number as f32);
        let fire = (1.0 - off / 9.0).max(0.0) * 200.0;
        upper * (1.0 - down) + lower * down + noise + fire
    })
}

fn write(folder: &Path, frames: &[Array2<f32>]) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(folder.join("frames.f32"))?);
    for pixel in frames.iter().flatten() {
        file.write_all(&pixel.to_le_bytes())?;
    }
    file.flush()
}

/// Frames a second of CPU time in each round, least first. What was found is printed, so that the sides can be compared.
fn measure(side: &str, hotspot: Hotspot, frames: &[Array2<f32>]) -> Result<(), Box<dyn std::error::Error>> {
    let mut scratch = HotspotScratch::default();
    let (mut rates, mut n_pixels, mut background_c) = (Vec::new(), 0, 0.0);
    for _ in 0..ROUNDS {
        let (begun, cpu_begun_s, mut n) = (Instant::now(), cpu_s()?, 0);
        while begun.elapsed().as_secs_f64() < SECONDS {
            (n_pixels, background_c) = (0, 0.0_f64);
            for frame in frames {
                let Heat { region, background_c: around_c, .. } = hotspot.judge(frame.view(), &mut scratch);
                n_pixels += region.map_or(0, |region| region.n_pixels);
                background_c += f64::from(around_c.unwrap_or_default());
                n += 1;
            }
        }
        rates.push(f64::from(n) / (cpu_s()? - cpu_begun_s));
    }
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[ROUNDS / 2], rates[ROUNDS - 1]);
    println!(
        r#"{{"side": "{side}", "least": {least:.1}, "median": {median:.1}, "most": {most:.1}, "pixels": {n_pixels}, "background": {background_c:.3}}}"#
    );
    Ok(())
}

/// User and system time of this process, seconds (Linux: hundredths of one).
fn cpu_s() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in stat")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
