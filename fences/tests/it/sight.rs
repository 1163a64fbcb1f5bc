//! A fire whose place is known, on synthetic ground, seen by cameras whose parts are a little off: where it is found, how sure
//! that is (against Monte Carlo), and whether two cameras' sightings are one.

use outpost_fences::Point;
use outpost_fences::sight::{
    Aim, Covariance, Ellipse, Errors, Ground, Lens, Post, Sighting, Terrain, View, bearing_and_distance, destination,
    meet, offset_m,
};

const SIZE: (usize, usize) = (640, 512);
const TOWER: Point = Point { lon: 106.05, lat: 29.84 };

/// xorshift64* and Box and Muller: the same draws on every machine.
struct Random(u64);

impl Random {
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }
}

/// Rolling hills: 200 m plus waves of 60 m every 3 km, known in closed form.
fn hills() -> Terrain {
    let (n, cell) = (801, 0.00025);
    let first = Point { lon: TOWER.lon - 0.1, lat: TOWER.lat + 0.1 };
    let height = |at: Point| {
        let (east_m, north_m) = offset_m(TOWER, at);
        200.0
            + 30.0 * (east_m / 3_000.0 * std::f64::consts::TAU).sin()
            + 30.0 * (north_m / 3_000.0 * std::f64::consts::TAU).cos()
    };
    let heights = (0..n * n)
        .map(|i| height(Point { lon: first.lon + (i % n) as f64 * cell, lat: first.lat - (i / n) as f64 * cell }));
    Terrain::new((n, n), first, (cell, cell), heights.map(|height| height as f32).collect())
        .expect("it is a grid on the globe")
}

fn errors() -> Errors {
    Errors { bearing_deg: 0.3, elevation_deg: 0.1, roll_deg: 0.5, position_m: 3.0, height_m: 2.0, pixels: 1.0 }
}

/// A camera at `point`, 150 m above the hills' mean, looking to `bearing_deg`.
fn view(point: Point, bearing_deg: f64) -> View {
    View {
        lens: Lens { fov_deg: 24.0, k1: -0.1 },
        post: Post { point, height_m: 350.0, roll_deg: 1.5 },
        aim: Aim { bearing_deg, elevation_deg: -3.0 },
        errors: errors(),
    }
}

/// The pixel that shows a point of the ground: looked for, as no formula of the code under test is turned round here.
fn pixel_of(view: &View, at: Point, ground: &Ground) -> (f64, f64) {
    let off = |x: f64, y: f64| view.meets((x, y), SIZE, ground).map_or(f64::INFINITY, |met| met.distance_m(at));
    let mut best = (0.0, 0.0, f64::INFINITY);
    for (x, y) in (0..SIZE.0).step_by(32).flat_map(|x| (0..SIZE.1).step_by(32).map(move |y| (x as f64, y as f64))) {
        let far = off(x, y);
        if far < best.2 {
            best = (x, y, far);
        }
    }
    let mut step = 32.0;
    while step > 1e-5 {
        let (x, y, _) = best;
        for (dx, dy) in [(-step, 0.0), (step, 0.0), (0.0, -step), (0.0, step)] {
            let far = off(x + dx, y + dy);
            if far < best.2 {
                best = (x + dx, y + dy, far);
            }
        }
        if (best.0, best.1) == (x, y) {
            step /= 2.0;
        }
    }
    assert!(best.2 < 1.0, "no pixel shows {at:?}: {best:?}");
    (best.0, best.1)
}

/// The same camera with each part off by what its error says.
fn disturbed(view: &View, (x, y): (f64, f64), random: &mut Random) -> (View, (f64, f64)) {
    let Errors { bearing_deg, elevation_deg, roll_deg, position_m, height_m, pixels } = view.errors;
    let mut off = *view;
    off.aim.bearing_deg += bearing_deg * random.normal();
    off.aim.elevation_deg += elevation_deg * random.normal();
    off.post.roll_deg += roll_deg * random.normal();
    off.post.point = destination(off.post.point, 90.0, position_m * random.normal());
    off.post.point = destination(off.post.point, 0.0, position_m * random.normal());
    off.post.height_m += height_m * random.normal();
    (off, (x + pixels * random.normal(), y + pixels * random.normal()))
}

