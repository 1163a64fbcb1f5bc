//! Seeded permutations: the same seed gives the same on every machine, which a crate's generator does not promise.

/// SplitMix64 (Steele, Lea, Flood, 2014).
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        Draw(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `n`. The bias of the product is below n / 2⁶⁴.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Fisher and Yates.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // Of the authors' own code, seeded with 1234567.
        let mut draw = Draw::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([draw.next(), draw.next(), draw.next()], expected);
    }

    #[test]
    fn each_order_of_three_is_as_likely_as_another() {
        let (mut draw, mut seen) = (Draw::new(1), std::collections::HashMap::new());
        for _ in 0..6_000 {
            let mut order = [0, 1, 2];
            draw.shuffle(&mut order);
            *seen.entry(order).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        // Five standard deviations of a binomial of 6,000 and 1/6.
        assert!(seen.values().all(|n: &i32| (n - 1_000).abs() < 145), "{seen:?}");
    }
}
