//! Which way a pixel looks. The picture plane is the usual one: a pinhole with one radial term, square pixels, the optical
//! axis through the middle; the camera turned by bearing, then elevation, then roll.

use crate::Point;

/// Steps that undo the radial distortion; each gains more than a digit for lenses that are lenses.
const UNDISTORTIONS: usize = 12;

/// The optics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    /// Width of the picture in degrees, from its left edge to its right.
    pub fov_deg: f64,
    /// Brown's first radial coefficient k1, radii in units of the focal length; 0 for a lens without distortion. Negative
    /// for the usual barrel.
    pub k1: f64,
}

/// Where a camera stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Post {
    /// WGS-84.
    pub point: Point,
    /// Height of the lens, in the same system as the terrain's heights.
    pub height_m: f64,
    /// Clockwise about the line of sight as the camera looks: a horizon that falls to the right in the picture is a
    /// negative roll.
    pub roll_deg: f64,
}

/// Where the middle of the picture points to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// Clockwise from true north.
    pub bearing_deg: f64,
    /// Up from the horizon.
    pub elevation_deg: f64,
}

impl Lens {
    /// Whether it is one: 0.1 to 170 degrees wide, bent the same way all over the picture.
    pub fn is_sound(&self) -> bool {
        let edge = (self.fov_deg / 2.0).to_radians().tan();
        (0.1..=170.0).contains(&self.fov_deg) && self.k1.is_finite() && 1.0 + 3.0 * self.k1 * edge * edge > 0.05
    }

    /// Right and down of the axis, in units of the focal length, of a place in the picture in pixels from its top left
    /// corner; pixel (0, 0) has its middle at 0.5.
    fn plane(&self, (x, y): (f64, f64), (columns, rows): (usize, usize)) -> (f64, f64) {
        let half = columns as f64 / 2.0;
        // The edge's own angle is what it is with the distortion.
        let undistorted_edge = (self.fov_deg / 2.0).to_radians().tan();
        let edge = undistorted_edge * (1.0 + self.k1 * undistorted_edge * undistorted_edge);
        let (u, v) = ((x - half) / half * edge, (y - rows as f64 / 2.0) / half * edge);
        let (mut a, mut b) = (u, v);
        for _ in 0..UNDISTORTIONS {
            let factor = 1.0 + self.k1 * (a * a + b * b);
            (a, b) = (u / factor, v / factor);
        }
        (a, b)
    }
}

/// Bearing and elevation of a place in the picture.
pub fn direction(lens: &Lens, aim: Aim, roll_deg: f64, at: (f64, f64), size: (usize, usize)) -> Aim {
    let (right, down) = lens.plane(at, size);
    let (sin_roll, cos_roll) = roll_deg.to_radians().sin_cos();
    let (right, down) = (right * cos_roll - down * sin_roll, right * sin_roll + down * cos_roll);
    let (sin_up, cos_up) = aim.elevation_deg.to_radians().sin_cos();
    // Forward over the ground, to the right, and up.
    let (forward, up) = (cos_up + down * sin_up, sin_up - down * cos_up);
    let bearing = aim.bearing_deg + right.atan2(forward).to_degrees();
    Aim { bearing_deg: bearing.rem_euclid(360.0), elevation_deg: up.atan2(forward.hypot(right)).to_degrees() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (640, 512);

    #[track_caller]
    fn looks(aim: Aim, roll_deg: f64, at: (f64, f64), bearing_deg: f64, elevation_deg: f64) {
        let found = direction(&Lens { fov_deg: 40.0, k1: 0.0 }, aim, roll_deg, at, SIZE);
        let off = (found.bearing_deg - bearing_deg + 180.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() < 1e-6 && (found.elevation_deg - elevation_deg).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn the_middle_looks_where_the_camera_does_and_the_edges_half_a_width_aside() {
        let level = Aim { bearing_deg: 350.0, elevation_deg: 0.0 };
        looks(level, 0.0, (320.0, 256.0), 350.0, 0.0);
        looks(level, 0.0, (640.0, 256.0), 10.0, 0.0);
        looks(level, 0.0, (0.0, 256.0), 330.0, 0.0);
        let down_deg = (20.0_f64.to_radians().tan() * 256.0 / 320.0).atan().to_degrees();
        looks(level, 0.0, (320.0, 512.0), 350.0, -down_deg);
        looks(Aim { elevation_deg: -10.0, ..level }, 0.0, (320.0, 512.0), 350.0, -10.0 - down_deg);
    }

    #[test]
    fn a_camera_on_its_side_sees_the_right_edge_below_or_above() {
        let level = Aim { bearing_deg: 90.0, elevation_deg: 0.0 };
        looks(level, 90.0, (640.0, 256.0), 90.0, -20.0);
        looks(level, -90.0, (640.0, 256.0), 90.0, 20.0);
        looks(level, 180.0, (640.0, 256.0), 70.0, 0.0);
    }

    #[test]
    fn looking_down_the_sides_are_further_round() {
        // Right of the axis by tan 20°, forward by cos 60°.
        let bearing = (20.0_f64.to_radians().tan() / 60.0_f64.to_radians().cos()).atan().to_degrees();
        let elevation = (-(60.0_f64.to_radians().sin()) * 20.0_f64.to_radians().cos()).asin().to_degrees();
        looks(Aim { bearing_deg: 0.0, elevation_deg: -60.0 }, 0.0, (640.0, 256.0), bearing, elevation);
    }

    #[test]
    fn a_barrel_keeps_its_edges_and_bends_what_is_between() {
        let (straight, barrel) = (Lens { fov_deg: 60.0, k1: 0.0 }, Lens { fov_deg: 60.0, k1: -0.2 });
        let level = Aim { bearing_deg: 0.0, elevation_deg: 0.0 };
        let bearing = |lens: &Lens, x: f64| direction(lens, level, 0.0, (x, 256.0), SIZE).bearing_deg;
        assert!((bearing(&barrel, 640.0) - 30.0).abs() < 1e-3, "{}", bearing(&barrel, 640.0));
        // Half way out in the picture a barrel has come less far than half of its own edge's tangent says.
        let half = bearing(&barrel, 480.0);
        assert!(half < bearing(&straight, 480.0) - 0.3, "{half}");
        let tangent = half.to_radians().tan();
        let seen_at = tangent * (1.0 - 0.2 * tangent * tangent);
        let edge = 30.0_f64.to_radians().tan();
        assert!((seen_at / (edge * (1.0 - 0.2 * edge * edge)) - 0.5).abs() < 1e-9);
        assert!(barrel.is_sound() && !Lens { fov_deg: 120.0, k1: -0.2 }.is_sound());
    }
}
