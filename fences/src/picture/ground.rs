//! From a place in a camera's picture to the place on the ground that it shows, by four or more pairs of both: a
//! homography, found by the direct linear transformation with normalised coordinates (Hartley and Zisserman, "Multiple
//! View Geometry", 2nd edition, algorithms 4.1 and 4.2), weighted so that it is the error on the ground that is least.
//! The ground is taken for a plane.

use crate::geodesic::{metres_per_degree, near_longitude};
use crate::point::Point;

/// Pairs of one camera.
pub const PAIRS_MAX: usize = 64;
/// The ground before one camera, from one pair to another, metres.
pub const EXTENT_M_MAX: f64 = 20_000.0;
/// A pivot that is so much smaller than the greatest is none: the pairs leave the ground undetermined.
const PIVOT_MIN: f64 = 1e-9;
/// The spread of the pairs across their main direction, as a share of that along it, below which they are on one line.
const SPREAD_MIN: f64 = 0.01;
/// Rounds of weighing; they settle in two or three.
const ROUNDS: usize = 6;
/// A picture place is no surer than this, a share of the picture's height: about the lower edge of a box.
const PLACE_ERROR: f64 = 0.01;

/// A picture place and the place on the map that it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// x right, y down, shares of the picture.
    pub at: [f64; 2],
    /// Where that is.
    pub place: Point,
}

/// The ground before a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// Picture to metres east and north of the origin, row-major; its third coordinate is positive below the horizon.
    to_metres: Matrix,
    origin: Point,
    error_m: f64,
    worst: (usize, f64),
}

/// Why pairs do not tell where the ground is.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it means in its message")]
pub enum GroundError {
    #[error("{n} pairs of a picture place and a map place; it takes 4 to {PAIRS_MAX}")]
    Pairs { n: usize },
    #[error("pair {pair}: [{x}, {y}] is not in the picture, 0..1")]
    OutOfPicture { pair: usize, x: f64, y: f64 },
    #[error("the places are {metres:.0} m apart, at most {EXTENT_M_MAX} m are one camera's ground")]
    TooWide { metres: f64 },
    #[error("the places {where_} are on one line, or nearly: put them around the ground that matters")]
    OnOneLine { where_: &'static str },
    #[error("three of the four pairs are on one line, or two are alike: the ground is not determined")]
    Undetermined,
    #[error("pair {pair} is beyond the horizon of the others: a place is wrong, or in the wrong order")]
    BeyondHorizon { pair: usize },
    #[error("the map is mirrored in the picture: places are swapped")]
    Mirrored,
}

type Matrix = [[f64; 3]; 3];

impl Ground {
    /// The homography that errs least on the ground.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the pairs; see [`GroundError`].
    pub fn new(pairs: &[Pair]) -> Result<Ground, GroundError> {
        if !(4..=PAIRS_MAX).contains(&pairs.len()) {
            return Err(GroundError::Pairs { n: pairs.len() });
        }
        for (pair, Pair { at: [x, y], .. }) in pairs.iter().enumerate() {
            // NaN is in no range.
            if !(0.0..=1.0).contains(x) || !(0.0..=1.0).contains(y) {
                return Err(GroundError::OutOfPicture { pair, x: *x, y: *y });
            }
        }
        let origin = pairs[0].place;
        let metres: Vec<[f64; 2]> = pairs.iter().map(|pair| metres_from(origin, pair.place)).collect();
        let extent_m = metres.iter().map(|[east, north]| east.hypot(*north)).fold(0.0, f64::max);
        if extent_m.is_nan() || extent_m > EXTENT_M_MAX {
            return Err(GroundError::TooWide { metres: extent_m });
        }
        let places: Vec<[f64; 2]> = pairs.iter().map(|pair| pair.at).collect();
        let of_picture = Frame::of(&places).ok_or(GroundError::OnOneLine { where_: "in the picture" })?;
        let of_map = Frame::of(&metres).ok_or(GroundError::OnOneLine { where_: "on the map" })?;
        let from: Vec<[f64; 2]> = places.iter().map(|place| of_picture.normal(*place)).collect();
        let to: Vec<[f64; 2]> = metres.iter().map(|place| of_map.normal(*place)).collect();
        let normal = least_squares(&from, &to)?;
        let to_metres = product(&of_map.back(), &product(&normal, &of_picture.forth()));
        let mut ground = Ground { to_metres, origin, error_m: 0.0, worst: (0, 0.0) };
        // From above, what is clockwise on the map is clockwise in the picture, whose y runs down.
        if determinant(&ground.to_metres) >= 0.0 {
            return Err(GroundError::Mirrored);
        }
        let mut sum = 0.0;
        for (pair, (at, metres)) in places.iter().zip(&metres).enumerate() {
            let [east, north] = ground.metres(*at).ok_or(GroundError::BeyondHorizon { pair })?;
            let error_m = (east - metres[0]).hypot(north - metres[1]);
            sum += error_m * error_m;
            if error_m > ground.worst.1 {
                ground.worst = (pair, error_m);
            }
        }
        ground.error_m = (sum / pairs.len() as f64).sqrt();
        Ok(ground)
    }

