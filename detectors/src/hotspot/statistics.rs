//! What a frame's pixels are like: extremes, mean, median, shares. One pass where one will do: a frame has 330,000 pixels.

use ndarray::ArrayView2;

/// Lanes that are summed side by side, so that the compiler makes vectors of them.
const LANES: usize = 16;
/// Pixels whose sum in 32 bits is still good to a thousandth of a degree.
pub(super) const CHUNK: usize = LANES * 64;
/// Pixels whose extremes are known by themselves, so that most of them need no second look.
pub(super) const BLOCK: usize = LANES * 2;
/// Extremes that are kept of a block.
const ACROSS: usize = 4;

/// Bars of a histogram.
pub const BARS: usize = 16;

/// Of the good pixels, those that are finite numbers. Degrees Celsius; rows and columns count from 0, row 0 at the top.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Statistics {
    pub n_good: usize,
    pub n_bad: usize,
    /// None where no pixel is good.
    pub range: Option<Range>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub min_c: f32,
    pub mean_c: f32,
    pub max_c: f32,
    /// Row and column of `max_c`, the first one in reading order.
    pub hottest: (usize, usize),
}

/// How many good pixels lie in each of [`BARS`] equal steps from `from_c` to `to_c`, the last step with its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub from_c: f32,
    pub to_c: f32,
    pub counts: [u32; BARS],
}

impl Statistics {
    pub fn of(frame: ArrayView2<f32>) -> Statistics {
        match frame.as_slice() {
            Some(pixels) => Statistics::of_pixels(pixels, frame.ncols(), &mut Vec::new()),
            None => Statistics::of_pixels(&frame.iter().copied().collect::<Vec<_>>(), frame.ncols(), &mut Vec::new()),
        }
    }

    fn of_pixels(pixels: &[f32], columns: usize, peaks: &mut Vec<f32>) -> Statistics {
        let mut all = Tally::default();
        peaks.clear();
        let mut extents = [Extent::NONE; CHUNK / BLOCK];
        peaks.extend(pixels.chunks(CHUNK).map(|chunk| all.add(chunk, &mut extents)));
        all.statistics(pixels, columns, peaks)
    }
}

#[derive(Debug)]
pub(super) struct Tally {
    pub(super) n_good: usize,
    min_c: f32,
    max_c: f32,
    sum_c: f64,
}

impl Default for Tally {
    fn default() -> Self {
        Tally { n_good: 0, min_c: f32::INFINITY, max_c: f32::NEG_INFINITY, sum_c: 0.0 }
    }
}

impl Tally {
    pub(super) fn statistics(&self, pixels: &[f32], columns: usize, peaks: &[f32]) -> Statistics {
        let n_bad = pixels.len() - self.n_good;
        let range = (self.n_good > 0).then(|| {
            let chunk = peaks.iter().position(|&peak_c| peak_c == self.max_c).unwrap_or_default();
            let rest = &pixels[chunk * CHUNK..];
            let at = chunk * CHUNK + rest.iter().position(|&pixel_c| pixel_c == self.max_c).unwrap_or_default();
            let mean_c = (self.sum_c / self.n_good as f64) as f32;
            Range { min_c: self.min_c, mean_c, max_c: self.max_c, hottest: (at / columns, at % columns) }
        });
        Statistics { n_good: self.n_good, n_bad, range }
    }

    /// The hottest good pixel of the chunk. Leaves in `extents` what each block of it spans.
    pub(super) fn add(&mut self, chunk: &[f32], extents: &mut Extents) -> f32 {
        let (blocks, rest) = chunk.as_chunks::<BLOCK>();
        let mut sum = [0.0_f32; LANES];
        for (block, extent) in blocks.iter().zip(extents.iter_mut()) {
            *extent = Extent::of(block, &mut sum);
        }
        let sum_c = sum.iter().chain(rest).map(|&pixel_c| f64::from(pixel_c)).sum::<f64>();
        if !sum_c.is_finite() {
            extents.iter_mut().for_each(|extent| extent.most = [f32::INFINITY; ACROSS]);
            return self.add_with_bad(chunk);
        }
        // A sum of good pixels alone: one that is bad would have made it no number.
        let all = extents[..blocks.len()].iter().fold(Extent::NONE, Extent::with);
        let peak_c = all.most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
        self.n_good += chunk.len();
        self.min_c = all.least.iter().chain(rest).copied().fold(self.min_c, f32::min);
        self.max_c = self.max_c.max(peak_c);
        self.sum_c += sum_c;
        peak_c
    }

