//! From a mask of changed cells to blobs: joins what belongs together, drops specks, and tells things from what only
//! looks like one (a place that something left, a patch of light). Knows nothing of time.

use crate::luma::Grid;
use crate::observation::Blob;
use crate::regions::take_regions;

/// Blobs of one picture; of more, the biggest are kept.
pub const BLOBS_MAX: usize = 64;
/// Changed cells of the nine around a cell that keep it: drops specks and lines of one cell, closes pinholes.
const DENSITY_MIN: u8 = 4;
/// Smaller regions are specks: 8 of 14,400 cells is a quarter of the default least area of a rule.
const CELLS_MIN: usize = 8;
/// Cells apart across a contour: neighbours share pixels of the edge.
const ACROSS: usize = 2;
/// Fewer pairs across a contour say nothing of it.
const CONTOUR_PAIRS_MIN: u32 = 6;
/// The background's edge along a contour must be this much stronger than the picture's to call the region vacated.
/// A thing that stands there has an edge of its own, whatever the ground, so twice is far on the other side.
const VACATED_RATIO: f32 = 2.0;
/// Differences between neighbours, in grey levels, above which ground counts as textured: box means of flat ground
/// differ by less than 2.
const TEXTURE_MIN: f32 = 3.0;
/// Pairs within a region below which its texture is not judged.
const TEXTURE_PAIRS_MIN: u32 = 24;
/// Share of the texture that must have stayed for a region to be light or shadow on the same ground.
const TEXTURE_KEPT_MIN: f32 = 0.75;

/// What a cell of a mask is.
pub(crate) const STILL: u8 = 0;
pub(crate) const MOVING: u8 = 1;
/// Changed because something that was part of the background left.
pub(crate) const VACATED: u8 = 2;

/// A picture and what the background let expect of it, cell by cell.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) grid: Grid,
    pub(crate) current: &'a [f32],
    pub(crate) expected: &'a [f32],
}

#[derive(Debug, Default)]
pub(crate) struct BlobScratch {
    sums: Vec<u8>,
    joined: Vec<u8>,
    cells: Vec<u32>,
}

/// What a picture shows.
pub(crate) struct Found<'a> {
    /// Things, biggest first.
    pub(crate) blobs: &'a mut Vec<Blob>,
    /// Places that something left, in no order, at most [`BLOBS_MAX`].
    pub(crate) vacated: &'a mut Vec<Blob>,
}

enum Verdict {
    Thing,
    Vacated,
    Light,
}

/// Keeps cells that changed together with their surroundings, in place. Returns how many are set.
pub(crate) fn keep_dense(mask: &mut [u8], columns: usize, scratch: &mut BlobScratch) -> usize {
    let sums = &mut scratch.sums;
    sums.clear();
    sums.resize(mask.len(), 0);
    for (row, sums) in mask.chunks_exact(columns).zip(sums.chunks_exact_mut(columns)) {
        add_across(row, sums);
    }
    // Beyond the picture nothing moves: what shows in one row or column at the border is a camera that sways.
    let rows = mask.len() / columns;
    let mut n_set = 0;
    for row in 0..rows {
        let cells = &mut mask[row * columns..][..columns];
        cells.copy_from_slice(&sums[row * columns..][..columns]);
        for near in [row.checked_sub(1), Some(row + 1).filter(|&below| below < rows)].into_iter().flatten() {
            for (cell, &sum) in cells.iter_mut().zip(&sums[near * columns..][..columns]) {
                *cell += sum;
            }
        }
        for cell in cells.iter_mut() {
            *cell = u8::from(*cell >= DENSITY_MIN);
        }
        n_set += cells.iter().map(|&cell| usize::from(cell)).sum::<usize>();
    }
    n_set
}