    /// The place on the map that a picture place shows, and how far it may be from it in metres. None at or above the
    /// horizon, and for what is not a number.
    pub fn place(&self, [x, y]: [f32; 2]) -> Option<(Point, f64)> {
        let at = [f64::from(x), f64::from(y)];
        let [east, north] = self.metres(at)?;
        // Near the horizon a pixel is a long way.
        let [above_east, above_north] = self.metres([at[0], at[1] - PLACE_ERROR])?;
        let doubt_m = (above_east - east).hypot(above_north - north);
        let (lon_m, lat_m) = metres_per_degree(self.origin.lat);
        let lon = near_longitude(self.origin.lon + east / lon_m, 0.0);
        Some((Point::new(lon, self.origin.lat + north / lat_m)?, doubt_m.hypot(self.error_m)))
    }

    /// Width and height in metres of what stands upright on the ground in a box (left, top, right, bottom) of the picture:
    /// its height is measured with the width of its foot, so it is too small seen from steeply above. `aspect` is the
    /// picture's width divided by its height. None where the box does not stand below the horizon.
    pub fn size_m(&self, [left, top, right, bottom]: [f32; 4], aspect: f32) -> Option<[f64; 2]> {
        let foot = |x: f32| self.metres([f64::from(x), f64::from(bottom)]);
        let ([west, south], [east, north]) = (foot(left)?, foot(right)?);
        let width_m = (east - west).hypot(north - south);
        let per_height = width_m / f64::from(right - left) / f64::from(aspect);
        let size = [width_m, f64::from(bottom - top) * per_height];
        size.iter().all(|metres| metres.is_finite()).then_some(size)
    }

    /// Root mean square of what the pairs miss their places by, metres; 0 for four pairs, which always fit.
    pub fn error_m(&self) -> f64 {
        self.error_m
    }

    /// The pair that misses its place by the most, from 0, and by how many metres.
    pub fn worst(&self) -> (usize, f64) {
        self.worst
    }

    fn metres(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let [east, north, scale] = times(&self.to_metres, [x, y, 1.0]);
        // NaN compares false.
        let metres = [east / scale, north / scale];
        (scale > 0.0 && metres.iter().all(|metres| metres.is_finite())).then_some(metres)
    }
}

fn metres_from(origin: Point, place: Point) -> [f64; 2] {
    let (lon_m, lat_m) = metres_per_degree(origin.lat);
    [(near_longitude(place.lon, origin.lon) - origin.lon) * lon_m, (place.lat - origin.lat) * lat_m]
}

/// Coordinates in which places are about 1 from the middle, so that rounding weighs all alike.
struct Frame {
    middle: [f64; 2],
    scale: f64,
}

impl Frame {
    /// None where the places are on one line.
    fn of(places: &[[f64; 2]]) -> Option<Frame> {
        let n = places.len() as f64;
        let mean = |of: &dyn Fn(&[f64; 2]) -> f64| places.iter().map(of).sum::<f64>() / n;
        let middle = [mean(&|place| place[0]), mean(&|place| place[1])];
        let xx = mean(&|place| (place[0] - middle[0]).powi(2));
        let yy = mean(&|place| (place[1] - middle[1]).powi(2));
        let xy = mean(&|place| (place[0] - middle[0]) * (place[1] - middle[1]));
        // Spreads along the main direction and across it.
        let (half, root) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        let (along, across) = ((half + root).max(0.0).sqrt(), (half - root).max(0.0).sqrt());
        (along > 0.0 && across > SPREAD_MIN * along).then(|| Frame { middle, scale: 1.0 / along })
    }