#[test]
fn the_middle_of_the_picture_on_flat_ground_is_where_trigonometry_says() {
    let mut view = view(TOWER, 60.0);
    view.aim.elevation_deg = -5.0;
    let found = view.locate((320.0, 256.0), SIZE, &Ground::Flat { height_m: 200.0 });
    let spot = found.ground.unwrap();
    let expected_m = 150.0 / 5.0_f64.to_radians().tan();
    let (bearing, distance_m) = bearing_and_distance(TOWER, spot.point);
    // The Earth falls away by 20 cm over 1.7 km, which is 2 m along the ray.
    assert!((distance_m - expected_m).abs() < 3.0 && (bearing - 60.0).abs() < 1e-3, "{bearing} {distance_m}");
    assert!((spot.point.distance_m(destination(TOWER, 60.0, expected_m))) < 3.0);
}

/// Where the point goes when each part is off as it may be: offsets from where it is, metres.
fn draws(view: &View, pixel: (f64, f64), ground: &Ground, n: usize, random: &mut Random) -> Vec<(f64, f64)> {
    let spot = view.locate(pixel, SIZE, ground).ground.expect("the camera sees the ground there");
    let drawn = (0..n).filter_map(|_| {
        let (off, at) = disturbed(view, pixel, random);
        off.meets(at, SIZE, ground).map(|met| offset_m(spot.point, met))
    });
    drawn.collect()
}

const PIXELS: [(f64, f64); 3] = [(320.0, 256.0), (100.0, 330.0), (560.0, 290.0)];

#[test]
fn on_flat_ground_errors_are_carried_on_as_monte_carlo_finds_them() {
    let (ground, view) = (Ground::Flat { height_m: 200.0 }, view(TOWER, 130.0));
    let mut random = Random(7);
    for pixel in PIXELS {
        let drawn = draws(&view, pixel, &ground, 4_000, &mut random);
        let n = drawn.len() as f64;
        let (mean_e, mean_n) = drawn.iter().fold((0.0, 0.0), |(e, n), shift| (e + shift.0, n + shift.1));
        let about_mean = |shift: &(f64, f64)| Covariance::of_shift((shift.0 - mean_e / n, shift.1 - mean_n / n));
        let sum = drawn.iter().map(about_mean).fold(Covariance::default(), Covariance::plus);
        let drawn = Covariance { ee: sum.ee / n, nn: sum.nn / n, en: sum.en / n }.ellipse();
        let said = view.locate(pixel, SIZE, &ground).ground.unwrap().covariance.ellipse();
        let turned = (said.bearing_deg - drawn.bearing_deg + 90.0).rem_euclid(180.0) - 90.0;
        assert!((said.major_m / drawn.major_m - 1.0).abs() < 0.1, "{pixel:?}: {said:?}, drawn {drawn:?}");
        assert!((said.minor_m / drawn.minor_m - 1.0).abs() < 0.1, "{pixel:?}: {said:?}, drawn {drawn:?}");
        assert!(turned.abs() < 2.0, "{pixel:?}: {said:?}, drawn {drawn:?}");
    }
}

/// Over hills a ray that is a little higher may pass over a crest and land on the next hill: a tail that no ellipse holds. What
/// it says of the rest must be true.
#[test]
fn on_hills_the_ellipse_holds_as_many_draws_as_it_says() {
    let (hills, view) = (hills(), view(TOWER, 130.0));
    let ground = Ground::Terrain(&hills);
    let mut random = Random(7);
    for pixel in PIXELS {
        let Ellipse { major_m, minor_m, bearing_deg } =
            view.locate(pixel, SIZE, &ground).ground.unwrap().covariance.ellipse();
        let (sin, cos) = bearing_deg.to_radians().sin_cos();
        let is_within = |shift: &&(f64, f64)| {
            let (along, across) = (shift.0 * sin + shift.1 * cos, shift.0 * cos - shift.1 * sin);
            (along / (2.0 * major_m)).hypot(across / (2.0 * minor_m)) <= 1.0
        };
        let drawn = draws(&view, pixel, &ground, 2_000, &mut random);
        let share = drawn.iter().filter(is_within).count() as f64 / drawn.len() as f64;
        assert!((0.80..=0.92).contains(&share), "{pixel:?}: {share} within twice the axes, {major_m} x {minor_m} m");
    }
}

