//! Areas of a picture with limits of their own, areas that are shielded, and areas that are compared with each other.

use ndarray::ArrayView2;

use super::grey::Correction;
use super::{Heat, Hotspot, HotspotScratch};
use crate::latch::Signal;
use crate::observation::{Surface, ThermalFrame};

/// A polygon in the picture, 0..1, x right, y down; even-odd where it crosses itself. A pixel belongs to it whose middle
/// does.
pub type Polygon = Vec<[f32; 2]>;

#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    pub polygon: Polygon,
    pub hotspot: Hotspot,
    /// Where the imager took the surface for another one.
    pub surface: Option<Surface>,
}

/// What is looked at: areas, or where there are none the whole picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Areas {
    /// Of the whole picture, where no areas are given.
    pub whole: Option<Hotspot>,
    pub areas: Vec<Area>,
    /// Pixels in there are not looked at while the shield is up.
    pub shields: Vec<Polygon>,
    /// Kelvin that the hottest pixel of an area may exceed that of the coolest area by: phases of one line, bearings of one
    /// shaft are as warm as each other.
    pub unlike_k: Option<f32>,
}

/// What the areas showed, and which of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AreaHeat {
    pub signal: Signal,
    /// Of the area that is hot; where none is, of the one with the hottest pixel.
    pub heat: Heat,
    pub area: Option<usize>,
    /// The area whose hottest pixel is the coolest, and by how much, where areas are compared.
    pub coolest: Option<(usize, f32)>,
}

impl Areas {
    /// `is_up` says of each shield whether it is up now.
    pub fn judge(&self, frame: &ThermalFrame, is_up: impl Fn(usize) -> bool, scratch: &mut HotspotScratch) -> AreaHeat {
        let view = frame.celsius.view();
        let shields: Vec<&Polygon> =
            self.shields.iter().enumerate().filter(|(number, _)| is_up(*number)).map(|(_, polygon)| polygon).collect();
        if let Some(whole) = self.whole {
            let heat = match shields.is_empty() {
                true => whole.judge(view, scratch),
                false => judge_within(whole, view, None, &shields, None, scratch),
            };
            return AreaHeat { signal: heat.signal, heat, area: None, coolest: None };
        }
        let heats: Vec<Heat> = self
            .areas
            .iter()
            .map(|area| {
                let correction = area.surface.and_then(|surface| Correction::new(frame.surface, surface));
                judge_within(area.hotspot, view, Some(&area.polygon), &shields, correction, scratch)
            })
            .collect();
        self.sum_up(&heats)
    }

    fn sum_up(&self, heats: &[Heat]) -> AreaHeat {
        let max_c = |number: &usize| heats[*number].max_c();
        let by_heat = |a: &usize, b: &usize| max_c(a).partial_cmp(&max_c(b)).unwrap_or(std::cmp::Ordering::Equal);
        let seen = || (0..heats.len()).filter(|number| max_c(number).is_some());
        let hot = seen().filter(|&number| heats[number].signal == Signal::On).max_by(by_heat);
        let (hottest, coolest) = (seen().max_by(by_heat), seen().min_by(by_heat));
        let apart = hottest.zip(coolest).and_then(|(hottest, coolest)| {
            let over_k = max_c(&hottest)? - max_c(&coolest)?;
            self.unlike_k.is_some_and(|limit_k| over_k > limit_k).then_some((coolest, over_k))
        });
        let area = hot.or(hottest);
        let signal = match (hot, apart) {
            (None, None) if heats.iter().any(|heat| heat.signal == Signal::Off) => Signal::Off,
            (None, None) => Signal::Between,
            _ => Signal::On,
        };
        let heat = area.map_or_else(Heat::default, |number| heats[number]);
        AreaHeat { signal, heat, area, coolest: apart }
    }
}

