//! What must hold of scores: each has a name, its rates exist, and points do not add up to more than 100.

use super::look::Look;
use super::tree::Path;
use super::words::did_you_mean;
use crate::config::scores::{Figure, with_standard};
use crate::config::{Config, Score};

const SCORES_MAX: usize = 100;
const TERMS_MAX: usize = 20;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let scores = &config.scores;
    look.check_within(&Path::default().key("scores"), scores.len(), 0, SCORES_MAX);
    let paths: Vec<_> = (0..scores.len()).map(|i| look.shape.origin("scores", i)).collect();
    look.check_ids(paths.iter().cloned().zip(scores.iter().map(|score| score.id.as_str())));
    let is_rate = |score: &&Score| matches!(score.figure, Figure::Rate { .. });
    let rates: Vec<String> = with_standard(scores).iter().filter(is_rate).map(|score| score.id.clone()).collect();
    for (at, score) in paths.iter().zip(scores) {
        if score.name.trim().is_empty() {
            look.error(&at.key("name"), "must not be empty");
        }
        let at = at.key("figure");
        match &score.figure {
            Figure::Rate { none, .. } => {
                look.check_within(&at.key("none"), none.unwrap_or_default(), 0.0, 100.0);
            }
            Figure::Points { terms } => {
                look.check_within(&at.key("terms"), terms.len(), 1, TERMS_MAX);
                for (i, term) in terms.iter().enumerate() {
                    let at = at.key("terms").index(i);
                    look.check_within(&at.key("points"), term.points, 0.0, 100.0);
                    if !rates.contains(&term.rate) {
                        let hint = did_you_mean(&term.rate, &rates);
                        look.error_hint(&at.key("rate"), format!("there is no rate {:?}", term.rate), hint);
                    }
                }
                let sum: f64 = terms.iter().map(|term| term.points).sum();
                if sum > 100.0 {
                    look.error(&at.key("terms"), format!("points add up to {sum}, at most to 100"));
                }
            }
            Figure::Count { .. } | Figure::Mean { .. } => {}
        }
    }
}
