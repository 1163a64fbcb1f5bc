//! `outpost thermal FILE`: what a radiometric picture or sequence holds, in a few lines, and drawn. Stores nothing.
//!
//! - [`draw`]: temperatures in colours, with scale bar, hottest point and regions

pub mod draw;

use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use outpost_detectors::hotspot::statistics::{Range, Statistics};
use outpost_detectors::hotspot::{Hotspot, HotspotError, HotspotScratch, Region};

use crate::decode::radiometric::{self, Radiometric, RadiometricError, Scene};

/// Larger files are refused: a sequence is read as a whole.
pub const FILE_BYTES_MAX: u64 = 1 << 30;

/// Regions of a frame that are listed and drawn.
const REGIONS_MAX: usize = 32;

#[derive(Debug, thiserror::Error)]
pub enum ThermalError {
    #[error("cannot read {path}: {cause}")]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("{path} has {bytes} bytes, at most {FILE_BYTES_MAX} are read")]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error("{path}: frame {frame}: {error}")]
    Frame { path: PathBuf, frame: usize, error: RadiometricError },
    #[error("{path}: {error}")]
    File { path: PathBuf, error: RadiometricError },
    #[error("{path} has no frame {frame}: it has {n}, counted from 0")]
    NoFrame { path: PathBuf, frame: usize, n: usize },
    #[error("{0}")]
    Scene(String),
    #[error("{0}")]
    Limits(#[from] HotspotError),
    #[error("cannot write {path}: {cause}")]
    Png { path: PathBuf, cause: image::ImageError },
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
}

/// What is asked of a file beside its temperatures.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// In place of what was set at the camera.
    pub emissivity: Option<f64>,
    pub reflected_c: Option<f64>,
    pub atmosphere_c: Option<f64>,
    pub distance_m: Option<f64>,
    /// Relative humidity, 0 to 1.
    pub humidity: Option<f64>,
    /// What makes a hot region; without one none is looked for.
    pub above_c: Option<f32>,
    pub over_background_k: Option<f32>,
    pub pixels_min: usize,
    /// Where the drawing of one frame goes.
    pub png: Option<PathBuf>,
    pub frame: usize,
}

impl Wish {
    fn scene(&self, of_camera: Scene) -> Result<Scene, ThermalError> {
        let scene = Scene {
            emissivity: self.emissivity.unwrap_or(of_camera.emissivity),
            reflected_c: self.reflected_c.unwrap_or(of_camera.reflected_c),
            atmosphere_c: self.atmosphere_c.unwrap_or(of_camera.atmosphere_c),
            distance_m: self.distance_m.unwrap_or(of_camera.distance_m),
            humidity: self.humidity.unwrap_or(of_camera.humidity),
            ..of_camera
        };
        scene.check().map_err(ThermalError::Scene)?;
        Ok(scene)
    }

    fn hotspot(&self) -> Result<Option<Hotspot>, ThermalError> {
        if self.above_c.is_none() && self.over_background_k.is_none() {
            return Ok(None);
        }
        Ok(Some(Hotspot::new(self.above_c, self.over_background_k, self.pixels_min)?))
    }
}

/// Tells what `file` holds, frame by frame, and draws one frame where that is wished.
pub fn tell(file: &Path, wish: &Wish, out: &mut impl Write) -> Result<(), ThermalError> {
    let bytes = read(file)?;
    let hotspot = wish.hotspot()?;
    let mut scratch = HotspotScratch::default();
    let frames = radiometric::frames(&bytes).map_err(|error| ThermalError::File { path: file.into(), error })?;
    let (mut n, mut is_drawn) = (0, false);
    for (number, frame) in frames.enumerate() {
        let picture = frame.map_err(|error| ThermalError::Frame { path: file.into(), frame: number, error })?;
        let scene = wish.scene(picture.scene)?;
        let celsius = picture.celsius(&scene);
        if number == 0 {
            tell_camera(&picture, &scene, out)?;
        }
        let regions = hotspot.map(|hotspot| hotspot.regions(celsius.view(), &mut scratch)).unwrap_or_default();
        tell_frame(number, &celsius, &regions, out)?;
        if let Some(png) = wish.png.as_deref().filter(|_| number == wish.frame) {
            let drawn = draw::draw(celsius.view(), &regions[..regions.len().min(REGIONS_MAX)]);
            let written = drawn.save_with_format(png, image::ImageFormat::Png);
            written.map_err(|cause| ThermalError::Png { path: png.into(), cause })?;
            is_drawn = true;
        }
        n = number + 1;
    }
    if wish.png.is_some() && !is_drawn {
        return Err(ThermalError::NoFrame { path: file.into(), frame: wish.frame, n });
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, ThermalError> {
    let failed = |cause| ThermalError::Read { path: file.into(), cause };
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(ThermalError::TooLarge { path: file.into(), bytes });
    }
    std::fs::read(file).map_err(failed)
}

fn tell_camera(picture: &Radiometric, scene: &Scene, out: &mut impl Write) -> std::io::Result<()> {
    let (rows, columns) = picture.samples.dim();
    let model = if picture.model.is_empty() { "unknown" } else { &picture.model };
    writeln!(out, "camera     {model}, {columns}x{rows}")?;
    let Scene { emissivity, reflected_c, atmosphere_c, distance_m, humidity, window_c, window_transmission } = scene;
    writeln!(out, "object     emissivity {emissivity:.2}, reflects {reflected_c:.1} °C, {distance_m:.1} m away")?;
    write!(out, "air        {atmosphere_c:.1} °C, {:.0} % humidity", humidity * 100.0)?;
    if *window_transmission < 1.0 {
        write!(out, "; window {window_c:.1} °C, lets {:.0} % through", window_transmission * 100.0)?;
    }
    writeln!(out)
}

fn tell_frame(number: usize, celsius: &Array2<f32>, regions: &[Region], out: &mut impl Write) -> std::io::Result<()> {
    let Statistics { range, n_bad, .. } = Statistics::of(celsius.view());
    let Some(Range { min_c, mean_c, max_c, hottest: (row, column) }) = range else {
        return writeln!(out, "frame {number:<4} no pixel has a temperature");
    };
    write!(
        out,
        "frame {number:<4} {min_c:.2} to {max_c:.2} °C, mean {mean_c:.2} °C, hottest at column {column}, row {row}"
    )?;
    if n_bad > 0 {
        write!(out, ", {n_bad} bad pixels")?;
    }
    writeln!(out)?;
    for region in regions.iter().take(REGIONS_MAX) {
        let Region { column_first, column_last, row_first, row_last, n_pixels, max_c, mean_c, .. } = region;
        writeln!(
            out,
            "  region   columns {column_first} to {column_last}, rows {row_first} to {row_last}: {n_pixels} pixels, \
             max {max_c:.2} °C, mean {mean_c:.2} °C"
        )?;
    }
    match regions.len().saturating_sub(REGIONS_MAX) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more regions"),
    }
}
