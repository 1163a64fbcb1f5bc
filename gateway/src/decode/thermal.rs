//! Thermal frames: a matrix of temperatures as JSON, raw samples, or a radiometric picture.
//!
//! - [`flir`]: radiometric pictures; [`repair`]: bad pixels

pub(super) mod flir;
mod repair;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ndarray::Array2;
use outpost_detectors::observation::{Aim, Fact, Scale, Surface, ThermalFrame};

use crate::config::{ByteOrder, ImagerOf, JsonAim, JsonTime, Packing, RawFrames};

use super::Arrival;
use super::json::{Encoding, Mapped, mapped_time, read_time};
use super::matrix::{Matrix, SIDE_MAX, TemperatureUnit};
use super::pointer::{PointerSet, Slot, Want};
use super::reject::{Decoded, RejectReason};
use super::unpack::unpack;

#[derive(Debug)]
pub(super) struct ThermalJsonReader {
    pointers: PointerSet,
    pixels: Mapped,
    columns: Option<usize>,
    time: Option<Mapped>,
    aim: Option<MappedAim>,
    imager: Imager,
    counter: Option<Counter>,
}

#[derive(Debug)]
struct MappedAim {
    bearing: Mapped,
    elevation: Mapped,
    fov: Option<Mapped>,
    preset: Option<Mapped>,
}

/// Where a frame's number stands, and the last one of each source.
#[derive(Debug)]
struct Counter {
    at: Mapped,
    last: Mutex<HashMap<Arc<str>, f64>>,
}

/// What is known of the imager beside its frames.
#[derive(Debug)]
pub(super) struct Imager {
    surface: Option<Surface>,
    /// Row and column.
    bad: Vec<(usize, usize)>,
}

#[derive(Debug)]
pub(super) struct ThermalRawReader {
    sample: Sample,
    columns: usize,
    rows: usize,
    packed: Packing,
    unit: TemperatureUnit,
    order: ByteOrder,
    imager: Imager,
}

/// How a pixel is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    U16,
    F32,
}

impl Sample {
    fn n_bytes(self) -> usize {
        match self {
            Sample::U16 => size_of::<u16>(),
            Sample::F32 => size_of::<f32>(),
        }
    }

    /// Where nobody says.
    fn unit(self) -> &'static str {
        match self {
            Sample::U16 => "cK",
            Sample::F32 => "Cel",
        }
    }

    fn values(self, bytes: &[u8], order: ByteOrder, celsius: impl Fn(f64) -> f32) -> Vec<f32> {
        let is_little = order == ByteOrder::Little;
        let whole = if is_little { u16::from_le_bytes } else { u16::from_be_bytes };
        let real = if is_little { f32::from_le_bytes } else { f32::from_be_bytes };
        match self {
            Sample::U16 => bytes.as_chunks().0.iter().map(|pair| celsius(whole(*pair).into())).collect(),
            Sample::F32 => bytes.as_chunks().0.iter().map(|four| celsius(real(*four).into())).collect(),
        }
    }
}

impl Imager {
    pub(super) fn new(imager: &ImagerOf) -> Result<Self, String> {
        if let Some((key, what)) = imager.surface.and_then(|surface| surface.fault()) {
            return Err(format!("surface.{key} {what}"));
        }
        let bad = imager.bad.iter().map(|&[row, column]| (row, column)).collect();
        Ok(Imager { surface: imager.surface.map(Into::into), bad })
    }

    /// The frame, with its bad pixels repaired. `surface` is what it was computed with.
    fn frame(&self, mut celsius: Array2<f32>, surface: Surface, aim: Option<Aim>) -> ThermalFrame {
        repair::repair(&mut celsius, &self.bad);
        ThermalFrame { celsius: Arc::new(celsius), scale: Scale::default(), surface, aim }
    }

    fn surface(&self) -> Surface {
        self.surface.unwrap_or_default()
    }
}

