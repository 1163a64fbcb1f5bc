//! Alerts of one category and place that come within a window are one ticket's. Knows places and numbers of tickets only.
//!
//! Who is near whom decides, and not who came first: what lies between two groups makes them one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use outpost_fences::FenceSet;

use super::places::{Places, Spot, spot};
use crate::config;
use crate::nouns::{Alert, Standing, Ticket};

#[derive(Debug)]
pub(super) struct Groups {
    within_ms: i64,
    radius_m: f64,
    same_grid: bool,
    groups: HashMap<u64, Group>,
    by_time: BTreeSet<(i64, u64)>,
    /// Alerts by their places, numbered as they came, and the ticket of each.
    places: HashMap<Arc<str>, Places>,
    alerts: HashMap<u64, (u64, Arc<str>, Spot)>,
    next_alert: u64,
}

#[derive(Debug)]
struct Group {
    /// When its first alert came.
    since_ms: i64,
    head: Head,
    alerts: Vec<u64>,
    /// Where they are: what comes again from the same place adds none.
    known: HashSet<Known>,
}

/// Since when an alert's condition has held, and its id: the first of all is what a ticket is told by.
pub(super) type Head = (i64, Arc<str>);

/// Source and place, bit by bit.
type Known = (Arc<str>, Option<[u64; 2]>, Option<Arc<str>>);

fn known(spot: &Spot) -> Known {
    let bits = spot.point.map(|point| [point.lon.to_bits(), point.lat.to_bits()]);
    (spot.source.clone(), bits, spot.grid.clone())
}

impl Groups {
    pub(super) fn new(config: &config::Group) -> Groups {
        Groups {
            within_ms: config.within.ms(),
            radius_m: config.radius_m,
            same_grid: config.same_grid,
            groups: HashMap::new(),
            by_time: BTreeSet::new(),
            places: HashMap::new(),
            alerts: HashMap::new(),
            next_alert: 0,
        }
    }

    /// Where an alert is, for one that may be grouped.
    pub(super) fn spot(&self, alert: &Alert, grids: &FenceSet) -> Option<Spot> {
        let may_be = self.within_ms > 0 && !alert.category.is_empty();
        may_be.then(|| spot(&alert.key.source, alert.place.point, self.same_grid.then_some(grids)))
    }

    /// The tickets that an alert belongs to, those of the oldest groups first.
    pub(super) fn near(&mut self, category: &str, spot: &Spot, now_ms: i64) -> Vec<u64> {
        self.expire(now_ms);
        let near = self.places.get(category).map(|places| places.near(spot, self.radius_m));
        let tickets = near.into_iter().flatten().filter_map(|no| self.alerts.get(&no).map(|(ticket, _, _)| *ticket));
        let since = |ticket: u64| Some((self.groups.get(&ticket)?.since_ms, ticket));
        let by_age: BTreeSet<(i64, u64)> = tickets.filter_map(since).collect();
        by_age.into_iter().map(|(_, ticket)| ticket).collect()
    }

    /// A ticket has its first alert.
    pub(super) fn begin(&mut self, ticket: u64, category: &Arc<str>, spot: Spot, head: Head, now_ms: i64) {
        self.groups.insert(ticket, Group { since_ms: now_ms, head, alerts: Vec::new(), known: HashSet::new() });
        self.by_time.insert((now_ms, ticket));
        self.put(ticket, category, spot);
    }

    /// A ticket that was there before a restart: where its other alerts were nobody knows.
    pub(super) fn remember(&mut self, ticket: &Ticket) {
        let is_group = ticket.stage.standing() == Standing::Open && ticket.storm.is_none();
        if self.within_ms > 0 && is_group && !ticket.category.is_empty() {
            let spot = spot(&ticket.source, ticket.place.point, None);
            self.begin(ticket.no, &ticket.category, spot, (i64::MIN, ticket.alert.clone()), ticket.opened_ms);
        }
    }

    /// A ticket has one more; whether that one is its first by the time of its condition.
    pub(super) fn join(&mut self, ticket: u64, category: &Arc<str>, spot: Spot, head: Head) -> bool {
        self.put(ticket, category, spot);
        let Some(group) = self.groups.get_mut(&ticket) else { return false };
        let is_first = head < group.head;
        if is_first {
            group.head = head;
        }
        is_first
    }

    /// A ticket has all alerts of another one; whether the first of all is among them.
    pub(super) fn absorb(&mut self, part: u64, into: u64) -> bool {
        if !self.groups.contains_key(&into) {
            self.end(part);
            return false;
        }
        let Some(part) = self.take(part) else { return false };
        let Some(group) = self.groups.get_mut(&into) else { return false };
        for no in &part.alerts {
            if let Some((ticket, _, _)) = self.alerts.get_mut(no) {
                *ticket = into;
            }
        }
        group.alerts.extend(part.alerts);
        group.known.extend(part.known);
        let is_first = part.head < group.head;
        if is_first {
            group.head = part.head;
        }
        is_first
    }

    /// Nothing joins the ticket any more.
    pub(super) fn end(&mut self, ticket: u64) {
        let Some(group) = self.take(ticket) else { return };
        for no in group.alerts {
            let Some((_, category, spot)) = self.alerts.remove(&no) else { continue };
            if let Some(places) = self.places.get_mut(&category) {
                places.remove(no, &spot);
                if places.is_empty() {
                    self.places.remove(&category);
                }
            }
        }
    }

    fn put(&mut self, ticket: u64, category: &Arc<str>, spot: Spot) {
        let Some(group) = self.groups.get_mut(&ticket) else { return };
        if !group.known.insert(known(&spot)) {
            return;
        }
        let no = self.next_alert;
        self.next_alert += 1;
        group.alerts.push(no);
        self.places.entry(category.clone()).or_default().insert(no, &spot);
        self.alerts.insert(no, (ticket, category.clone(), spot));
    }

    fn take(&mut self, ticket: u64) -> Option<Group> {
        let group = self.groups.remove(&ticket)?;
        self.by_time.remove(&(group.since_ms, ticket));
        Some(group)
    }

    fn expire(&mut self, now_ms: i64) {
        while let Some((_, ticket)) =
            self.by_time.first().copied().filter(|(since_ms, _)| since_ms.saturating_add(self.within_ms) <= now_ms)
        {
            self.end(ticket);
        }
    }
}