    fn normal(&self, place: [f64; 2]) -> [f64; 2] {
        [(place[0] - self.middle[0]) * self.scale, (place[1] - self.middle[1]) * self.scale]
    }

    fn forth(&self) -> Matrix {
        let [x, y] = self.middle.map(|middle| -middle * self.scale);
        [[self.scale, 0.0, x], [0.0, self.scale, y], [0.0, 0.0, 1.0]]
    }

    fn back(&self) -> Matrix {
        let [x, y] = self.middle;
        [[1.0 / self.scale, 0.0, x], [0.0, 1.0 / self.scale, y], [0.0, 0.0, 1.0]]
    }
}

/// The homography with h33 = 1, which the middle of the pairs, being below the horizon, allows. Each round weighs the
/// equations of a pair by its distance as the last one found it: unweighted, near places count more than far ones.
fn least_squares(from: &[[f64; 2]], to: &[[f64; 2]]) -> Result<Matrix, GroundError> {
    let mut found = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..ROUNDS {
        let mut system = [[0.0; 9]; 8];
        for (pair, ([x, y], [u, v])) in from.iter().zip(to).enumerate() {
            let scale = found[2][0] * x + found[2][1] * y + 1.0;
            if scale.is_nan() || scale <= 0.0 {
                return Err(GroundError::BeyondHorizon { pair });
            }
            let rows =
                [[*x, *y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, *u], [0.0, 0.0, 0.0, *x, *y, 1.0, -v * x, -v * y, *v]];
            for row in rows.map(|row| row.map(|term| term / scale)) {
                for (i, equation) in system.iter_mut().enumerate() {
                    for (sum, term) in equation.iter_mut().zip(row) {
                        *sum += row[i] * term;
                    }
                }
            }
        }
        let [a, b, c, d, e, f, g, h] = solve(system).ok_or(GroundError::Undetermined)?;
        found = [[a, b, c], [d, e, f], [g, h, 1.0]];
    }
    Ok(found)
}

/// Eight equations by Gauss and Jordan, with the greatest of a column as its pivot.
fn solve(mut system: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    let greatest = system.iter().flatten().map(|term| term.abs()).fold(0.0, f64::max);
    for column in 0..8 {
        let pivot = (column..8).max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs()))?;
        system.swap(column, pivot);
        let row = system[column];
        if row[column].is_nan() || row[column].abs() <= PIVOT_MIN * greatest {
            return None;
        }
        for (other, equation) in system.iter_mut().enumerate() {
            let share = equation[column] / row[column];
            if other != column {
                equation.iter_mut().zip(row).for_each(|(term, by)| *term -= share * by);
            }
        }
    }
    Some(std::array::from_fn(|i| system[i][8] / system[i][i]))
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|row| std::array::from_fn(|column| (0..3).map(|i| a[row][i] * b[i][column]).sum()))
}

fn times(a: &Matrix, [x, y, z]: [f64; 3]) -> [f64; 3] {
    a.map(|row| row[0] * x + row[1] * y + row[2] * z)
}

