//! The map under all that the console shows on one: the integrator's own tiles, in Web Mercator.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::CoordinateSystem;

/// PMTiles, version 3: <https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md>.
const MAGIC: &[u8; 8] = b"PMTiles\x03";
const HEADER_BYTES: usize = 127;
const TILE_TYPE_AT: usize = 99;
/// Where the tiles begin, and how many bytes they have: the last of the file.
const TILES_AT: [usize; 2] = [56, 64];
const VECTOR: u8 = 1;
/// PNG, JPEG, WebP, AVIF.
const PICTURES: std::ops::RangeInclusive<u8> = 2..=5;

const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];
const PLACES: [&str; 3] = ["{z}", "{x}", "{y}"];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseMap {
    /// A PMTiles file, or the path of a picture with `{z}`, `{x}` and `{y}` in it; relative to the configuration's folder.
    pub tiles: PathBuf,
    /// What the tiles were drawn in.
    #[serde(default)]
    pub coordinates: CoordinateSystem,
    /// Whose it is: shown on it.
    #[serde(default)]
    pub attribution: String,
    /// The deepest level of pictures in a folder; a PMTiles file says that itself.
    #[serde(default = "super::defaults::map_zoom_max")]
    pub zoom_max: u8,
}

impl BaseMap {
    pub fn is_one_file(&self) -> bool {
        self.tiles.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pmtiles"))
    }

    /// The file of one tile, where each has its own.
    pub fn tile(&self, z: u8, x: u32, y: u32) -> PathBuf {
        let path = self.tiles.to_string_lossy();
        path.replace("{z}", &z.to_string()).replace("{x}", &x.to_string()).replace("{y}", &y.to_string()).into()
    }

    /// What the path lacks.
    pub(super) fn fault_of_path(&self) -> Option<String> {
        if self.is_one_file() {
            return None;
        }
        let path = self.tiles.to_string_lossy();
        if let Some(lacking) = PLACES.iter().find(|place| !path.contains(*place)) {
            return Some(format!("is no .pmtiles, and no path of a tile: {lacking} is not in it"));
        }
        let is_picture = self.tiles.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        (!is_picture).then(|| format!("tiles in a folder are pictures: {}", ENDINGS.join(", ")))
    }

    /// What keeps a PMTiles file from being shown.
    pub(super) fn fault_of_file(&self, folder: &Path) -> Option<String> {
        let path = folder.join(&self.tiles);
        let mut header = [0; HEADER_BYTES];
        let read = std::fs::File::open(&path).and_then(|mut file| {
            file.read_exact(&mut header)?;
            file.metadata()
        });
        let n_bytes = match read {
            Ok(metadata) => metadata.len(),
            Err(cause) => return Some(format!("cannot read {}: {cause}", path.display())),
        };
        let [from, n_tiles_bytes] = TILES_AT.map(|at| number(&header[at..]));
        match (header.starts_with(MAGIC), header[TILE_TYPE_AT]) {
            (false, _) => Some(format!("{} is no PMTiles of version 3", path.display())),
            (true, _) if from.saturating_add(n_tiles_bytes) > n_bytes => {
                Some(format!("{} is cut off after {n_bytes} bytes", path.display()))
            }
            (true, VECTOR) if self.coordinates != CoordinateSystem::Wgs84 => {
                Some("vector tiles are not moved: draw them in WGS-84, or take pictures".to_owned())
            }
            (true, kind) if kind == VECTOR || PICTURES.contains(&kind) => None,
            (true, kind) => Some(format!("{} has tiles of a kind that is not known: {kind}", path.display())),
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(tiles: &str) -> BaseMap {
        BaseMap { tiles: tiles.into(), coordinates: CoordinateSystem::Gcj02, attribution: String::new(), zoom_max: 18 }
    }

    #[test]
    fn a_tile_has_its_place_in_the_path() {
        assert_eq!(map("maps/{z}/{x}/{y}.png").tile(14, 13_014, 6_785), PathBuf::from("maps/14/13014/6785.png"));
        for (path, says) in [("maps", "{z}"), ("maps/{z}/{x}.png", "{y}"), ("{z}/{x}/{y}.pbf", "pictures")] {
            assert!(map(path).fault_of_path().is_some_and(|fault| fault.contains(says)), "{path}");
        }
        assert_eq!(map("{z}-{x}-{y}.webp").fault_of_path(), None);
        assert_eq!(map("district.pmtiles").fault_of_path(), None);
    }

    #[test]
    fn a_file_that_cannot_be_shown_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let fault = |bytes: &[u8]| {
            std::fs::write(folder.path().join("a.pmtiles"), bytes).unwrap();
            map("a.pmtiles").fault_of_file(folder.path())
        };
        let header = |kind: u8| {
            let mut header = [0; HEADER_BYTES];
            header[..8].copy_from_slice(MAGIC);
            header[TILE_TYPE_AT] = kind;
            header
        };
        assert_eq!(fault(&header(2)), None);
        let (vector, strange, mut cut) = (header(1), header(9), header(2));
        cut[TILES_AT[1]] = 128;
        let broken: [(&[u8], &str); 5] = [
            (&vector, "vector"),
            (&strange, "not known: 9"),
            (&cut, "cut off after 127"),
            (&[0; 200], "no PMTiles"),
            (b"PMTiles", "cannot read"),
        ];
        for (bytes, says) in broken {
            assert!(fault(bytes).is_some_and(|fault| fault.contains(says)), "{says}");
        }
    }
}
