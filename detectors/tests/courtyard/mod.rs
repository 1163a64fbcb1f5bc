//! Painted pictures of a courtyard with camera noise, for tests of what looks at pictures.

pub(crate) const WIDTH: usize = 640;
pub(crate) const HEIGHT: usize = 360;
/// Left, top, width and height in pixels.
pub(crate) type Patch = (usize, usize, usize, usize);

/// A courtyard of paving and a darker wall, seen through an exposure and with noise that differs in each picture.
pub(crate) struct Courtyard {
    random: u32,
    pub(crate) exposure: f32,
    pub(crate) shift: usize,
    /// Greatest noise, in grey levels.
    pub(crate) noise: u32,
    /// Patches with their brightness, later ones before earlier ones.
    pub(crate) things: Vec<(Patch, u8)>,
}

impl Courtyard {
    pub(crate) fn new() -> Courtyard {
        Courtyard { random: 12_345, exposure: 1.0, shift: 0, noise: 6, things: Vec::new() }
    }

    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(WIDTH * HEIGHT);
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                pixels.push(self.ground(x + self.shift, y));
            }
        }
        for &((left, top, width, height), level) in &self.things {
            for row in top..(top + height).min(HEIGHT) {
                pixels[row * WIDTH + left.min(WIDTH)..row * WIDTH + (left + width).min(WIDTH)].fill(level);
            }
        }
        for pixel in &mut pixels {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            let noise = (self.random % (2 * self.noise + 1)) as f32 - self.noise as f32;
            *pixel = (f32::from(*pixel) * self.exposure + noise).clamp(0.0, 255.0) as u8;
        }
        pixels
    }

    fn ground(&self, x: usize, y: usize) -> u8 {
        let wall: u8 = if y < HEIGHT / 3 { 0 } else { 50 };
        let paving: u8 = if x % 40 < 2 || y % 40 < 2 { 0 } else { 25 };
        70 + wall + paving + (x / 64) as u8
    }
}
