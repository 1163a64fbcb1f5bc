//! Rules about heat: the detector's parts put together as a rule has them, and the words and figures for what they saw. Pure.

use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::hotspot::areas::{Area, AreaHeat, Areas};
use outpost_detectors::hotspot::statistics::{BARS, Histogram};
use outpost_detectors::hotspot::trace::{Course, Flicker, Growth, Trace};
use outpost_detectors::hotspot::{Hotspot, HotspotError, HotspotScratch};
use outpost_detectors::latch::Signal;
use outpost_detectors::observation::{Aim, Scale, ThermalFrame};
use outpost_fences::track::calendar::Schedule;

use super::reading::figure;
use crate::config::{Active, Detect, Shows};
use crate::nouns::{Figure, SnapshotAsk, Why};

pub(super) struct Heating {
    looks_at: Areas,
    /// Names of the areas.
    names: Vec<Arc<str>>,
    /// When each shield is up; always where absent.
    shields: Vec<Option<Schedule>>,
    course: Course,
    shows: Shows,
}

/// What a frame showed, with the frame.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    sight: AreaHeat,
    celsius: Arc<Array2<f32>>,
    scale: Scale,
    aim: Option<Aim>,
    at_ms: i64,
}

/// Which pixel shows it, from the top left corner of the frame, and where the camera looked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixel {
    pub(super) row: f32,
    pub(super) column: f32,
    /// Rows and columns of the frame.
    pub(super) size: (usize, usize),
    pub(super) aim: Option<Aim>,
}

impl Heating {
    /// `schedule` makes the hours of a shield.
    pub(super) fn new(
        detect: &Detect,
        schedule: impl Fn(&Active) -> Result<Schedule, String>,
    ) -> Result<Heating, String> {
        let Detect::Hotspot {
            above,
            over_background,
            background,
            pixels_min,
            areas,
            shields,
            unlike,
            frames,
            of,
            grows,
            travels_max,
            flickers,
            shows,
            ..
        } = detect
        else {
            return Err("it is not about heat".into());
        };
        let hotspot = |above: Option<f64>, over: Option<f64>, pixels_min: usize| -> Result<Hotspot, HotspotError> {
            let hotspot = Hotspot::new(above.map(|c| c as f32), over.map(|k| k as f32), pixels_min)?;
            Ok(hotspot.with_background((*background).into()))
        };
        let told = |error: HotspotError| error.to_string();
        let area = |area: &crate::config::HotArea| {
            let (above, over) = match area.above.or(area.over_background) {
                Some(_) => (area.above, area.over_background),
                None => (*above, *over_background),
            };
            let hotspot = hotspot(above, over, area.pixels_min.unwrap_or(*pixels_min))?;
            Ok(Area { polygon: area.polygon.clone(), hotspot, surface: area.surface.map(Into::into) })
        };
        let whole =
            areas.is_empty().then(|| hotspot(*above, *over_background, *pixels_min)).transpose().map_err(told)?;
        let schedules = shields.iter().map(|shield| shield.active.as_ref().map(&schedule).transpose());
        Ok(Heating {
            looks_at: Areas {
                whole,
                areas: areas.iter().map(area).collect::<Result<_, _>>().map_err(told)?,
                shields: shields.iter().map(|shield| shield.polygon.clone()).collect(),
                unlike_k: unlike.map(|kelvin| kelvin as f32),
            },
            names: areas.iter().map(|area| area.name.as_str().into()).collect(),
            shields: schedules.collect::<Result<_, _>>()?,
            course: Course {
                frames: *frames,
                of: of.unwrap_or(*frames),
                grows: grows.map(|grows| Growth { factor: grows.factor, within_ms: grows.within.ms() }),
                travels_max: *travels_max,
                flickers: flickers.map(|share_min| Flicker { share_min }),
            },
            shows: *shows,
        })
    }

    /// Whether frames are remembered.
    pub(super) fn remembers(&self) -> bool {
        !self.course.is_momentary()
    }

    /// Frames to be shown beside the one of the moment.
    pub(super) fn shows(&self) -> Shows {
        self.shows
    }

