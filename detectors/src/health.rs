//! What is wrong with a picture as a whole although it comes: dark, overexposed, frozen, blurred, covered, turned away.
//! Knows nothing of what moves; how long a fault has to last is its rule's.
//!
//! Most of it is judged against what is usual for the camera, learned in its first pictures and followed slowly. A camera
//! may have several usual views, a day's and an infrared one: a view that stays becomes usual after [`ACCEPT_MS`].

use crate::luma::{Grid, Luma};
use crate::observation::{Faults, SightFault};
use crate::packed::{pack_all, unpack};
use crate::view::View;

/// Pictures closer to the last one that was judged say nothing new.
pub const EVERY_MS: i64 = 2_000;
/// A view that lasts so long is one of the usual ones.
pub const ACCEPT_MS: i64 = 3_600_000;
/// The same picture for so long is frozen: at night, in rest, and after strong compression, two pictures may be alike.
pub const FROZEN_MS: i64 = 20_000;
/// Usual views of one camera; the one that was not seen for the longest makes way.
const VIEWS_MAX: usize = 4;
/// Pictures by which a view is learned.
const LEARN_N: u32 = 8;
/// The time constant with which the usual follows.
const FOLLOW_MS: i64 = 600_000;
/// A picture stands for no longer than this.
const STEP_MS_MAX: i64 = 10_000;
/// In a dark picture nearly all cells are below this: black is 16 where cameras keep to the limited range.
const DARK_LEVEL_MAX: f32 = 36.0;
/// In a bright one nearly all are above this: white is 235 there.
const BRIGHT_LEVEL_MIN: f32 = 214.0;
/// Nearly all.
const NEARLY_ALL: f32 = 0.97;
/// Mean difference of the cells of two pictures that are the same, in grey levels; what the least sensor noise leaves in
/// box means is above it.
const FROZEN_DIFF_MAX: f32 = 0.06;
/// Greatest difference of one cell of such pictures: a clock in the picture differs by more.
const FROZEN_CELL_MAX: f32 = 2.0;
/// Side of the patches that are even or not, in cells.
const PATCH: usize = 8;
/// Range of the cells of an even patch, in grey levels.
const EVEN_RANGE_MAX: f32 = 10.0;
/// Share of the patches that were uneven and are even now, from which on a picture is covered.
const COVERED_SHARE: f32 = 0.7;
/// Uneven patches that a view must have for that.
const UNEVEN_MIN: f32 = 0.1;
/// Pixel rows read for the sharpness.
const SHARP_ROWS: usize = 60;
/// Pixels apart in fine steps, and of the picture's width in coarse ones.
const FINE: usize = 2;
const COARSE_SHARE: usize = 40;
/// Steps below this are noise.
const STEP_MIN: u8 = 8;
/// Parts of a row, and those of all that must say something of the sharpness: an even view says nothing.
const SHARP_PARTS: usize = 4;
const PARTS_MIN: usize = 16;
/// Mean coarse step below which a part says nothing.
const COARSE_MIN: f32 = 1.0;
/// Share of the usual sharpness below which a picture is blurred.
const BLURRED_SHARE: f32 = 0.5;
/// Likeness to the usual from which on a view is the usual one.
const LIKE_MIN: f32 = 0.5;
/// Likeness below which it is not, whatever it is.
const UNLIKE_MAX: f32 = 0.25;
/// By so much more like it is what was shifted.
const SHIFTED_MORE: f32 = 0.2;
/// A view is looked for elsewhere so often at the most: it costs as much as decoding a small picture.
const SEARCH_EVERY_MS: i64 = 20_000;
/// Share of the usual edges that a picture must have to say that it looks elsewhere.
const EDGES_SHARE: f32 = 0.4;

/// What is known of the pictures of one camera.
#[derive(Debug, Default)]
pub struct Health {
    usual: Vec<Usual>,
    /// Of these, what is seen now.
    current: usize,
    /// An unusual view that may become a usual one, since then.
    fresh: Option<(Usual, i64)>,
    faults: Faults,
    judged_ms: Option<i64>,
    /// Since when it has been the same picture.
    same_since_ms: i64,
    /// The cells of the picture judged last, packed.
    last: Vec<u16>,
    /// When the view was last looked for elsewhere, and whether it was there.
    searched: Option<(i64, bool)>,
    parts: Vec<f32>,
}

/// A usual view.
#[derive(Debug, Clone, Default)]
struct Usual {
    view: View,
    /// None before it could be judged.
    sharpness: Option<f32>,
    even: f32,
    n_learned: u32,
    seen_ms: i64,
}

/// One picture's figures.
#[derive(Debug, Clone, Copy)]
struct Figures {
    dark: f32,
    bright: f32,
    even: f32,
    /// None where the picture is too even to say.
    sharpness: Option<f32>,
}

