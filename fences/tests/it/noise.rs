//! Noise on fixes, the same each time: for tests, and for `examples/measure_tracking.rs`.

use outpost_fences::Point;
use outpost_fences::track::Fix;

/// xorshift64*.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A fix that is wrong by so much, east and north.
    pub(crate) fn blur(&mut self, fix: &Fix, noise_m: f64) -> Fix {
        let point = moved(fix.point, self.normal() * noise_m, self.normal() * noise_m);
        Fix::new(fix.at_ms, point, None).unwrap_or(*fix)
    }
}

pub(crate) fn moved(point: Point, east_m: f64, north_m: f64) -> Point {
    let lat_m = 111_195.0;
    Point { lon: point.lon + east_m / (lat_m * point.lat.to_radians().cos()), lat: point.lat + north_m / lat_m }
}
