//! Work orders: which alerts are of work that was ordered. Only rules with `unless_work_m` ask.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use outpost_fences::Point;

use crate::config::Rule;
use crate::nouns::{Alert, Refusal, WorkAsk, WorkOrder, WorkPlan};

/// Work orders that are not over, at a time.
pub const WORK_ORDERS_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Works {
    /// How near to its alerts work must be, by rule.
    reach_m: HashMap<Arc<str>, f64>,
    /// Those that are not over, by the id of their plan.
    orders: BTreeMap<Arc<str>, WorkOrder>,
    next_no: u64,
}

impl Works {
    /// `last_no` is the highest number of an order ever given.
    pub(super) fn new(rules: &[Rule], orders: Vec<WorkOrder>, last_no: u64) -> Works {
        let orders = orders.into_iter().map(|order| (order.plan.id.clone(), order)).collect();
        let mut works = Works { orders, next_no: last_no + 1, ..Works::default() };
        works.take_rules(rules);
        works
    }

    pub(super) fn take_rules(&mut self, rules: &[Rule]) {
        let reach = rules.iter().filter_map(|rule| Some((rule.id.as_str().into(), rule.unless_work_m?)));
        self.reach_m = reach.collect();
    }

    /// The order whose work an alert is of. An alert without a place is of none.
    pub(super) fn of(&self, alert: &Alert, now_ms: i64) -> Option<&Arc<str>> {
        let reach_m = *self.reach_m.get(&alert.key.rule)?;
        let (lon, lat) = alert.place.point?;
        let place = Point::new(lon, lat)?;
        let is_near = |plan: &WorkPlan| {
            let (lon, lat) = plan.point;
            Point::new(lon, lat).is_some_and(|point| point.distance_m(place) <= reach_m)
        };
        let plans = self.orders.values().map(|order| &order.plan);
        plans
            .filter(|plan| (plan.from_ms..plan.until_ms).contains(&now_ms))
            .find(|plan| is_near(plan))
            .map(|plan| &plan.id)
    }

    /// Counts an alert for its order.
    pub(super) fn count(&mut self, id: &str) -> Option<WorkOrder> {
        let order = self.orders.get_mut(id)?;
        order.n_withheld += 1;
        Some(order.clone())
    }

    /// All orders that changed, as they are then: what is entered anew ends what had its id.
    pub(super) fn ask(&mut self, ask: &WorkAsk, now_ms: i64) -> Result<Vec<WorkOrder>, Refusal> {
        match ask {
            WorkAsk::Enter(plans) => {
                let n_new = plans.iter().filter(|plan| !self.orders.contains_key(&plan.id)).count();
                if self.orders.len() + n_new > WORK_ORDERS_MAX {
                    return Err(Refusal::TooManyWorkOrders(WORK_ORDERS_MAX));
                }
                let mut changed = Vec::new();
                for plan in plans {
                    let (no, id) = (self.next_no, plan.id.clone());
                    let order = WorkOrder { no, plan: plan.clone(), entered_ms: now_ms, ended: None, n_withheld: 0 };
                    self.next_no += 1;
                    let before = self.orders.insert(id, order.clone());
                    let end = |before| WorkOrder { ended: Some((plan.who.clone(), now_ms)), ..before };
                    changed.extend(before.map(end).into_iter().chain([order]));
                }
                Ok(changed)
            }
            WorkAsk::End { id, by } => {
                let order = self.orders.remove(id).ok_or_else(|| Refusal::NoSuchWorkOrder(id.clone()))?;
                Ok(vec![WorkOrder { ended: Some((by.clone(), now_ms)), ..order }])
            }
        }
    }

    /// When the next order is over.
    pub(super) fn due_ms(&self) -> Option<i64> {
        self.orders.values().map(|order| order.plan.until_ms).min()
    }

    /// Ends an order whose time is over.
    pub(super) fn take_over(&mut self, who: &str, now_ms: i64) -> Option<WorkOrder> {
        let id = self.orders.values().find(|order| order.plan.until_ms <= now_ms)?.plan.id.clone();
        let order = self.orders.remove(&id)?;
        Some(WorkOrder { ended: Some((who.into(), order.plan.until_ms)), ..order })
    }
}
