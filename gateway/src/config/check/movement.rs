//! What must hold of rules that follow what moves: their fences exist, their limits are lengths and speeds.

use outpost_fences::track::tripwire::Tripwire;

use super::look::Look;
use super::tree::Path;
use super::words::{did_you_mean, one_of};
use crate::config::{Border, Detect, Motion};

/// Longest buffer, radius or accuracy: beyond it a rule says nothing of a district.
const LENGTH_M_MAX: f64 = 100_000.0;
const SPEED_KMH_MAX: f64 = 100_000.0;
/// Positions that may be asked for to confirm a crossing.
const FIXES_MAX: u16 = 1_000;

pub(super) fn check(look: &mut Look<'_>, at: &Path, detect: &Detect, fences: Option<&[String]>) {
    match detect {
        Detect::Enter { fence, border, motion, .. } | Detect::Exit { fence, border, motion } => {
            check_fence(look, at, fence, fences);
            check_border(look, &at.key("border"), border);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Inside { fence, longer_than, border, motion } => {
            check_fence(look, at, fence, fences);
            look.check_positive(&at.key("for"), *longer_than);
            check_border(look, &at.key("border"), border);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Outside { fence, border, motion, .. } => {
            check_fence(look, at, fence, fences);
            check_border(look, &at.key("border"), border);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Cross { line, buffer_m, motion, .. } => {
            check_line(look, &at.key("line"), line);
            look.check_within(&at.key("buffer_m"), *buffer_m, 0.0, LENGTH_M_MAX);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Dwell { fence, radius_m, longer_than, motion } => {
            if let Some(fence) = fence {
                check_fence(look, at, fence, fences);
            }
            look.check_within(&at.key("radius_m"), *radius_m, 1.0, LENGTH_M_MAX);
            look.check_positive(&at.key("for"), *longer_than);
            check_motion(look, &at.key("motion"), motion);
        }
        Detect::Speeding { fence, above_kmh, over, motion, .. } => {
            check_fence(look, at, fence, fences);
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
        && let Err(error) = Tripwire::new(line, 0.0, Motion::default().limits())
    {
        look.error(at, error.to_string());
    }
}

fn check_fence(look: &mut Look<'_>, at: &Path, fence: &str, fences: Option<&[String]>) {
    let Some(fences) = fences else { return };
    if !fences.iter().any(|known| known == fence) {
        let hint = did_you_mean(fence, fences).or_else(|| one_of("there are", fences));
        look.error_hint(&at.key("fence"), format!("there is no fence {fence:?}"), hint);
    }
}
