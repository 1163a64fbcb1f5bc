//! Claims about flame and smoke, on scenes that are drawn.

use ndarray::Array2;

use super::cells::Planes;
use super::*;

const ROWS: usize = 90;
const COLUMNS: usize = 160;

/// Levels of one cell: brightness, blue and red difference.
type Level = [f32; 3];

const GRASS: Level = [95.0, 118.0, 124.0];
const WALL: Level = [120.0, 128.0, 128.0];

/// Even noise of ±2 levels, the same in every run.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as f32 / 65_536.0
    }
}

/// Six seconds of a scene, ten pictures a second; `level` is of row, column and picture.
fn evidence(masks: Vec<Vec<[f32; 2]>>, level: impl Fn(usize, usize, usize, &mut Noise) -> Level) -> Evidence {
    let (mut closeup, mut noise) = (Closeup::new(masks), Noise(7));
    for picture in 0..60 {
        let mut planes = [0, 1, 2].map(|_| Array2::<u8>::zeros((ROWS, COLUMNS)));
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let levels = level(row, column, picture, &mut noise);
                for (plane, level) in planes.iter_mut().zip(levels) {
                    plane[(row, column)] = (level + 3.0 * noise.next() - 1.5).clamp(0.0, 255.0) as u8;
                }
            }
        }
        let planes = Planes { luma: planes[0].view(), cb: planes[1].view(), cr: planes[2].view() };
        closeup.look(&planes, picture as i64 * 100);
    }
    closeup.evidence()
}

fn is_within(row: usize, column: usize, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> bool {
    rows.contains(&row) && columns.contains(&column)
}

/// Flickers between orange and yellow, and is as high as the picture is late.
fn blaze(row: usize, column: usize, picture: usize, noise: &mut Noise) -> Level {
    if is_within(row, column, 60 - picture / 4..64, 70..90) {
        return [140.0 + 80.0 * noise.next(), 70.0, 170.0];
    }
    GRASS
}

#[test]
fn a_blaze_is_seen_where_it_is_and_grows() {
    let Evidence::Flame(sign) = evidence(Vec::new(), blaze) else { panic!("no flame") };
    let [blaze] = sign.boxes[..] else { panic!("{:?}", sign.boxes) };
    assert!((blaze.left - 70.0 / 160.0).abs() < 0.02 && (blaze.right - 90.0 / 160.0).abs() < 0.02, "{blaze:?}");
    assert!(blaze.bottom > 0.69 && blaze.top < 0.6, "{blaze:?}");
    assert!(sign.growth > 1.5 && sign.flicker_hz > 3.0, "{sign:?}");
}

#[test]
fn nothing_is_looked_for_under_a_mask() {
    let mask = vec![vec![[0.4, 0.3], [0.6, 0.3], [0.6, 0.8], [0.4, 0.8]]];
    assert_eq!(evidence(mask, blaze), Evidence::Neither);
}

#[test]
fn what_is_red_and_still_or_passes_is_no_flame() {
    let paint = |row, column, _, _: &mut Noise| {
        if is_within(row, column, 30..60, 40..90) { [150.0, 80.0, 185.0] } else { GRASS }
    };
    assert_eq!(evidence(Vec::new(), paint), Evidence::Neither);
    let van = |row, column, picture: usize, _: &mut Noise| {
        let left = picture * 3;
        if is_within(row, column, 50..62, left..left + 20) { [150.0, 80.0, 185.0] } else { GRASS }
    };
    assert_eq!(evidence(Vec::new(), van), Evidence::Neither);
}

/// A soft grey plume that drifts upwards: brightness goes slowly up and down.
fn plume(row: usize, column: usize, picture: usize, _: &mut Noise) -> Level {
    let across = (column as f32 - 80.0) / 18.0;
    let is_in_it = row < 60 && across.abs() < 2.5;
    let thickness = if is_in_it { (-across * across).exp() } else { 0.0 };
    let drift = (row as f32 * 0.12 + picture as f32 * 0.15).sin();
    [120.0 + thickness * (50.0 + 25.0 * drift), 128.0 - 10.0 * (1.0 - thickness), 128.0]
}

#[test]
fn a_plume_that_drifts_is_smoke() {
    let Evidence::Smoke(sign) = evidence(Vec::new(), plume) else { panic!("no smoke") };
    let plume = sign.boxes[0];
    assert!(plume.left > 0.3 && plume.right < 0.7 && plume.bottom < 0.75, "{plume:?}");
    assert!(sign.share > 0.05, "{sign:?}");
}

#[test]
fn a_picture_that_becomes_brighter_as_a_whole_is_no_smoke() {
    let dawn = |_, column: usize, picture: usize, _: &mut Noise| {
        let level = 90.0 + picture as f32 * 0.8;
        if column < 40 { [level, 110.0, 140.0] } else { [level, 127.0, 129.0] }
    };
    assert_eq!(evidence(Vec::new(), dawn), Evidence::Neither);
}

#[test]
fn who_walks_through_is_no_smoke() {
    let walker = |row, column, picture: usize, _: &mut Noise| {
        let left = 10 + picture * 2;
        if is_within(row, column, 40..70, left..left + 10) { [80.0, 127.0, 129.0] } else { WALL }
    };
    // The wall has no colour at all; a door in it has.
    let scene = |row, column, picture, noise: &mut Noise| {
        if column < 30 { [110.0, 100.0, 150.0] } else { walker(row, column, picture, noise) }
    };
    assert_eq!(evidence(Vec::new(), scene), Evidence::Neither);
}

#[test]
fn what_cannot_be_told_is_said() {
    assert_eq!(Closeup::default().evidence(), Evidence::Unclear(Unclear::TooFewPictures));
    assert_eq!(evidence(Vec::new(), |_, _, _, _| [120.0, 128.5, 128.5]), Evidence::Unclear(Unclear::Colourless));
    let night =
        |_, column: usize, _, _: &mut Noise| if column < 40 { [30.0, 110.0, 140.0] } else { [25.0, 120.0, 130.0] };
    assert_eq!(evidence(Vec::new(), night), Evidence::Unclear(Unclear::Dark));
    // A fire at night is seen as one.
    let camp = |row, column, picture, noise: &mut Noise| match blaze(row, column, picture, noise) {
        GRASS => [20.0, 120.0, 130.0],
        fire => fire,
    };
    assert!(matches!(evidence(Vec::new(), camp), Evidence::Flame(_)));
}

#[test]
fn pictures_are_bounded_and_another_size_or_an_earlier_time_begins_anew() {
    let plane = |side: usize| Array2::<u8>::from_elem((side, side), 100);
    let (large, small) = (plane(64), plane(32));
    let mut closeup = Closeup::default();
    let mut look = |plane: &Array2<u8>, at_ms: i64| {
        closeup.look(&Planes { luma: plane.view(), cb: plane.view(), cr: plane.view() }, at_ms);
        (closeup.pictures.len(), closeup.span_ms(), closeup.is_full())
    };
    for at_ms in 0..200 {
        look(&large, at_ms * 50);
    }
    assert!(!look(&large, 10_000).2 && look(&large, 10_100).0 < PICTURES_MAX);
    for at_ms in 1_000..2_000 {
        look(&large, at_ms * 50);
    }
    assert_eq!(look(&large, 200_000).0, PICTURES_MAX);
    assert_eq!(look(&small, 200_100), (1, 0, false));
    assert_eq!(look(&small, 5), (1, 0, false), "the clock was set back");
}