    /// What the frame says, and what it showed where something is hot.
    pub(super) fn judge(
        &self,
        frame: &ThermalFrame,
        at_ms: i64,
        trace: Option<&mut Trace>,
        scratch: &mut HotspotScratch,
    ) -> (Signal, Option<Seen>) {
        let is_up = |number: usize| self.shields[number].as_ref().is_none_or(|schedule| schedule.is_on(at_ms));
        let sight = self.looks_at.judge(frame, is_up, scratch);
        let (rows, columns) = frame.celsius.dim();
        let signal = match trace {
            Some(trace) => self.course.judge(trace, at_ms, sight.signal, sight.heat.region.as_ref(), rows.max(columns)),
            None => sight.signal,
        };
        let seen = || Seen { sight, celsius: frame.celsius.clone(), scale: frame.scale, aim: frame.aim, at_ms };
        let seen = (sight.signal == Signal::On).then(seen);
        (signal, seen)
    }

    pub(super) fn why(&self, seen: &Seen, held: &str) -> Why {
        let AreaHeat { heat, area, coolest, .. } = seen.sight;
        let place = area.map(|area| format!("{}: ", self.names[area])).unwrap_or_default();
        let (max_c, background_c) = (heat.region.map(|region| region.max_c).or(heat.max_c()), heat.background_c);
        let max_c = max_c.unwrap_or(f32::NAN);
        let told = |c: f32| match seen.scale {
            Scale::Celsius => format!("{c:.1} °C"),
            Scale::Levels => format!("level {c:.0} of 255"),
        };
        let over = background_c.map(|c| format!(" over a background of {}", told(c))).unwrap_or_default();
        let size = heat.region.map(|region| format!(", {} pixels", region.n_pixels)).unwrap_or_default();
        let unlike = coolest.map(|(coolest, over_k)| format!(", {over_k:.1} K over {}", self.names[coolest]));
        let relative = match seen.scale {
            Scale::Celsius => "",
            Scale::Levels => " (white-hot video: warmer than around it, by no known degrees)",
        };
        let text = format!("{place}{}{over}{size}{}{relative}{held}", told(max_c), unlike.unwrap_or_default());
        Why { text, figures: figures(seen) }
    }
}

impl Seen {
    /// The middle of the hot region, or without one the hottest pixel.
    pub(super) fn pixel(&self) -> Option<Pixel> {
        let heat = self.sight.heat;
        let hottest = heat.statistics.range.map(|range| (range.hottest.0 as f32, range.hottest.1 as f32));
        let (row, column) = heat.region.map(|region| region.centroid).or(hottest)?;
        Some(Pixel { row: row + 0.5, column: column + 0.5, size: self.celsius.dim(), aim: self.aim })
    }

    /// Device time of the frame.
    pub(super) fn at_ms(&self) -> i64 {
        self.at_ms
    }

    pub(super) fn snapshot(&self) -> SnapshotAsk {
        SnapshotAsk::Heat { celsius: self.celsius.clone(), regions: self.sight.heat.region.into_iter().collect() }
    }
}

/// Of the area that is hot; the histogram is that of the whole frame: how many pixels lie in each of equal steps.
fn figures(seen: &Seen) -> Vec<Figure> {
    let unit = (seen.scale == Scale::Celsius).then_some("Cel");
    let degrees = |name, celsius: f32| figure(name, f64::from(celsius), unit);
    let heat = seen.sight.heat;
    let mut figures = Vec::new();
    if let Some(region) = heat.region {
        figures.extend([degrees("max", region.max_c), degrees("region mean", region.mean_c)]);
        figures.push(figure("pixels", region.n_pixels as f64, None));
    }
    if let Some((_, over_k)) = seen.sight.coolest {
        figures.push(figure("unlike", f64::from(over_k), Some("K")));
    }
    figures.extend(heat.background_c.map(|celsius| degrees("background", celsius)));
    if let Some(range) = heat.statistics.range {
        figures.extend([
            degrees("coldest", range.min_c),
            degrees("mean", range.mean_c),
            degrees("hottest", range.max_c),
        ]);
    }
    figures.push(figure("bad pixels", heat.statistics.n_bad as f64, None));
    if let Some(Histogram { from_c, to_c, counts }) = Histogram::of(seen.celsius.view()) {
        let step_k = (to_c - from_c) / BARS as f32;
        figures.extend(counts.iter().enumerate().map(|(bar, &n)| {
            Figure {
                name: format!(
                    "pixels from {:.1}{}",
                    from_c + bar as f32 * step_k,
                    if unit.is_some() { " Cel" } else { "" }
                )
                .into(),
                value: f64::from(n),
                unit: None,
            }
        }));
    }
    figures
}
