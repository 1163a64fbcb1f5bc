//! The latest readings of all sources in one ring, for who looks at what a sensor said around an alert. Pure; a restart forgets it.

use std::collections::BTreeMap;
use std::sync::Arc;

use outpost_detectors::observation::Reading;

use super::names::Names;

/// Metrics, and units, that are told apart; readings of further ones are not kept. Fewer than a `u16` counts.
const NAMES_MAX: usize = 10_000;

/// Points of one series that are told; of more, the lowest and the highest of each stretch, so that no peak is lost.
const POINTS_MAX: usize = 2_000;

pub(super) struct Trail {
    ring: Vec<Entry>,
    /// The oldest, once the ring is full.
    next: usize,
    readings_max: usize,
    metrics: Names,
    units: Names,
}

#[derive(Clone, Copy)]
struct Entry {
    at_ms: i64,
    value: f64,
    source: u32,
    metric: u16,
    /// From 1; 0 without one.
    unit: u16,
}

/// What one source said between two times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// By metric and unit, in the order of their names.
    pub series: Vec<Series>,
    /// Device time of the oldest reading that is kept, of whatever source: what was before may have been more.
    pub kept_from_ms: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub metric: Arc<str>,
    pub unit: Option<Arc<str>>,
    /// Device time and value, in order of time.
    pub points: Vec<(i64, f64)>,
}

impl Trail {
    pub(super) fn new(readings_max: usize) -> Trail {
        let names = || Names::new(NAMES_MAX);
        Trail { ring: Vec::new(), next: 0, readings_max, metrics: names(), units: names() }
    }

    /// `source` is its number.
    pub(super) fn push(&mut self, source: usize, at_ms: i64, reading: &Reading) {
        if self.readings_max == 0 {
            return;
        }
        let unit = match &reading.unit {
            None => Some(0),
            Some(unit) => number(&mut self.units, unit).map(|number| number + 1),
        };
        let (Some(metric), Some(unit)) = (number(&mut self.metrics, &reading.metric), unit) else { return };
        // Sources are numbered below `u32::MAX`.
        let entry = Entry { at_ms, value: reading.value, source: source as u32, metric, unit };
        if self.ring.len() < self.readings_max {
            self.ring.push(entry);
        } else {
            self.ring[self.next] = entry;
            self.next = (self.next + 1) % self.readings_max;
        }
    }

    pub(super) fn trace(&self, source: usize, from_ms: i64, to_ms: i64) -> Trace {
        let is_asked = |entry: &&Entry| entry.source as usize == source && (from_ms..=to_ms).contains(&entry.at_ms);
        let (newer, older) = self.ring.split_at(self.next);
        let mut found: BTreeMap<(u16, u16), Vec<(i64, f64)>> = BTreeMap::new();
        for entry in older.iter().chain(newer).filter(is_asked) {
            found.entry((entry.metric, entry.unit)).or_default().push((entry.at_ms, entry.value));
        }
        let series = found.into_iter().filter_map(|((metric, unit), mut points)| {
            points.sort_by_key(|(at_ms, _)| *at_ms);
            let unit = unit.checked_sub(1).and_then(|unit| self.units.iter().nth(unit.into()));
            let metric = self.metrics.iter().nth(metric.into())?.clone();
            Some(Series { metric, unit: unit.cloned(), points: thinned(points) })
        });
        let mut series: Vec<Series> = series.collect();
        series.sort_by(|a, b| (&a.metric, &a.unit).cmp(&(&b.metric, &b.unit)));
        Trace { series, kept_from_ms: older.first().or(newer.first()).map(|entry| entry.at_ms) }
    }
}

fn number(names: &mut Names, name: &Arc<str>) -> Option<u16> {
    names.find(name).or_else(|| names.add(name)).and_then(|number| number.try_into().ok())
}

