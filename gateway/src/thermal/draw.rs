//! Draws temperatures: a perceptual palette, a scale bar with its degrees, the hottest point, boxes around regions.

use image::{Rgb, RgbImage};
use ndarray::ArrayView2;
use outpost_detectors::hotspot::Region;
use outpost_detectors::hotspot::statistics::Statistics;

/// Small frames are drawn larger, by whole pixels, until their longer side has this many.
const SIDE_MIN: usize = 480;
const BAR_WIDTH: u32 = 16;
const MARGIN: u32 = 8;
const GLYPH: (u32, u32) = (3, 5);
const GLYPH_SCALE: u32 = 2;
/// Characters of the longest label, `-100.0`.
const LABEL_CHARS: u32 = 6;
/// A scale never spans less: noise of a tenth of a kelvin is no picture.
const SPAN_MIN_K: f32 = 1.0;

const JPEG_QUALITY: u8 = 90;

const PAPER: Rgb<u8> = Rgb([24, 24, 24]);
const INK: Rgb<u8> = Rgb([255, 255, 255]);
const SHADE: Rgb<u8> = Rgb([0, 0, 0]);
const BOX: Rgb<u8> = Rgb([64, 255, 160]);
/// Pixels without a temperature, in no colour of the palette.
const BAD: Rgb<u8> = Rgb([0, 160, 0]);

/// The frame in colours, with its scale bar to the right. `celsius` is by row and column; a frame without pixels gives the
/// bar alone.
pub fn draw(celsius: ArrayView2<f32>, regions: &[Region]) -> RgbImage {
    let (rows, columns) = celsius.dim();
    let enlarge = (SIDE_MIN / rows.max(columns).max(1)).max(1);
    let (width, height) = ((columns * enlarge) as u32, ((rows * enlarge) as u32).max(SIDE_MIN as u32 / 4));
    let label_width = LABEL_CHARS * (GLYPH.0 + 1) * GLYPH_SCALE;
    let mut picture = RgbImage::from_pixel(width + 3 * MARGIN + BAR_WIDTH + label_width, height, PAPER);
    let range = Statistics::of(celsius).range;
    let (low_c, high_c) = range.map_or((0.0, SPAN_MIN_K), |range| scale(range.min_c, range.max_c));
    for ((row, column), &pixel_c) in celsius.indexed_iter() {
        let colour = if pixel_c.is_finite() { inferno((pixel_c - low_c) / (high_c - low_c)) } else { BAD };
        let (left, top) = ((column * enlarge) as u32, (row * enlarge) as u32);
        fill(&mut picture, (left, top), (enlarge as u32, enlarge as u32), colour);
    }
    for region in regions {
        let corner = |column: usize, row: usize| ((column * enlarge) as u32, (row * enlarge) as u32);
        let (from, to) =
            (corner(region.column_first, region.row_first), corner(region.column_last + 1, region.row_last + 1));
        frame(&mut picture, from, (to.0.min(width), to.1.min(height)), BOX);
    }
    if let Some((row, column)) = range.map(|range| range.hottest) {
        let middle = |at: usize| (at * enlarge + enlarge / 2) as u32;
        cross(&mut picture, (middle(column), middle(row)), width);
    }
    bar(&mut picture, width + MARGIN, (low_c, high_c));
    picture
}

/// The same as a JPEG, for evidence; none where it cannot be written.
pub fn jpeg(celsius: ArrayView2<f32>, regions: &[Region]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    draw(celsius, regions).write_with_encoder(encoder).ok()?;
    Some(bytes)
}

/// Ends of the scale bar, in degrees Celsius.
fn scale(min_c: f32, max_c: f32) -> (f32, f32) {
    let short = (SPAN_MIN_K - (max_c - min_c)).max(0.0);
    (min_c - short / 2.0, max_c + short / 2.0)
}

/// Matplotlib's palette inferno (CC0) at 0..1, dark to light and even to the eye; by a polynomial of sixth degree, which is
/// nowhere further than 4 of 255 from the table.
fn inferno(share: f32) -> Rgb<u8> {
    const TERMS: [[f32; 3]; 7] = [
        [0.000_218_94, 0.001_651, -0.019_480_9],
        [0.106_513_42, 0.563_956_44, 3.932_712_4],
        [11.602_493, -3.972_854, -15.942_394],
        [-41.704, 17.4364, 44.354_145],
        [77.162_94, -33.402_36, -81.807_31],
        [-71.319_43, 32.626_064, 73.209_52],
        [25.131_126, -12.242_669, -23.070_325],
    ];
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let level = |channel: usize| TERMS.iter().rev().fold(0.0, |sum, term| sum * share + term[channel]);
    Rgb([0, 1, 2].map(|channel| (level(channel) * 255.0).round().clamp(0.0, 255.0) as u8))
}

fn bar(picture: &mut RgbImage, left: u32, (low_c, high_c): (f32, f32)) {
    let (top, height) = (MARGIN, picture.height() - 2 * MARGIN);
    for y in 0..height {
        let share = 1.0 - y as f32 / (height - 1) as f32;
        fill(picture, (left, top + y), (BAR_WIDTH, 1), inferno(share));
    }
    let text_height = GLYPH.1 * GLYPH_SCALE;
    for share in [0.0, 0.25, 0.5, 0.75, 1.0_f32] {
        let y = top + ((1.0 - share) * (height - text_height) as f32) as u32;
        write(picture, (left + BAR_WIDTH + MARGIN, y), &format!("{:.1}", low_c + share * (high_c - low_c)));
    }
}

