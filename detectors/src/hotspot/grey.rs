//! Temperatures of a body under another emissivity than the imager took it for. Knows nothing of frames.
//!
//! An imager sees e·S(T) + (1 − e)·S(reflected), with S(T) = 1 / (exp(B / T) − 1) over its band. What it computed with one
//! emissivity is undone and computed anew with another. B is a constant of the camera; long-wave imagers (7.5 to 14 µm) lie
//! between 1390 and 1450 K (the cameras in `fixtures/thermal`: 1395.7 to 1450.4), which makes 0.2 K of
//! difference at 100 °C for an emissivity of 0.8 in place of 0.95. Air and window are left as the imager has taken them into account.

use crate::observation::Surface;

/// Kelvin, of long-wave microbolometers.
const B: f64 = 1428.0;
const KELVIN: f64 = 273.15;

/// From what the imager assumed to what an area has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Correction {
    from: Surface,
    to: Surface,
}

impl Correction {
    /// None where nothing changes.
    pub(super) fn new(from: Surface, to: Surface) -> Option<Correction> {
        (from != to).then_some(Correction { from, to })
    }

    /// NaN where no body of the new emissivity can look so cold.
    pub(super) fn apply(&self, celsius: f32) -> f32 {
        let seen = mixed(self.from.emissivity, signal(f64::from(celsius)), self.from.reflected_c);
        let own = (seen - (1.0 - f64::from(self.to.emissivity)) * signal(f64::from(self.to.reflected_c)))
            / f64::from(self.to.emissivity);
        if own > 0.0 { (B / (1.0 / own).ln_1p() - KELVIN) as f32 } else { f32::NAN }
    }
}

fn mixed(emissivity: f32, own: f64, reflected_c: f32) -> f64 {
    let emissivity = f64::from(emissivity);
    emissivity * own + (1.0 - emissivity) * signal(f64::from(reflected_c))
}

fn signal(celsius: f64) -> f64 {
    1.0 / (B / (celsius + KELVIN)).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(emissivity: f32, reflected_c: f32) -> Surface {
        Surface { emissivity, reflected_c }
    }

    #[test]
    fn there_and_back_again_is_nothing() {
        let (painted, bare) = (surface(0.95, 20.0), surface(0.3, 35.0));
        let there = Correction::new(painted, bare).unwrap();
        let back = Correction::new(bare, painted).unwrap();
        for celsius in [36.0, 60.0, 250.0] {
            assert!((back.apply(there.apply(celsius)) - celsius).abs() < 0.01);
        }
        assert_eq!(Correction::new(bare, bare), None);
    }

    /// Three pixels of the FLIR T640's picture (`fixtures/thermal`, B 1414.9 K) as flyr has them under 0.95 and under 0.6.
    #[test]
    fn it_agrees_with_a_camera_of_another_constant() {
        let bare = Correction::new(surface(0.95, 20.0), surface(0.6, 20.0)).unwrap();
        for (painted_c, bare_c) in [(97.11, 129.65), (52.68, 68.46), (32.95, 39.86)] {
            assert!((bare.apply(painted_c) - bare_c).abs() < 0.3, "{} is not {bare_c}", bare.apply(painted_c));
        }
    }

    #[test]
    fn what_is_colder_than_its_mirror_image_has_no_temperature() {
        let bare = Correction::new(surface(1.0, 20.0), surface(0.1, 20.0)).unwrap();
        assert!(bare.apply(-40.0).is_nan());
        assert!((bare.apply(20.0) - 20.0).abs() < 0.001);
    }
}