/// Judges the pixels in the polygon, where there is one, and in no shield. What the frame's background and statistics are is
/// said of these alone.
fn judge_within(
    hotspot: Hotspot,
    frame: ArrayView2<f32>,
    polygon: Option<&Polygon>,
    shields: &[&Polygon],
    correction: Option<Correction>,
    scratch: &mut HotspotScratch,
) -> Heat {
    let (rows, columns) = frame.dim();
    let mut within = std::mem::take(&mut scratch.within);
    within.clear();
    within.resize(rows * columns, f32::NAN);
    let mut spans = Vec::new();
    let mut n_within = 0;
    for row in 0..rows {
        let middle = |at: usize, of: usize| (at as f32 + 0.5) / of as f32;
        let line = &mut within[row * columns..(row + 1) * columns];
        spans_of(polygon, middle(row, rows), columns, &mut spans);
        for &(from, to) in &spans {
            for column in from..to {
                let pixel_c = frame[[row, column]];
                line[column] = correction.map_or(pixel_c, |correction| correction.apply(pixel_c));
            }
        }
        n_within += spans.iter().map(|(from, to)| to - from).sum::<usize>();
        for &shield in shields {
            let (before, n_before) = (std::mem::take(&mut spans), n_within);
            spans_of(Some(shield), middle(row, rows), columns, &mut spans);
            for &(from, to) in &spans {
                // Marked as outside, which is not the same as bad.
                let covered = line[from..to].iter_mut().zip(from..);
                n_within -= covered
                    .filter(|(_, column)| before.iter().any(|(from, to)| (from..to).contains(&column)))
                    .map(|(pixel_c, _)| *pixel_c = OUTSIDE)
                    .count();
            }
            debug_assert!(n_within <= n_before);
            spans = before;
        }
    }
    let n_outside = rows * columns - n_within;
    let heat = hotspot.judge_pixels(&within, columns, n_outside, scratch);
    scratch.within = within;
    heat
}

/// Not finite, as bad pixels are.
const OUTSIDE: f32 = f32::NEG_INFINITY;

