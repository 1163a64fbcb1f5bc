//! Alerts of one category and place within a window are one ticket's, in whichever order they come.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const GROUPED: &str = "[desk]\nemergency_from = \"extreme\"\ngroup = { within = \"5m\", radius_m = 50.0 }\n\
                       dispatch = [{ category = \"#\", from_severity = \"extreme\", unit = \"trucks\" }]";
const DEGREES_PER_M: f64 = 1.0 / 96_600.0;

fn at(n: u64, east_m: f64) -> Alert {
    let point = Some((106.02 + east_m * DEGREES_PER_M, 29.85));
    let key = alert(n).key;
    Alert {
        id: key.alert_id(n as i64, 1),
        since_at_ms: 1_000 - n as i64,
        place: Place { point, ..Place::default() },
        ..alert(n)
    }
}

#[test]
fn alerts_of_one_place_are_one_ticket_and_all_of_them_are_kept() {
    let mut office = Office::new(GROUPED);
    for (n, east_m) in [(1, 0.0), (2, 30.0), (3, 70.0), (4, 200.0)] {
        office.open(&at(n, east_m));
    }
    assert_eq!(office.desk.n_open(), 2, "what is 130 m away is another place");
    let first = office.desk.live[&1].ticket.clone();
    assert_eq!((first.n_alerts, first.n_alerts_on), (3, 3));
    // Told by the alert whose condition has held longest.
    assert_eq!((&*first.source, first.alert.clone()), ("s/3", at(3, 0.0).id));
    let members = office.effects.iter().filter(|effect| matches!(effect, Effect::Member { ticket: 1, .. })).count();
    assert_eq!(members, 3);
    office.desk.alert_cleared(&cleared(&at(2, 0.0)), office.now_ms, &mut office.effects);
    assert_eq!(office.desk.live[&1].ticket.n_alerts_on, 2);
}

#[test]
fn other_categories_times_and_tickets_that_are_over_make_no_group() {
    let mut office = Office::new(GROUPED);
    office.open(&at(1, 0.0));
    office.open(&Alert { category: "noise".into(), ..at(2, 0.0) });
    office.open(&Alert { category: "".into(), ..at(3, 0.0) });
    office.open(&Alert { category: "".into(), ..at(4, 0.0) });
    assert_eq!(office.desk.n_open(), 4);
    office.now_ms += 5 * 60_000 - 1;
    office.open(&at(5, 0.0));
    assert_eq!(office.desk.n_open(), 4, "the last moment of the window");
    office.now_ms += 1;
    office.open(&at(6, 0.0));
    assert_eq!(office.desk.n_open(), 5);
    office.ask("clerk", 5, Move::Refuse).unwrap();
    office.open(&at(7, 0.0));
    assert_eq!(office.last().no, 6, "what comes after a refusal is news");
    let mut single = Office::new("");
    (1..4).for_each(|n| drop(single.open(&at(n, 0.0))));
    assert_eq!(single.desk.n_open(), 3, "where nothing is configured each has its own");
}

#[test]
fn an_alert_between_two_groups_makes_them_one_unless_somebody_works_on_it() {
    let mut office = Office::new(GROUPED);
    for (n, east_m) in [(1, 0.0), (2, 80.0), (3, 40.0)] {
        office.open(&at(n, east_m));
    }
    let whole = office.desk.live[&1].ticket.clone();
    assert_eq!((office.desk.n_open(), whole.n_alerts, &*whole.source), (1, 3, "s/3"));
    assert!(office.journal().contains(&("merge", "into T-1")));
    let mut office = Office::new(GROUPED);
    office.open(&at(1, 0.0));
    office.open(&at(2, 80.0));
    office.ask("clerk", 2, Move::Accept).unwrap();
    office.open(&at(3, 40.0));
    assert_eq!((office.desk.n_open(), office.desk.live[&2].ticket.n_alerts), (2, 1));
}

#[test]
fn ten_thousand_alerts_of_a_group_are_counted_and_told_of_quietly() {
    let mut office = Office::new(GROUPED);
    for n in 1..=10_000 {
        let alert = at(n, (n % 40) as f64);
        let key = AlertKey { source: format!("s/{}", n % 40).into(), ..alert.key.clone() };
        office.desk.alert_opened(&Alert { key, ..alert }, office.now_ms, &mut office.effects);
    }
    let ticket = office.desk.live[&1].ticket.clone();
    assert_eq!((office.desk.n_open(), ticket.n_alerts, ticket.n_alerts_on), (1, 10_000, 10_000));
    assert_eq!(ticket.n_journal, 13, "opened, nine more, and three powers of ten");
}

#[test]
fn a_group_goes_on_after_a_restart() {
    let mut office = Office::new(GROUPED);
    office.open(&at(1, 0.0));
    let tickets = vec![Ticket::clone(&office.last())];
    office.desk = Desk::restore(&config(GROUPED), Kept { tickets, last_no: 1, ..Kept::default() });
    office.open(&at(2, 10.0));
    assert_eq!((office.desk.n_open(), office.last().n_alerts, &*office.last().source), (1, 2, "s/1"));
}

/// What is told of a ticket, without what numbers and times depend on.
type Shown = (Vec<Arc<str>>, Arc<str>, Severity, Stage, bool, Option<Arc<str>>, u64, u64, Option<Confidence>);

/// The tickets that are open, by their alerts.
fn shown(office: &Office) -> BTreeSet<String> {
    let mut members: BTreeMap<u64, Vec<Arc<str>>> = BTreeMap::new();
    office.desk.by_alert.iter().for_each(|(alert, no)| members.entry(*no).or_default().push(alert.clone()));
    let show = |(no, mut alerts): (u64, Vec<Arc<str>>)| {
        alerts.sort();
        let ticket = office.desk.live[&no].ticket.clone();
        let shown: Shown = (
            alerts,
            ticket.alert.clone(),
            ticket.severity,
            ticket.stage,
            ticket.is_emergency,
            ticket.unit.clone(),
            ticket.n_alerts,
            ticket.n_alerts_on,
            ticket.confidence.clone(),
        );
        format!("{shown:?}")
    };
    members.into_iter().map(show).collect()
}

fn some_alerts() -> impl Strategy<Value = Vec<Alert>> {
    let severity =
        prop_oneof![Just(Severity::Minor), Just(Severity::Severe), Just(Severity::Severe), Just(Severity::Moderate)];
    let one = (0u8..40, severity, any::<bool>(), prop::option::of(1u8..9));
    prop::collection::vec(one, 1..14).prop_map(|all| {
        let alert = |(n, (place, severity, is_heap, share)): (usize, (u8, Severity, bool, Option<u8>))| Alert {
            severity,
            category: if is_heap { "waste/heap" } else { "waste/bin" }.into(),
            // Of equal confidences the reason would be of the one that came first.
            confidence: share.map(|share| Confidence { share: f64::from(share) / 10.0, why: "dust".into() }),
            ..at(n as u64 + 1, f64::from(place) * 17.0)
        };
        all.into_iter().enumerate().map(alert).collect()
    })
}

proptest! {
    #[test]
    fn the_order_within_the_window_changes_no_ticket(
        (alerts, shuffled) in some_alerts().prop_flat_map(|alerts| (Just(alerts.clone()), Just(alerts).prop_shuffle())),
    ) {
        let text = "[desk]\nemergency_from = \"severe\"\ngroup = { within = \"5m\", radius_m = 50.0 }";
        let of = |alerts: &[Alert]| {
            let mut office = Office::new(text);
            for alert in alerts {
                office.now_ms += 1_000;
                office.desk.alert_opened(alert, office.now_ms, &mut office.effects);
            }
            shown(&office)
        };
        prop_assert_eq!(of(&alerts), of(&shuffled));
    }
}
