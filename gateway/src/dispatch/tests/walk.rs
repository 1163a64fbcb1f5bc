//! Random walks through the loop: no illegal state, no lost clock, no orphan, and a restart anywhere changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::nouns::Lamp;

const LIMITS: &str = r#"
[desk]
calendar = "c"
raise_after = "1 working hours"
limits = [{ category = "waste/#", whole = "3 working days", stages = { reported = "30m", handling = "2 working hours" } }]

[[calendars]]
id = "c"
"#;

const EVERY_ROLE: &str = r#"roles = ["officer", "clerk", "chief", "dispatcher", "handler"]"#;

#[derive(Debug, Clone)]
enum Step {
    Ask {
        ticket: u64,
        who: &'static str,
        asked: Move,
        into: u64,
        centre: &'static str,
    },
    /// One of the moves that are open.
    Go {
        ticket: u64,
        who: &'static str,
        nth: prop::sample::Index,
        into: u64,
        centre: &'static str,
    },
    Clear(u64),
    Wait(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let who = || prop::sample::select(vec!["boss", "mayor", "elder", "worker", "away"]);
    let centre = || prop::sample::select(vec!["town", "village", "other-town"]);
    let asked = prop::sample::select(Move::ALL.to_vec());
    prop_oneof![
        4 => (1u64..5, who(), asked, 1u64..5, centre())
            .prop_map(|(ticket, who, asked, into, centre)| Step::Ask { ticket, who, asked, into, centre }),
        12 => (1u64..5, who(), any::<prop::sample::Index>(), 1u64..5, centre())
            .prop_map(|(ticket, who, nth, into, centre)| Step::Go { ticket, who, nth, into, centre }),
        1 => (0u64..4).prop_map(Step::Clear),
        2 => (0i64..200_000_000).prop_map(Step::Wait),
    ]
}

fn take(office: &mut Office, step: &Step) {
    match step {
        Step::Ask { ticket, who, asked, into, centre } => ask(office, *ticket, who, *asked, *into, centre),
        Step::Go { ticket, who, nth, into, centre } => {
            let Some(live) = office.desk.live.get(ticket) else { return };
            let open: Vec<Move> = table::open(&live.ticket).map(|row| row.asked).collect();
            ask(office, *ticket, who, *nth.get(&open), *into, centre);
        }
        Step::Clear(n) => office.desk.alert_cleared(&cleared(&alert(*n)), office.now_ms, &mut office.effects),
        Step::Wait(ms) => office.wait_until(office.now_ms + ms),
    }
}

fn ask(office: &mut Office, ticket: u64, who: &str, asked: Move, into: u64, centre: &str) {
    let mut command = command(ticket, who, asked);
    command.said.into = command.said.into.map(|_| into);
    command.said.centre = command.said.centre.map(|_| centre.into());
    if into.is_multiple_of(2) && matches!(asked, Move::Dispatch | Move::Reassign) {
        (command.said.unit, command.said.officer) = (None, Some("worker".into()));
    }
    let before = office.effects.len();
    let answer = office.desk.command(&command, office.now_ms, &mut office.effects);
    assert_eq!(answer.is_ok(), office.effects.len() > before, "a refusal has no effect, and a move has one");
}

/// What the store has after these effects and steps, as the restart reads it: of alerts those that are on.
fn kept(effects: &[Effect], steps: &[Step]) -> Kept {
    let (mut tickets, mut members) = (BTreeMap::new(), BTreeMap::new());
    for effect in effects {
        match effect {
            Effect::Ticket(ticket) => {
                tickets.insert(ticket.no, Ticket::clone(ticket));
            }
            Effect::Member { alert, ticket } => {
                members.insert(alert.clone(), *ticket);
            }
            Effect::Adopt { from, into } => members.values_mut().filter(|no| *no == from).for_each(|no| *no = *into),
            _ => {}
        }
    }
    let last_no = tickets.keys().max().copied().unwrap_or(0);
    let tickets: Vec<Ticket> =
        tickets.into_values().filter(|ticket| ticket.stage.standing() > Standing::Ended).collect();
    for step in steps {
        if let Step::Clear(n) = step {
            members.remove(&alert(*n).id);
        }
    }
    Kept { tickets, members: members.into_iter().collect(), last_no, ..Kept::default() }
}

/// What must hold of every ticket that is written.
fn check(effects: &[Effect]) {
    let mut last: BTreeMap<u64, Arc<Ticket>> = BTreeMap::new();
    let mut n_at_hand: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for effect in effects {
        let Effect::Ticket(ticket) = effect else { continue };
        assert_eq!(
            ticket.whole.left_ms.is_some(),
            matches!(ticket.stage, Stage::Suspended | Stage::Parked),
            "{ticket:?}"
        );
        assert_eq!(ticket.held.is_some(), ticket.stage == Stage::Suspended, "{ticket:?}");
        assert_eq!(ticket.closed_ms.is_some(), ticket.stage.standing() < Standing::Open, "{ticket:?}");
        assert_eq!(ticket.into.is_some(), ticket.stage == Stage::Merged, "{ticket:?}");
        assert_eq!(
            ticket.lamp(i64::MAX) == Lamp::Red,
            ticket.stage.is_timed(),
            "a clock runs exactly while there is work"
        );
        assert!(ticket.n_alerts_on <= ticket.n_alerts && ticket.whole.yellow_ms <= ticket.whole.due_ms);
        let stages = [Stage::Dispatched, Stage::Signed, Stage::Handling, Stage::FedBack];
        let is_somebodys = ticket.unit.is_some() || !ticket.handlers.is_empty();
        assert!(is_somebodys || !stages.contains(&ticket.stage), "nobody's work: {ticket:?}");
        assert!(ticket.lease_ms.is_none() || ticket.stage == Stage::Dispatched && ticket.booked().is_some());
        let before = last.insert(ticket.no, ticket.clone());
        if let Some(officer) = before.as_ref().and_then(|before| before.booked()) {
            n_at_hand.entry(officer.clone()).and_modify(|n| *n -= 1);
        }
        if let Some(officer) = ticket.booked() {
            let n = n_at_hand.entry(officer.clone()).or_default();
            *n += 1;
            assert_eq!(*n, 1, "{officer} is in two places");
        }
        if let Some(before) = before {
            assert!((before.n_journal..=before.n_journal + 1).contains(&ticket.n_journal), "journals have no gaps");
            let is_row = table::TABLE
                .iter()
                .any(|row| row.from.contains(&before.stage) && row.to.stage(before.stage, before.held) == ticket.stage);
            assert!(is_row || before.stage == ticket.stage, "{:?} to {:?}", before.stage, ticket.stage);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_walk_is_legal_and_survives_a_restart(
        walk in prop::collection::vec(any_step(), 0..100), stop in 0usize..100, whose in 0..3
    ) {
        // With people only those may who have the role; without, or where all have all, walks go further.
        let is_roles = |line: &&str| line.starts_with("roles");
        let lines = people::LEVELS.lines().map(|line| if is_roles(&line) { EVERY_ROLE } else { line });
        let levels = match whose {
            0 => people::LEVELS.to_owned(),
            1 => people::LEVELS.split("[[people]]").next().unwrap().to_owned(),
            _ => lines.collect::<Vec<_>>().join("\n"),
        };
        let text = format!("{LIMITS}{levels}").replace("[\"noise\"]", "[\"noise\", \"waste/#\"]");
        let config = ground::tests::with_ground(&text, &[("town", 0.0), ("other-town", 0.01)]);
        let run = |restart: bool| {
            let mut office = Office::of(Desk::restore(&config, Kept::default()));
            office.now_ms = 1_760_000_000_000;
            for n in 0..4 {
                let severity = if n == 3 { Severity::Extreme } else { Severity::Severe };
                let place = ground::tests::at(0.01 - 0.0001 * f64::from(n as u32 % 2));
                office.open(&Alert { severity, place, ..alert(n) });
            }
            for (at, step) in walk.iter().enumerate() {
                if restart && at == stop {
                    let cases = classes::kept(&config, &office.effects, office.now_ms);
                    office.desk = Desk::restore(&config, kept(&office.effects, &walk[..at]))
                        .with_classes(outpost_fences::FenceSet::new(Vec::new()), cases);
                }
                take(&mut office, step);
            }
            office
        };
        let office = run(false);
        let again = run(true);
        prop_assert_eq!(&office.effects, &again.effects);
        prop_assert_eq!(office.desk.due_ms(), again.desk.due_ms());
        check(&office.effects);
        // No orphan: every alert that is on belongs to a ticket that counts it, or to one that has ended.
        let kept = kept(&office.effects, &walk);
        for ticket in &kept.tickets {
            let n_on = office.desk.by_alert.values().filter(|no| **no == ticket.no).count() as u64;
            prop_assert_eq!(n_on, ticket.n_alerts_on, "{:?}", ticket);
        }
    }
}
