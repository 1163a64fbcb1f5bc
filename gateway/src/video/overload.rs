//! Whether decoders have no time for what is due. Knows nothing of rules: how long it has to last is theirs. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use super::Counts;
use crate::nouns::{Figure, Trouble, TroubleKind, Why, trouble};

/// Cameras named in the reason.
const NAMED_MAX: usize = 5;

/// What was shed until the last look.
#[derive(Debug, Default)]
pub(super) struct Overload {
    /// By camera; empty before the first look.
    shed: HashMap<Arc<str>, u64>,
    /// What was told last; nothing yet after a start.
    told: Option<bool>,
}

impl Overload {
    pub(super) fn look(&mut self, counts: &[Counts], at_ms: i64) -> Option<Trouble> {
        let before = |counts: &Counts| self.shed.get(&counts.source).copied().unwrap_or(counts.shed);
        let gained = counts.iter().map(|counts| (counts.shed.saturating_sub(before(counts)), counts.source.as_ref()));
        let mut most: Vec<(u64, &str)> = gained.filter(|(gained, _)| *gained > 0).collect();
        most.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let (is_on, why) = (!most.is_empty(), why(&most));
        self.shed = counts.iter().map(|counts| (counts.source.clone(), counts.shed)).collect();
        if self.told.replace(is_on) == Some(is_on) {
            return None;
        }
        Some(Trouble { kind: TroubleKind::DecodersBehind, source: trouble::VIDEO.into(), is_on, why, at_ms })
    }
}

fn why(most: &[(u64, &str)]) -> Why {
    if most.is_empty() {
        return Why { text: "decoders keep up".into(), figures: Vec::new() };
    }
    let names: Vec<&str> = most.iter().take(NAMED_MAX).map(|(_, source)| *source).collect();
    let further = match most.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let text = format!("decoders have no time for all frames that are due: {}{further}", names.join(", "));
    let n_shed: u64 = most.iter().map(|(gained, _)| gained).sum();
    Why { text, figures: vec![Figure { name: "shed".into(), value: n_shed as f64, unit: None }] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::counters::Counters;

    fn counts(shed: &[u64]) -> Vec<Counts> {
        let one = |(at, shed): (usize, &u64)| {
            let counts = Counters::default().counts(&Arc::from(format!("cam:{at}")));
            Counts { shed: *shed, ..counts }
        };
        shed.iter().enumerate().map(one).collect()
    }

    #[test]
    fn what_is_shed_is_told_once_with_the_cameras_that_lose_most() {
        let mut overload = Overload::default();
        let told = |overload: &mut Overload, shed: &[u64]| {
            overload.look(&counts(shed), 7).map(|trouble| (trouble.is_on, trouble.why.text))
        };
        // What was shed before anybody looked is history.
        assert_eq!(told(&mut overload, &[5, 0]), Some((false, "decoders keep up".into())));
        assert_eq!(told(&mut overload, &[5, 0]), None);
        let (is_on, text) = told(&mut overload, &[6, 9]).unwrap();
        assert!(is_on && text.ends_with("that are due: cam:1, cam:0"), "{text}");
        assert_eq!(told(&mut overload, &[6, 20]), None);
        assert_eq!(told(&mut overload, &[6, 20]), Some((false, "decoders keep up".into())));
    }

    #[test]
    fn a_long_list_is_cut() {
        let mut overload = Overload::default();
        overload.look(&counts(&[0; 8]), 0);
        let why = overload.look(&counts(&[1; 8]), 0).unwrap().why;
        assert!(why.text.ends_with("cam:4 and 3 more"), "{}", why.text);
        assert_eq!(why.figures[0].value, 8.0);
    }
}
