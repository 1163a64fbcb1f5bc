//! One FFF block: header, directory of records, samples, the camera's constants. Either byte order, each part its own:
//! some cameras write a big-endian directory over little-endian records.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::{ColorType, ImageDecoder, Limits};
use ndarray::Array2;

use super::super::matrix::SIDE_MAX;
use super::planck::{Calibration, Scene};
use super::{FFF, Radiometric, RadiometricError};

/// Entries of a directory that are looked at; cameras write fewer than 30.
const RECORDS_MAX: u32 = 256;
const HEADER_BYTES: usize = 0x40;
const ENTRY_BYTES: usize = 32;
/// Versions that the header may have, in the byte order that is its own.
const VERSIONS: std::ops::Range<u32> = 100..200;

const RAW_DATA: u16 = 1;
const CAMERA_INFO: u16 = 0x20;
/// A raw record's samples begin here.
const SAMPLES_AT: usize = 32;
/// The camera's constants end here.
const CAMERA_INFO_BYTES: usize = 0x310;
const MODEL: std::ops::Range<usize> = 0xd4..0xf4;
const PNG: &[u8] = b"\x89PNG";

#[derive(Clone, Copy)]
enum Order {
    Big,
    Little,
}

/// A stretch of the block with its byte order and, for errors, its place in the block.
#[derive(Clone, Copy)]
struct Part<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
}

/// The picture of the block that begins with `block`, and how many bytes the block has.
pub(super) fn read(block: &[u8]) -> Result<(Radiometric, usize), RadiometricError> {
    let header = header(block)?;
    let (directory_at, n_records) = (header.u32(0x18)? as usize, header.u32(0x1c)?);
    if n_records > RECORDS_MAX {
        return Err(RadiometricError::broken(0x1c, format!("{n_records} records, at most {RECORDS_MAX} are read")));
    }
    let n_bytes = n_records as usize * ENTRY_BYTES;
    let directory = header.within(block, directory_at, n_bytes, "the directory")?;
    let (mut raw, mut camera, mut end) = (None, None, directory_at + n_bytes);
    for entry_at in (0..n_bytes).step_by(ENTRY_BYTES) {
        let (kind, at) = (directory.u16(entry_at)?, directory.u32(entry_at + 0x0c)? as usize);
        let length = directory.u32(entry_at + 0x10)? as usize;
        let slot = match kind {
            RAW_DATA => &mut raw,
            CAMERA_INFO => &mut camera,
            0 => continue,
            _ => {
                end = end.max(at.saturating_add(length).min(block.len()));
                continue;
            }
        };
        let record = directory.within(block, at, length, "a record")?.in_own_order();
        end = end.max(at + length);
        // The first of its kind; a second one belongs to another picture.
        slot.get_or_insert(record);
    }
    let raw = raw.ok_or_else(|| RadiometricError::broken(directory_at, "no record of raw samples"))?;
    let camera = camera.ok_or_else(|| RadiometricError::broken(directory_at, "no record of the camera"))?;
    let (calibration, scene) = constants(camera)?;
    let name = camera.bytes[MODEL].split(|&byte| byte == 0).next().unwrap_or_default();
    let model = String::from_utf8_lossy(name).trim().to_owned();
    Ok((Radiometric { samples: samples(raw)?, calibration, scene, model }, end))
}

fn header(block: &[u8]) -> Result<Part<'_>, RadiometricError> {
    let bytes = block.get(..HEADER_BYTES).filter(|bytes| bytes.starts_with(FFF));
    let bytes = bytes.ok_or_else(|| RadiometricError::broken(0, "no FFF header"))?;
    for order in [Order::Big, Order::Little] {
        let header = Part { bytes, at: 0, order };
        if VERSIONS.contains(&header.u32(0x14)?) {
            return Ok(header);
        }
    }
    Err(RadiometricError::broken(0x14, "a version of FFF that is not known"))
}

fn samples(raw: Part) -> Result<Array2<u16>, RadiometricError> {
    let (columns, rows) = (usize::from(raw.u16(2)?), usize::from(raw.u16(4)?));
    if !(1..=SIDE_MAX).contains(&columns) || !(1..=SIDE_MAX).contains(&rows) {
        return Err(raw.broken(2, format!("{columns}x{rows} pixels, at most {SIDE_MAX} a side are read")));
    }
    let rest = raw.bytes.get(SAMPLES_AT..).unwrap_or_default();
    let samples = match rest.starts_with(PNG) {
        true => from_png(rest, columns, rows).map_err(|what| raw.broken(SAMPLES_AT, what))?,
        false => {
            let n_bytes = columns * rows * 2;
            let found = rest.get(..n_bytes).ok_or_else(|| {
                let what = format!("expected {n_bytes} bytes for {columns}x{rows} pixels, found {}", rest.len());
                raw.broken(SAMPLES_AT, what)
            })?;
            found.chunks_exact(2).map(|pair| raw.order.u16([pair[0], pair[1]])).collect()
        }
    };
    Array2::from_shape_vec((rows, columns), samples).map_err(|error| raw.broken(SAMPLES_AT, error.to_string()))
}

