//! Terrain from a GeoTIFF (OGC 19-008r4): one band of heights in degrees of WGS-84. What is projected is refused by name: a
//! ray is followed over degrees, and another tool resamples better than this one would.

use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::terrain::{CELLS_MAX, Terrain, TerrainError};
use crate::Point;

/// GeoKeys that are looked at (OGC 19-008r4, annex B).
const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const GEODETIC_CRS: u16 = 2048;
const PROJECTED_CRS: u16 = 3072;
const VERTICAL_UNITS: u16 = 4099;

const GEOGRAPHIC_2D: u16 = 2;
const PIXEL_IS_POINT: u16 = 2;
const METRE: u16 = 9001;
/// WGS-84 in two and three dimensions, and CGCS2000, which lies within centimetres of it.
const DEGREES_READ: [u16; 4] = [4326, 4979, 4490, 4480];

/// Bytes of one cell as it is coded: a double.
const CELL_BYTES_MAX: usize = 8;

impl Terrain {
    /// Whether bytes begin as a TIFF or a BigTIFF does.
    pub fn is_geotiff(bytes: &[u8]) -> bool {
        matches!(bytes.get(..4), Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+"))
    }

    /// Reads the first picture of a GeoTIFF: `ModelPixelScale` and `ModelTiepoint`, WGS-84 or CGCS2000 in degrees, one band of
    /// whole or floating numbers in metres, uncompressed or by deflate, LZW or PackBits. `GDAL_NODATA` is what is not known.
    pub fn from_geotiff(bytes: &[u8]) -> Result<Terrain, TerrainError> {
        let mut tiff = Decoder::new(Cursor::new(bytes)).map_err(header)?.with_limits(limits());
        let (columns, rows) = tiff.dimensions().map_err(header)?;
        let (columns, rows) = (columns as usize, rows as usize);
        if columns.checked_mul(rows).is_none_or(|n| n > CELLS_MAX) {
            return Err(TerrainError::Extent(format!("{columns}x{rows} cells, at most {CELLS_MAX} are kept")));
        }
        match tiff.colortype().map_err(header)? {
            ColorType::Gray(_) => {}
            other => return Err(TerrainError::Header(format!("one band of heights is read, this is {other:?}"))),
        }
        let keys = Keys::of(&mut tiff)?;
        keys.check()?;
        let (first, cell) = corner(&mut tiff, keys.get(RASTER_TYPE) == Some(PIXEL_IS_POINT))?;
        let nodata = tiff.find_tag(Tag::GdalNodata).map_err(header)?.and_then(|value| value.into_string().ok());
        let nodata: Option<f64> = nodata.and_then(|text| text.trim_matches(['\0', ' ']).parse().ok());
        let heights = tiff.read_image().map_err(|error| TerrainError::Heights(error.to_string()))?;
        Terrain::new((columns, rows), first, cell, metres(heights, nodata)?)
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = CELLS_MAX * CELL_BYTES_MAX;
    limits
}

fn header(error: tiff::TiffError) -> TerrainError {
    TerrainError::Header(error.to_string())
}

/// The short keys of a GeoKeyDirectory.
struct Keys(Vec<(u16, u16)>);

impl Keys {
    fn of(tiff: &mut Decoder<Cursor<&[u8]>>) -> Result<Keys, TerrainError> {
        let directory: Option<Vec<u16>> = tiff.find_tag_unsigned_vec(Tag::GeoKeyDirectoryTag).map_err(header)?;
        let directory = directory.ok_or_else(|| missing("GeoKeyDirectory"))?;
        // Four numbers of the directory itself, then of each key: id, where its value is (0: here), how many, value.
        let keys = directory.get(4..).unwrap_or_default().as_chunks::<4>().0;
        Ok(Keys(keys.iter().filter(|[_, place, ..]| *place == 0).map(|[id, _, _, value]| (*id, *value)).collect()))
    }

    fn get(&self, id: u16) -> Option<u16> {
        self.0.iter().find(|(key, _)| *key == id).map(|(_, value)| *value)
    }

    fn check(&self) -> Result<(), TerrainError> {
        let refused = |what: String| {
            Err(TerrainError::Extent(format!("heights in {what} are not read, but in degrees of WGS-84 (EPSG:4326)")))
        };
        if let Some(code) = self.get(PROJECTED_CRS) {
            return refused(projected(code));
        }
        match (self.get(MODEL_TYPE), self.get(GEODETIC_CRS)) {
            (Some(GEOGRAPHIC_2D), Some(code)) if DEGREES_READ.contains(&code) => {}
            (Some(GEOGRAPHIC_2D), Some(code)) => return refused(format!("EPSG:{code}")),
            _ => return refused("a system that is not named".into()),
        }
        match self.get(VERTICAL_UNITS) {
            None | Some(METRE) => Ok(()),
            Some(code) => Err(TerrainError::Header(format!("heights are in the unit EPSG:{code}, metres are read"))),
        }
    }
}

/// Projections that are met, in words.
fn projected(code: u16) -> String {
    match code {
        32601..=32660 => format!("metres of UTM zone {}N (EPSG:{code})", code - 32600),
        32701..=32760 => format!("metres of UTM zone {}S (EPSG:{code})", code - 32700),
        4491..=4501 => format!("metres of CGCS2000, zone {} of 6 degrees (EPSG:{code})", code - 4491 + 13),
        4502..=4512 => format!("metres of CGCS2000 by central meridian (EPSG:{code})"),
        4513..=4533 => format!("metres of CGCS2000, zone {} of 3 degrees (EPSG:{code})", code - 4513 + 25),
        4534..=4554 => format!("metres of CGCS2000 by central meridian (EPSG:{code})"),
        32767 => "a projection of its own".into(),
        3857 => format!("metres of the web's Mercator (EPSG:{code})"),
        code => format!("a projection (EPSG:{code})"),
    }
}

/// Middle of the north-west cell, and the sizes of the cells.
fn corner(tiff: &mut Decoder<Cursor<&[u8]>>, is_point: bool) -> Result<(Point, (f64, f64)), TerrainError> {
    let mut numbers = |tag: Tag, name: &str, n: usize| -> Result<Vec<f64>, TerrainError> {
        let value = tiff.find_tag(tag).map_err(header)?.ok_or_else(|| missing(name))?;
        let numbers = value.into_f64_vec().map_err(header)?;
        if numbers.len() < n || !numbers.iter().all(|number| number.is_finite()) {
            return Err(TerrainError::Header(format!("{name} is not {n} numbers")));
        }
        Ok(numbers)
    };
    let scale = numbers(Tag::ModelPixelScaleTag, "ModelPixelScale", 2)?;
    let tie = numbers(Tag::ModelTiepointTag, "ModelTiepoint", 6)?;
    // The tie point is that of a corner of a cell, or of its middle.
    let middle = if is_point { 0.0 } else { 0.5 };
    let lon = tie[3] + (middle - tie[0]) * scale[0];
    let lat = tie[4] - (middle - tie[1]) * scale[1];
    Ok((Point { lon, lat }, (scale[0], scale[1])))
}

fn missing(name: &str) -> TerrainError {
    TerrainError::Header(format!("{name} is missing: is it a GeoTIFF with its north up?"))
}

fn metres(heights: DecodingResult, nodata: Option<f64>) -> Result<Vec<f32>, TerrainError> {
    let known = |height: f64| {
        let is_known = height.is_finite() && Some(height) != nodata;
        if is_known { height as f32 } else { f32::NAN }
    };
    // Where heights are single, so is what stands for none of them: GDAL writes it as a decimal.
    let single = nodata.map(|nodata| nodata as f32);
    Ok(match heights {
        DecodingResult::F32(heights) => {
            heights.into_iter().map(|m| if m.is_finite() && Some(m) != single { m } else { f32::NAN }).collect()
        }
        DecodingResult::F64(heights) => heights.into_iter().map(known).collect(),
        DecodingResult::I8(heights) => heights.into_iter().map(|m| known(m.into())).collect(),
        DecodingResult::I16(heights) => heights.into_iter().map(|m| known(m.into())).collect(),
        DecodingResult::I32(heights) => heights.into_iter().map(|m| known(m.into())).collect(),
        DecodingResult::U8(heights) => heights.into_iter().map(|m| known(m.into())).collect(),
        DecodingResult::U16(heights) => heights.into_iter().map(|m| known(m.into())).collect(),
        DecodingResult::U32(heights) => heights.into_iter().map(|m| known(m.into())).collect(),
        DecodingResult::U64(_) | DecodingResult::I64(_) | DecodingResult::F16(_) => {
            return Err(TerrainError::Heights("whole numbers of 8 to 32 bits and floats of 32 and 64 are read".into()));
        }
    })
}