impl ThermalJsonReader {
    pub(super) fn new(
        pixels: &str,
        columns: Option<usize>,
        unit: &str,
        time: Option<&JsonTime>,
        aim: Option<&JsonAim>,
        sequence: Option<&str>,
        imager: &ImagerOf,
    ) -> Result<Self, String> {
        let unit = TemperatureUnit::parse(unit)
            .ok_or_else(|| format!("unit {unit:?} is no temperature: Cel, K, cK or [degF]"))?;
        if let Some(columns) = columns {
            check_side("columns", columns)?;
        }
        let mut pointers = PointerSet::new();
        let pixels = Mapped::new(&mut pointers, pixels, Want::Matrix(unit), false)?;
        let time = time.map(|entry| mapped_time(&mut pointers, entry)).transpose()?;
        let mut number = |pointer: &String| Mapped::new(&mut pointers, pointer, Want::Number, true);
        let aim = aim.map(|aim| -> Result<MappedAim, String> {
            Ok(MappedAim {
                bearing: number(&aim.bearing)?,
                elevation: number(&aim.elevation)?,
                fov: aim.fov.as_ref().map(&mut number).transpose()?,
                preset: aim.preset.as_ref().map(&mut number).transpose()?,
            })
        });
        let aim = aim.transpose()?;
        let at = sequence.map(|pointer| number(&pointer.to_owned())).transpose()?;
        let counter = at.map(|at| Counter { at, last: Mutex::default() });
        Ok(ThermalJsonReader { pointers, pixels, columns, time, aim, imager: Imager::new(imager)?, counter })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        self.pointers.read(Encoding::Json, arrival, out, |slots, out| self.observe(arrival, slots, out));
    }

    fn observe(&self, arrival: &Arrival<'_>, slots: &mut [Slot], out: &mut Decoded) {
        let Some(at_ms) = read_time(self.time.as_ref(), arrival, slots, out) else { return };
        if let Some(counter) = &self.counter {
            counter.count(arrival, slots, out);
        }
        let aim = self.aim.as_ref().and_then(|aim| aim.read(slots));
        let pointer = &self.pixels.pointer;
        match std::mem::take(&mut slots[self.pixels.slot]) {
            Slot::Matrix(matrix) => match self.frame(matrix, aim) {
                Ok(frame) => {
                    let preset = frame.aim.and_then(|aim| aim.preset);
                    let mut observation = arrival.observation(at_ms, Fact::Thermal(frame));
                    // What a sweeping camera sees from one preset is a series of its own.
                    if let Some(preset) = preset {
                        observation.source = format!("{}@{preset}", arrival.source).into();
                    }
                    out.observations.push(observation);
                }
                Err(cause) => out.reject(arrival, RejectReason::BadShape, format_args!("{pointer}: {cause}")),
            },
            Slot::BadMatrix(cause) => {
                out.reject(arrival, cause.reason, format_args!("{pointer}{}", cause.place));
            }
            Slot::Absent => out.reject(arrival, RejectReason::Missing, format_args!("{pointer}: nothing is there")),
            Slot::Null => out.reject(arrival, RejectReason::Missing, format_args!("{pointer}: null")),
            Slot::Other(found) => {
                let place = format_args!("{pointer}: expected an array, found {found}");
                out.reject(arrival, RejectReason::WrongType, place);
            }
            _ => out.reject(arrival, RejectReason::WrongType, format_args!("{pointer}: expected an array")),
        }
    }

    fn frame(&self, matrix: Matrix, aim: Option<Aim>) -> Result<ThermalFrame, String> {
        let n_pixels = matrix.celsius.len();
        let columns = match (matrix.columns, self.columns) {
            (Some(found), Some(expected)) if found != expected => {
                return Err(format!("expected rows of {expected}, found {found}"));
            }
            (Some(columns), _) | (None, Some(columns)) => columns,
            (None, None) => return Err("a flat array needs \"columns\" in its feed".into()),
        };
        if n_pixels == 0 || columns == 0 || !n_pixels.is_multiple_of(columns) {
            return Err(format!("{n_pixels} pixels make no rows of {columns}"));
        }
        if n_pixels / columns > SIDE_MAX {
            return Err(format!("at most {SIDE_MAX} rows are read"));
        }
        let celsius = shaped(n_pixels / columns, columns, matrix.celsius)?;
        Ok(self.imager.frame(celsius, self.imager.surface(), aim))
    }
}

