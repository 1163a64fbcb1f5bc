//! Grey levels of cells in two bytes each, for what every camera keeps: 255 levels in steps of 1/256. Rounding costs less than
//! the least sensor noise leaves in a box mean.

/// Steps a grey level.
const STEPS: f32 = 256.0;

pub(crate) fn pack(level: f32) -> u16 {
    // The cast saturates, and NaN becomes 0.
    (level * STEPS + 0.5) as u16
}

pub(crate) fn unpack(packed: u16) -> f32 {
    f32::from(packed) / STEPS
}

pub(crate) fn pack_all(levels: &[f32], packed: &mut Vec<u16>) {
    packed.clear();
    packed.extend(levels.iter().map(|level| pack(*level)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_comes_back_within_half_a_step() {
        for tenths in 0..=2_550 {
            let level = tenths as f32 / 10.0;
            assert!((unpack(pack(level)) - level).abs() <= 0.5 / STEPS, "{level}");
        }
        assert_eq!([-1.0, f32::NAN, 1e9].map(|level| unpack(pack(level))), [0.0, 0.0, 65_535.0 / STEPS]);
    }
}
