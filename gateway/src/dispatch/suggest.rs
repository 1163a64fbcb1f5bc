//! Who is to be sent to a ticket, and why: time on the way, what is at hand, whose ground it is. Of all who can be sent, also
//! those that are left out are counted by reason.

use std::fmt::Write as _;
use std::sync::Arc;

use outpost_fences::Point;

use super::centres::Centres;
use super::roster::{Officer, Roster};
use crate::nouns::{Field, Fix, Ticket};
use crate::roads::{Roads, Ways};

/// What is known of who may be sent.
#[derive(Clone, Copy)]
pub struct Choice<'a> {
    pub roster: &'a Roster,
    pub centres: &'a Centres,
    pub roads: Option<&'a Roads>,
    pub field: &'a Field,
    pub now_ms: i64,
}

/// One who can be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    pub officer: Arc<str>,
    pub name: Arc<str>,
    pub unit: Arc<str>,
    pub centre: Arc<str>,
    /// None where one of the two places is not known, or the position is too old.
    pub travel: Option<Travel>,
    /// Age of the last position.
    pub age_ms: Option<i64>,
    pub n_at_hand: usize,
    /// Of the centre whose ticket it is.
    pub is_owner: bool,
    /// Milliseconds: the way, and what else is weighed against it. The least is the best.
    pub cost_ms: i64,
}

/// A way to a ticket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Travel {
    pub ms: i64,
    pub metres: f64,
    pub by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Road,
    /// A straight line, made longer: there are no roads, or none leads there.
    Straight,
}

/// Who is left out, by the first reason that holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassedOver {
    pub off_duty: usize,
    pub no_skill: usize,
    /// Of centres of another town than the ticket's.
    pub elsewhere: usize,
    pub no_room: usize,
}

impl Choice<'_> {
    /// The best first; who is where is unknown comes after all others.
    pub fn rank(&self, ticket: &Ticket) -> (Vec<Suggestion>, PassedOver) {
        let mut passed = PassedOver::default();
        let fit: Vec<&Officer> =
            self.roster.all().into_iter().filter(|officer| self.fits(officer, ticket, &mut passed)).collect();
        let place = ticket.place.point.and_then(|(lon, lat)| Point::new(lon, lat));
        let points: Vec<Point> = fit.iter().filter_map(|officer| self.fix(officer)).filter_map(point_of).collect();
        let ways = place.and_then(|place| self.roads?.to(place, &points));
        let mut ranked: Vec<Suggestion> =
            fit.into_iter().map(|officer| self.suggest(officer, ticket, place, ways.as_ref())).collect();
        ranked.sort_by(|a, b| {
            let order = |one: &Suggestion| (place.is_some() && one.travel.is_none(), one.cost_ms);
            order(a).cmp(&order(b)).then_with(|| a.officer.cmp(&b.officer))
        });
        (ranked, passed)
    }

    fn fits(&self, officer: &Officer, ticket: &Ticket, passed: &mut PassedOver) -> bool {
        // In emergencies all levels help, and whoever is called comes.
        let is_free = ticket.is_emergency;
        let counter = if !is_free && !officer.is_on_duty(self.field.duties.get(&officer.id), self.now_ms) {
            &mut passed.off_duty
        } else if !officer.has_skill(&ticket.category) {
            &mut passed.no_skill
        } else if !is_free && !self.centres.is_in_reach(&officer.centre, &ticket.centre) {
            &mut passed.elsewhere
        } else if self.n_at_hand(officer) >= self.roster.limits.tickets_max {
            &mut passed.no_room
        } else {
            return true;
        };
        *counter += 1;
        false
    }

    fn n_at_hand(&self, officer: &Officer) -> usize {
        self.field.at_hand.get(&officer.id).copied().unwrap_or_default()
    }

    /// The last position, if it is not too old to go by.
    fn fix(&self, officer: &Officer) -> Option<&Fix> {
        let fix = self.field.fixes.get(&officer.id)?;
        (self.now_ms.saturating_sub(fix.at_ms) <= self.roster.limits.position_age_max.ms()).then_some(fix)
    }

    fn suggest(&self, officer: &Officer, ticket: &Ticket, place: Option<Point>, ways: Option<&Ways>) -> Suggestion {
        let limits = &self.roster.limits;
        let from = self.fix(officer).and_then(point_of);
        let travel = place.zip(from).map(|(place, from)| match ways.and_then(|ways| ways.from(from)) {
            Some(way) => Travel { ms: way.ms as i64, metres: way.metres, by: By::Road },
            None => {
                let metres = from.distance_m(place) * limits.detour;
                Travel { ms: (metres * 3_600.0 / limits.speed_kmh) as i64, metres, by: By::Straight }
            }
        });
        let (n_at_hand, is_owner) = (self.n_at_hand(officer), officer.centre == ticket.centre);
        let load_ms = limits.load.ms().saturating_mul(n_at_hand as i64);
        let bonus_ms = if is_owner { limits.owner_bonus.ms() } else { 0 };
        let last = self.field.fixes.get(&officer.id);
        Suggestion {
            officer: officer.id.clone(),
            name: officer.name.clone(),
            unit: officer.unit.clone(),
            centre: officer.centre.clone(),
            travel,
            age_ms: last.map(|fix| self.now_ms.saturating_sub(fix.at_ms).max(0)),
            n_at_hand,
            is_owner,
            cost_ms: travel.map_or(0, |travel| travel.ms).saturating_add(load_ms).saturating_sub(bonus_ms),
        }
    }
}

impl Suggestion {
    /// In words.
    pub fn why(&self) -> String {
        let mut text = match self.travel {
            Some(Travel { ms, metres, by }) => {
                let minutes = (ms as f64 / 60_000.0).ceil();
                let by = if by == By::Road { "by road" } else { "by a straight line made longer" };
                format!("{minutes} min, {metres:.0} m {by}")
            }
            None => "the way is not known".to_owned(),
        };
        let _ = match self.age_ms {
            Some(age_ms) if age_ms < 120_000 => write!(text, "; position {} s old", age_ms / 1_000),
            Some(age_ms) => write!(text, "; position {} min old", age_ms / 60_000),
            None => write!(text, "; no position"),
        };
        let _ = write!(text, "; {} at hand", self.n_at_hand);
        if self.is_owner {
            text.push_str("; of its centre");
        }
        text
    }
}

fn point_of(fix: &Fix) -> Option<Point> {
    Point::new(fix.lon, fix.lat)
}

#[cfg(test)]
pub(super) mod tests;