/// Finds the blobs of a mask of MOVING cells, biggest first. Afterwards the mask says MOVING for things, VACATED for
/// what something left, STILL for specks and light.
pub(crate) fn find_blobs(scene: Scene, mask: &mut [u8], scratch: &mut BlobScratch, found: Found) {
    let Found { blobs, vacated } = found;
    blobs.clear();
    vacated.clear();
    let columns = scene.grid.columns;
    let BlobScratch { sums, joined, cells } = scratch;
    join(mask, columns, sums, joined);
    take_regions(joined, columns, cells, |cells| {
        let n_moving = cells.iter().filter(|&&cell| mask[cell as usize] == MOVING).count();
        let verdict = if n_moving < CELLS_MIN { Verdict::Light } else { judge(scene, mask, cells) };
        let becomes = match verdict {
            Verdict::Thing => {
                blobs.push(blob_of(scene.grid, mask, cells, n_moving));
                return;
            }
            Verdict::Vacated => {
                if vacated.len() < BLOBS_MAX {
                    vacated.push(blob_of(scene.grid, mask, cells, n_moving));
                }
                VACATED
            }
            Verdict::Light => STILL,
        };
        for &cell in cells {
            if mask[cell as usize] == MOVING {
                mask[cell as usize] = becomes;
            }
        }
    });
    blobs.sort_by(|a, b| b.area.total_cmp(&a.area));
    blobs.truncate(BLOBS_MAX);
}

/// Widens a mask by one cell to the sides and two up and down, so that a person whose belt has the colour of the
/// wall stays one blob with feet.
fn join(mask: &[u8], columns: usize, sums: &mut Vec<u8>, joined: &mut Vec<u8>) {
    sums.clear();
    sums.resize(mask.len(), 0);
    for (row, sums) in mask.chunks_exact(columns).zip(sums.chunks_exact_mut(columns)) {
        add_across(row, sums);
    }
    joined.clear();
    joined.resize(mask.len(), 0);
    let rows = mask.len() / columns;
    for row in 0..rows {
        let joined = &mut joined[row * columns..][..columns];
        for near in row.saturating_sub(2)..(row + 3).min(rows) {
            for (joined, &sum) in joined.iter_mut().zip(&sums[near * columns..][..columns]) {
                *joined |= sum;
            }
        }
    }
}

/// Each cell with its left and right neighbour.
fn add_across(row: &[u8], sums: &mut [u8]) {
    sums.copy_from_slice(row);
    for (sum, &left) in sums.iter_mut().skip(1).zip(row) {
        *sum += left;
    }
    for (sum, &right) in sums.iter_mut().zip(&row[1..]) {
        *sum += right;
    }
}

fn judge(scene: Scene, mask: &[u8], cells: &[u32]) -> Verdict {
    if is_vacated(scene, mask, cells) {
        return Verdict::Vacated;
    }
    if keeps_texture(scene, mask, cells) { Verdict::Light } else { Verdict::Thing }
}

/// Compares the edges along the region's contour: where the background has them and the picture has not, the picture
/// goes on undisturbed and it was the background that held something.
fn is_vacated(scene: Scene, mask: &[u8], cells: &[u32]) -> bool {
    let (columns, rows) = (scene.grid.columns, scene.grid.rows);
    let (mut n_pairs, mut edge_now, mut edge_expected) = (0_u32, 0.0_f32, 0.0_f32);
    let mut add = |inside: usize, next: usize, outside: usize| {
        if mask[next] != MOVING && mask[outside] != MOVING {
            n_pairs += 1;
            edge_now += (scene.current[inside] - scene.current[outside]).abs();
            edge_expected += (scene.expected[inside] - scene.expected[outside]).abs();
        }
    };
    for cell in cells.iter().map(|&cell| cell as usize).filter(|&cell| mask[cell] == MOVING) {
        let (row, column) = (cell / columns, cell % columns);
        if column >= ACROSS {
            add(cell, cell - 1, cell - ACROSS);
        }
        if column + ACROSS < columns {
            add(cell, cell + 1, cell + ACROSS);
        }
        if row >= ACROSS {
            add(cell, cell - columns, cell - ACROSS * columns);
        }
        if row + ACROSS < rows {
            add(cell, cell + columns, cell + ACROSS * columns);
        }
    }
    n_pairs >= CONTOUR_PAIRS_MIN && edge_expected > VACATED_RATIO * edge_now
}

