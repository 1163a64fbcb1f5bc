//! Raw samples → temperatures, by the camera's Planck constants and a model of what lies between it and the object.
//!
//! The sample is what the sensor took in: the object's own radiation, what it reflects, and what air and window add and
//! take away. The chain is that of FLIR's tools as Minkina and Dudzik describe it (Infrared Thermography: Errors and
//! Uncertainties, Wiley 2009, chapter 2) and as the R package Thermimage and PyPI's flyr have it: half of the air lies
//! before the window and half behind it.

use ndarray::Array2;

pub(super) const KELVIN: f64 = 273.15;

/// The camera's constants: T = b / ln(r1 / (r2 · (sample + o)) + f), and how air dampens (alpha, beta, x).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    pub r1: f64,
    pub r2: f64,
    pub b: f64,
    pub f: f64,
    pub o: f64,
    pub alpha: [f64; 2],
    pub beta: [f64; 2],
    pub x: f64,
}

/// What the camera looked at and through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// Over 0 to 1.
    pub emissivity: f64,
    pub distance_m: f64,
    /// Apparent temperature of what the object mirrors.
    pub reflected_c: f64,
    pub atmosphere_c: f64,
    pub window_c: f64,
    /// Over 0 to 1; 1 where there is no window.
    pub window_transmission: f64,
    /// Relative humidity, 0 to 1.
    pub humidity: f64,
}

impl Calibration {
    pub(super) fn check(&self) -> Result<(), String> {
        let Calibration { r1, r2, b, f, o, alpha, beta, x } = *self;
        let all = [r1, r2, b, f, o, alpha[0], alpha[1], beta[0], beta[1], x];
        if all.iter().any(|constant| !constant.is_finite()) || r1 <= 0.0 || r2 <= 0.0 || b <= 0.0 {
            return Err("Planck constants that make no temperatures".into());
        }
        Ok(())
    }

    fn kelvin(&self, sample: f64) -> f64 {
        self.b / (self.r1 / (self.r2 * (sample + self.o)) + self.f).ln()
    }

    /// The sample that a black body of this temperature gives.
    fn sample(&self, celsius: f64) -> f64 {
        self.r1 / (self.r2 * ((self.b / (celsius + KELVIN)).exp() - self.f)) - self.o
    }

    /// Share of the radiation that gets through half of the air.
    fn transmission(&self, scene: &Scene) -> f64 {
        let t = scene.atmosphere_c;
        let water = scene.humidity * (1.5587 + 0.06939 * t - 0.00027816 * t * t + 0.00000068455 * t * t * t).exp();
        let path = (scene.distance_m / 2.0).sqrt();
        let damped = |at: usize| (-path * (self.alpha[at] + self.beta[at] * water.sqrt())).exp();
        self.x * damped(0) + (1.0 - self.x) * damped(1)
    }
}

impl Scene {
    /// Says what makes no sense, in the words of this struct.
    pub fn check(&self) -> Result<(), String> {
        for (name, share) in [("emissivity", self.emissivity), ("window transmission", self.window_transmission)] {
            if !(share > 0.0 && share <= 1.0) {
                return Err(format!("{name} {share} is not over 0 and at most 1"));
            }
        }
        if !(0.0..=1.0).contains(&self.humidity) {
            return Err(format!("relative humidity {} is not within 0..1", self.humidity));
        }
        if !(0.0..=1e5).contains(&self.distance_m) {
            return Err(format!("a distance of {} m", self.distance_m));
        }
        let temperatures = [("reflected", self.reflected_c), ("air", self.atmosphere_c), ("window", self.window_c)];
        for (name, celsius) in temperatures {
            if !(-KELVIN + 1.0..=5_000.0).contains(&celsius) {
                return Err(format!("{name} temperature of {celsius} °C"));
            }
        }
        Ok(())
    }
}

/// Degrees Celsius; NaN where a sample has no temperature. One logarithm for each value that occurs, not for each pixel.
pub(super) fn celsius(samples: &Array2<u16>, calibration: &Calibration, scene: &Scene) -> Array2<f32> {
    let (lowest, highest) =
        samples.iter().fold((u16::MAX, 0), |(low, high), &sample| (low.min(sample), high.max(sample)));
    let tau = calibration.transmission(scene);
    let (emissivity, window) = (scene.emissivity, scene.window_transmission);
    let through = emissivity * tau * window;
    let added = (1.0 - emissivity) / emissivity * calibration.sample(scene.reflected_c)
        + (1.0 - tau) / (emissivity * tau) * calibration.sample(scene.atmosphere_c)
        + (1.0 - window) / through * calibration.sample(scene.window_c)
        + (1.0 - tau) / (through * tau) * calibration.sample(scene.atmosphere_c);
    let temperature = |sample: u16| {
        let kelvin = calibration.kelvin(f64::from(sample) / (through * tau) - added);
        // Below the darkest body the logarithm's argument is negative, or gives a temperature under zero kelvin.
        if kelvin.is_finite() && kelvin > 0.0 { (kelvin - KELVIN) as f32 } else { f32::NAN }
    };
    let table: Vec<f32> = (lowest..=highest).map(temperature).collect();
    samples.mapv(|sample| table[usize::from(sample - lowest)])
}