fn fill(picture: &mut RgbImage, (left, top): (u32, u32), (width, height): (u32, u32), colour: Rgb<u8>) {
    for y in top..(top + height).min(picture.height()) {
        for x in left..(left + width).min(picture.width()) {
            picture.put_pixel(x, y, colour);
        }
    }
}

fn frame(picture: &mut RgbImage, from: (u32, u32), to: (u32, u32), colour: Rgb<u8>) {
    let (width, height) = (to.0.saturating_sub(from.0), to.1.saturating_sub(from.1));
    for (corner, size) in [
        (from, (width, 1)),
        ((from.0, to.1.saturating_sub(1)), (width, 1)),
        (from, (1, height)),
        ((to.0.saturating_sub(1), from.1), (1, height)),
    ] {
        fill(picture, corner, size, colour);
    }
}

/// White on a dark edge, open in the middle, so that it shows on every colour and hides no pixel that it marks.
fn cross(picture: &mut RgbImage, (x, y): (u32, u32), width: u32) {
    for (half, colour) in [(2_i64, SHADE), (0, INK)] {
        for along in (-11_i64..=11).filter(|along: &i64| along.abs() > 3) {
            for across in -half / 2..=half / 2 {
                for (dx, dy) in [(along, across), (across, along)] {
                    let (x, y) = (i64::from(x) + dx, i64::from(y) + dy);
                    if (0..i64::from(width)).contains(&x) && (0..i64::from(picture.height())).contains(&y) {
                        picture.put_pixel(x as u32, y as u32, colour);
                    }
                }
            }
        }
    }
}

/// Digits, sign and point of a small type of three by five dots; each row's three bits, top row first.
fn glyph(letter: char) -> [u8; 5] {
    match letter {
        '0' => [7, 5, 5, 5, 7],
        '1' => [2, 6, 2, 2, 7],
        '2' => [7, 1, 7, 4, 7],
        '3' => [7, 1, 7, 1, 7],
        '4' => [5, 5, 7, 1, 1],
        '5' => [7, 4, 7, 1, 7],
        '6' => [7, 4, 7, 5, 7],
        '7' => [7, 1, 1, 2, 2],
        '8' => [7, 5, 7, 5, 7],
        '9' => [7, 5, 7, 1, 7],
        '-' => [0, 0, 7, 0, 0],
        '.' => [0, 0, 0, 0, 2],
        _ => [0; 5],
    }
}

fn write(picture: &mut RgbImage, (left, top): (u32, u32), text: &str) {
    for (n, letter) in text.chars().enumerate() {
        for (row, bits) in glyph(letter).iter().enumerate() {
            for column in (0..GLYPH.0).filter(|column| bits >> (GLYPH.0 - 1 - column) & 1 == 1) {
                let x = left + (n as u32 * (GLYPH.0 + 1) + column) * GLYPH_SCALE;
                fill(picture, (x, top + row as u32 * GLYPH_SCALE), (GLYPH_SCALE, GLYPH_SCALE), INK);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use outpost_detectors::hotspot::{Hotspot, HotspotScratch};

    use super::*;

    fn brightness(colour: Rgb<u8>) -> f32 {
        let [r, g, b] = colour.0.map(f32::from);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn hotter_is_never_darker() {
        let levels: Vec<f32> = (0..=100).map(|percent| brightness(inferno(percent as f32 / 100.0))).collect();
        assert!(levels.windows(2).all(|pair| pair[1] >= pair[0] - 1.0), "{levels:?}");
        assert!(levels[0] < 5.0 && levels[100] > 230.0);
    }

    #[test]
    fn the_hot_region_is_boxed_and_its_hottest_point_crossed() {
        let mut celsius = Array2::from_elem((60, 80), 20.0_f32);
        for at in (30..40).flat_map(|row| (40..60).map(move |column| (row, column))) {
            celsius[at] = 70.0;
        }
        (celsius[[35, 50]], celsius[[0, 0]]) = (80.0, f32::NAN);
        let hotspot = Hotspot::new(Some(60.0), None, 4).unwrap();
        let regions = hotspot.regions(celsius.view(), &mut HotspotScratch::default());
        let picture = draw(celsius.view(), &regions);
        let enlarged = 6;
        assert_eq!(*picture.get_pixel(0, 0), BAD);
        assert_eq!(*picture.get_pixel(40 * enlarged, 30 * enlarged), BOX);
        assert_eq!(*picture.get_pixel(60 * enlarged - 1, 40 * enlarged - 1), BOX);
        assert_eq!(*picture.get_pixel(50 * enlarged + 3 + 8, 35 * enlarged + 3), INK);
        assert_eq!(*picture.get_pixel(50 * enlarged + 3, 35 * enlarged + 3), inferno(1.0));
        assert_eq!(*picture.get_pixel(70 * enlarged, 50 * enlarged), inferno(0.0));
    }

    #[test]
    fn frames_of_every_size_are_drawn() {
        for (rows, columns) in [(0, 0), (1, 1), (8, 8), (1, 1024), (1024, 1)] {
            let celsius = Array2::from_elem((rows, columns), -120.0_f32);
            assert!(draw(celsius.view(), &[]).width() > columns as u32);
        }
    }
}
