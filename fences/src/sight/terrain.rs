//! Heights of the ground in a grid, and where a ray from a camera first meets it. Bilinear between the middles of the cells.

use super::destination;
use crate::Point;

/// Cells of a grid: 100 by 100 km at 10 m.
pub const CELLS_MAX: usize = 100_000_000;
/// How far a ray is followed.
pub const RANGE_M_MAX: f64 = 60_000.0;
/// Steps of a ray; with the grid's own cell as the step, or more where the range would not be reached.
const STEPS_MAX: f64 = 20_000.0;
const NARROWINGS: usize = 40;
/// A step over flat ground or over cells that are smaller.
const STEP_M_MIN: f64 = 1.0;

/// Of a cell, by which a place may be outside and still on the edge: degrees are no exact decimals.
const EDGE: f64 = 1e-6;

/// Radius of the Earth over 1 − k with the mean refraction k = 0.13 of surveying: over it light goes straight.
const EFFECTIVE_RADIUS_M: f64 = 6_371_008.8 / (1.0 - 0.13);

/// Heights in metres, by row from north to south and column from west to east; degrees of WGS-84.
#[derive(Debug, Clone, PartialEq)]
pub struct Terrain {
    columns: usize,
    rows: usize,
    /// Middle of the north-west cell.
    first: Point,
    cell_lon: f64,
    cell_lat: f64,
    /// NaN where nothing is known.
    heights_m: Vec<f32>,
}

/// What a ray meets.
#[derive(Debug, Clone, Copy)]
pub enum Ground<'a> {
    /// The same height everywhere, where no terrain is given: a fallback, and as wrong as the land is uneven.
    Flat {
        /// In the system of the camera's height.
        height_m: f64,
    },
    /// Known heights; a ray that leaves them meets nothing.
    Terrain(&'a Terrain),
}

/// Why a text is no terrain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerrainError {
    /// A key of the header is not there or is no number.
    #[error("header: {0}")]
    Header(String),
    /// The grid is larger than [`CELLS_MAX`], empty, or not on the globe.
    #[error("{0}")]
    Extent(String),
    /// Not as many numbers as rows times columns, or something that is none.
    #[error("heights: {0}")]
    Heights(String),
}

impl Terrain {
    /// `first` is the middle of the north-west cell; the cells' sizes are degrees.
    pub fn new(
        (columns, rows): (usize, usize),
        first: Point,
        (cell_lon, cell_lat): (f64, f64),
        heights_m: Vec<f32>,
    ) -> Result<Terrain, TerrainError> {
        let n = columns.checked_mul(rows).filter(|n| (1..=CELLS_MAX).contains(n));
        let n = n.ok_or_else(|| TerrainError::Extent(format!("{columns}x{rows} cells, 1 to {CELLS_MAX} are kept")))?;
        let last = (first.lon + cell_lon * (columns - 1) as f64, first.lat - cell_lat * (rows - 1) as f64);
        let is_on_globe = Point::new(first.lon, first.lat).is_some() && Point::new(last.0, last.1).is_some();
        if !(cell_lon > 0.0 && cell_lat > 0.0 && is_on_globe) {
            let what = "the grid is not on the globe: is it in metres? Degrees of WGS-84 are read";
            return Err(TerrainError::Extent(what.into()));
        }
        if heights_m.len() != n {
            return Err(TerrainError::Heights(format!("{} of them for {n} cells", heights_m.len())));
        }
        Ok(Terrain { columns, rows, first, cell_lon, cell_lat, heights_m })
    }

