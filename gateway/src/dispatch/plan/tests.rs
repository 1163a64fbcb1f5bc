//! Claims about plans, held to an oracle that tries all of them.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::config::Severity;
use crate::dispatch::centres::Centres;
use crate::dispatch::roster::Roster;
use crate::dispatch::suggest::tests::{NOW_MS, fix};
use crate::dispatch::tests::{Office, alert, config};
use crate::nouns::{Alert, Field, Place};

const SEVERITIES: [Severity; 3] = [Severity::Minor, Severity::Moderate, Severity::Severe];

/// Seconds of each officer to each ticket; none where there is no way.
type Costs = Vec<Vec<Option<i64>>>;

/// Officers along a meridian, and tickets on it.
fn planned(officers: &[(f64, usize)], tickets: &[(f64, usize)]) -> (Vec<Arc<Ticket>>, Plan, Costs) {
    let mut text = String::from("[desk.officers]\ntickets_max = 2\n[[centres]]\nid = \"d\"\nlevel = \"district\"\n");
    for n in 0..officers.len() {
        writeln!(text, "[[people]]\nid = \"p{n}\"\ncentre = \"d\"\nroles = [\"handler\"]").unwrap();
    }
    let config = config(&text);
    let mut office = Office::new(&text);
    let tickets: Vec<Arc<Ticket>> = tickets
        .iter()
        .enumerate()
        .map(|(n, (lat, severity))| {
            let place = Place { point: Some((106.0, *lat)), ..Place::default() };
            office.open(&Alert { place, severity: SEVERITIES[*severity], ..alert(n as u64) })
        })
        .collect();
    let named = || officers.iter().enumerate().map(|(n, officer)| (Arc::<str>::from(format!("p{n}")), officer));
    let field = Field {
        fixes: named().map(|(id, (lat, _))| (id, fix(106.0, *lat, 0))).collect(),
        at_hand: named().map(|(id, (_, n))| (id, *n)).collect(),
        ..Field::default()
    };
    let (roster, centres) = (Roster::new(&config), Centres::new(&config));
    let choice = Choice { roster: &roster, centres: &centres, roads: None, field: &field, now_ms: NOW_MS };
    let costs = tickets.iter().map(|ticket| {
        let (ranked, _) = choice.rank(ticket);
        let cost = |n: usize| ranked.iter().find(|one| *one.officer == *format!("p{n}")).map(|one| one.cost_ms);
        (0..officers.len()).map(cost).collect()
    });
    let costs = costs.collect();
    let plan = choice.plan(&tickets);
    (tickets, plan, costs)
}

/// The least cost of the tickets from `row` on: each with one of the officers that are free, or waiting.
fn least(tickets: &[Arc<Ticket>], costs: &[Vec<Option<i64>>], row: usize, taken: u32) -> i64 {
    let Some(ticket) = tickets.get(row) else { return 0 };
    let waits = WAITS_MS * (ticket.severity as i64 + 1) + least(tickets, costs, row + 1, taken);
    let served = costs[row]
        .iter()
        .enumerate()
        .filter(|(n, _)| taken & 1 << n == 0)
        .filter_map(|(n, cost)| Some((*cost)? + least(tickets, costs, row + 1, taken | 1 << n)));
    served.chain([waits]).min().unwrap()
}

#[test]
fn together_it_is_quicker_than_each_with_the_nearest() {
    // The first ticket is nearest to p1, and so is the second, which nobody else is near to.
    let (_, plan, _) = planned(&[(30.00, 0), (30.02, 0)], &[(30.015, 0), (30.03, 0)]);
    let pairs: Vec<_> = plan.pairs.iter().map(|(ticket, one)| (ticket.no, &*one.officer)).collect();
    assert_eq!(pairs, [(1, "p0"), (2, "p1")]);
    assert_eq!(planned(&[], &[]).1, Plan::default());
}

#[test]
fn where_officers_are_few_the_less_severe_waits() {
    let (_, plan, _) = planned(&[(30.0, 0), (30.0, 2)], &[(30.0, 0), (30.5, 2)]);
    let pairs: Vec<_> = plan.pairs.iter().map(|(ticket, one)| (ticket.no, &*one.officer)).collect();
    assert_eq!(pairs, [(2, "p0")], "p1 has no room");
    assert_eq!(plan.unserved.iter().map(|ticket| ticket.no).collect::<Vec<_>>(), [1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_other_plan_costs_less(
        officers in prop::collection::vec((29.9f64..30.1, 0usize..3), 0..6),
        tickets in prop::collection::vec((29.9f64..30.1, 0usize..3), 0..6),
    ) {
        let (tickets, plan, costs) = planned(&officers, &tickets);
        let waiting: i64 = plan.unserved.iter().map(|ticket| WAITS_MS * (ticket.severity as i64 + 1)).sum();
        let total: i64 = plan.pairs.iter().map(|(_, one)| one.cost_ms).sum::<i64>() + waiting;
        prop_assert_eq!(total, least(&tickets, &costs, 0, 0));
        let sent: std::collections::HashSet<_> = plan.pairs.iter().map(|(_, one)| &one.officer).collect();
        prop_assert_eq!(sent.len(), plan.pairs.len(), "nobody goes to two places");
        prop_assert_eq!(plan.pairs.len() + plan.unserved.len(), tickets.len());
    }
}
