//! From reports of people and other systems to tickets of the same loop. Who tells a thing twice is found by the store.

use super::{Desk, Effect, Entry};
use crate::nouns::{Alert, AlertKey, Report, Ticket, Why};

/// The rule of tickets that no rule found.
const RULE: &str = "report";

impl Desk {
    /// A ticket for what was reported, by its number.
    pub fn report(&mut self, report: &Report, now_ms: i64, effects: &mut Vec<Effect>) -> u64 {
        let key = AlertKey { rule: RULE.into(), source: report.sender.clone(), fence: None };
        let told = Alert {
            // No alert is on: the ticket names none.
            id: "".into(),
            key,
            name: report.title.clone(),
            severity: report.severity,
            category: report.category.clone(),
            since_at_ms: now_ms,
            opened_ms: now_ms,
            place: report.place.clone(),
            why: Why { text: report.text.clone(), figures: Vec::new() },
            snapshot: None,
            exhibits: Vec::new(),
            confidence: None,
            visible: None,
        };
        let ticket = Ticket { n_alerts: 0, n_alerts_on: 0, ..self.ticket(&told, now_ms) };
        let sure = report.place.accuracy_m.map(|metres| format!(", place ± {metres:.0} m")).unwrap_or_default();
        let note = format!("reported by {}, {}{sure}", report.sender, report.key);
        let entry = Entry { who: &report.sender, what: "opened", note, kind: "outpost.ticket.opened" };
        let ticket = self.record(ticket, entry, now_ms, effects);
        self.by_policy(&ticket, now_ms, effects);
        ticket.no
    }
}
