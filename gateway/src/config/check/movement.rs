//! What must hold of rules that follow what moves: their fences exist, their limits are lengths and speeds.

use super::fences::Known;
use super::look::Look;
use super::tree::Path;
use super::words::{did_you_mean, one_of};
use crate::config::{Border, Detect, Motion, NoFences, line_of};

/// Longest buffer, radius or accuracy: beyond it a rule says nothing of a district.
const LENGTH_M_MAX: f64 = 100_000.0;
const SPEED_KMH_MAX: f64 = 100_000.0;
/// Positions that may be asked for to confirm a crossing.
const FIXES_MAX: u16 = 1_000;

pub(super) fn check(look: &mut Look<'_>, at: &Path, detect: &Detect, fences: Option<&[Known]>) {
    if let Some(fences) = fences {
        check_fences(look, &at.key("fence"), detect, fences);
    }
    match detect {
        Detect::Enter { border, motion, .. } | Detect::Exit { border, motion, .. } => {
            check_border(look, &at.key("border"), border);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Inside { longer_than, border, motion, .. } => {
            look.check_positive(&at.key("for"), *longer_than);
            check_border(look, &at.key("border"), border);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Outside { fence, border, motion, .. } => {
            if !fence.is_one() {
                let hint = "draw one fence of several parts: a MultiPolygon".to_owned();
                let cause = "takes one fence: who must be in one of several is always outside the others";
                look.error_hint(&at.key("fence"), cause, Some(hint));
            }
            check_border(look, &at.key("border"), border);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Cross { fence, line, buffer_m, motion, .. } => {
            match line {
                Some(line) => check_line(look, &at.key("line"), line),
                None if fence.is_none() => look.error(at, "needs a fence that is a line, or a line"),
                None => {}
            }
            if fence.is_some() && line.is_some() {
                look.error(&at.key("line"), "is one line too many: the rule names a fence");
            }
            look.check_within(&at.key("buffer_m"), *buffer_m, 0.0, LENGTH_M_MAX);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Dwell { radius_m, longer_than, motion, .. } => {
            look.check_within(&at.key("radius_m"), *radius_m, 1.0, LENGTH_M_MAX);
            look.check_positive(&at.key("for"), *longer_than);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Speeding { above_kmh, over, motion, .. } => {
            look.check_within(&at.key("above_kmh"), *above_kmh, 0.0, SPEED_KMH_MAX);
            look.check_positive(&at.key("over"), *over);
            if motion.gap_max.ms() < over.ms() {
                look.error(&at.key("over"), "must not be longer than motion.gap_max, or no speed is ever taken");
            }
            if motion.speed_max_kmh.is_some_and(|speed_max_kmh| speed_max_kmh <= *above_kmh) {
                let cause = "must be more than above_kmh, or who is too fast is not believed";
                look.error(&at.key("motion").key("speed_max_kmh"), cause);
            }
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Approach { radius_m, exit_buffer_m, within, motion, .. } => {
            look.check_within(&at.key("radius_m"), *radius_m, 1.0, LENGTH_M_MAX);
            look.check_within(&at.key("exit_buffer_m"), *exit_buffer_m, 0.0, LENGTH_M_MAX);
            look.check_positive(&at.key("within"), *within);
            check_motion(look, &at.key("motion"), motion);
        }
        _ => {}
    }
}

fn check_border(look: &mut Look<'_>, at: &Path, border: &Border) {
    look.check_within(&at.key("exit_buffer_m"), border.exit_buffer_m, 0.0, LENGTH_M_MAX);
    look.check_within(&at.key("fixes"), border.fixes, 1, FIXES_MAX);
}

fn check_motion(look: &mut Look<'_>, at: &Path, motion: &Motion) {
    look.check_within(&at.key("accuracy_max_m"), motion.accuracy_max_m, 1.0, LENGTH_M_MAX);
    if let Some(speed_max_kmh) = motion.speed_max_kmh {
        look.check_within(&at.key("speed_max_kmh"), speed_max_kmh, 1.0, SPEED_KMH_MAX);
    }
    look.check_positive(&at.key("gap_max"), motion.gap_max);
}

fn check_line(look: &mut Look<'_>, at: &Path, line: &[[f64; 2]]) {
    let n_problems = line.iter().enumerate().fold(0, |n, (i, place)| {
        let [lon, lat] = *place;
        look.check_place(&at.index(i), Some(*place));
        n + usize::from(!(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat))
    });
    if n_problems == 0
        && let Err(flaw) = line_of(line)
    {
        look.error(at, flaw.to_string());
    }
}

fn check_fences(look: &mut Look<'_>, at: &Path, detect: &Detect, known: &[Known]) {
    let Some(names) = detect.fences() else { return };
    let is_fit = |fence: &Known| fence.is_line == detect.is_about_lines();
    let chosen = match names.choose(known.iter().map(|fence| (fence.id.as_str(), is_fit(fence)))) {
        Ok(chosen) => chosen,
        Err(cause) => {
            let ids: Vec<&str> = known.iter().map(|fence| fence.id.as_str()).collect();
            let hint = match &cause {
                NoFences::Unknown(name) => did_you_mean(name, &ids).or_else(|| one_of("there are", &ids)),
                NoFences::NoMatch(_) => one_of("there are", &ids),
                NoFences::TooMany(_) => None,
            };
            return look.error_hint(at, cause.to_string(), hint);
        }
    };
    for fence in known.iter().filter(|fence| !is_fit(fence) && chosen.contains(&fence.id.as_str())) {
        let cause = match fence.is_line {
            true => format!("fence {:?} is a line and has no inside", fence.id),
            false => format!("fence {:?} is an area; what is crossed is a line", fence.id),
        };
        let hint = if fence.is_line {
            "rules of the kind \"cross\" are about lines"
        } else {
            "\"enter\" and \"exit\" are about areas"
        };
        look.error_hint(at, cause, Some(hint.to_owned()));
    }
}
