//! What a rule detects: the registry of detector kinds as configuration writes them.

mod about;

use outpost_detectors::deviation::Season;
use outpost_detectors::observation::SightFault;
use serde::{Deserialize, Serialize};

use super::heat::{Backdrop, Grows, HotArea, Shield, Shows};
use super::movement::{Border, CrossDirection, Motion};
use super::picture::Things;
use super::{FenceNames, Span};

/// Severities of the Common Alerting Protocol 1.2, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Minor,
    Moderate,
    Severe,
    Extreme,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Detect {
    /// A reading above or below a limit.
    Threshold {
        /// Metric that is judged; `value` where a payload has only one.
        #[serde(default = "value_metric")]
        metric: String,
        above: Option<f64>,
        below: Option<f64>,
        /// Level at which the alert clears; the limit itself where absent.
        clear: Option<f64>,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        clear_hold: Span,
        /// Unit that readings must carry; others are rejected by the rule.
        unit: Option<String>,
    },
    /// A reading that changes faster than a limit, in units per second.
    Rate {
        #[serde(default = "value_metric")]
        metric: String,
        rise: Option<f64>,
        fall: Option<f64>,
        /// The slope is taken between readings at least so far apart.
        #[serde(default)]
        over: Span,
        /// Readings further apart than this are not compared.
        #[serde(default = "rate_gap")]
        gap_max: Span,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        clear_hold: Span,
        unit: Option<String>,
    },
    /// A reading that has not moved for so long, though readings came.
    Stuck {
        #[serde(default = "value_metric")]
        metric: String,
        after: Span,
        /// Movements up to this count as none.
        #[serde(default)]
        tolerance: f64,
        /// A longer pause between readings begins the wait anew; as long as `after` where absent.
        gap_max: Option<Span>,
        unit: Option<String>,
    },
    /// Readings above or below a limit, in at least `n` of the last `m`. Clears when none of the last `m` is.
    NOfM {
        #[serde(default = "value_metric")]
        metric: String,
        above: Option<f64>,
        below: Option<f64>,
        n: usize,
        m: usize,
        unit: Option<String>,
    },
    /// At least `n` readings within a span; with a limit, only those above or below it count.
    Count {
        #[serde(default = "value_metric")]
        metric: String,
        above: Option<f64>,
        below: Option<f64>,
        n: usize,
        within: Span,
        unit: Option<String>,
    },
    /// A reading far from what the source usually says, which is learned.
    Deviation {
        #[serde(default = "value_metric")]
        metric: String,
        /// Robust standard deviations from the usual that raise; half of them clear.
        #[serde(default = "sigma")]
        z: f64,
        /// After this time, what was learned weighs half.
        #[serde(default = "week")]
        half_life: Span,
        /// `day` and `week` learn each hour by itself.
        #[serde(default)]
        season: Season,
        /// Least standard deviation, in the reading's unit.
        #[serde(default)]
        floor: f64,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        clear_hold: Span,
        unit: Option<String>,
    },
    /// A reading that is unlike what this source ever said: its value, its course over the day and week, its noise. Learned
    /// without any limit.
    Anomaly {
        #[serde(default = "value_metric")]
        metric: String,
        /// Readings to learn from before anything is judged: two days' worth, better a week's.
        #[serde(default = "learn")]
        learn: u32,
        /// Least difference that means anything, in the reading's unit.
        #[serde(default)]
        resolution: f64,
        /// How far beyond what was there so far, in widths of that, a reading has to be.
        #[serde(default = "margin")]
        margin: f64,
        #[serde(default = "half_hour")]
        clear_hold: Span,
        unit: Option<String>,
    },
    /// Several readings of a source together, as a CEL expression over the latest of each.
    Condition {
        /// E.g. `ch4 > 1.0 && o2 < 19.5 && age.o2 < 60.0`.
        when: String,
        /// The alert clears when this holds; when `when` does not where absent.
        clear_when: Option<String>,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        clear_hold: Span,
        /// Units that readings of metrics must carry; others are rejected by the rule.
        #[serde(default)]
        units: Vec<UnitOf>,
    },
    /// Nothing came from the source for longer than this.
    Silent { after: Span },
    /// A camera without pictures for longer than this.
    Dark { after: Span },
    /// A position came into a map fence.
    Enter {
        fence: FenceNames,
        /// Whether who is first heard of inside has entered.
        #[serde(default = "yes")]
        found: bool,
        #[serde(default)]
        border: Border,
        #[serde(default)]
        motion: Motion,
    },
    /// A position that was inside a map fence left it.
    Exit {
        fence: FenceNames,
        #[serde(default)]
        border: Border,
        #[serde(default)]
        motion: Motion,
    },
    /// A position inside a map fence for longer than this.
    Inside {
        fence: FenceNames,
        #[serde(rename = "for")]
        longer_than: Span,
        #[serde(default)]
        border: Border,
        #[serde(default)]
        motion: Motion,
    },
    /// A position outside the map fence that it must stay in.
    Outside {
        fence: FenceNames,
        #[serde(rename = "for", default)]
        longer_than: Span,
        #[serde(default)]
        border: Border,
        #[serde(default)]
        motion: Motion,
    },
    /// A way over a line on the map: one that a fence file has, or one that is written here.
    Cross {
        /// Fences that are lines.
        fence: Option<FenceNames>,
        /// Longitudes and latitudes of its points, from its first to its last.
        line: Option<Vec<[f64; 2]>>,
        /// Both ways where absent.
        direction: Option<CrossDirection>,
        /// Who is nearer to the line than this is not over it, metres.
        #[serde(default = "line_buffer_m")]
        buffer_m: f64,
        /// The alert clears so long after the last crossing.
        #[serde(default = "one_minute")]
        clear_hold: Span,
        #[serde(default)]
        motion: Motion,
    },
    /// A position that stays about one place for longer than this.
    Dwell {
        /// Within this fence; anywhere where absent.
        fence: Option<FenceNames>,
        radius_m: f64,
        #[serde(rename = "for")]
        longer_than: Span,
        #[serde(default)]
        motion: Motion,
    },
    /// Faster than a limit inside a map fence.
    Speeding {
        fence: FenceNames,
        above_kmh: f64,
        /// The speed is taken between positions at least so far apart.
        #[serde(default = "speed_over")]
        over: Span,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        motion: Motion,
    },
    /// Two that move come near each other.
    Approach {
        /// Whom the rule's sources come near to; each other where absent.
        #[serde(default)]
        to: Vec<String>,
        radius_m: f64,
        /// Who is nearer than this beyond the radius is not away again, metres.
        #[serde(default = "approach_buffer_m")]
        exit_buffer_m: f64,
        /// Positions further apart in time than this are not compared.
        #[serde(default = "half_minute")]
        within: Span,
        #[serde(default)]
        motion: Motion,
    },
    /// A hot region in a thermal frame.
    Hotspot {
        /// Degrees Celsius that every pixel of the region exceeds.
        above: Option<f64>,
        /// Kelvin above the background.
        over_background: Option<f64>,
        #[serde(default)]
        background: Backdrop,
        /// Connected pixels that make a region.
        #[serde(default = "one")]
        pixels_min: usize,
        /// The whole picture where there are none.
        #[serde(default)]
        areas: Vec<HotArea>,
        #[serde(default)]
        shields: Vec<Shield>,
        /// Kelvin that the hottest pixel of one area may exceed that of another by.
        unlike: Option<f64>,
        /// So many of the last `of` frames must show a region; `of` is the same number where absent.
        #[serde(default = "one")]
        frames: usize,
        of: Option<usize>,
        grows: Option<Grows>,
        /// Largest way of the region's middle while it is seen, as a share of the picture's longer side.
        travels_max: Option<f32>,
        /// Least deviation of the region's size from frame to frame, as a share of it.
        flickers: Option<f32>,
        /// No part of what is looked at: a rule that shows more goes on with its state.
        #[serde(default, skip_serializing)]
        shows: Shows,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        clear_hold: Span,
    },
    /// Alerts of several rules that are open at the same place and time.
    Together {
        /// Identities of the rules whose alerts count.
        of: Vec<String>,
        /// So many of the rules, all where absent; where more than there are rules, so many sources.
        k: Option<usize>,
        /// An alert that cleared counts for so long.
        within: Span,
        /// Metres between the newest alert and the others; none where absent: all sources of the rule are one place.
        radius_m: Option<f64>,
    },
    /// Something moves in a zone of a camera's picture.
    Intrusion {
        zone: String,
        /// Time that something has to be in the zone.
        #[serde(default)]
        dwell: Span,
        #[serde(default)]
        things: Things,
        /// The alert clears when nothing moved in the zone for this long.
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
    /// One and the same thing stays in a zone of a camera's picture.
    Loitering {
        zone: String,
        #[serde(rename = "for")]
        longer_than: Span,
        #[serde(default)]
        things: Things,
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
    /// Many things in a zone of a camera's picture, or little room left there.
    Crowd {
        zone: String,
        /// So many things at a time.
        count: Option<usize>,
        /// They cover this share of the zone.
        share: Option<f32>,
        #[serde(default)]
        hold: Span,
        #[serde(default)]
        things: Things,
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
    /// Something crosses a line in a camera's picture.
    LineCrossing {
        line: String,
        /// Both ways where absent.
        direction: Option<CrossDirection>,
        /// Who is nearer to the line than this is not over it, as a share of the picture's height.
        #[serde(default = "band")]
        band: f32,
        #[serde(default)]
        things: Things,
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
    /// So many cross a line in a camera's picture within a quarter of an hour, an hour, a day of the clock (UTC).
    Counting {
        line: String,
        direction: Option<CrossDirection>,
        n: u64,
        per: Span,
        #[serde(default = "band")]
        band: f32,
        #[serde(default)]
        things: Things,
    },
    /// Something moves against the way that a line in a camera's picture leads.
    WrongWay {
        along: String,
        /// Within this zone; anywhere where absent.
        zone: Option<String>,
        /// So far, as a share of the picture's height.
        #[serde(default = "distance")]
        distance: f32,
        #[serde(default)]
        things: Things,
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
    /// Something was set down in a zone of a camera's picture and stands there.
    ObjectLeft {
        zone: String,
        #[serde(rename = "for")]
        longer_than: Span,
        #[serde(default = "Things::carried", deserialize_with = "Things::read_carried")]
        things: Things,
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
    /// Something that stood in a zone of a camera's picture is gone.
    ObjectRemoved {
        zone: String,
        #[serde(default = "one_second")]
        hold: Span,
        #[serde(default = "Things::carried", deserialize_with = "Things::read_carried")]
        things: Things,
        #[serde(default = "one_minute")]
        clear_hold: Span,
    },
    /// A camera sends pictures and does not see.
    Sight {
        fault: SightFault,
        /// 0s for `scene-change`, 10s for the others where absent.
        hold: Option<Span>,
        #[serde(default = "clear_hold")]
        clear_hold: Span,
    },
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UnitOf {
    pub metric: String,
    pub unit: String,
}

fn value_metric() -> String {
    "value".into()
}

fn rate_gap() -> Span {
    Span::from_ms(900_000)
}

fn learn() -> u32 {
    1_000
}

fn margin() -> f64 {
    0.25
}

fn half_hour() -> Span {
    Span::from_ms(1_800_000)
}

fn sigma() -> f64 {
    6.0
}

fn week() -> Span {
    Span::from_ms(7 * 86_400_000)
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn line_buffer_m() -> f64 {
    5.0
}

fn approach_buffer_m() -> f64 {
    10.0
}

fn half_minute() -> Span {
    Span::from_ms(30_000)
}

fn one_minute() -> Span {
    Span::from_ms(60_000)
}

fn speed_over() -> Span {
    Span::from_ms(10_000)
}

fn one_second() -> Span {
    Span::from_ms(1_000)
}

fn band() -> f32 {
    0.02
}

fn distance() -> f32 {
    0.1
}

fn clear_hold() -> Span {
    Span::from_ms(10_000)
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Minor => "minor",
            Severity::Moderate => "moderate",
            Severity::Severe => "severe",
            Severity::Extreme => "extreme",
        }
    }
}