fn thinned(points: Vec<(i64, f64)>) -> Vec<(i64, f64)> {
    if points.len() <= POINTS_MAX {
        return points;
    }
    let stretch = points.len().div_ceil(POINTS_MAX / 2);
    let ends = |points: &[(i64, f64)]| {
        let of = |better: fn(&f64, &f64) -> bool| {
            let first = points.iter().copied();
            first.reduce(|found, one| if better(&one.1, &found.1) { one } else { found })
        };
        let mut ends: Vec<(i64, f64)> = [of(|a, b| a < b), of(|a, b| a > b)].into_iter().flatten().collect();
        ends.sort_by_key(|(at_ms, _)| *at_ms);
        ends.dedup();
        ends
    };
    points.chunks(stretch).flat_map(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(metric: &Arc<str>, value: f64) -> Reading {
        Reading { metric: metric.clone(), value, unit: None }
    }

    fn points(trail: &Trail, source: usize, from_ms: i64, to_ms: i64) -> Vec<(String, Vec<(i64, f64)>)> {
        let trace = trail.trace(source, from_ms, to_ms);
        trace.series.into_iter().map(|series| (series.metric.to_string(), series.points)).collect()
    }

    #[test]
    fn a_source_is_told_by_metric_within_the_times_in_order() {
        let mut trail = Trail::new(100);
        let [ch4, o2]: [Arc<str>; 2] = ["ch4", "o2"].map(Into::into);
        for (source, metric, at_ms, value) in
            [(0, &ch4, 10, 1.0), (0, &o2, 10, 20.9), (1, &ch4, 11, 9.0), (0, &ch4, 30, 3.0), (0, &ch4, 20, 2.0)]
        {
            trail.push(source, at_ms, &reading(metric, value));
        }
        let of_ch4 = ("ch4".to_owned(), vec![(10, 1.0), (20, 2.0), (30, 3.0)]);
        assert_eq!(points(&trail, 0, 0, 100), [of_ch4, ("o2".to_owned(), vec![(10, 20.9)])]);
        assert_eq!(points(&trail, 0, 15, 20), [("ch4".to_owned(), vec![(20, 2.0)])]);
        assert_eq!(points(&trail, 2, 0, 100), []);
    }

    #[test]
    fn the_oldest_make_room_whoever_said_them() {
        let (mut trail, metric) = (Trail::new(4), Arc::from("v"));
        assert_eq!(trail.trace(0, 0, 100).kept_from_ms, None);
        for at_ms in 0..10 {
            trail.push(usize::from(at_ms % 2 == 0), at_ms, &reading(&metric, at_ms as f64));
        }
        assert_eq!(points(&trail, 1, 0, 100), [("v".to_owned(), vec![(6, 6.0), (8, 8.0)])]);
        assert_eq!(trail.trace(1, 0, 100).kept_from_ms, Some(6));
        let mut none = Trail::new(0);
        none.push(0, 1, &reading(&metric, 1.0));
        assert_eq!(none.trace(0, 0, 100), Trace::default());
    }

    #[test]
    fn one_metric_in_two_units_is_two_series() {
        let mut trail = Trail::new(10);
        for (at_ms, unit) in [(1, Some("Cel")), (2, None), (3, Some("K")), (4, Some("Cel"))] {
            let reading = Reading { metric: "t".into(), value: 1.0, unit: unit.map(Into::into) };
            trail.push(0, at_ms, &reading);
        }
        let told = trail.trace(0, 0, 10).series;
        let told: Vec<_> = told.iter().map(|series| (series.unit.as_deref(), series.points.len())).collect();
        assert_eq!(told, [(None, 1), (Some("Cel"), 2), (Some("K"), 1)]);
    }

    #[test]
    fn a_long_series_keeps_its_peaks() {
        let (mut trail, metric) = (Trail::new(100_000), Arc::from("v"));
        for at_ms in 0..50_000 {
            let value = if at_ms == 31_234 { 99.0 } else { (at_ms % 7) as f64 };
            trail.push(0, at_ms, &reading(&metric, value));
        }
        let told = &points(&trail, 0, 0, 100_000)[0].1;
        assert!(told.len() <= POINTS_MAX, "{}", told.len());
        assert!(told.contains(&(31_234, 99.0)) && told.is_sorted_by_key(|(at_ms, _)| *at_ms));
    }
}
