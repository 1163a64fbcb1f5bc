//! What changed: so many in a span before, so many in one as long after.

/// Two spans of equal length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// In the first.
    pub n_before: u64,
    /// In the second.
    pub n_after: u64,
}

/// Beyond so many, the normal distribution stands for the binomial one: within a thousandth by then.
const EXACT_MAX: u64 = 1_000;

impl Comparison {
    /// How much less there is, as a share of what there was; below zero where it became more, none where there was nothing.
    pub fn reduction(&self) -> Option<f64> {
        (self.n_before > 0).then(|| 1.0 - self.n_after as f64 / self.n_before as f64)
    }

    /// How likely so few or fewer are afterwards if nothing changed: of `n` that fall into two equal spans each is in the
    /// second with 1/2 (the conditional test of two Poisson counts; Przyborowski and Wilenski, 1940).
    ///
    /// Spans that were chosen because much happened in the first are followed by less anyway (regression to the mean): the
    /// figure says whether the drop is more than luck, not what caused it.
    pub fn p(&self) -> f64 {
        let n = self.n_before + self.n_after;
        if n > EXACT_MAX {
            let (mean, deviation) = (n as f64 / 2.0, (n as f64).sqrt() / 2.0);
            return normal((self.n_after as f64 + 0.5 - mean) / deviation);
        }
        let mut term = 0.5_f64.powi(n as i32);
        let mut sum = term;
        for k in 0..self.n_after {
            term *= (n - k) as f64 / (k + 1) as f64;
            sum += term;
        }
        sum.min(1.0)
    }
}

/// Of the standard normal distribution, below z: Abramowitz and Stegun 26.2.17, within 8e-8.
fn normal(z: f64) -> f64 {
    const C: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = C.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let above = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * series;
    if z > 0.0 { 1.0 - above } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(n_before: u64, n_after: u64) -> f64 {
        Comparison { n_before, n_after }.p()
    }

    #[test]
    fn chances_are_those_of_the_binomial_distribution() {
        assert_eq!(p(0, 0), 1.0);
        assert_eq!(p(3, 0), 0.125);
        // 1 + 10 + 45 of 1024.
        assert!((p(8, 2) - 56.0 / 1024.0).abs() < 1e-15);
        // Of SciPy: binom.cdf(40, 100, 0.5), and so on.
        assert!((p(60, 40) - 0.028_443_97).abs() < 1e-8);
        assert!((p(520, 480) - 0.108_724_146_6).abs() < 1e-8);
        // From here on normal.
        assert!((p(521, 480) - 0.103_053_66).abs() < 1e-4);
        assert!((p(500, 501) - 0.525_199_84).abs() < 1e-4);
    }

    #[test]
    fn a_reduction_is_a_share_of_what_there_was() {
        let of = |n_before, n_after| Comparison { n_before, n_after }.reduction();
        assert_eq!((of(4, 1), of(2, 3), of(0, 3)), (Some(0.75), Some(-0.5), None));
    }
}
