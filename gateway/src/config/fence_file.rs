//! Fences of the map as a configuration names them: a file of them, or one that is drawn in the configuration itself.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outpost_fences::{Coordinates, geojson, wkt};
use serde::Deserialize;

/// Largest file of fences.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A file of map fences, GeoJSON, or well-known text where its name ends in `.wkt`; or GeoJSON itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FenceFile {
    /// Relative to the configuration's folder.
    pub file: Option<PathBuf>,
    /// A Feature, in the file's place.
    pub geojson: Option<String>,
    #[serde(default)]
    pub coordinates: CoordinateSystem,
    /// Its fences are the ground that centres answer for: a ticket with a point is the centre's whose id the fence has.
    #[serde(default)]
    pub grids: bool,
    /// Of its fences, once the file was read and they are grids.
    #[serde(skip)]
    pub ids: Vec<Arc<str>>,
}

impl FenceFile {
    /// How messages call it.
    pub fn name(&self) -> Cow<'_, str> {
        self.file.as_ref().map_or("geojson".into(), |file| file.to_string_lossy())
    }

    /// The text of its fences. The error says what cannot be read.
    pub fn text(&self, folder: &Path) -> Result<Cow<'_, str>, String> {
        match (&self.geojson, &self.file) {
            (Some(text), _) => Ok(text.into()),
            (None, Some(file)) => read(&folder.join(file)).map(Cow::Owned),
            (None, None) => Ok("".into()),
        }
    }

    /// The fences of its text, WGS-84.
    pub fn parse(&self, text: &str) -> geojson::Parsed {
        let extension = self.file.as_ref().and_then(|file| file.extension());
        let is_wkt = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("wkt"));
        let read = if is_wkt { wkt::parse } else { geojson::parse_in };
        read(text, self.coordinates.into())
    }
}

/// The text of a file of fences, tables or roads; the error names the file.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let text = String::from_utf8(read_bytes(path)?);
    text.map_err(|cause| format!("cannot read {}: {}", path.display(), cause.utf8_error()))
}

/// The same of a file that need not be text.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    read_bytes_up_to(path, FILE_BYTES_MAX)
}

/// The same of a file that may be smaller or larger than these.
pub(super) fn read_bytes_up_to(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let told = |cause: &dyn std::fmt::Display| format!("cannot read {}: {cause}", path.display());
    let n_bytes = std::fs::metadata(path).map_err(|cause| told(&cause))?.len();
    if n_bytes > bytes_max {
        return Err(told(&format!("{n_bytes} bytes, at most {bytes_max} are read")));
    }
    std::fs::read(path).map_err(|cause| told(&cause))
}

/// What longitudes and latitudes from outside mean; all is WGS-84 within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CoordinateSystem {
    /// Also CGCS2000.
    #[default]
    Wgs84,
    Gcj02,
    Bd09,
}

impl From<CoordinateSystem> for Coordinates {
    fn from(system: CoordinateSystem) -> Coordinates {
        match system {
            CoordinateSystem::Wgs84 => Coordinates::Wgs84,
            CoordinateSystem::Gcj02 => Coordinates::Gcj02,
            CoordinateSystem::Bd09 => Coordinates::Bd09,
        }
    }
}