/// PNG has its samples big-endian; FLIR's cameras put little-endian ones into it.
fn from_png(png: &[u8], columns: usize, rows: usize) -> Result<Vec<u16>, String> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE_MAX as u32), Some(SIDE_MAX as u32));
    let decoder = PngDecoder::with_limits(Cursor::new(png), limits).map_err(|error| format!("PNG: {error}"))?;
    let (width, height) = decoder.dimensions();
    if (width as usize, height as usize) != (columns, rows) || decoder.color_type() != ColorType::L16 {
        let kind = decoder.color_type();
        return Err(format!("expected a PNG of {columns}x{rows} 16-bit samples, found {width}x{height} {kind:?}"));
    }
    let mut bytes = vec![0; columns * rows * 2];
    decoder.read_image(&mut bytes).map_err(|error| format!("PNG: {error}"))?;
    Ok(bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]).swap_bytes()).collect())
}

fn constants(camera: Part) -> Result<(Calibration, Scene), RadiometricError> {
    if camera.bytes.len() < CAMERA_INFO_BYTES {
        return Err(camera.broken(0, format!("a camera record of {} bytes", camera.bytes.len())));
    }
    let calibration = Calibration {
        r1: camera.f32(0x58)?,
        b: camera.f32(0x5c)?,
        f: camera.f32(0x60)?,
        o: f64::from(camera.u32(0x308)? as i32),
        r2: camera.f32(0x30c)?,
        alpha: [camera.f32(0x70)?, camera.f32(0x74)?],
        beta: [camera.f32(0x78)?, camera.f32(0x7c)?],
        x: camera.f32(0x80)?,
    };
    let scene = Scene {
        emissivity: camera.f32(0x20)?,
        distance_m: camera.f32(0x24)?,
        reflected_c: camera.celsius(0x28)?,
        atmosphere_c: camera.celsius(0x2c)?,
        window_c: camera.celsius(0x30)?,
        window_transmission: camera.f32(0x34)?,
        humidity: camera.f32(0x3c)?,
    };
    calibration.check().map_err(|what| camera.broken(0x58, what))?;
    scene.check().map_err(|what| camera.broken(0x20, what))?;
    Ok((calibration, scene))
}

impl Order {
    fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Order::Big => u16::from_be_bytes(bytes),
            Order::Little => u16::from_le_bytes(bytes),
        }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Order::Big => u32::from_be_bytes(bytes),
            Order::Little => u32::from_le_bytes(bytes),
        }
    }
}

impl<'a> Part<'a> {
    /// Another part of the block, in the byte order of this one.
    fn within(&self, block: &'a [u8], at: usize, length: usize, what: &str) -> Result<Part<'a>, RadiometricError> {
        let bytes = at.checked_add(length).and_then(|end| block.get(at..end));
        let bytes = bytes.ok_or_else(|| {
            RadiometricError::broken(block.len(), format!("{what} of {length} bytes at {at} is cut short"))
        })?;
        Ok(Part { bytes, at, order: self.order })
    }

    /// A record begins with a small number, 2 as a rule: read the wrong way round it is large.
    fn in_own_order(self) -> Self {
        let is_turned = self.u16(0).is_ok_and(|first| first >= 0x100);
        let order = match self.order {
            Order::Big if is_turned => Order::Little,
            Order::Little if is_turned => Order::Big,
            order => order,
        };
        Part { order, ..self }
    }

    fn broken(&self, at: usize, what: impl Into<String>) -> RadiometricError {
        RadiometricError::broken(self.at + at, what)
    }

    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], RadiometricError> {
        let bytes = self.bytes.get(at..at + N).and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| self.broken(at, "a record is cut short"))
    }

    fn u16(&self, at: usize) -> Result<u16, RadiometricError> {
        Ok(self.order.u16(self.array(at)?))
    }

    fn u32(&self, at: usize) -> Result<u32, RadiometricError> {
        Ok(self.order.u32(self.array(at)?))
    }

    fn f32(&self, at: usize) -> Result<f64, RadiometricError> {
        Ok(f64::from(f32::from_bits(self.u32(at)?)))
    }

    /// A temperature in kelvin as degrees Celsius.
    fn celsius(&self, at: usize) -> Result<f64, RadiometricError> {
        Ok(self.f32(at)? - super::planck::KELVIN)
    }
}
