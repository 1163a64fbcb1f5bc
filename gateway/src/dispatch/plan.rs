//! Who goes where when several tickets wait: together as quickly as can be (the assignment problem, by Kuhn and Munkres), and
//! where there are too few officers the less severe tickets go on waiting. A proposal; nothing is done by it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pathfinding::kuhn_munkres::kuhn_munkres_min;
use pathfinding::matrix::Matrix;

use super::suggest::{Choice, Suggestion};
use crate::nouns::Ticket;

/// What it costs that a minor ticket waits, in milliseconds; one of each further severity costs this more. Far above any way,
/// so that none waits for whom somebody is free.
const WAITS_MS: i64 = 30 * 86_400_000;

/// Never chosen: what waits is cheaper.
const NEVER_MS: i64 = 365 * 86_400_000;

/// Costs beyond this are this: below [`WAITS_MS`].
const COST_MS_MAX: i64 = 7 * 86_400_000;

#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    pub pairs: Vec<(Arc<Ticket>, Suggestion)>,
    /// For whom nobody is left.
    pub unserved: Vec<Arc<Ticket>>,
}

impl Choice<'_> {
    /// One ticket for each officer at the most.
    pub fn plan(&self, tickets: &[Arc<Ticket>]) -> Plan {
        let mut offers: Vec<HashMap<Arc<str>, Suggestion>> = Vec::new();
        for ticket in tickets {
            // Who is where is unknown is not planned with; where the ticket has no place, everybody is as near.
            let (ranked, _) = self.rank(ticket);
            let known = ranked.into_iter().filter(|one| one.travel.is_some() || ticket.place.point.is_none());
            offers.push(known.map(|one| (one.officer.clone(), one)).collect());
        }
        let officers: BTreeSet<&Arc<str>> = offers.iter().flat_map(HashMap::keys).collect();
        let officers: Vec<Arc<str>> = officers.into_iter().cloned().collect();
        let mut plan = Plan::default();
        if tickets.is_empty() {
            return plan;
        }
        // Beyond the officers each ticket has a place to wait in.
        let costs = Matrix::from_fn(tickets.len(), officers.len() + tickets.len(), |(row, column)| {
            match officers.get(column) {
                Some(officer) => offers[row].get(officer).map_or(NEVER_MS, |one| one.cost_ms.min(COST_MS_MAX)),
                None => WAITS_MS * (tickets[row].severity as i64 + 1),
            }
        });
        let (_, chosen) = kuhn_munkres_min(&costs);
        for ((ticket, offers), column) in tickets.iter().zip(&mut offers).zip(chosen) {
            match officers.get(column).and_then(|officer| offers.remove(officer)) {
                Some(one) => plan.pairs.push((ticket.clone(), one)),
                None => plan.unserved.push(ticket.clone()),
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests;