    /// Reads an ESRI ASCII grid: `ncols`, `nrows`, `xllcorner` or `xllcenter`, `yllcorner` or `yllcenter`, `cellsize`,
    /// and if need be `nodata_value`, in any case and order; then the heights row by row from the north.
    pub fn from_ascii(text: &str) -> Result<Terrain, TerrainError> {
        let mut words = text.split_ascii_whitespace().peekable();
        let mut header: Vec<(String, f64)> = Vec::new();
        while let Some(key) = words.next_if(|word| word.starts_with(|first: char| first.is_ascii_alphabetic())) {
            // `nan` as a height begins with a letter, too.
            let value = words.next().and_then(|value| value.parse().ok());
            let value = value.ok_or_else(|| TerrainError::Header(format!("{key} has no number")))?;
            header.push((key.to_ascii_lowercase(), value));
            if header.len() > 16 {
                return Err(TerrainError::Header("more than 16 keys".into()));
            }
        }
        let get = |name: &str| header.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
        let need = |name: &str| get(name).ok_or_else(|| TerrainError::Header(format!("{name} is missing")));
        let (columns, rows, cell) = (need("ncols")?, need("nrows")?, need("cellsize")?);
        let side = |n: f64| (n.fract() == 0.0 && (1.0..=CELLS_MAX as f64).contains(&n)).then_some(n as usize);
        let (Some(columns), Some(rows)) = (side(columns), side(rows)) else {
            return Err(TerrainError::Extent(format!("{columns}x{rows} cells")));
        };
        let middle = |axis: char| match get(&format!("{axis}llcenter")) {
            Some(middle) => Ok(middle),
            None => need(&format!("{axis}llcorner")).map(|corner| corner + cell / 2.0),
        };
        let first = Point { lon: middle('x')?, lat: middle('y')? + cell * (rows - 1) as f64 };
        let n = columns.checked_mul(rows).filter(|n| *n <= CELLS_MAX);
        let n =
            n.ok_or_else(|| TerrainError::Extent(format!("{columns}x{rows} cells, at most {CELLS_MAX} are kept")))?;
        let nodata = get("nodata_value");
        let mut heights_m = Vec::with_capacity(n.min(text.len() / 2 + 1));
        for word in words {
            let height: f64 = word
                .parse()
                .map_err(|_| TerrainError::Heights(format!("number {}: {word:.20}", heights_m.len() + 1)))?;
            let is_known = height.is_finite() && Some(height) != nodata;
            heights_m.push(if is_known { height as f32 } else { f32::NAN });
            if heights_m.len() > n {
                return Err(TerrainError::Heights(format!("more than {n} of them")));
            }
        }
        Terrain::new((columns, rows), first, (cell, cell), heights_m)
    }

    /// None outside the middles of the outermost cells, and beside cells that are not known.
    pub fn height_m(&self, at: Point) -> Option<f64> {
        let across = (at.lon - self.first.lon) / self.cell_lon;
        let down = (self.first.lat - at.lat) / self.cell_lat;
        let whole = |along: f64, n: usize| {
            let last = (n - 1) as f64;
            let inside = (-EDGE..=last + EDGE).contains(&along);
            let along = along.clamp(0.0, last);
            inside.then(|| (along as usize).min(n.saturating_sub(2))).map(|cell| (cell, along - cell as f64))
        };
        let ((column, right), (row, below)) = (whole(across, self.columns)?, whole(down, self.rows)?);
        let corners = [
            (row, column, (1.0 - below) * (1.0 - right)),
            (row, column + 1, (1.0 - below) * right),
            (row + 1, column, below * (1.0 - right)),
            (row + 1, column + 1, below * right),
        ];
        let height = |&(row, column, weight): &(usize, usize, f64)| {
            let (row, column) = (row.min(self.rows - 1), column.min(self.columns - 1));
            weight * f64::from(self.heights_m[row * self.columns + column])
        };
        // What has no part in it may be unknown.
        let height_m: f64 = corners.iter().filter(|(_, _, weight)| *weight > EDGE).map(height).sum();
        Some(height_m).filter(|height| height.is_finite())
    }

    /// The shorter side of a cell.
    fn cell_m(&self) -> f64 {
        let (lon_m, lat_m) = crate::geodesic::metres_per_degree(self.first.lat);
        (self.cell_lon * lon_m).min(self.cell_lat * lat_m)
    }
}