impl ThermalRawReader {
    pub(super) fn new(frames: &RawFrames, sample: Sample) -> Result<Self, String> {
        let RawFrames { columns, rows, packed, unit, byte_order: order, imager } = frames;
        let (columns, rows, packed, order) = (*columns, *rows, *packed, *order);
        check_side("columns", columns)?;
        check_side("rows", rows)?;
        let unit = unit.as_deref().unwrap_or(sample.unit());
        let unit = TemperatureUnit::parse(unit).ok_or_else(|| format!("unit {unit:?} is no temperature"))?;
        Ok(ThermalRawReader { sample, columns, rows, packed, unit, order, imager: Imager::new(imager)? })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        let (columns, rows) = (self.columns, self.rows);
        let expected = columns * rows * self.sample.n_bytes();
        let bytes = match unpack(arrival.payload, self.packed, expected) {
            Ok(bytes) => bytes,
            Err((reason, place)) => return out.reject(arrival, reason, format_args!("{place}")),
        };
        if expected != bytes.len() {
            // What is packed is not read on beyond that.
            let at_least = if self.packed.is_gzip() && bytes.len() > expected { "at least " } else { "" };
            let found = bytes.len();
            let place = format_args!("expected {expected} bytes for {columns}x{rows} pixels, found {at_least}{found}");
            return out.reject(arrival, RejectReason::BadShape, place);
        }
        let celsius = self.sample.values(&bytes, self.order, |value| self.unit.celsius(value));
        match shaped(rows, columns, celsius) {
            Ok(celsius) => {
                tell(self.imager.frame(celsius, self.imager.surface(), None), arrival, out);
            }
            Err(cause) => out.reject(arrival, RejectReason::BadShape, format_args!("{cause}")),
        }
    }
}

impl MappedAim {
    /// None where the frame does not tell it whole.
    fn read(&self, slots: &mut [Slot]) -> Option<Aim> {
        let mut number = |mapped: &Mapped| match slots[mapped.slot] {
            Slot::Number(number) => Some(number),
            _ => None,
        };
        Some(Aim {
            bearing_deg: number(&self.bearing)?,
            elevation_deg: number(&self.elevation)?,
            fov_deg: self.fov.as_ref().and_then(&mut number),
            preset: self.preset.as_ref().and_then(number).map(|preset| preset as i64),
        })
    }
}

impl Counter {
    /// Tells of frames that did not come. A counter that goes back has begun anew; one that stands still says nothing.
    fn count(&self, arrival: &Arrival<'_>, slots: &[Slot], out: &mut Decoded) {
        let pointer = &self.at.pointer;
        let Slot::Number(number) = slots[self.at.slot] else {
            return out.reject(arrival, RejectReason::Missing, format_args!("{pointer}: no number of the frame"));
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.insert(arrival.source.clone(), number);
        let n_missing = before.map_or(0.0, |before| number - before - 1.0);
        if n_missing >= 1.0 {
            let place = format_args!("{pointer}: {n_missing} frames are missing before {number}");
            out.reject(arrival, RejectReason::SequenceGap, place);
        }
    }
}

/// Tells of a frame of now, unless it says nothing.
fn tell(frame: ThermalFrame, arrival: &Arrival<'_>, out: &mut Decoded) {
    if frame.celsius.iter().all(|pixel_c| pixel_c.is_nan()) {
        return out.reject(arrival, RejectReason::NotFinite, format_args!("no pixel is a number"));
    }
    out.observations.push(arrival.observation(arrival.received_ms, Fact::Thermal(frame)));
}

fn shaped(rows: usize, columns: usize, celsius: Vec<f32>) -> Result<Array2<f32>, String> {
    Array2::from_shape_vec((rows, columns), celsius).map_err(|error| error.to_string())
}

fn check_side(name: &str, side: usize) -> Result<(), String> {
    if (1..=SIDE_MAX).contains(&side) {
        return Ok(());
    }
    Err(format!("{name} must be 1 to {SIDE_MAX}"))
}
