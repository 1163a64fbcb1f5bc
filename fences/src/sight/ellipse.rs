//! How far a point on the map may be off: a covariance in metres, and the ellipse that it draws.

/// Of east and north, square metres.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Covariance {
    /// Variance of the east coordinate.
    pub ee: f64,
    /// Variance of the north coordinate.
    pub nn: f64,
    /// Covariance of both.
    pub en: f64,
}

/// Standard deviations along the longest and the shortest direction. With twice the axes it holds 86 of a hundred points,
/// with three times 99.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// The larger half axis.
    pub major_m: f64,
    /// The smaller half axis.
    pub minor_m: f64,
    /// Of the larger axis, clockwise from north, 0 to 180.
    pub bearing_deg: f64,
}

impl Covariance {
    /// Of a deviation that moves the point by this much, metres.
    pub fn of_shift((east_m, north_m): (f64, f64)) -> Covariance {
        Covariance { ee: east_m * east_m, nn: north_m * north_m, en: east_m * north_m }
    }

    /// Of independent deviations together.
    pub fn plus(self, other: Covariance) -> Covariance {
        Covariance { ee: self.ee + other.ee, nn: self.nn + other.nn, en: self.en + other.en }
    }

    pub(crate) fn inverse(self) -> Option<Covariance> {
        let determinant = self.ee * self.nn - self.en * self.en;
        (determinant.is_finite() && determinant > 0.0).then(|| Covariance {
            ee: self.nn / determinant,
            nn: self.ee / determinant,
            en: -self.en / determinant,
        })
    }

    /// The ellipse of one standard deviation.
    pub fn ellipse(self) -> Ellipse {
        let (middle, half) = ((self.ee + self.nn) / 2.0, (self.ee - self.nn) / 2.0);
        let root = half.hypot(self.en);
        let bearing_deg = (self.en.atan2(-half).to_degrees() / 2.0).rem_euclid(180.0);
        Ellipse { major_m: (middle + root).max(0.0).sqrt(), minor_m: (middle - root).max(0.0).sqrt(), bearing_deg }
    }
}

impl Ellipse {
    /// The covariance that it draws.
    pub fn covariance(self) -> Covariance {
        let (sin, cos) = self.bearing_deg.to_radians().sin_cos();
        Covariance::of_shift((self.major_m * sin, self.major_m * cos))
            .plus(Covariance::of_shift((self.minor_m * cos, -self.minor_m * sin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipse_is_what_its_covariance_draws() {
        for bearing_deg in [0.0, 30.0, 90.0, 135.0, 179.0] {
            let drawn = Ellipse { major_m: 40.0, minor_m: 5.0, bearing_deg };
            let found = drawn.covariance().ellipse();
            let turned = (found.bearing_deg - bearing_deg + 90.0).rem_euclid(180.0) - 90.0;
            assert!((found.major_m - 40.0).abs() < 1e-9 && (found.minor_m - 5.0).abs() < 1e-9, "{found:?}");
            assert!(turned.abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn an_inverse_undoes() {
        let covariance = Ellipse { major_m: 30.0, minor_m: 10.0, bearing_deg: 20.0 }.covariance();
        let there_and_back = covariance.inverse().unwrap().inverse().unwrap();
        assert!((there_and_back.en - covariance.en).abs() < 1e-6);
        assert_eq!(Covariance::of_shift((1.0, 2.0)).inverse(), None);
    }
}