impl Ground<'_> {
    /// Height of the ground.
    pub fn height_m(&self, at: Point) -> Option<f64> {
        match self {
            Ground::Flat { height_m } => Some(*height_m),
            Ground::Terrain(terrain) => terrain.height_m(at),
        }
    }

    /// How far over the ground a ray goes before it meets it; none where it meets nothing within [`RANGE_M_MAX`] or leaves
    /// what is known. It bends with the Earth, refraction included. `from_m` is the height of the ray's beginning.
    pub fn meets_at_m(&self, from: Point, from_m: f64, bearing_deg: f64, elevation_deg: f64) -> Option<f64> {
        if elevation_deg.abs() >= 89.9 {
            return (elevation_deg < 0.0).then_some(0.0);
        }
        let slope = elevation_deg.to_radians().tan();
        let ray_m = |far_m: f64| from_m + far_m * slope + far_m * far_m / (2.0 * EFFECTIVE_RADIUS_M);
        let step_m = match self {
            Ground::Flat { height_m } => {
                // Where the parabola comes down to the ground, the nearer of both places.
                let (a, over_m) = (0.5 / EFFECTIVE_RADIUS_M, from_m - height_m);
                let root = slope * slope - 4.0 * a * over_m;
                let far_m = (-slope - root.max(0.0).sqrt()) / (2.0 * a);
                return (over_m >= 0.0 && root >= 0.0 && slope < 0.0 && far_m <= RANGE_M_MAX).then_some(far_m);
            }
            Ground::Terrain(terrain) => terrain.cell_m().max(RANGE_M_MAX / STEPS_MAX).max(STEP_M_MIN),
        };
        let over_m = |far_m: f64| Some(ray_m(far_m) - self.height_m(destination(from, bearing_deg, far_m))?);
        let mut near_m = 0.0;
        if over_m(near_m)? < 0.0 {
            return None;
        }
        while near_m < RANGE_M_MAX {
            let far_m = near_m + step_m;
            if over_m(far_m)? < 0.0 {
                let (mut above_m, mut below_m) = (near_m, far_m);
                for _ in 0..NARROWINGS {
                    let middle_m = (above_m + below_m) / 2.0;
                    if over_m(middle_m)? < 0.0 { below_m = middle_m } else { above_m = middle_m }
                }
                return Some(below_m);
            }
            near_m = far_m;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Point = Point { lon: 106.05, lat: 29.84 };

    fn grid(height_m: impl Fn(Point) -> f64) -> Terrain {
        let (n, cell) = (401, 0.0005);
        let first = Point { lon: HOME.lon - 0.1, lat: HOME.lat + 0.1 };
        let heights = (0..n * n).map(|i| {
            let at = Point { lon: first.lon + (i % n) as f64 * cell, lat: first.lat - (i / n) as f64 * cell };
            height_m(at) as f32
        });
        Terrain::new((n, n), first, (cell, cell), heights.collect()).unwrap()
    }

    #[test]
    fn an_ascii_grid_is_read_with_its_corner_or_its_middle() {
        let text =
            "ncols 3\nnrows 2\nXLLCORNER 106\nyllcorner 29\ncellsize 0.1\nNODATA_value -9999\n1 2 3\n4 -9999 6\n";
        let terrain = Terrain::from_ascii(text).unwrap();
        let at = |lon, lat| terrain.height_m(Point { lon, lat });
        for (lon, lat, expected) in [(106.05, 29.15, 1.0), (106.10, 29.15, 1.5), (106.05, 29.05, 4.0)] {
            assert!((at(lon, lat).unwrap() - expected).abs() < 1e-4, "{lon} {lat}: {:?}", at(lon, lat));
        }
        assert_eq!((at(106.10, 29.10), at(106.04, 29.1), at(106.05, 29.16)), (None, None, None));
        let centred = text.replace("XLLCORNER 106", "xllcenter 106.05").replace("yllcorner 29", "yllcenter 29.05");
        assert_eq!(Terrain::from_ascii(&centred).unwrap().first, terrain.first);
    }

    #[test]
    fn what_is_no_grid_is_told() {
        let head = "ncols 2\nnrows 2\nxllcorner 106\nyllcorner 29\ncellsize 0.1\n";
        for (text, expected) in [
            ("", "header: ncols is missing"),
            ("ncols x", "header: ncols has no number"),
            ("ncols 1e9 nrows 1e9 xllcorner 1 yllcorner 1 cellsize 1 1", "1000000000x1000000000 cells"),
            ("ncols 9999999 nrows 9999999 xllcorner 1 yllcorner 1 cellsize 1 1", "9999999x9999999 cells, at most"),
            (&format!("{head}1 2 3"), "heights: 3 of them for 4 cells"),
            (&format!("{head}1 2 3 4 5"), "heights: more than 4 of them"),
            (&format!("{head}1 2 x4"), "heights: number 3: x4"),
            (&head.replace("106", "350000"), "not on the globe"),
        ] {
            let told = Terrain::from_ascii(text).unwrap_err().to_string();
            assert!(told.contains(expected), "{text:?}: {told}");
        }
    }

    /// A plane that rises towards the north, where the answer is known: the ray falls by 5 in 100, the plane rises by 3.
    #[test]
    fn a_ray_meets_a_slope_where_it_should() {
        let slope = grid(|at| 300.0 + 0.03 * super::super::offset_m(HOME, at).1);
        let elevation = -(0.05_f64.atan().to_degrees());
        let met = Ground::Terrain(&slope).meets_at_m(HOME, 460.0, 0.0, elevation).unwrap();
        // 160 m above it at the beginning, 0.08 m nearer with each metre, and the Earth falls away: 160 − 0.08 d + d²/2R = 0.
        let root = |steepness: f64| {
            let a = 0.5 / EFFECTIVE_RADIUS_M;
            (steepness - (steepness * steepness - 4.0 * a * 160.0).sqrt()) / (2.0 * a)
        };
        assert!((met - root(0.08)).abs() < 0.5, "{met}, not {}", root(0.08));
        let away = Ground::Terrain(&slope).meets_at_m(HOME, 460.0, 180.0, elevation).unwrap();
        assert!((away - root(0.02)).abs() < 2.0, "{away}, not {}", root(0.02));
    }

    #[test]
    fn a_ridge_hides_what_is_behind_it() {
        let north_m = |at: Point| super::super::offset_m(HOME, at).1;
        let ridge = grid(|at| if (1_000.0..1_200.0).contains(&north_m(at)) { 120.0 } else { 0.0 });
        let valley = grid(|_| 0.0);
        let far = |terrain: &Terrain| Ground::Terrain(terrain).meets_at_m(HOME, 100.0, 0.0, -2.0);
        assert!((far(&ridge).unwrap() - 1_000.0).abs() < 60.0, "{:?}", far(&ridge));
        let flat = Ground::Flat { height_m: 0.0 }.meets_at_m(HOME, 100.0, 0.0, -2.0).unwrap();
        assert!((far(&valley).unwrap() - flat).abs() < 0.1 && (flat - 2_873.0).abs() < 20.0, "{flat}");
    }

    #[test]
    fn the_sky_and_what_is_unknown_are_met_by_nothing() {
        let valley = grid(|_| 0.0);
        assert_eq!(Ground::Terrain(&valley).meets_at_m(HOME, 100.0, 0.0, 1.0), None);
        assert_eq!(Ground::Terrain(&valley).meets_at_m(HOME, 100.0, 0.0, -0.2), None);
        assert_eq!(Ground::Flat { height_m: 0.0 }.meets_at_m(HOME, 100.0, 0.0, 0.5), None);
        assert_eq!(Ground::Flat { height_m: 0.0 }.meets_at_m(HOME, -5.0, 0.0, -5.0), None);
        // Beyond the horizon of 38 km.
        assert_eq!(Ground::Flat { height_m: 0.0 }.meets_at_m(HOME, 100.0, 0.0, -0.1), None);
    }
}