/// Whether textured ground shows through unchanged but for its brightness: light or shadow, not a thing.
fn keeps_texture(scene: Scene, mask: &[u8], cells: &[u32]) -> bool {
    let columns = scene.grid.columns;
    let moving = || cells.iter().map(|&cell| cell as usize).filter(|&cell| mask[cell] == MOVING);
    let (sum_now, sum_expected) = moving()
        .fold((0.0_f32, 0.0_f32), |(now, expected), cell| (now + scene.current[cell], expected + scene.expected[cell]));
    let gain = sum_now / sum_expected.max(1.0);
    let (mut n_pairs, mut kept, mut all, mut texture) = (0_u32, 0.0_f32, 0.0_f32, 0.0_f32);
    for cell in moving() {
        let right = (cell % columns + 1 < columns).then_some(cell + 1);
        let below = (cell + columns < mask.len()).then_some(cell + columns);
        for next in [right, below].into_iter().flatten().filter(|&next| mask[next] == MOVING) {
            let now = scene.current[next] - scene.current[cell];
            let expected = scene.expected[next] - scene.expected[cell];
            let scaled = gain * expected;
            n_pairs += 1;
            texture += expected.abs();
            all += now.abs().max(scaled.abs());
            if now * scaled > 0.0 {
                kept += now.abs().min(scaled.abs());
            }
        }
    }
    n_pairs >= TEXTURE_PAIRS_MIN && texture > TEXTURE_MIN * n_pairs as f32 && kept > TEXTURE_KEPT_MIN * all
}