fn determinant(a: &Matrix) -> f64 {
    let minor = |i: usize, j: usize| a[1][i] * a[2][j] - a[1][j] * a[2][i];
    a[0][0] * minor(1, 2) - a[0][1] * minor(0, 2) + a[0][2] * minor(0, 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORIGIN: Point = Point { lon: 106.05, lat: 29.84 };

    /// A camera `height_m` above the origin that looks north, down by `tilt`, with a focal length of one picture height.
    /// Where it shows a place so many metres east and north.
    fn seen(height_m: f64, tilt_deg: f64, [east, north]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = tilt_deg.to_radians().sin_cos();
        let depth = north * cos + height_m * sin;
        let down = height_m * cos - north * sin;
        [0.5 + east / depth * 9.0 / 16.0, 0.5 + down / depth]
    }

    fn place([east, north]: [f64; 2]) -> Point {
        let (lon_m, lat_m) = metres_per_degree(ORIGIN.lat);
        Point { lon: ORIGIN.lon + east / lon_m, lat: ORIGIN.lat + north / lat_m }
    }

    fn pairs(places: &[[f64; 2]]) -> Vec<Pair> {
        places.iter().map(|at| Pair { at: seen(6.0, 25.0, *at), place: place(*at) }).collect()
    }

    const YARD: [[f64; 2]; 4] = [[-4.0, 12.0], [4.0, 12.0], [8.0, 40.0], [-8.0, 40.0]];

    #[test]
    fn four_pairs_give_each_place_of_the_yard() {
        let ground = Ground::new(&pairs(&YARD)).unwrap();
        assert!(ground.error_m() < 1e-6, "{}", ground.error_m());
        for at in [[0.0, 12.0], [3.0, 20.0], [-6.0, 35.0], [0.0, 60.0]] {
            let [x, y] = seen(6.0, 25.0, at);
            let (found, doubt_m) = ground.place([x as f32, y as f32]).unwrap();
            assert!(found.distance_m(place(at)) < 0.02, "{at:?}: {found:?}");
            assert!(doubt_m > 0.1 && doubt_m < 12.0, "{at:?}: {doubt_m}");
        }
        let near = ground.place([0.5, 0.9]).unwrap().1;
        let far = ground.place([0.5, 0.2]).unwrap().1;
        assert!(far > 5.0 * near, "what is far is less sure: {near} and {far}");
        assert_eq!(ground.place([0.5, 0.01]), None, "the sky");
        assert_eq!(ground.place([f32::NAN, 0.5]), None);
    }

    #[test]
    fn a_person_is_as_tall_near_as_far() {
        let ground = Ground::new(&pairs(&YARD)).unwrap();
        for north in [14.0, 25.0, 40.0] {
            let ([left, bottom], [right, _]) = (seen(6.0, 25.0, [-0.25, north]), seen(6.0, 25.0, [0.25, north]));
            let depth = north * 25_f64.to_radians().cos() + 6.0 * 25_f64.to_radians().sin();
            let top = bottom - 1.75 / depth;
            let sides = [left, top, right, bottom].map(|side| side as f32);
            let [width_m, height_m] = ground.size_m(sides, 16.0 / 9.0).unwrap();
            assert!((width_m - 0.5).abs() < 0.01 && (height_m - 1.75).abs() < 0.05, "{north}: {width_m} x {height_m}");
        }
    }

    #[test]
    fn more_pairs_than_four_say_by_how_much_they_miss() {
        let mut more = pairs(&[YARD.as_slice(), &[[0.0, 20.0], [2.0, 30.0], [-5.0, 25.0]]].concat());
        assert!(Ground::new(&more).unwrap().error_m() < 1e-6);
        more[5].place = place([2.0, 33.0]);
        let ground = Ground::new(&more).unwrap();
        assert!((0.3..1.5).contains(&ground.error_m()), "{}", ground.error_m());
        assert_eq!(ground.worst().0, 5);
    }

    #[test]
    fn pairs_that_do_not_tell_are_refused_with_the_reason() {
        let yard = pairs(&YARD);
        let err = |pairs: &[Pair]| Ground::new(pairs).unwrap_err();
        assert_eq!(err(&yard[..3]), GroundError::Pairs { n: 3 });
        assert_eq!(err(&vec![yard[0]; PAIRS_MAX + 1]), GroundError::Pairs { n: PAIRS_MAX + 1 });
        let mut odd = yard.clone();
        odd[2].at = [0.5, f64::NAN];
        assert!(matches!(err(&odd), GroundError::OutOfPicture { pair: 2, .. }));
        let line: Vec<Pair> = pairs(&[[0.0, 10.0], [0.0, 20.0], [0.0, 30.0], [0.0, 40.0]]);
        assert!(matches!(err(&line), GroundError::OnOneLine { where_: "in the picture" }));
        let mut flat = yard.clone();
        (0..4).for_each(|i| flat[i].place = place([i as f64, 2.0 * i as f64]));
        assert!(matches!(err(&flat), GroundError::OnOneLine { where_: "on the map" }));
        let mut three = yard.clone();
        three[3].at = [(three[0].at[0] + three[1].at[0]) / 2.0, three[0].at[1]];
        assert!(
            matches!(err(&three), GroundError::Undetermined | GroundError::BeyondHorizon { .. }),
            "{:?}",
            err(&three)
        );
        let mut swapped = yard.clone();
        (swapped[0].place, swapped[1].place) = (yard[1].place, yard[0].place);
        assert!(matches!(err(&swapped), GroundError::Mirrored | GroundError::BeyondHorizon { .. }));
        let mut mirrored = yard.clone();
        mirrored.iter_mut().for_each(|pair| pair.at[0] = 1.0 - pair.at[0]);
        assert_eq!(err(&mirrored), GroundError::Mirrored);
        let mut far = yard;
        far[1].place = Point { lon: 107.0, lat: 29.84 };
        assert!(matches!(err(&far), GroundError::TooWide { .. }));
    }

    proptest! {
        #[test]
        fn any_camera_is_found_from_the_places_that_it_shows(
            height_m in 3.0..30.0_f64, tilt_deg in 10.0..80.0_f64,
            extra in prop::collection::vec((-1.0..1.0_f64, 0.0..1.0_f64), 0..8),
        ) {
            // Around the middle of the picture.
            let middle = height_m / tilt_deg.to_radians().tan();
            let reach = height_m / 3.0;
            let corners = [(-1.0, 0.0), (1.0, 0.0), (1.0, 1.0), (-1.0, 1.0)];
            let places: Vec<[f64; 2]> =
                corners.iter().chain(&extra).map(|(x, y)| [x * reach, middle + (y - 0.5) * reach]).collect();
            let pairs: Vec<Pair> = places
                .iter()
                .map(|at| Pair { at: seen(height_m, tilt_deg, *at), place: place(*at) })
                .filter(|pair| pair.at.iter().all(|n| (0.0..=1.0).contains(n)))
                .collect();
            prop_assume!(pairs.len() >= 4 && pairs.len() == places.len());
            let ground = Ground::new(&pairs).unwrap();
            prop_assert!(ground.error_m() < 1e-4, "{}", ground.error_m());
            let (found, _) = ground.place([0.5, 0.5]).unwrap();
            prop_assert!(found.distance_m(place([0.0, middle])) < 0.02 * height_m);
        }

        #[test]
        fn any_pairs_are_a_ground_or_refused_and_never_panic(
            pairs in prop::collection::vec((any::<[f64; 2]>(), 0.0..1.0_f64, 0.0..1.0_f64, -180.0..180.0_f64), 0..9),
            near in any::<bool>(), at in any::<[f32; 4]>(), aspect in any::<f32>(),
        ) {
            let pairs: Vec<Pair> = pairs.into_iter().map(|(wild, x, y, lon)| {
                let place = if near { place([100.0 * y * x, 50.0 * lon / 180.0]) } else { Point { lon, lat: 80.0 * x } };
                Pair { at: if near { [x, y] } else { wild }, place }
            }).collect();
            if let Ok(ground) = Ground::new(&pairs) {
                prop_assert!(ground.error_m().is_finite());
                let _ = ground.size_m(at, aspect);
                if let Some((found, doubt_m)) = ground.place([at[0], at[1]]) {
                    prop_assert!(found.lon.is_finite() && doubt_m >= 0.0);
                }
            }
        }
    }
}