/// Two towers 4 km apart and a fire 3 to 4 km from both.
fn two_towers() -> (Point, View, View) {
    let east = destination(TOWER, 90.0, 4_000.0);
    let fire = destination(TOWER, 140.0, 3_200.0);
    (fire, view(TOWER, 140.0), view(east, bearing_and_distance(east, fire).0))
}

#[test]
fn two_cameras_place_a_fire_better_than_either_and_as_well_as_they_say() {
    let hills = hills();
    let ground = Ground::Terrain(&hills);
    let (fire, west, east) = two_towers();
    let (at_west, at_east) = (pixel_of(&west, fire, &ground), pixel_of(&east, fire, &ground));
    let alone = west.locate(at_west, SIZE, &ground).ground.unwrap();
    assert!(alone.point.distance_m(fire) < 2.0);
    let mut random = Random(11);
    let (mut n_within, mut n_met, n) = (0, 0, 1_000);
    let (mut off_together, mut off_alone) = (0.0, 0.0);
    for _ in 0..n {
        let see = |view: &View, at, random: &mut Random| {
            let (off, at) = disturbed(view, at, random);
            off.locate(at, SIZE, &ground)
        };
        let (a, b) = (see(&west, at_west, &mut random), see(&east, at_east, &mut random));
        let Some(met) = meet(&a, &b) else { continue };
        n_met += 1;
        let (east_m, north_m) = offset_m(fire, met.spot.point);
        let Ellipse { major_m, minor_m, bearing_deg } = met.spot.covariance.ellipse();
        assert!(major_m < alone.covariance.ellipse().major_m);
        let (sin, cos) = bearing_deg.to_radians().sin_cos();
        let (along, across) = (east_m * sin + north_m * cos, east_m * cos - north_m * sin);
        n_within += usize::from((along / (2.0 * major_m)).hypot(across / (2.0 * minor_m)) <= 1.0);
        off_together += east_m.hypot(north_m);
        off_alone += a.ground.unwrap().point.distance_m(fire);
    }
    assert!(n_met as f64 > 0.98 * f64::from(n), "{n_met} of {n} pairs are taken for one fire");
    let share = n_within as f64 / n_met as f64;
    // 86 of a hundred lie within twice the axes of a normal distribution; the allowance for a fire's own extent makes it more.
    assert!((0.80..=0.97).contains(&share), "{share}");
    assert!(off_together < 0.6 * off_alone, "{off_together} {off_alone}");
}

#[test]
fn two_fires_are_not_one() {
    let hills = hills();
    let ground = Ground::Terrain(&hills);
    let (fire, west, east) = two_towers();
    let other = destination(fire, 60.0, 600.0);
    let a = west.locate(pixel_of(&west, fire, &ground), SIZE, &ground);
    let b = east.locate(pixel_of(&east, other, &ground), SIZE, &ground);
    assert_eq!(meet(&a, &b), None);
    let same = east.locate(pixel_of(&east, fire, &ground), SIZE, &ground);
    let met = meet(&a, &same).unwrap();
    assert!(met.spot.point.distance_m(fire) < 3.0 && met.misfit < 0.1, "{met:?}");
}

#[test]
fn the_same_fire_in_two_presets_is_one() {
    let hills = hills();
    let ground = Ground::Terrain(&hills);
    let (fire, first, _) = two_towers();
    let second = view(TOWER, 147.0);
    let a = first.locate(pixel_of(&first, fire, &ground), SIZE, &ground);
    let b = second.locate(pixel_of(&second, fire, &ground), SIZE, &ground);
    assert!(meet(&a, &b).unwrap().spot.point.distance_m(fire) < 3.0);
}

#[test]
fn bearings_alone_cross_before_the_cameras_or_not_at_all() {
    let (fire, west, east) = two_towers();
    let bearing = |from: Point, bearing_deg: f64| Sighting {
        from,
        bearing_deg,
        bearing_error_deg: 0.3,
        elevation_deg: 1.0,
        ground: None,
    };
    let to_fire = |view: &View| bearing(view.post.point, bearing_and_distance(view.post.point, fire).0);
    let met = meet(&to_fire(&west), &to_fire(&east)).unwrap();
    assert!(met.spot.point.distance_m(fire) < 1.0, "{met:?}");
    assert_eq!(meet(&bearing(TOWER, 300.0), &bearing(east.post.point, 60.0)), None);
    assert_eq!(meet(&bearing(TOWER, 10.0), &bearing(TOWER, 10.5)), None);
}
