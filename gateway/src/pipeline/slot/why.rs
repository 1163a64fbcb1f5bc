//! The words and figures for why a slot's alert opens and clears, where, and with which picture.

use std::sync::Arc;

use super::*;
use crate::pipeline::heat::Pixel;
use crate::pipeline::reading::told;

impl Slot {
    /// Why the alert opens: called once per alert.
    pub(in crate::pipeline) fn why(&self, rule: &Rule, held_ms: i64) -> Why {
        let held = if held_ms > 0 { format!(" for {}", seconds(held_ms)) } else { String::new() };
        match (&rule.judge, self.memo.get()) {
            (Judge::Reading { metric, test, .. }, Memo::Value { value, unit, finding }) => {
                test.why(metric, *value, unit.as_deref(), *finding, &held)
            }
            (Judge::Condition { text, .. }, _) => Why {
                text: format!("{}: {text}{held}", self.readings_text()),
                figures: self.readings().map(|(metric, last)| said(metric, last)).collect(),
            },
            (Judge::Silent(silent), _) => Why {
                text: format!("nothing came for {}", seconds(silent.after_ms)),
                figures: vec![figure("after", silent.after_ms as f64 / 1000.0, Some("s"))],
            },
            (Judge::Dark(silent), memo) => {
                let because = match memo {
                    Memo::Link { reason: Some(reason), .. } => format!(": {}", reason.as_str()),
                    Memo::Link { state, reason: None } => format!(": {}", state.as_str()),
                    _ => String::new(),
                };
                Why {
                    text: format!("no picture for {}{because}", seconds(silent.after_ms)),
                    figures: vec![figure("after", silent.after_ms as f64 / 1000.0, Some("s"))],
                }
            }
            (Judge::Movement { movement, .. }, memo) => {
                let sight = if let Memo::Moved { sight, .. } = memo { *sight } else { Sight::Plain };
                movement.why(sight, held_ms, &held)
            }
            (Judge::Approach(_), Memo::Met { other, distance_m, .. }) => Why {
                text: format!("within {distance_m:.0} m of {other}"),
                figures: vec![figure("distance", *distance_m, Some("m"))],
            },
            (Judge::Hotspot { heating, .. }, Memo::Heat(seen)) => heating.why(seen, &held),
            (Judge::Picture { rule, .. }, Memo::Picture { figured, area, size_m, .. }) => {
                rule.why(*figured, *area, *size_m, &held)
            }
            (Judge::Together(_), Memo::Together { names, course, .. }) => {
                let way = course.as_ref().map(|course| format!("; {course}")).unwrap_or_default();
                let bearing = course.as_ref().and_then(|course| course.bearing_deg);
                Why {
                    text: format!("together: {names}{way}"),
                    figures: bearing
                        .map(|bearing_deg| figure("bearing", bearing_deg, Some("deg")))
                        .into_iter()
                        .collect(),
                }
            }
            (Judge::Trouble { .. }, Memo::Trouble(why)) => {
                Why { text: format!("{}{held}", why.text), figures: why.figures.clone() }
            }
            // Restored in the middle of a hold: what the last observation showed is not kept.
            _ => Why { text: format!("condition holds{held}"), figures: vec![] },
        }
    }

    /// The latest of each reading that the rule's condition names.
    fn readings(&self) -> impl Iterator<Item = (&Arc<str>, &Last)> {
        let readings = match &self.stored.state {
            State::Condition { readings, .. } => Some(readings.readings()),
            _ => None,
        };
        readings.into_iter().flatten()
    }

    fn readings_text(&self) -> String {
        let text = |(metric, last): (&Arc<str>, &Last)| {
            let unit = last.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
            format!("{metric} {}{unit}", told(last.value))
        };
        self.readings().map(text).collect::<Vec<_>>().join(", ")
    }

    /// Where a moving subject was.
    pub(in crate::pipeline) fn point(&self) -> Option<(f64, f64)> {
        match *self.memo.get() {
            Memo::Moved { point, .. }
            | Memo::Met { point: Some(point), .. }
            | Memo::Picture { point: Some(point), .. }
            | Memo::Together { point: Some(point), .. } => Some((point.lon, point.lat)),
            _ => None,
        }
    }

    /// How far off that may be.
    pub(in crate::pipeline) fn accuracy_m(&self) -> Option<f64> {
        if let Memo::Moved { accuracy_m, .. } = *self.memo.get() { accuracy_m } else { None }
    }

    /// What a thermal camera shows it by.
    pub(in crate::pipeline) fn pixel(&self) -> Option<Pixel> {
        match self.memo.get() {
            Memo::Heat(seen) => seen.pixel(),
            _ => None,
        }
    }

    /// Why the alert clears.
    pub(in crate::pipeline) fn why_cleared(&self, rule: &Rule) -> String {
        match (&rule.judge, self.memo.get()) {
            (_, Memo::OffDuty) => "off duty".into(),
            (Judge::Reading { metric, .. }, Memo::Value { value, unit, .. }) => {
                format!(
                    "{metric} {}{}",
                    told(*value),
                    unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default()
                )
            }
            (Judge::Condition { .. }, _) => self.readings_text(),
            (Judge::Silent(_), _) => "heard again".into(),
            (Judge::Dark(_), _) => "pictures again".into(),
            (Judge::Movement { movement, .. }, _) => movement.why_cleared(),
            (Judge::Picture { rule, .. }, _) => rule.why_cleared(),
            (Judge::Together(_), _) => "no longer together".into(),
            (Judge::Trouble { .. }, Memo::Trouble(why)) if !why.text.is_empty() => why.text.clone(),
            (Judge::Approach(_), _) => "apart again".into(),
            _ => "condition is over".into(),
        }
    }
}

fn said(metric: &Arc<str>, last: &Last) -> Figure {
    Figure { name: metric.to_string().into(), value: last.value, unit: last.unit.clone() }
}
