//! A picture scaled to fit into what a model is given, at the top left, with grey beside it.

use super::Picture;

/// What is beside the picture: YOLOX was trained with it.
const GREY: f32 = 114.0;

/// Planes of blue, green and red, 0..255, each `height * width`, row-major; and by what the picture was scaled.
pub(super) fn letterbox(picture: &Picture, width: usize, height: usize) -> (Vec<f32>, f32) {
    let mut planes = vec![GREY; 3 * width * height];
    if picture.width == 0 || picture.height == 0 || picture.rgb.len() != picture.width * picture.height * 3 {
        return (planes, 1.0);
    }
    let scale = (width as f64 / picture.width as f64).min(height as f64 / picture.height as f64);
    let filled = |side: usize, most: usize| ((side as f64 * scale) as usize).clamp(1, most);
    let (columns, rows) = (filled(picture.width, width), filled(picture.height, height));
    let across = taps(picture.width, columns);
    let (blue, rest) = planes.split_at_mut(width * height);
    let (green, red) = rest.split_at_mut(width * height);
    for (row, (top, bottom, down)) in taps(picture.height, rows).into_iter().enumerate() {
        let lines = [top, bottom].map(|y| &picture.rgb[y * picture.width * 3..(y + 1) * picture.width * 3]);
        for (column, (left, right, over)) in across.iter().copied().enumerate() {
            let level = |channel: usize| {
                let [upper, lower] = lines.map(|line| {
                    let (from, to) = (f32::from(line[left * 3 + channel]), f32::from(line[right * 3 + channel]));
                    from + (to - from) * over
                });
                // Models are trained on pictures in bytes.
                (upper + (lower - upper) * down).round()
            };
            let at = row * width + column;
            (red[at], green[at], blue[at]) = (level(0), level(1), level(2));
        }
    }
    (planes, scale as f32)
}

/// Of each of `wanted` samples of a line: the two that it lies between, and how far on from the first, 0..1. Bilinear between the
/// middles of pixels, as OpenCV's `INTER_LINEAR`.
fn taps(given: usize, wanted: usize) -> Vec<(usize, usize, f32)> {
    let step = given as f64 / wanted as f64;
    let tap = |sample: usize| {
        let at = ((sample as f64 + 0.5) * step - 0.5).clamp(0.0, (given - 1) as f64);
        let first = at as usize;
        (first, (first + 1).min(given - 1), (at - first as f64) as f32)
    };
    (0..wanted).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, rgb: impl Fn(usize, usize) -> [u8; 3]) -> Picture {
        let at = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Picture { width, height, rgb: at.flat_map(|(x, y)| rgb(x, y)).collect() }
    }

    #[test]
    fn a_wide_picture_lies_at_the_top_with_grey_beneath_and_blue_comes_first() {
        let (planes, scale) = letterbox(&picture(8, 4, |_, _| [10, 20, 30]), 4, 4);
        assert_eq!(scale, 0.5);
        for (plane, level) in planes.chunks(16).zip([30.0, 20.0, 10.0]) {
            assert_eq!(plane[..8], [level; 8]);
            assert_eq!(plane[8..], [GREY; 8]);
        }
    }

    #[test]
    fn what_is_between_pixels_is_between_their_levels() {
        let (planes, scale) = letterbox(&picture(2, 1, |x, _| [100 * x as u8, 0, 0]), 4, 4);
        assert_eq!(scale, 2.0);
        // As OpenCV gives it: the outer samples lie beyond the middles of the outer pixels.
        assert_eq!(planes[32..36], [0.0, 25.0, 75.0, 100.0]);
        let (planes, _) = letterbox(&picture(1, 400, |_, _| [7, 7, 7]), 4, 4);
        assert_eq!([planes[0], planes[1]], [7.0, GREY], "a picture is never scaled to nothing");
    }

    #[test]
    fn a_picture_whose_bytes_do_not_fit_its_size_is_grey() {
        for (width, height) in [(0, 0), (3, 0), (4, 4)] {
            let odd = Picture { width, height, rgb: vec![1; 5] };
            assert_eq!(letterbox(&odd, 2, 2), (vec![GREY; 12], 1.0));
        }
    }
}