fn blob_of(grid: Grid, mask: &[u8], cells: &[u32], n_moving: usize) -> Blob {
    let (mut left, mut top, mut right, mut bottom) = (grid.columns, grid.rows, 0, 0);
    for cell in cells.iter().map(|&cell| cell as usize).filter(|&cell| mask[cell] == MOVING) {
        let (row, column) = (cell / grid.columns, cell % grid.columns);
        left = left.min(column);
        right = right.max(column + 1);
        top = top.min(row);
        bottom = bottom.max(row + 1);
    }
    Blob {
        left: grid.x(left),
        top: grid.y(top),
        right: grid.x(right),
        bottom: grid.y(bottom),
        area: n_moving as f32 / grid.cells() as f32,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::luma::Luma;

    fn grid(columns: usize, rows: usize) -> Grid {
        Grid::of(&Luma { width: columns, height: rows, stride: columns, pixels: &[] }, columns.max(rows))
    }

    fn paint(mask: &mut [u8], columns: usize, rows: std::ops::Range<usize>, across: std::ops::Range<usize>) {
        for row in rows {
            mask[row * columns..][across.clone()].fill(MOVING);
        }
    }

    /// A flat ground of 100 with things of 180 wherever the mask says so.
    fn find(mask: &mut [u8], columns: usize) -> Vec<Blob> {
        let current: Vec<f32> = mask.iter().map(|&cell| 100.0 + 80.0 * f32::from(cell)).collect();
        let expected = vec![100.0; mask.len()];
        let scene = Scene { grid: grid(columns, mask.len() / columns), current: &current, expected: &expected };
        let mut blobs = Vec::new();
        look(scene, mask, &mut blobs);
        blobs
    }

    fn look(scene: Scene, mask: &mut [u8], blobs: &mut Vec<Blob>) -> Vec<Blob> {
        let mut vacated = Vec::new();
        find_blobs(scene, mask, &mut BlobScratch::default(), Found { blobs, vacated: &mut vacated });
        vacated
    }

    #[test]
    fn a_person_with_a_belt_like_the_wall_is_one_blob_with_feet() {
        let mut mask = vec![STILL; 40 * 40];
        paint(&mut mask, 40, 10..16, 20..24);
        paint(&mut mask, 40, 19..28, 20..24);
        let blobs = find(&mut mask, 40);
        assert_eq!(blobs, [Blob { left: 0.5, top: 0.25, right: 0.6, bottom: 0.7, area: 60.0 / 1600.0 }]);
    }

    #[test]
    fn specks_and_lines_are_dropped_and_pinholes_closed() {
        let mut mask = vec![STILL; 20 * 20];
        paint(&mut mask, 20, 2..3, 0..20);
        mask[10 * 20 + 3] = MOVING;
        paint(&mut mask, 20, 8..14, 10..16);
        mask[10 * 20 + 12] = STILL;
        keep_dense(&mut mask, 20, &mut BlobScratch::default());
        assert!(mask[..7 * 20].iter().all(|&cell| cell == STILL) && mask[10 * 20 + 3] == STILL);
        assert_eq!(mask[10 * 20 + 12], MOVING);
    }

    #[test]
    fn of_too_many_blobs_the_biggest_are_kept() {
        let mut mask = vec![STILL; 160 * 160];
        for n in 0..100 {
            let (row, column) = (n / 10 * 16, n % 10 * 16);
            paint(&mut mask, 160, row..row + 4, column..column + 3 + n % 5);
        }
        let blobs = find(&mut mask, 160);
        assert_eq!(blobs.len(), BLOBS_MAX);
        assert!(blobs.is_sorted_by(|a, b| a.area >= b.area) && blobs[BLOBS_MAX - 1].area > 12.0 / 25_600.0);
    }

    #[test]
    fn what_left_the_background_is_no_blob() {
        let mut mask = vec![STILL; 40 * 40];
        paint(&mut mask, 40, 10..20, 10..20);
        let expected: Vec<f32> = mask.iter().map(|&cell| 100.0 + 80.0 * f32::from(cell)).collect();
        let scene = Scene { grid: grid(40, 40), current: &vec![100.0; 1600], expected: &expected };
        let mut blobs = Vec::new();
        let vacated = look(scene, &mut mask, &mut blobs);
        assert_eq!(blobs, []);
        assert_eq!(mask[12 * 40 + 12], VACATED);
        assert_eq!(vacated, [Blob { left: 0.25, top: 0.25, right: 0.5, bottom: 0.5, area: 0.0625 }]);
    }

    #[test]
    fn a_shadow_on_cobbles_is_no_blob_and_a_flat_thing_on_cobbles_is() {
        let cobbles: Vec<f32> = (0..1600).map(|cell| 90.0 + ((cell * 37) % 41) as f32).collect();
        let mut shadow = vec![STILL; 1600];
        paint(&mut shadow, 40, 10..20, 10..20);
        let (mut thing, mut blobs) = (shadow.clone(), Vec::new());
        let current: Vec<f32> = cobbles.iter().zip(&shadow).map(|(was, &m)| was * (1.0 - 0.4 * f32::from(m))).collect();
        let scene = Scene { grid: grid(40, 40), current: &current, expected: &cobbles };
        look(scene, &mut shadow, &mut blobs);
        assert_eq!(blobs, []);
        let current: Vec<f32> =
            cobbles.iter().zip(&thing).map(|(was, &m)| if m == MOVING { 60.0 } else { *was }).collect();
        look(Scene { current: &current, ..scene }, &mut thing, &mut blobs);
        assert_eq!(blobs.len(), 1);
    }

    proptest! {
        #[test]
        fn any_mask_gives_blobs_within_the_picture(
            cells in prop::collection::vec(0_u8..2, 1..900), columns in 1_usize..40, level in 0.0..255.0_f32,
        ) {
            let columns = columns.min(cells.len());
            let mut mask = cells[..cells.len() / columns * columns].to_vec();
            let set_before = keep_dense(&mut mask, columns, &mut BlobScratch::default());
            prop_assert_eq!(set_before, mask.iter().filter(|&&cell| cell == MOVING).count());
            let (current, expected) = (vec![level; mask.len()], vec![100.0; mask.len()]);
            let scene = Scene { grid: grid(columns, mask.len() / columns), current: &current, expected: &expected };
            let mut blobs = Vec::new();
            look(scene, &mut mask, &mut blobs);
            for blob in &blobs {
                prop_assert!(0.0 <= blob.left && blob.left < blob.right && blob.right <= 1.0);
                prop_assert!(0.0 <= blob.top && blob.top < blob.bottom && blob.bottom <= 1.0);
                prop_assert!(blob.area > 0.0 && blob.area <= blob.width() * blob.height() * 1.001);
            }
            let kept: f32 = blobs.iter().map(|blob| blob.area).sum();
            prop_assert!(kept <= set_before as f32 / mask.len() as f32 + 1e-4);
        }
    }
}