impl Health {
    /// The faults of a picture: of the one judged last where that is less than [`EVERY_MS`] ago. `cells` are the picture's
    /// box means, 0 where it is not looked at. `view` is scratch.
    pub(crate) fn judge(&mut self, luma: &Luma, grid: Grid, cells: &[f32], view: &mut View, at_ms: i64) -> Faults {
        let since_ms = self.judged_ms.map_or(EVERY_MS, |judged_ms| at_ms.saturating_sub(judged_ms));
        if (0..EVERY_MS).contains(&since_ms) || cells.len() != grid.cells() {
            return self.faults;
        }
        if self.last.len() != cells.len() {
            *self = Health::default();
        }
        self.judged_ms = Some(at_ms);
        let step_ms = since_ms.clamp(0, STEP_MS_MAX);
        let mut faults = Faults::default();
        faults.set(SightFault::Frozen, self.is_frozen(cells, at_ms, since_ms));
        let figures = Figures::of(luma, grid, cells, &mut self.parts);
        let (is_dark, is_bright) = (figures.dark >= NEARLY_ALL, figures.bright >= NEARLY_ALL);
        faults.set(SightFault::TooDark, is_dark);
        faults.set(SightFault::TooBright, is_bright);
        if !is_dark && !is_bright {
            view.look(grid, cells);
            self.compare(view, figures, at_ms, step_ms, &mut faults);
        }
        pack_all(cells, &mut self.last);
        self.faults = faults;
        faults
    }

    fn is_frozen(&mut self, cells: &[f32], at_ms: i64, since_ms: i64) -> bool {
        if self.last.len() != cells.len() || since_ms < 0 {
            self.same_since_ms = at_ms;
            return false;
        }
        let differences = cells.iter().zip(&self.last).map(|(now, before)| (now - unpack(*before)).abs());
        let (sum, most) = differences.fold((0.0_f32, 0.0_f32), |(sum, most), miss| (sum + miss, most.max(miss)));
        if sum / cells.len().max(1) as f32 > FROZEN_DIFF_MAX || most > FROZEN_CELL_MAX {
            self.same_since_ms = at_ms;
        }
        at_ms.saturating_sub(self.same_since_ms) >= FROZEN_MS
    }

    /// Against the usual views.
    fn compare(&mut self, view: &View, figures: Figures, at_ms: i64, step_ms: i64, faults: &mut Faults) {
        let Some(first) = self.usual.first() else {
            self.usual.push(Usual::new(view, figures, at_ms));
            return;
        };
        if first.n_learned < LEARN_N {
            return self.usual[0].learn(view, figures, at_ms);
        }
        let likes = self.usual.iter().map(|usual| usual.view.likeness(view));
        let (number, likeness) =
            likes.enumerate().fold((0, -1.0), |best, next| if next.1 > best.1 { next } else { best });
        if likeness >= LIKE_MIN {
            self.current = number;
        }
        let usual = &mut self.usual[self.current];
        // What still has its edges where they were is blurred.
        let is_covered = likeness < LIKE_MIN
            && usual.even < 1.0 - UNEVEN_MIN
            && figures.even - usual.even > COVERED_SHARE * (1.0 - usual.even);
        let is_blurred = usual.sharpness.zip(figures.sharpness).is_some_and(|(usual, now)| now < BLURRED_SHARE * usual);
        faults.set(SightFault::Covered, is_covered);
        faults.set(SightFault::TooBlurry, is_blurred);
        if likeness >= LIKE_MIN {
            (self.fresh, self.searched) = (None, None);
            usual.seen_ms = at_ms;
            if !is_covered && !is_blurred {
                usual.follow(view, figures, step_ms as f32 / FOLLOW_MS as f32);
            }
            return;
        }
        if is_covered || is_blurred || !usual.view.is_telling() || view.strength() < EDGES_SHARE * usual.view.strength()
        {
            return;
        }
        let is_recent = |(searched_ms, _): &(i64, bool)| at_ms.saturating_sub(*searched_ms) < SEARCH_EVERY_MS;
        let search = || usual.view.likeness_elsewhere(view) > likeness.max(0.0) + SHIFTED_MORE;
        let searched = self.searched.filter(is_recent).unwrap_or_else(|| (at_ms, search()));
        self.searched = Some(searched);
        let is_shifted = searched.1;
        faults.set(SightFault::Moved, likeness < UNLIKE_MAX || is_shifted);
        self.get_used(view, figures, at_ms);
    }

