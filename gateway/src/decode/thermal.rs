//! Thermal frames: a matrix of temperatures as JSON, or raw 16-bit hundredths of a kelvin.

use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::observation::{Fact, ThermalFrame};

use crate::config::{JsonTime, Packing};

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
}

#[derive(Debug)]
pub(super) struct ThermalU16Reader {
    columns: usize,
    rows: usize,
    packed: Packing,
}

impl ThermalJsonReader {
    pub(super) fn new(
        pixels: &str,
        columns: Option<usize>,
        unit: &str,
        time: Option<&JsonTime>,
    ) -> Result<Self, String> {
        let unit = TemperatureUnit::parse(unit)
            .ok_or_else(|| format!("unit {unit:?} is no temperature: Cel, K, cK or [degF]"))?;
        if let Some(columns) = columns {
            check_side("columns", columns)?;
        }
        let mut pointers = PointerSet::new();
        let pixels = Mapped::new(&mut pointers, pixels, Want::Matrix(unit), false)?;
        let time = time.map(|entry| mapped_time(&mut pointers, entry)).transpose()?;
        Ok(ThermalJsonReader { pointers, pixels, columns, time })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        self.pointers.read(Encoding::Json, arrival, out, |slots, out| self.observe(arrival, slots, out));
    }

    fn observe(&self, arrival: &Arrival<'_>, slots: &mut [Slot], out: &mut Decoded) {
        let Some(at_ms) = read_time(self.time.as_ref(), arrival, slots, out) else { return };
        let pointer = &self.pixels.pointer;
        match std::mem::take(&mut slots[self.pixels.slot]) {
            Slot::Matrix(matrix) => match self.frame(matrix) {
                Ok(frame) => out.observations.push(arrival.observation(at_ms, Fact::Thermal(frame))),
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

    fn frame(&self, matrix: Matrix) -> Result<ThermalFrame, String> {
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
        frame(n_pixels / columns, columns, matrix.celsius)
    }
}

impl ThermalU16Reader {
    pub(super) fn new(columns: usize, rows: usize, packed: Packing) -> Result<Self, String> {
        check_side("columns", columns)?;
        check_side("rows", rows)?;
        Ok(ThermalU16Reader { columns, rows, packed })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        let (columns, rows) = (self.columns, self.rows);
        let expected = columns * rows * 2;
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
        let pixels = bytes.chunks_exact(2);
        let celsius =
            pixels.map(|pair| TemperatureUnit::Centikelvin.celsius(f64::from(u16::from_le_bytes([pair[0], pair[1]]))));
        match frame(rows, columns, celsius.collect()) {
            Ok(frame) => out.observations.push(arrival.observation(arrival.received_ms, Fact::Thermal(frame))),
            Err(cause) => out.reject(arrival, RejectReason::BadShape, format_args!("{cause}")),
        }
    }
}

fn frame(rows: usize, columns: usize, celsius: Vec<f32>) -> Result<ThermalFrame, String> {
    let celsius = Array2::from_shape_vec((rows, columns), celsius).map_err(|error| error.to_string())?;
    Ok(ThermalFrame { celsius: Arc::new(celsius) })
}

fn check_side(name: &str, side: usize) -> Result<(), String> {
    if (1..=SIDE_MAX).contains(&side) {
        return Ok(());
    }
    Err(format!("{name} must be 1 to {SIDE_MAX}"))
}
