//! What must hold of the limits of rules that judge readings.

use outpost_detectors::anomaly::AnomalyConfig;
use outpost_detectors::occurrences::OCCURRENCES_MAX;

use super::feeds::check_unit;
use super::look::Look;
use super::tree::Path;
use crate::config::Detect;

pub(super) fn check(look: &mut Look<'_>, at: &Path, detect: &Detect) {
    check_unit(look, &at.key("unit"), detect.reading().and_then(|(_, unit)| unit));
    match detect {
        Detect::Threshold { above, below, clear, .. } => check_threshold(look, at, *above, *below, *clear),
        Detect::Rate { rise, fall, over, gap_max, .. } => {
            for (key, limit) in [("rise", rise), ("fall", fall)] {
                if limit.is_some_and(|limit| !(limit.is_finite() && limit > 0.0)) {
                    look.error(&at.key(key), "must be more than 0, in units per second");
                }
            }
            if rise.is_none() && fall.is_none() {
                look.error(at, "a rate needs rise or fall");
            }
            if gap_max.ms() <= over.ms() {
                look.error(&at.key("gap_max"), "must be longer than over, or no two readings are ever compared");
            }
        }
        Detect::Stuck { after, tolerance, gap_max, .. } => {
            look.check_positive(&at.key("after"), *after);
            if let Some(gap_max) = gap_max {
                look.check_positive(&at.key("gap_max"), *gap_max);
            }
            check_not_negative(look, &at.key("tolerance"), *tolerance);
        }
        Detect::NOfM { above, below, n, m, .. } => {
            check_threshold(look, at, *above, *below, None);
            look.check_within(&at.key("n"), *n, 1, OCCURRENCES_MAX);
            look.check_within(&at.key("m"), *m, (*n).clamp(1, OCCURRENCES_MAX), OCCURRENCES_MAX);
        }
        Detect::Count { above, below, n, within, .. } => {
            if above.is_some() || below.is_some() {
                check_threshold(look, at, *above, *below, None);
            }
            look.check_within(&at.key("n"), *n, 1, OCCURRENCES_MAX);
            look.check_positive(&at.key("within"), *within);
        }
        Detect::Deviation { z, half_life, floor, .. } => {
            if !(z.is_finite() && *z > 0.0) {
                look.error(&at.key("z"), "must be more than 0");
            }
            look.check_positive(&at.key("half_life"), *half_life);
            check_not_negative(look, &at.key("floor"), *floor);
        }
        Detect::Anomaly { learn, resolution, margin, .. } => {
            let config = AnomalyConfig { learn_n: *learn, resolution: *resolution, margin: *margin };
            if let Err(error) = config.check() {
                look.error(at, error.to_string());
            }
        }
        _ => {}
    }
}

fn check_not_negative(look: &mut Look<'_>, at: &Path, number: f64) {
    if !(number.is_finite() && number >= 0.0) {
        look.error(at, "must be 0 or more");
    }
}

fn check_threshold(look: &mut Look<'_>, at: &Path, above: Option<f64>, below: Option<f64>, clear: Option<f64>) {
    for (key, level) in [("above", above), ("below", below), ("clear", clear)] {
        if level.is_some_and(|level| !level.is_finite()) {
            return look.error(&at.key(key), "must be a finite number");
        }
    }
    match (above, below) {
        (None, None) => look.error(at, "a rule of this kind needs above or below"),
        (Some(above), Some(below)) if below >= above => {
            look.error(&at.key("below"), format!("below {below} or above {above} is always true"));
        }
        _ => {}
    }
    let Some(clear) = clear else { return };
    if let Some(above) = above.filter(|above| clear > *above) {
        let cause = format!("an alert above {above} clears at {above} or lower, not at {clear}");
        look.error(&at.key("clear"), cause);
    }
    if let Some(below) = below.filter(|below| clear < *below) {
        let cause = format!("an alert below {below} clears at {below} or higher, not at {clear}");
        look.error(&at.key("clear"), cause);
    }
}
