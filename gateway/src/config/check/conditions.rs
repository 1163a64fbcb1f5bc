//! What must hold of conditions over several readings: that they can be read, and that their units are units.

use std::sync::Arc;

use super::feeds::check_unit;
use super::look::Look;
use super::tree::Path;
use super::words::{did_you_mean, one_of};
use crate::config::{UnitOf, condition};

/// The metrics that are named; none where the condition cannot be read.
pub(super) fn check(
    look: &mut Look<'_>,
    at: &Path,
    when: &str,
    clear_when: Option<&str>,
    units: &[UnitOf],
) -> Vec<Arc<str>> {
    let condition = match condition::parse(when, clear_when) {
        Ok(condition) => condition,
        Err(condition::Fault { in_clear, at: byte, message, hint }) => {
            let key = if in_clear { "clear_when" } else { "when" };
            look.error_within(&at.key(key), byte, message, hint);
            return Vec::new();
        }
    };
    let metrics = condition.metrics();
    for (i, UnitOf { metric, unit }) in units.iter().enumerate() {
        let at = at.key("units").index(i);
        check_unit(look, &at.key("unit"), Some(unit));
        if units[..i].iter().any(|other| other.metric == *metric) {
            look.error(&at.key("metric"), format!("{metric:?} has two units"));
        }
        if condition.number_of(metric).is_none() {
            let names: Vec<&str> = metrics.iter().map(|metric| &**metric).collect();
            let hint = did_you_mean(metric, &names).or_else(|| one_of("it names", &names));
            look.error_hint(&at.key("metric"), format!("the condition names no metric {metric:?}"), hint);
        }
    }
    metrics.to_vec()
}