    /// An unusual view becomes usual if it stays.
    fn get_used(&mut self, view: &View, figures: Figures, at_ms: i64) {
        let is_same = |fresh: &Usual| fresh.view.likeness(view) >= LIKE_MIN;
        match self.fresh.take().filter(|(fresh, _)| is_same(fresh)) {
            Some((fresh, since_ms)) if at_ms.saturating_sub(since_ms) >= ACCEPT_MS => {
                if self.usual.len() >= VIEWS_MAX {
                    let oldest = (0..self.usual.len()).min_by_key(|number| self.usual[*number].seen_ms).unwrap_or(0);
                    self.usual.remove(oldest);
                }
                self.current = self.usual.len();
                self.usual.push(Usual { n_learned: LEARN_N, seen_ms: at_ms, ..fresh });
            }
            Some((mut fresh, since_ms)) => {
                fresh.learn(view, figures, at_ms);
                self.fresh = Some((fresh, since_ms));
            }
            None => self.fresh = Some((Usual::new(view, figures, at_ms), at_ms)),
        }
    }
}

impl Usual {
    fn new(view: &View, figures: Figures, at_ms: i64) -> Usual {
        let Figures { sharpness, even, .. } = figures;
        Usual { view: view.clone(), sharpness, even, n_learned: 1, seen_ms: at_ms }
    }

    /// The mean of what it learns from, at first.
    fn learn(&mut self, view: &View, figures: Figures, at_ms: i64) {
        self.n_learned = (self.n_learned + 1).min(LEARN_N);
        self.seen_ms = at_ms;
        self.follow(view, figures, 1.0 / self.n_learned as f32);
    }

    fn follow(&mut self, view: &View, figures: Figures, share: f32) {
        self.view.follow(view, share);
        if let Some(now) = figures.sharpness {
            let usual = self.sharpness.get_or_insert(now);
            *usual += share * (now - *usual);
        }
        self.even += share * (figures.even - self.even);
    }
}

impl Figures {
    fn of(luma: &Luma, grid: Grid, cells: &[f32], parts: &mut Vec<f32>) -> Figures {
        let (mut n_seen, mut n_dark, mut n_bright) = (0.0_f32, 0.0_f32, 0.0_f32);
        for &level in cells {
            let one_if = |condition| f32::from(u8::from(condition));
            n_seen += one_if(level > 0.0);
            n_dark += one_if(level > 0.0 && level < DARK_LEVEL_MAX);
            n_bright += one_if(level > BRIGHT_LEVEL_MIN);
        }
        if n_seen == 0.0 {
            // All is black, to the last pixel, or masked.
            return Figures { dark: 1.0, bright: 0.0, even: 1.0, sharpness: None };
        }
        let (dark, bright) = (n_dark / n_seen, n_bright / n_seen);
        Figures { dark, bright, even: even_share(grid, cells), sharpness: sharpness(luma, parts) }
    }
}

/// Share of the patches of a picture whose cells are all alike.
fn even_share(grid: Grid, cells: &[f32]) -> f32 {
    let (mut n_even, mut n) = (0_u32, 0_u32);
    for rows in cells.chunks_exact(grid.columns.max(1) * PATCH) {
        for left in (0..grid.columns.saturating_sub(PATCH - 1)).step_by(PATCH) {
            let patch = rows.chunks_exact(grid.columns).flat_map(|row| &row[left..left + PATCH]);
            let (least, most) =
                patch.fold((f32::MAX, f32::MIN), |(least, most), &level| (least.min(level), most.max(level)));
            n += 1;
            n_even += u32::from(most - least <= EVEN_RANGE_MAX);
        }
    }
    if n == 0 { 1.0 } else { n_even as f32 / n as f32 }
}

/// Fine steps between pixels by coarse ones, of those that are more than noise: defocus takes the fine ones away, less
/// light takes as much of both. The median of many parts, so that one thing with hard edges is not the whole view.
fn sharpness(luma: &Luma, parts: &mut Vec<f32>) -> Option<f32> {
    let every = luma.height.div_ceil(SHARP_ROWS).max(1);
    let coarse = (luma.width / COARSE_SHARE).max(2 * FINE);
    let length = luma.width.checked_sub(coarse)? / SHARP_PARTS;
    parts.clear();
    for row in (every / 2..luma.height).step_by(every) {
        let pixels = &luma.pixels[row * luma.stride..][..luma.width];
        for part in 0..SHARP_PARTS {
            let pixels = &pixels[part * length..][..length + coarse];
            let [fine, coarse] = [FINE, coarse].map(|apart| {
                let steps = pixels.iter().zip(&pixels[apart..]).take(length);
                steps.map(|(a, b)| u32::from(a.abs_diff(*b).saturating_sub(STEP_MIN))).sum::<u32>() as f32
            });
            if coarse > COARSE_MIN * length as f32 {
                parts.push(fine / coarse);
            }
        }
    }
    if parts.len() < PARTS_MIN {
        return None;
    }
    let middle = parts.len() / 2;
    Some(*parts.select_nth_unstable_by(middle, f32::total_cmp).1)
}