    fn add_with_bad(&mut self, chunk: &[f32]) -> f32 {
        let mut peak_c = f32::NEG_INFINITY;
        for &pixel_c in chunk.iter().filter(|pixel_c| pixel_c.is_finite()) {
            self.n_good += 1;
            (self.min_c, peak_c) = (self.min_c.min(pixel_c), peak_c.max(pixel_c));
            self.sum_c += f64::from(pixel_c);
        }
        self.max_c = self.max_c.max(peak_c);
        peak_c
    }
}

/// Least and greatest of a block's pixels, of each fourth one by itself: what is done with four at once costs no more than with
/// one. In a chunk with bad pixels the least of what is a number and, since what is none lies below no limit, no greatest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    least: [f32; ACROSS],
    most: [f32; ACROSS],
}

/// Of the blocks of one chunk.
pub(super) type Extents = [Extent; CHUNK / BLOCK];

impl Extent {
    pub(super) const NONE: Extent = Extent { least: [f32::INFINITY; ACROSS], most: [f32::NEG_INFINITY; ACROSS] };

    /// Adds the pixels to `sum` as well.
    fn of(block: &[f32; BLOCK], sum: &mut [f32; LANES]) -> Extent {
        let (mut least, mut most) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        for pixels in block.as_chunks::<LANES>().0 {
            for lane in 0..LANES {
                least[lane] = lesser(pixels[lane], least[lane]);
                most[lane] = greater(pixels[lane], most[lane]);
                sum[lane] += pixels[lane];
            }
        }
        let mut extent = Extent::NONE;
        for (least, most) in least.as_chunks::<ACROSS>().0.iter().zip(most.as_chunks::<ACROSS>().0) {
            extent = extent.with(&Extent { least: *least, most: *most });
        }
        extent
    }

    fn with(self, other: &Extent) -> Extent {
        Extent {
            least: std::array::from_fn(|column| lesser(self.least[column], other.least[column])),
            most: std::array::from_fn(|column| greater(self.most[column], other.most[column])),
        }
    }

    pub(super) fn is_below(&self, limit_c: f32) -> bool {
        self.most.iter().fold(true, |all, &most_c| all & (most_c < limit_c))
    }

    pub(super) fn is_above(&self, limit_c: f32) -> bool {
        self.least.iter().fold(true, |all, &least_c| all & (least_c > limit_c))
    }
}

/// As processors compare: where the first is no number, the second.
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

impl Histogram {
    /// None where no pixel is good.
    pub fn of(frame: ArrayView2<f32>) -> Option<Histogram> {
        let Range { min_c, max_c, .. } = Statistics::of(frame).range?;
        let mut counts = [0; BARS];
        let width_k = (f64::from(max_c) - f64::from(min_c)) / BARS as f64;
        for &pixel_c in frame.iter().filter(|pixel_c| pixel_c.is_finite()) {
            let bar = if width_k > 0.0 { ((f64::from(pixel_c) - f64::from(min_c)) / width_k) as usize } else { 0 };
            counts[bar.min(BARS - 1)] += 1;
        }
        Some(Histogram { from_c: min_c, to_c: max_c, counts })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn bars_are_equal_steps_from_coldest_to_hottest() {
        let frame = Array2::from_shape_fn((4, 8), |(row, column)| (row * 8 + column) as f32);
        let histogram = Histogram::of(frame.view()).unwrap();
        assert_eq!((histogram.from_c, histogram.to_c, histogram.counts), (0.0, 31.0, [2; BARS]));
        let flat = Histogram::of(Array2::from_elem((2, 2), 7.0).view()).unwrap();
        assert_eq!((flat.from_c, flat.counts[0]), (7.0, 4));
        assert_eq!(Histogram::of(Array2::from_elem((2, 2), f32::NAN).view()), None);
    }
}