/// Columns from..to whose middles lie in the polygon, at the height `y` (0..1); all of them without a polygon.
fn spans_of(polygon: Option<&Polygon>, y: f32, columns: usize, spans: &mut Vec<(usize, usize)>) {
    spans.clear();
    let Some(polygon) = polygon else { return spans.push((0, columns)) };
    let mut crossings: Vec<f32> = polygon
        .iter()
        .zip(polygon.iter().cycle().skip(1))
        .filter(|(from, to)| (from[1] <= y) != (to[1] <= y))
        .map(|(from, to)| from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]))
        .collect();
    crossings.sort_by(f32::total_cmp);
    for pair in crossings.chunks_exact(2) {
        // The first middle at or after a crossing. Casts saturate: what lies outside ends at the border.
        let first = |x: f32| ((x * columns as f32 - 0.5).ceil().max(0.0) as usize).min(columns);
        let (from, to) = (first(pair[0]), first(pair[1]));
        if from < to {
            spans.push((from, to));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;

    use ndarray::Array2;

    use super::*;
    use crate::observation::Scale;

    /// Sets a rectangle of pixels.
    fn fill(frame: &mut Array2<f32>, rows: Range<usize>, columns: Range<usize>, celsius: f32) {
        rows.flat_map(|row| columns.clone().map(move |column| (row, column))).for_each(|at| frame[at] = celsius);
    }

    fn rectangle(left: f32, top: f32, right: f32, bottom: f32) -> Polygon {
        vec![[left, top], [right, top], [right, bottom], [left, bottom]]
    }

    fn area(polygon: Polygon, above_c: f32) -> Area {
        Area { polygon, hotspot: Hotspot::new(Some(above_c), None, 2).unwrap(), surface: None }
    }

    fn frame(celsius: Array2<f32>) -> ThermalFrame {
        let surface = Surface { emissivity: 0.95, reflected_c: 20.0 };
        ThermalFrame { celsius: Arc::new(celsius), scale: Scale::default(), surface, aim: None }
    }

    fn judge(areas: &Areas, frame: &ThermalFrame) -> AreaHeat {
        areas.judge(frame, |_| true, &mut HotspotScratch::default())
    }

    /// Three phases side by side, each 4 columns of 12, at these temperatures.
    fn phases(celsius: [f32; 3]) -> ThermalFrame {
        let mut picture = Array2::from_elem((10, 12), 15.0_f32);
        for (number, celsius) in celsius.into_iter().enumerate() {
            fill(&mut picture, 2..8, number * 4 + 1..number * 4 + 3, celsius);
        }
        frame(picture)
    }

    fn three_areas(above_c: [f32; 3]) -> Vec<Area> {
        let polygon = |number: usize| rectangle(number as f32 / 3.0, 0.0, (number + 1) as f32 / 3.0, 1.0);
        (0..3).map(|number| area(polygon(number), above_c[number])).collect()
    }

    #[test]
    fn each_area_has_limits_of_its_own() {
        let areas = Areas { areas: three_areas([50.0, 90.0, 90.0]), ..Areas::default() };
        let sight = judge(&areas, &phases([40.0, 80.0, 60.0]));
        assert_eq!((sight.signal, sight.area), (Signal::Off, Some(1)));
        let sight = judge(&areas, &phases([55.0, 80.0, 60.0]));
        assert_eq!((sight.signal, sight.area, sight.heat.max_c()), (Signal::On, Some(0), Some(55.0)));
        let region = sight.heat.region.unwrap();
        assert_eq!((region.row_first, region.row_last, region.column_first, region.column_last), (2, 7, 1, 2));
    }

    #[test]
    fn a_phase_that_is_warmer_than_the_others_is_named() {
        let areas = Areas { areas: three_areas([90.0; 3]), unlike_k: Some(15.0), ..Areas::default() };
        assert_eq!(judge(&areas, &phases([40.0, 42.0, 50.0])).signal, Signal::Off);
        let sight = judge(&areas, &phases([40.0, 42.0, 58.0]));
        assert_eq!((sight.signal, sight.area, sight.coolest), (Signal::On, Some(2), Some((0, 18.0))));
    }

    #[test]
    fn a_shield_hides_what_is_behind_it_while_it_is_up() {
        let mut picture = Array2::from_elem((20, 20), 15.0_f32);
        fill(&mut picture, 2..6, 2..6, 300.0);
        let picture = frame(picture);
        let areas = Areas {
            whole: Some(Hotspot::new(Some(60.0), None, 2).unwrap()),
            shields: vec![rectangle(0.05, 0.05, 0.35, 0.35)],
            ..Areas::default()
        };
        let sight = judge(&areas, &picture);
        assert_eq!((sight.signal, sight.heat.max_c(), sight.heat.statistics.n_bad), (Signal::Off, Some(15.0), 0));
        let sight = areas.judge(&picture, |_| false, &mut HotspotScratch::default());
        assert_eq!((sight.signal, sight.heat.max_c()), (Signal::On, Some(300.0)));
        let within = Areas { areas: vec![area(rectangle(0.0, 0.0, 0.5, 0.5), 60.0)], whole: None, ..areas };
        assert_eq!(judge(&within, &picture).signal, Signal::Off);
    }

    #[test]
    fn bright_metal_is_hotter_than_it_looks() {
        let metal = Surface { emissivity: 0.3, reflected_c: 20.0 };
        let mut one = area(rectangle(0.0, 0.0, 0.3, 1.0), 70.0);
        let picture = phases([40.0, 15.0, 15.0]);
        assert_eq!(judge(&Areas { areas: vec![one.clone()], ..Areas::default() }, &picture).signal, Signal::Off);
        one.surface = Some(metal);
        let sight = judge(&Areas { areas: vec![one], ..Areas::default() }, &picture);
        assert_eq!(sight.signal, Signal::On);
        assert!(sight.heat.max_c().unwrap() > 72.0, "{sight:?}");
    }

    #[test]
    fn an_area_that_shows_nothing_says_nothing() {
        let areas = Areas { areas: vec![area(rectangle(2.0, 2.0, 3.0, 3.0), 60.0)], ..Areas::default() };
        assert_eq!(judge(&areas, &phases([90.0; 3])).signal, Signal::Between);
        let bad = frame(Array2::from_elem((4, 4), f32::NAN));
        let areas = Areas { areas: three_areas([60.0; 3]), unlike_k: Some(1.0), ..Areas::default() };
        assert_eq!((judge(&areas, &bad).signal, judge(&areas, &bad).area), (Signal::Between, None));
    }
}
