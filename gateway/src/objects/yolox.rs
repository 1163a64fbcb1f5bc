//! What a YOLOX gives → boxes. One row for each cell of three grids: `x, y` within the cell and `w, h` as logarithms, all in
//! units of the grid's stride, how sure it is that something is there, and one score for each class; both are 0..1 already
//! (Ge et al., "YOLOX: Exceeding YOLO Series in 2021", 2021, and `demo_postprocess` of its repository).

/// Pixels of the model's picture between the cells of each grid.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Numbers of a row before its classes.
pub(super) const BEFORE_CLASSES: usize = 5;

/// Boxes that are compared with each other: the surest ones.
const CANDIDATES_MAX: usize = 1024;
/// Boxes that are told of one picture.
pub(super) const BOXES_MAX: usize = 100;

/// A box in pixels of the model's picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) class: usize,
    pub(super) score: f32,
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

/// Multiples of the largest stride, or the grids do not fit.
pub(super) fn is_side(side: usize) -> bool {
    side > 0 && side.is_multiple_of(STRIDES[STRIDES.len() - 1])
}

/// How many rows a model of this picture size gives.
pub(super) fn n_rows(width: usize, height: usize) -> usize {
    STRIDES.iter().map(|stride| (width / stride) * (height / stride)).sum()
}

/// Boxes, surest first, of which no two of the same class overlap by more than `overlap_max` (intersection over union). `rows`:
/// [`n_rows`] of [`BEFORE_CLASSES`] + `n_classes` numbers.
pub(super) fn boxes(
    rows: &[f32],
    n_classes: usize,
    [width, height]: [usize; 2],
    score_min: f32,
    overlap_max: f32,
) -> Vec<Found> {
    let cells = STRIDES.iter().flat_map(|stride| {
        let across = width / stride;
        (0..across * (height / stride)).map(move |cell| (*stride as f32, cell % across, cell / across))
    });
    let mut found: Vec<Found> = Vec::new();
    for (row, (stride, column, line)) in rows.chunks_exact(BEFORE_CLASSES + n_classes).zip(cells) {
        let (head, scores) = row.split_at(BEFORE_CLASSES);
        let best = scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((class, of_class)) = best else { continue };
        let score = head[4] * of_class;
        // What is no number is no box either.
        if !(score_min..=1.0).contains(&score) {
            continue;
        }
        let (x, y) = ((head[0] + column as f32) * stride, (head[1] + line as f32) * stride);
        let (w, h) = (head[2].exp() * stride, head[3].exp() * stride);
        if [x, y, w, h].iter().all(|n| n.is_finite()) {
            let (left, top, right, bottom) = (x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0);
            found.push(Found { class, score, left, top, right, bottom });
        }
    }
    apart(found, overlap_max)
}

/// Non-maximum suppression, class by class.
fn apart(mut found: Vec<Found>, overlap_max: f32) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(CANDIDATES_MAX);
    let mut kept: Vec<Found> = Vec::new();
    for candidate in found {
        if kept.len() >= BOXES_MAX {
            break;
        }
        let is_double = |known: &Found| known.class == candidate.class && overlap(known, &candidate) > overlap_max;
        if !kept.iter().any(is_double) {
            kept.push(candidate);
        }
    }
    kept
}

/// Intersection over union, 0..1.
fn overlap(a: &Found, b: &Found) -> f32 {
    let area = |found: &Found| (found.right - found.left) * (found.bottom - found.top);
    let across = (a.right.min(b.right) - a.left.max(b.left)).max(0.0);
    let down = (a.bottom.min(b.bottom) - a.top.max(b.top)).max(0.0);
    let both = across * down;
    let either = area(a) + area(b) - both;
    if either > 0.0 { both / either } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a model of 64 by 32 pixels and two classes, in which nothing is anywhere but what is put there: 8 by 4 cells, then
    /// 4 by 2, then 2 by 1.
    fn rows(put: &[(usize, [f32; 7])]) -> Vec<f32> {
        let mut rows = vec![0.0; n_rows(64, 32) * 7];
        for (at, row) in put {
            rows[at * 7..(at + 1) * 7].copy_from_slice(row);
        }
        rows
    }

    fn of(put: &[(usize, [f32; 7])]) -> Vec<Found> {
        boxes(&rows(put), 2, [64, 32], 0.3, 0.5)
    }

    #[test]
    fn a_row_is_a_box_in_its_cell_of_its_grid() {
        assert_eq!(n_rows(416, 416), 3549);
        assert_eq!(n_rows(64, 32), 32 + 8 + 2);
        // The second row of the first grid's cells, third column: 16..24 across, 8..16 down.
        let small = of(&[(8 + 2, [0.5, 0.25, 0.0, 2f32.ln(), 0.9, 0.1, 0.8])]);
        let [found] = small[..] else { panic!("{small:?}") };
        assert_eq!((found.class, found.left, found.right, found.top, found.bottom), (1, 16.0, 24.0, 2.0, 18.0));
        assert!((found.score - 0.72).abs() < 1e-6);
        // The last cell of the coarsest grid.
        let large = of(&[(41, [0.5, 0.5, 0.0, 0.0, 1.0, 1.0, 0.0])]);
        assert_eq!((large[0].left, large[0].right, large[0].top, large[0].bottom), (32.0, 64.0, 0.0, 32.0));
    }

    #[test]
    fn of_boxes_of_one_class_that_overlap_the_surest_is_left() {
        let at = |x: f32, score: f32, class: usize| {
            let mut row = [x, 0.5, 0.0, 0.0, score, 0.0, 0.0];
            row[5 + class] = 1.0;
            row
        };
        // The first two cells of the middle grid, whose boxes are the same but for 2 of 16 pixels.
        let double = [(32, at(0.5, 0.6, 0)), (33, at(-0.375, 0.7, 0))];
        assert_eq!(of(&double).iter().map(|found| found.score).collect::<Vec<_>>(), [0.7]);
        let of_two_classes = [(32, at(0.5, 0.6, 0)), (33, at(-0.375, 0.7, 1))];
        assert_eq!(of(&of_two_classes).len(), 2);
        let apart = [(32, at(0.5, 0.6, 0)), (33, at(0.5, 0.7, 0)), (34, at(0.5, 0.2, 0))];
        assert_eq!(
            of(&apart).iter().map(|found| found.score).collect::<Vec<_>>(),
            [0.7, 0.6],
            "and what is unsure is not"
        );
    }

    #[test]
    fn what_is_no_number_is_no_box_and_there_are_only_so_many() {
        let odd = [f32::NAN, f32::INFINITY, 1e9];
        for n in odd {
            assert_eq!(of(&[(0, [0.5, 0.5, 0.0, 0.0, n, 1.0, 0.0])]), []);
            assert_eq!(of(&[(0, [0.5, 0.5, n, 0.0, 0.9, 1.0, 0.0])]), []);
        }
        let all = vec![[0.5, 0.5, -3.0, -3.0, 0.9, 1.0]; n_rows(640, 640)].concat();
        assert_eq!(boxes(&all, 1, [640, 640], 0.3, 0.5).len(), BOXES_MAX);
    }
}
