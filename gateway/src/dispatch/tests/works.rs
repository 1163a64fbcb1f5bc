//! Work orders: what is found where somebody is expected to work.

use super::*;
use crate::nouns::{WorkAsk, WorkPlan};

const RULES: &str = r#"
    [[rules]]
    id = "opened"
    sources = ["cover/+"]
    detect = { kind = "threshold", metric = "opened", above = 0.5 }
    severity = "severe"
    unless_work_m = 100

    [[rules]]
    id = "tilted"
    sources = ["cover/+"]
    detect = { kind = "threshold", metric = "tilt", above = 15.0 }
    severity = "severe"
"#;

const HOUR_MS: i64 = 3_600_000;

/// So many metres north of the work.
fn at(rule: &str, n: u64, metres: f64) -> Alert {
    let key = AlertKey { rule: rule.into(), source: format!("cover/{n}").as_str().into(), fence: None };
    let place = Place { point: Some((106.5, 29.6 + metres / 110_860.0)), ..Place::default() };
    Alert { id: key.alert_id(n as i64, n), key, place, ..alert(0) }
}

fn plan(id: &str, from_ms: i64, until_ms: i64) -> WorkPlan {
    WorkPlan { id: id.into(), point: (106.5, 29.6), from_ms, until_ms, who: "li".into(), reason: "new valve".into() }
}

fn enter(office: &mut Office, plan: WorkPlan) -> Vec<WorkOrder> {
    office.desk.work(&WorkAsk::Enter(vec![plan]), office.now_ms, &mut office.effects).unwrap()
}

fn open(office: &mut Office, alerts: &[Alert]) -> usize {
    for alert in alerts {
        office.desk.alert_opened(alert, office.now_ms, &mut office.effects);
    }
    office.desk.n_open()
}

#[test]
fn what_is_found_at_work_has_no_ticket_until_the_work_is_over() {
    let mut office = Office::new(RULES);
    enter(&mut office, plan("W-1", HOUR_MS, 3 * HOUR_MS));
    office.wait_until(HOUR_MS - 1);
    assert_eq!(open(&mut office, &[at("opened", 1, 50.0)]), 1, "before the work begins");
    office.wait_until(HOUR_MS);
    let nowhere = Alert { place: Place::default(), ..at("opened", 5, 0.0) };
    let others = [at("opened", 2, 101.0), at("tilted", 3, 50.0), nowhere];
    assert_eq!(open(&mut office, &others), 4, "too far away, of a rule that does not ask, nobody knows where");
    assert_eq!(open(&mut office, &[at("opened", 4, 99.0)]), 4);
    let withheld = office.effects.iter().find_map(|effect| match effect {
        Effect::Withhold { by, reason, .. } => Some((by.as_str(), *reason)),
        _ => None,
    });
    assert_eq!(withheld, Some(("work order W-1", "work")));
    office.wait_until(3 * HOUR_MS - 1);
    assert_eq!(office.desk.n_open(), 4);
    office.wait_until(3 * HOUR_MS);
    assert_eq!((office.desk.n_open(), &*office.last().source), (5, "cover/4"), "it was left open");
    let over = office.effects.iter().rev().find_map(|effect| match effect {
        Effect::Work(order) => Some((order.n_withheld, order.ended.clone())),
        _ => None,
    });
    assert_eq!(over, Some((1, Some((SELF.into(), 3 * HOUR_MS)))));
}

#[test]
fn an_order_is_changed_by_its_id_and_ended_by_hand() {
    let mut office = Office::new(RULES);
    enter(&mut office, plan("W-1", 0, HOUR_MS));
    let changed = enter(&mut office, plan("W-1", 0, 2 * HOUR_MS));
    let short: Vec<_> = changed.iter().map(|order| (order.no, order.plan.until_ms, order.ended.is_some())).collect();
    assert_eq!(short, [(1, HOUR_MS, true), (2, 2 * HOUR_MS, false)]);
    assert_eq!(open(&mut office, &[at("opened", 1, 0.0)]), 0);
    let end = WorkAsk::End { id: "W-1".into(), by: "wang".into() };
    let ended = office.desk.work(&end, 5, &mut office.effects).unwrap();
    assert_eq!((ended[0].ended.clone(), office.desk.n_open()), (Some(("wang".into(), 5)), 1));
    let again = office.desk.work(&end, 6, &mut office.effects);
    assert_eq!(again, Err(Refusal::NoSuchWorkOrder("W-1".into())));
}

#[test]
fn orders_are_bounded_all_or_nothing() {
    let mut office = Office::new(RULES);
    let plans = |from: usize| (from..from + WORK_ORDERS_MAX - 1).map(|n| plan(&format!("W-{n}"), 0, 9)).collect();
    let mut ask = |plans| office.desk.work(&WorkAsk::Enter(plans), 0, &mut office.effects).map(|changed| changed.len());
    assert_eq!(ask(plans(0)), Ok(WORK_ORDERS_MAX - 1));
    assert_eq!(ask(plans(1)), Ok(2 * (WORK_ORDERS_MAX - 2) + 1), "all but one are changed");
    assert_eq!(ask(plans(3)), Err(Refusal::TooManyWorkOrders(WORK_ORDERS_MAX)));
}

#[test]
fn a_restart_and_a_reload_keep_what_is_ordered() {
    let mut office = Office::new(RULES);
    let orders = enter(&mut office, plan("W-1", 0, HOUR_MS));
    let opened = at("opened", 1, 0.0);
    open(&mut office, std::slice::from_ref(&opened));
    let kept = Kept { works: orders, last_work: 1, withheld: vec![opened], ..Kept::default() };
    office.desk = Desk::restore(&config(RULES), kept);
    office.wait_until(1);
    assert_eq!(office.desk.n_open(), 0);
    office.desk.take_rules(&config(RULES).rules);
    office.wait_until(2);
    assert_eq!(office.desk.n_open(), 0);
    office.desk.take_rules(&config(&RULES.replace("unless_work_m = 100", "")).rules);
    office.wait_until(3);
    assert_eq!(office.desk.n_open(), 1, "the rule does not ask for orders any more");
}
